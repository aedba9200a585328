#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cms/der.h"
#include "cms/smime/read.h"
#include "mime/hex.h"
#include "softhsm-tests/support/cms_bench.h"

namespace p11mime::test {

using namespace cms;
using namespace cms::smime;

/// smtp_utf8_mailbox is the extension with one SmtpUTF8Mailbox (RFC 9598), in openssl's configuration.
inline std::string smtp_utf8_mailbox(std::string_view mailbox) {
    const Bytes name =
        der_value(tag::context(0, true),
                  {der_oid("1.3.6.1.5.5.7.8.9"), der_value(tag::context(0, true), der_value(0x0c, bytes_of(mailbox)))});
    return "subjectAltName=DER:" + hex(der_value(tag::kSequence, name));
}

/// SenderBench is signers with whatever addresses in their certificates.
struct SenderBench {
    CmsBench bench;

    SoftwareKey with_names(const std::string& alternative_name) const {
        CertificateSpec spec;
        spec.alternative_name = alternative_name;
        return bench.issue(spec);
    }
    SoftwareKey with_utf8_mailbox(const std::string& mailbox) const {
        CertificateSpec spec;
        spec.alternative_name = "";
        spec.more_extensions = smtp_utf8_mailbox(mailbox);
        return bench.issue(spec);
    }
    /// read_knowing reads a mail from an address whose reader knows others.
    Report read_knowing(std::vector<std::string> known, const SoftwareKey& key, const std::string& from) const {
        ReadOptions options;
        options.known_addresses = [known = std::move(known)] { return known; };
        return bench.verify(bench.sign({key}, "From: " + from + "\r\n" + std::string(kText)), options).report;
    }
    ReadMail read(const SoftwareKey& key, const std::string& headers,
                  std::optional<SenderCheck> check = std::nullopt) const {
        ReadOptions options;
        options.sender_check = check;
        return bench.verify(bench.sign({key}, headers + std::string(kText)), options);
    }
};

inline bool has_warning(const Report& report, std::string_view kind) {
    return std::any_of(report.warnings.begin(), report.warnings.end(),
                       [&](const Warning& warning) { return warning.kind == kind; });
}

/// rfc822_name is subject alternative names of one address, spelled in whatever way, in openssl's configuration.
inline std::string rfc822_name(std::string_view address) {
    return "DER:" + hex(der_value(tag::kSequence, {der_value(tag::context(1, false), bytes_of(address))}));
}

}  // namespace p11mime::test
