#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cms/der.h"
#include "mime/hex.h"
#include "softhsm-tests/support/cms_bench.h"

namespace p11mime::test {

/// smtp_utf8 is a subjectAltName with a SmtpUTF8Mailbox, for CertificateSpec.
inline std::string smtp_utf8(std::string_view mailbox, Byte string_tag = 0x0c) {
    const Bytes value =
        cms::der_value(cms::tag::context(0, true),
                       {cms::der_oid("1.3.6.1.5.5.7.8.9"),
                        cms::der_value(cms::tag::context(0, true), {cms::der_value(string_tag, bytes_of(mailbox))})});
    return "DER:" + hex(cms::der_value(cms::tag::kSequence, {value}));
}

/// untrusted says whether a path is refused for a reason that holds `reason`, and what it is if not.
inline bool untrusted(const cms::PathVerdict& verdict, std::string_view reason) {
    CAPTURE(verdict.reason);
    CHECK_FALSE(verdict.trusted);
    CHECK(verdict.reason.find(reason) != std::string::npos);
    return !verdict.trusted && verdict.reason.find(reason) != std::string::npos;
}

inline bool trusted(const cms::PathVerdict& verdict) {
    CAPTURE(verdict.reason);
    CHECK(verdict.reason.empty());
    return verdict.trusted;
}

/// cross_certify certifies an authority's key and name once more, by another authority.
inline SoftwareKey cross_certify(const SoftwareKey& authority, const CertificateSpec& spec, const SoftwareKey& by) {
    return {authority.key, certify_key(authority.key, spec, &by)};
}

/// judge validates an end certificate that comes along with others.
inline cms::PathVerdict judge(const cms::Certificate& end, const std::vector<SoftwareKey>& along,
                              const cms::Trust& trust, cms::Use use = cms::Use::signing) {
    std::vector<cms::Certificate> surplus;
    for (const SoftwareKey& each : along)
        surplus.push_back(each.certificate);
    return cms::validate(end, surplus, trust, use);
}

/// openssl_verify is the answer of the peer: `openssl verify` with the same certificates.
inline bool openssl_verify(const CmsBench& bench, const cms::Certificate& end, const std::vector<SoftwareKey>& along,
                           const cms::Certificate& anchor, std::vector<std::string> options = {}) {
    std::string untrusted;
    for (const SoftwareKey& each : along)
        untrusted += each.certificate.pem();
    std::vector<std::string> arguments{"verify", "-CAfile", bench.file(anchor.pem())};
    if (!untrusted.empty()) arguments.insert(arguments.end(), {"-untrusted", bench.file(untrusted)});
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(bench.file(end.pem()));
    return bench.try_openssl(arguments).status == 0;
}

}  // namespace p11mime::test
