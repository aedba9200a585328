// Peak memory with 16 MiB of content and with much more (P11MIME_LARGE_MIB sets another size, in MiB): small, and the
// same. Signing and encryption pass 2 GiB once each, where 32 bits would end; the rest passes 512 MiB.

#include <openssl/evp.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "cms/handle.h"
#include "mime/bytes.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/skip.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr std::uint64_t kMib = 1024 * 1024;
constexpr std::uint64_t kPeakKib = 24 * 1024;
constexpr std::uint64_t kGrowthKib = 2 * 1024;

constexpr std::uint64_t kLarge = 512 * kMib;
constexpr std::uint64_t kBeyond31Bits = 2048 * kMib;

/// LargeMail makes a mail with a base64 attachment on the fly.
class LargeMail {
  public:
    explicit LargeMail(std::uint64_t size) : lines_left_(size / 78) {
        for (unsigned line = 0; line < kLinesInBlock; ++line) {
            for (unsigned i = 0; i < 76; ++i)
                block_ += kAlphabet[(line * 31 + i * (1 + line % 61)) % 64];
            block_ += "\r\n";
        }
    }

    std::string_view next() {
        if (!begun_) {
            begun_ = true;
            return kHead;
        }
        if (lines_left_ > 0) {
            const std::uint64_t lines = std::min<std::uint64_t>(lines_left_, kLinesInBlock);
            lines_left_ -= lines;
            return std::string_view(block_).substr(0, lines * 78);
        }
        return std::exchange(tail_, std::string_view{});
    }

  private:
    static constexpr unsigned kLinesInBlock = 4000;
    static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static constexpr std::string_view kHead =
        "From: alice@example.gov\r\nTo: bob@example.org\r\nSubject: The whole archive\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=\"parts\"\r\n\r\n"
        "--parts\r\nContent-Type: text/plain\r\n\r\nHere it is.\r\n"
        "--parts\r\nContent-Type: application/octet-stream; name=archive.bin\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\n";

    std::string block_;
    std::uint64_t lines_left_;
    bool begun_ = false;
    std::string_view tail_ = "--parts--\r\n";
};

/// BodyDigest is SHA-256 over what follows a mail's header.
class BodyDigest {
  public:
    BodyDigest() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

    void push(std::string_view piece) {
        if (!in_body_) {
            header_.append(piece);
            const std::size_t end = header_.find("\r\n\r\n");
            if (end == std::string::npos) return;
            in_body_ = true;
            piece = std::string_view(header_).substr(end + 4);
        }
        EVP_DigestUpdate(context_.get(), piece.data(), piece.size());
    }

    Bytes value() {
        Bytes value(32);
        EVP_DigestFinal_ex(context_.get(), value.data(), nullptr);
        return value;
    }

  private:
    DigestContext context_;
    std::string header_;
    bool in_body_ = false;
};

Bytes digest_of(LargeMail mail) {
    BodyDigest digest;
    for (std::string_view piece = mail.next(); !piece.empty(); piece = mail.next())
        digest.push(piece);
    return digest.value();
}

Bytes digest_of_file(const std::string& path) {
    BodyDigest digest;
    std::vector<char> buffer(kMib);
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    do {
        file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
        digest.push({buffer.data(), static_cast<std::size_t>(file.gcount())});
    } while (file);
    REQUIRE(file.eof());
    return digest.value();
}

/// Shelf is where large files are for a while: in memory where there is room, which spares the disk many GiB.
class Shelf {
  public:
    explicit Shelf(std::uint64_t needed) {
        std::error_code none;
        const auto shared = std::filesystem::space("/dev/shm", none);
        const bool roomy = !none && shared.available / 2 > needed;  // another such test may run
        const std::string parent = roomy ? "/dev/shm" : std::filesystem::temp_directory_path();
        INFO("the test needs " << needed / kMib << " MiB in /dev/shm or in the temporary directory");
        REQUIRE(std::filesystem::space(parent).available > needed);
        path_ = parent + "/p11mime-test-XXXXXX";
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }
    ~Shelf() { std::filesystem::remove_all(path_); }
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;
    const std::string& path() const { return path_; }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

using Peaks = std::map<std::string, std::uint64_t>;  ///< KiB by command

/// Machine runs commands on a mail of one size and keeps their peaks.
class Machine {
  public:
    Machine(const Office& office, std::uint64_t size) : shelf(size * 3 + 64 * kMib), office_(office), size_(size) {}

    LargeMail mail() const { return LargeMail(size_); }

    /// make feeds the mail through a pipe, which is spooled; the output goes to a file.
    void make(const std::string& what, const Arguments& arguments, const std::string& output) {
        LargeMail made = mail();
        Command command = command_of(arguments, {"-o", output});
        command.generate = [&] { return made.next(); };
        run(what, std::move(command));
    }

    /// read lets a command read a file.
    void read(const std::string& what, const Arguments& arguments, const std::string& input, const Arguments& output) {
        run(what, command_of(arguments, output + Arguments{input}));
    }

    /// read_to_pipe gives the digest of what a command writes to its standard output.
    Bytes read_to_pipe(const std::string& what, const Arguments& arguments, const std::string& input) {
        BodyDigest digest;
        Command command = command_of(arguments, {input});
        command.consume = [&](std::string_view piece) { digest.push(piece); };
        run(what, std::move(command));
        return digest.value();
    }

    const Shelf shelf;
    Peaks peaks;

  private:
    Command command_of(const Arguments& arguments, const Arguments& more) const {
        return office_.desk.p11mime_command(arguments + more);
    }

    void run(const std::string& what, Command command) {
        command.environment["TMPDIR"] = shelf.path();
        command.timeout = std::chrono::minutes(5);
        const Outcome outcome = run_process(command);
        INFO(what << ": " << outcome.err);
        REQUIRE(outcome.status == 0);
        peaks[what] = outcome.peak_kib;
    }

    const Office& office_;
    std::uint64_t size_;
};

/// compare runs the same work on a small and a large mail.
template <class Work>
void compare(std::uint64_t large_size, Work work) {
    if (is_sanitized()) {
        skip("the memory of a sanitized program says nothing");
        return;
    }
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov"});
    const auto peaks_at = [&](std::uint64_t size) {
        Machine machine(office, size);
        work(machine, office);
        return machine.peaks;
    };
    const char* mib = std::getenv("P11MIME_LARGE_MIB");
    const Peaks small = peaks_at(16 * kMib),
                large = peaks_at(mib == nullptr ? large_size : std::strtoull(mib, nullptr, 10) * kMib);
    for (const auto& [what, peak] : small) {
        CAPTURE(what, peak, large.at(what));
        CHECK(peak <= kPeakKib);
        CHECK(large.at(what) <= kPeakKib);
        CHECK(large.at(what) <= peak + kGrowthKib);
    }
}

Arguments encrypt(const Office& office, const char* cipher) {
    return Arguments{"encrypt", "--cipher", cipher} + office.trust() +
           Arguments{"--recipient-cert", office.desk.path("Alice.pem")};
}

}  // namespace

TEST_CASE("clear signing and verifying 2 GiB take the memory that 16 MiB take", "[e2e]") {
    compare(kBeyond31Bits, [](Machine& machine, const Office& office) {
        const std::string signed_mail = machine.shelf / "signed.eml";
        machine.make("sign", {"sign"}, signed_mail);
        machine.read("verify", Arguments{"verify"} + office.trust(), signed_mail, {"-n"});
    });
}

TEST_CASE("opaque signing and verifying 512 MiB take the memory that 16 MiB take", "[e2e]") {
    compare(kLarge, [](Machine& machine, const Office& office) {
        const std::string signed_mail = machine.shelf / "signed.eml";
        machine.make("sign", {"sign", "--opaque"}, signed_mail);
        CHECK(machine.read_to_pipe("verify", Arguments{"verify"} + office.trust(), signed_mail) ==
              digest_of(machine.mail()));
    });
}

TEST_CASE("encrypting and decrypting 2 GiB with AES-GCM take the memory that 16 MiB take", "[e2e]") {
    compare(kBeyond31Bits, [](Machine& machine, const Office& office) {
        const std::string encrypted = machine.shelf / "encrypted.eml", content = machine.shelf / "content.eml";
        machine.make("encrypt", encrypt(office, "aes-256-gcm"), encrypted);
        machine.read("decrypt", {"decrypt"}, encrypted, {"-o", content});
        CHECK(digest_of_file(content) == digest_of(machine.mail()));
    });
}

TEST_CASE("encrypting and decrypting 512 MiB with AES-CBC take the memory that 16 MiB take", "[e2e]") {
    compare(kLarge, [](Machine& machine, const Office& office) {
        const std::string encrypted = machine.shelf / "encrypted.eml";
        machine.make("encrypt", encrypt(office, "aes-256-cbc"), encrypted);
        machine.read("decrypt", {"decrypt"}, encrypted, {"-n"});
    });
}

TEST_CASE("compressing 512 MiB, signed and encrypted, and expanding it take the memory that 16 MiB take", "[e2e]") {
    compare(kLarge, [](Machine& machine, const Office& office) {
        const std::string sealed = machine.shelf / "sealed.eml";
        machine.make("seal",
                     Arguments{"seal", "--compress", "--cipher", "aes-256-gcm"} + office.trust() +
                         Arguments{"--recipient-cert", office.desk.path("Alice.pem")},
                     sealed);
        CHECK(machine.read_to_pipe("open", Arguments{"open"} + office.trust(), sealed) == digest_of(machine.mail()));
    });
}
