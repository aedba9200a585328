// Signing and sealing warn of mail that its readers will doubt.

#include "cms/smime/preview.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_protected_headers.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

/// PreviewBench makes mails and compares what was warned of with what reading them says.
struct PreviewBench : ProtectionBench {
    struct Made {
        std::string text;
        std::vector<Warning> warnings;
    };

    // made is a mail with what is said of its signatures, and not of header fields that stay outside.
    static Made made(MakeJob& job, const std::string& mail) {
        Made made{test::run(job, mail), job.warnings()};
        std::erase_if(made.warnings, [](const Warning& warning) { return warning.kind == "header-left-outside"; });
        return made;
    }

    Made signed_mail(const std::string& mail, const SignOptions& options) const {
        SoftwareSigner signer(alice);
        const SystemClock clock;
        return made(*sign_job({&signer}, clock, options), mail);
    }

    Made sealed_mail(const std::string& mail, bool protect_headers) const {
        SoftwareSigner signer(alice);
        const SystemClock clock;
        EncryptOptions options;
        options.protect_headers = protect_headers;
        return made(*seal_job({&signer}, clock, {}, {{bob.certificate}}, options, false), mail);
    }

    // reason is why a mail is not valid to its reader, which signing must have said; "" where it is valid.
    std::string reason(const Made& made, const Report& read) const {
        CHECK(made.warnings.size() == (read.result == Result::valid ? 0 : 1));
        for (const Warning& warning : made.warnings) {
            CHECK(warning.kind == "doubtful");
            CHECK_THAT(warning.message, Catch::EndsWith(": " + read.reason));
        }
        return read.reason;
    }

    std::string signed_reason(const std::string& mail, const SignOptions& options = {}) const {
        const Made made = signed_mail(mail, options);
        return reason(made, bench.verify(made.text).report);
    }

    std::string sealed_reason(const std::string& mail, bool protect_headers = true) const {
        const Made made = sealed_mail(mail, protect_headers);
        return reason(made, open(made.text).report);
    }
};

constexpr const char* kFrom = "From: alice@example.gov\r\n";
constexpr const char* kForwarded = "From: carol@example.org\r\nSubject: y\r\n\r\nhi\r\n";

}  // namespace

TEST_CASE("signing and sealing warn of what readers will doubt") {
    const PreviewBench world;
    SignOptions opaque;
    opaque.opaque = true;
    const auto both = [&](const std::string& header, const std::string& body, const std::string& expected) {
        CAPTURE(header);
        const std::string mail = header + "\r\n" + body;
        CHECK_THAT(world.signed_reason(mail), Catch::Contains(expected));
        CHECK_THAT(world.signed_reason(mail, opaque), Catch::Contains(expected));
        CHECK_THAT(world.sealed_reason(mail), Catch::Contains(expected));
    };
    const std::string from = kFrom, text = "Content-Type: text/plain\r\n", hello = "Hello\r\n";
    both(from + "Subject: a\r\nSubject: b\r\n" + text, hello, "2 Subject fields");
    both(from + text + text, hello, "2 Content-Type fields");
    both("From: \"bob@example.gov\" <alice@example.gov>\r\n" + text, hello, "the From field shows bob@example.gov");
    both("From: nobody\r\n" + text, hello, "an entry that is no address");
    both(from + "Content-Type: multipart/mixed; boundary=q\r\n",
         "--q\r\n\r\nHello\r\n--q\r\nContent-Type: message/rfc822\r\n\r\n" +
             world.bench.encrypt({{world.bob.certificate}}, kForwarded) + "\r\n--q--\r\n",
         "is encrypted");
    const std::string ciphertext = world.bench.encrypt({{world.bob.certificate}}, from + text + "\r\n" + hello);
    for (const SignOptions& options : {SignOptions{}, opaque})
        CHECK_THAT(world.signed_reason(ciphertext, options), Catch::StartsWith("what is signed is itself encrypted"));
    both(from + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n", "SGVsbG8=\r\n",
         "message/rfc822 has the transfer encoding base64");
    both(from + "Content-Type: multipart/mixed; boundary=q\r\nContent-Transfer-Encoding: base64\r\n",
         "--q\r\n\r\nHello\r\n--q--\r\n", "base64");
}

// Protected header fields are the mail's, and written so that no program takes them for others.
TEST_CASE("signing warns of what protecting the header would mend") {
    const PreviewBench world;
    SignOptions protects;
    protects.protect_headers = true;
    const auto mended = [&](const std::string& mail, const std::string& expected) {
        CHECK_THAT(world.signed_reason(mail), Catch::Contains(expected));
        CHECK_THAT(world.sealed_reason(mail, false), Catch::Contains(expected));
        CHECK(world.signed_reason(mail, protects).empty());
        CHECK(world.sealed_reason(mail).empty());
    };
    mended(std::string(kFrom) + "X-A: b\r\n \r\n c\r\n\r\nHello\r\n", "a line of blanks alone");
    mended(std::string(kFrom) + "Content-Type: message/rfc822; forwarded=no\r\n\r\n" + kForwarded,
           "what is protected is from the sender carol@example.org");
}

TEST_CASE("signing and sealing warn of no mail that is valid") {
    const PreviewBench world;
    const std::string large(2 * kPreviewed, 'x'), header = kFrom;
    const std::string once = world.signed_mail(mail("alice@example.gov", "bob@example.gov"), {}).text;
    const std::string large_once = world.signed_mail(header + "\r\n" + large + "\r\n", {}).text;
    for (const std::string& text :
         {mail("Alice <alice@example.gov>", "bob@example.gov"), header + "\r\n" + large, once, large_once,
          header + "Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\n" + large + "\r\n--q\r\n" +
              entity_of(large_once) + "\r\n--q--\r\n",
          header + "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + kForwarded,
          header + "Content-Type: message/rfc822\r\n\r\n" + kForwarded, std::string(kText)}) {
        CHECK(world.signed_reason(text).empty());
        CHECK(world.sealed_reason(text).empty());
        CHECK(world.signed_reason(with_lf(text)).empty());
    }
    CHECK(PreviewBench::made(*encrypt_job({{world.bob.certificate}}, {}),
                             header + "Subject: a\r\nSubject: b\r\n\r\nHello\r\n")
              .warnings.empty());
}
