#pragma once

#include <catch2/catch.hpp>

#include "cms/sign_scheme.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"

/// What the tests of sign schemes have in common.
namespace p11mime::test {

/// kOrder is what SignerInfos built by hand sign.
inline constexpr std::string_view kOrder = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

/// signer_with has a key of a kind that signs alone.
inline SoftwareKey signer_with(const CmsBench& bench, KeyKind kind) {
    CertificateSpec spec;
    spec.kind = kind;
    spec.key_usage = "critical,digitalSignature";
    return bench.issue(spec);
}

/// read_signed verifies a SignerInfo over content.
inline ReadMail read_signed(const CmsBench& bench, const Bytes& signer_info, const SoftwareKey& key,
                            std::string_view content = kOrder) {
    return bench.verify(craft::signed_data({content, {signer_info}, {key.certificate}}));
}

/// der_mail is a mail signed by us, opaque, in DER.
inline std::string der_mail(const CmsBench& bench, const SoftwareKey& key, cms::smime::SignOptions options = {}) {
    options.form = cms::smime::Form::der;
    options.opaque = true;
    return bench.sign({key}, mail("alice@example.gov", "bob@example.gov"), options);
}

/// openssl_verifies has `openssl cms` verify such a message.
inline bool openssl_verifies(const CmsBench& bench, std::string_view der) {
    const Outcome outcome = bench.try_openssl(
        {"cms", "-verify", "-inform", "DER", "-binary", "-purpose", "smimesign", "-CAfile", bench.trusted_file()}, der);
    INFO(outcome.err);
    CHECK((outcome.status != 0 || outcome.out == kText));
    return outcome.status == 0;
}

/// pure is a pure signature by its name, with its own digest.
inline cms::SignScheme pure(std::string_view name) {
    const cms::Algorithm* row = cms::algorithm_named(cms::AlgorithmKind::signature, name);
    return cms::Pure{row, row->hash.value()};
}

}  // namespace p11mime::test
