#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "cms/smime/read.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::uint64_t kMailBytes = 256 * 1024 * 1024;
constexpr std::uint64_t kMaxGrowthKib = 16 * 1024;

std::uint64_t peak_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "VmHWM:" && status >> word) return std::stoull(word);
    throw std::runtime_error("no VmHWM");
}

// reset_peak makes VmHWM count from what is resident now.
void reset_peak() {
    std::ofstream("/proc/self/clear_refs") << "5";
}

// Generated is a mail of kMailBytes, made as it is pulled.
class Generated final : public Source {
  public:
    Generated() {
        for (std::size_t i = 0; i < kPieceSize / 64; ++i)
            lines_ += std::string(62, static_cast<char>('a' + i % 26)) + "\r\n";
    }
    ByteView pull() override {
        if (std::exchange(begun_, true)) {
            if (given_ >= kMailBytes) return {};
            given_ += lines_.size();
            return bytes_of(lines_);
        }
        return bytes_of("From: alice@example.gov\r\nContent-Type: text/plain\r\n\r\n");
    }

  private:
    std::string lines_;
    std::uint64_t given_ = 0;
    bool begun_ = false;
};

// File is a file as source and as sink, so that a whole message never is in memory.
struct File {
    explicit File(const std::string& path) : name(path) {}

    struct Reader final : Source {
        explicit Reader(const std::string& path) : file(path, std::ios::binary) {}
        ByteView pull() override {
            file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
            return bytes_of({buffer.data(), static_cast<std::size_t>(file.gcount())});
        }
        std::ifstream file;
        std::string buffer = std::string(kPieceSize, '\0');
    };
    struct Writer final : Sink {
        explicit Writer(const std::string& path) : file(path, std::ios::binary | std::ios::trunc) {}
        void push(ByteView bytes) override {
            const std::string_view text = text_of(bytes);
            file.write(text.data(), static_cast<std::streamsize>(text.size()));
        }
        std::ofstream file;
    };

    std::string name;
};

template <class From>
void run_through(Job& job, From open, const File& to) {
    for (int pass = 0; pass < 5; ++pass) {
        auto source = open();
        File::Writer sink(to.name);
        if (job.pass(source, sink)) return;
    }
    FAIL("the job does not come to an end");
}

struct CountSink final : Sink {
    void push(ByteView bytes) override { count += bytes.size(); }
    std::uint64_t count = 0;
};

void read_through(ReadJob& job, const File& from, Result expected) {
    for (int pass = 0; pass < 5; ++pass) {
        File::Reader source(from.name);
        CountSink sink;
        if (!job.pass(source, sink)) continue;
        CHECK(job.report().result == expected);
        CHECK(sink.count > kMailBytes);
        return;
    }
    FAIL("the job does not come to an end");
}

}  // namespace

TEST_CASE("memory does not grow with the mail", "[memory]") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), bob = bench.bob();
    SoftwareSigner signer(alice);
    const SystemClock clock;
    const Trust trust = bench.trust();
    SoftwareKeys keys({bob});
    const File message(bench.file(""));
    const auto generated = [] { return Generated(); };
    ReadOptions verify, decrypt;
    verify.task = Task::verify;
    decrypt.task = Task::decrypt;
    reset_peak();
    const std::uint64_t before = peak_kib();

    SECTION("clear signing and verifying") {
        run_through(*sign_job({&signer}, clock, {}), generated, message);
        read_through(*read_job(nullptr, &trust, verify), message, Result::valid);
    }
    SECTION("opaque signing and verifying") {
        SignOptions options;
        options.opaque = true;
        run_through(*sign_job({&signer}, clock, options), generated, message);
        read_through(*read_job(nullptr, &trust, verify), message, Result::valid);
    }
    SECTION("encrypting and decrypting") {
        EncryptOptions options;
        options.cipher = GENERATE(content_cipher("aes-256-cbc"), content_cipher("aes-256-gcm"));
        run_through(*encrypt_job({{bob.certificate}}, options), generated, message);
        read_through(*read_job(&keys, nullptr, decrypt), message, Result::decrypted);
    }
    const std::uint64_t grown = peak_kib() - before;
    CAPTURE(before, grown);
    CHECK(grown < kMaxGrowthKib);
}
