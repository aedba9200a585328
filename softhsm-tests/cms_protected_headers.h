#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cms/smime/read.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"

namespace p11mime::test {

using namespace cms;
using namespace cms::smime;

using Names = std::vector<std::string>;

/// The payload of RFC 9788 appendix C.3.1.2, of a mail under the baseline policy.
inline constexpr std::string_view kPayload =
    "MIME-Version: 1.0\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "Subject: smime-signed-enc-hp-baseline\r\n"
    "Message-ID: <smime-signed-enc-hp-baseline@example>\r\n"
    "From: Alice <alice@example.gov>\r\n"
    "To: Bob <bob@example.gov>\r\n"
    "Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n"
    "User-Agent: Sample MUA Version 1.0\r\n"
    "HP-Outer: Subject: [...]\r\n"
    "HP-Outer: Message-ID: <smime-signed-enc-hp-baseline@example>\r\n"
    "HP-Outer: From: Alice <alice@example.gov>\r\n"
    "HP-Outer: To: Bob <bob@example.gov>\r\n"
    "HP-Outer: Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n"
    "HP-Outer: User-Agent: Sample MUA Version 1.0\r\n"
    "Content-Type: text/plain; charset=\"utf-8\"; hp=\"cipher\"\r\n"
    "\r\n"
    "This is the\r\nsmime-signed-enc-hp-baseline\r\nmessage.\r\n";
inline constexpr std::string_view kOutside =
    "Subject: [...]\r\n"
    "Message-ID: <smime-signed-enc-hp-baseline@example>\r\n"
    "From: Alice <alice@example.gov>\r\n"
    "To: Bob <bob@example.gov>\r\n"
    "Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n"
    "User-Agent: Sample MUA Version 1.0\r\n";

/// ProtectionBench is Alice, who signs, and Bob, to whom is encrypted.
struct ProtectionBench {
    CmsBench bench;
    SoftwareKey alice = bench.issue();
    SoftwareKey bob = bench.bob(KeyKind::rsa2048);

    // by_openssl signs and encrypts a payload, and puts header fields outside.
    std::string by_openssl(std::string_view outside, std::string_view payload, bool encrypted) const {
        const std::string entity = bench.file(payload);
        std::vector<std::string> sign{
            "cms", "-sign", "-binary", "-in", entity, "-certfile", bench.certificate_file(bench.intermediate)};
        for (const std::string& option : bench.signer_options(alice))
            sign.push_back(option);
        std::string mail = bench.openssl(sign);
        if (encrypted)
            mail = bench.openssl({"cms", "-encrypt", "-aes-256-gcm", "-recip", bench.certificate_file(bob)}, mail);
        return std::string(outside) + mail;
    }
    std::string encrypted_by_openssl(std::string_view outside, std::string_view payload) const {
        return std::string(outside) + bench.openssl({"cms", "-encrypt", "-binary", "-aes-256-gcm", "-in",
                                                     bench.file(payload), "-recip", bench.certificate_file(bob)});
    }
    ReadMail open(const std::string& mail) const { return bench.open(mail, {bob}); }
    ReadMail open(std::string_view outside, std::string_view payload, bool encrypted = true) const {
        return open(by_openssl(outside, payload, encrypted));
    }
    std::string seal(std::string_view mail, bool triple = false) const {
        SoftwareSigner signer(alice);
        const SystemClock clock;
        EncryptOptions options;
        options.protect_headers = true;
        return run(*seal_job({&signer}, clock, {}, {{bob.certificate}}, options, triple), mail);
    }
};

inline Names kinds(const Report& report) {
    Names all;
    for (const Warning& warning : report.warnings)
        if (warning.kind.starts_with("header-") || warning.kind.starts_with("encryption-")) all.push_back(warning.kind);
    return all;
}

inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
    return replaced(std::string(text), from, to);
}

}  // namespace p11mime::test
