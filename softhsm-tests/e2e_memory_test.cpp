// A mail with an attachment of 2 GiB (P11MIME_LARGE_MIB sets another size, in MiB) in at most 64 MiB of memory.

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "cms/handle.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr std::uint64_t kPeakKib = 64 * 1024;

std::uint64_t attachment_bytes() {
    const char* mib = std::getenv("P11MIME_LARGE_MIB");
    return std::strtoull(mib == nullptr ? "2048" : mib, nullptr, 10) * 1024 * 1024;
}

/// LargeMail makes a mail with a base64 attachment on the fly.
class LargeMail {
  public:
    explicit LargeMail(std::uint64_t attachment) : lines_left_(attachment / 57) {
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
            EVP_DigestUpdate(context_.get(), header_.data() + end + 4, header_.size() - end - 4);
            return;
        }
        EVP_DigestUpdate(context_.get(), piece.data(), piece.size());
    }

    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
        unsigned size = 0;
        EVP_DigestFinal_ex(context_.get(), value.data(), &size);
        std::string text;
        for (unsigned i = 0; i < size; ++i) {
            text += "0123456789abcdef"[value[i] >> 4];
            text += "0123456789abcdef"[value[i] & 15];
        }
        return text;
    }

  private:
    DigestContext context_;
    std::string header_;
    bool in_body_ = false;
};

std::string digest_of_the_mail() {
    LargeMail made(attachment_bytes());
    BodyDigest digest;
    for (std::string_view piece = made.next(); !piece.empty(); piece = made.next())
        digest.push(piece);
    return digest.hex();
}

std::string digest_of_file(const std::string& path) {
    BodyDigest digest;
    std::vector<char> buffer(1024 * 1024);
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(file >= 0);
    for (ssize_t count = 0; (count = ::read(file, buffer.data(), buffer.size())) > 0;)
        digest.push({buffer.data(), static_cast<std::size_t>(count)});
    ::close(file);
    return digest.hex();
}

struct Machine {
    Machine() {
        office.employ({.name = "Alice", .email = "alice@example.gov"});
        const std::uint64_t needed = attachment_bytes() * 6 + attachment_bytes() / 2;
        INFO("the test needs " << needed / 1024 / 1024 << " MiB below the temporary directory");
        REQUIRE(std::filesystem::space(office.desk.path("home")).available > needed);
    }

    /// from_pipe feeds the mail through a pipe; the output goes to a file.
    void from_pipe(const Arguments& arguments, const std::string& output) {
        LargeMail made(attachment_bytes());
        Command command = office.desk.p11mime_command(Arguments{arguments.front(), "-o", output} +
                                                      Arguments(arguments.begin() + 1, arguments.end()));
        command.generate = [&] { return made.next(); };
        run(std::move(command));
    }

    /// to_pipe reads a file through standard input and gives the digest of what comes out.
    std::string to_pipe(const Arguments& arguments, const std::string& input) {
        const int file = ::open(input.c_str(), O_RDONLY | O_CLOEXEC);
        REQUIRE(file >= 0);
        std::vector<char> buffer(1024 * 1024);
        BodyDigest digest;
        Command command = office.desk.p11mime_command(arguments);
        command.generate = [&]() -> std::string_view {
            const ssize_t count = ::read(file, buffer.data(), buffer.size());
            return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
        };
        command.consume = [&](std::string_view piece) { digest.push(piece); };
        run(std::move(command));
        ::close(file);
        return digest.hex();
    }

    void from_file(const Arguments& arguments, const std::string& input, const std::string& output) {
        run(office.desk.p11mime_command(Arguments{arguments.front(), "-o", output} +
                                        Arguments(arguments.begin() + 1, arguments.end()) + Arguments{input}));
    }

    void run(Command command) {
        command.timeout = std::chrono::minutes(5);
        const Outcome outcome = run_process(command);
        INFO(command.arguments[1] << ": " << outcome.err);
        REQUIRE(outcome.status == 0);
        CHECK(outcome.peak_kib <= kPeakKib);
    }

    std::string path(const std::string& name) const { return office.desk.path(name); }
    static void drop(const std::string& file) { std::filesystem::remove(file); }

    Office office;
};

void signs_and_verifies(const Arguments& form) {
    Machine machine;
    const std::string signed_mail = machine.path("signed.eml");
    const std::string content = machine.path("content.eml");
    const Arguments verify = Arguments{"verify"} + machine.office.trust();
    machine.from_pipe(Arguments{"sign"} + form, signed_mail);
    machine.from_file(verify, signed_mail, content);
    Machine::drop(signed_mail);
    const std::string expected = digest_of_the_mail();
    CHECK(digest_of_file(content) == expected);
    machine.from_file(Arguments{"sign"} + form, content, signed_mail);
    Machine::drop(content);
    CHECK(machine.to_pipe(verify, signed_mail) == expected);
}

}  // namespace

TEST_CASE("a mail with a 2 GiB attachment is signed clear and verified in 64 MiB, from pipes and files",
          "[e2e][memory]") {
    signs_and_verifies({});
}

TEST_CASE("a mail with a 2 GiB attachment is signed opaque and verified in 64 MiB, from pipes and files",
          "[e2e][memory]") {
    signs_and_verifies({"--opaque"});
}

TEST_CASE("a mail with a 2 GiB attachment is encrypted and decrypted in 64 MiB, from pipes and files",
          "[e2e][memory]") {
    Machine machine;
    const std::string encrypted = machine.path("encrypted.eml");
    const std::string content = machine.path("content.eml");
    const auto encrypt = [&](const char* cipher) {
        return Arguments{"encrypt", "--cipher", cipher} + machine.office.trust() +
               Arguments{"--recipient-cert", machine.path("Alice.pem")};
    };
    machine.from_pipe(encrypt("aes-256-gcm"), encrypted);
    machine.from_file({"decrypt"}, encrypted, content);
    Machine::drop(encrypted);
    const std::string expected = digest_of_the_mail();
    CHECK(digest_of_file(content) == expected);
    machine.from_file(encrypt("aes-256-cbc"), content, encrypted);
    Machine::drop(content);
    CHECK(machine.to_pipe({"decrypt"}, encrypted) == expected);
}
