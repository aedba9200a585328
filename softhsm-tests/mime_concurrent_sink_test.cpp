#include "mime/concurrent_sink.h"

#include <catch2/catch.hpp>
#include <future>
#include <list>
#include <set>
#include <thread>

#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

constexpr std::size_t kMuch = 3 * 1024 * 1024 + 17;

std::string much() {
    std::string text(kMuch, '\0');
    std::uint32_t state = 1;
    for (char& c : text)
        c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return text;
}

/// Collector keeps what it is pushed and notes in which threads.
struct Collector final : Sink {
    void push(ByteView piece) override {
        text += text_of(piece);
        threads.insert(std::this_thread::get_id());
    }
    std::string text;
    std::set<std::thread::id> threads;
};

/// Failing takes so much, then throws.
struct Failing final : Sink {
    explicit Failing(std::size_t most) : left(most) {}
    void push(ByteView piece) override {
        if (piece.size() > left) throw Error(ErrorKind::io, "the disk is full");
        left -= piece.size();
    }
    std::size_t left;
};

}  // namespace

TEST_CASE("a concurrent sink passes on what it is pushed, in order, whatever the size of the pieces") {
    const std::string text = much();
    for (const std::size_t size : {std::size_t{0}, std::size_t{61}, std::size_t{4097}, kPieceSize, kPieceSize + 1}) {
        Collector to;
        ConcurrentSink sink(to);
        test::push_in_pieces(sink, text, size);
        sink.wait();
        CHECK(to.text == text);
        test::push_in_pieces(sink, "and more", size);
        sink.wait();
        CHECK(to.text == text + "and more");
    }
}

TEST_CASE("a concurrent sink takes a thread for much and none for little") {
    Collector little, more;
    ConcurrentSink small(little), large(more);
    test::push_in_pieces(small, much().substr(0, 512 * 1024), kPieceSize);
    small.wait();
    CHECK(little.threads == std::set{std::this_thread::get_id()});
    test::push_in_pieces(large, much(), kPieceSize);
    large.wait();
    CHECK(more.threads.size() == 2);
}

TEST_CASE("a concurrent sink works while its caller does") {
    // The other side ends its first piece in a thread of its own only once the caller has gone on.
    struct Waiting final : Sink {
        void push(ByteView) override {
            if (std::this_thread::get_id() == caller || std::exchange(waited, true)) return;
            gone_on.get_future().wait();
        }
        std::thread::id caller = std::this_thread::get_id();
        std::promise<void> gone_on;
        bool waited = false;
    };
    Waiting waiting;
    ConcurrentSink sink(waiting);
    const std::string text = much();
    test::push_in_pieces(sink, text.substr(0, 1024 * 1024 + 2 * kPieceSize), kPieceSize);
    waiting.gone_on.set_value();
    sink.wait();
    CHECK(waiting.waited);
}

TEST_CASE("what the other side of a concurrent sink throws comes back to its caller") {
    for (const std::size_t most : {std::size_t{0}, std::size_t{2 * 1024 * 1024}, kMuch - 1}) {
        Failing failing(most);
        ConcurrentSink sink(failing);
        const auto push_all = [&] {
            test::push_in_pieces(sink, much(), kPieceSize);
            sink.wait();
        };
        CHECK_THROWS_WITH(push_all(), "the disk is full");
        if (most > 0) CHECK_THROWS_WITH(sink.wait(), "the disk is full");
    }
}

TEST_CASE("a concurrent sink that is given up leaves no thread behind") {
    Collector to;
    const std::string text = much();
    for (int i = 0; i < 20; ++i) {
        ConcurrentSink sink(to);
        test::push_in_pieces(sink, text, kPieceSize);
    }
    CHECK(to.text.size() <= 20 * kMuch);
    CHECK(to.threads.size() > 1);
}

TEST_CASE("many concurrent sinks at once share a few threads") {
    const std::string text = much();
    std::list<Collector> collectors(40);
    std::list<ConcurrentSink> sinks;
    for (Collector& each : collectors)
        test::push_in_pieces(sinks.emplace_back(each), text, kPieceSize);
    std::set<std::thread::id> threads;
    for (const ConcurrentSink& each : sinks)
        each.wait();
    for (const Collector& each : collectors) {
        CHECK(each.text == text);
        threads.insert(each.threads.begin(), each.threads.end());
    }
    CHECK(threads.size() > 1);
    CHECK(threads.size() <= 9);
}
