#include <catch2/catch.hpp>

#include "cli/tapped_job.h"
#include "mime/error.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

/// Copier passes its input on, in small pieces, and is good at its second pass.
struct Copier final : cms::Job {
    bool pass(Source& input, Sink& output) override {
        ++passes;
        for (ByteView piece = input.pull(); !piece.empty(); piece = input.pull())
            for (; !piece.empty(); piece = piece.subspan(std::min<std::size_t>(piece.size(), 1000)))
                output.push(piece.first(std::min<std::size_t>(piece.size(), 1000)));
        if (fails) throw Error(ErrorKind::failed, "the job fails");
        return passes >= 2;
    }
    int passes = 0;
    bool fails = false;
};

Bytes numbers(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<Byte>(i * 7 + i / 251);
    return bytes;
}

}  // namespace

TEST_CASE("what a job writes is read meanwhile, byte for byte, in each pass until one is good", "[cli]") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPieceSize, 5 * kPieceSize + 3}) {
        const Bytes content = numbers(size);
        Copier copier;
        std::vector<Bytes> read;
        TappedJob job(copier, [&](Source& from) {
            BytesSink all;
            copy(from, all);
            read.push_back(std::move(all.bytes));
        });
        BytesSink output;
        for (const bool good : {false, true, true}) {
            ViewSource input(content);
            output.bytes.clear();
            CHECK(job.pass(input, output) == good);
            CHECK(output.bytes == content);
        }
        CHECK(read == std::vector<Bytes>{content, content});
    }
}

TEST_CASE("a reader that stops, a reader that fails and a job that fails hold nobody up", "[cli]") {
    const Bytes content = numbers(5 * kPieceSize);
    BytesSink output;
    Copier copier;
    std::size_t read = 0;
    {
        TappedJob job(copier, [&](Source& from) { read = from.pull().size(); });
        ViewSource input(content);
        CHECK_FALSE(job.pass(input, output));
        CHECK(output.bytes == content);
        CHECK(read > 0);
    }
    {
        TappedJob job(copier, [](Source&) { throw Error(ErrorKind::malformed, "the reader fails"); });
        ViewSource input(content);
        CHECK_THROWS_WITH(job.pass(input, output), "the reader fails");
    }
    copier.fails = true;
    TappedJob job(copier, [](Source& from) { drain(from); });
    ViewSource input(content);
    CHECK_THROWS_WITH(job.pass(input, output), "the job fails");
}
