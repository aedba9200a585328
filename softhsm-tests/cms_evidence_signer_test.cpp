// Who may sign CRLs and OCSP responses.

#include "cms/evidence_signer.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

CertificateSpec responder_spec() {
    return {.name = "Responder",
            .alternative_name = {},
            .key_usage = "critical,digitalSignature",
            .extended_key_usage = "OCSPSigning",
            .more_extensions = "noCheck=ignored"};
}

}  // namespace

TEST_CASE("a delegate is found wherever its certificate is") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const SoftwareKey responder = certify(responder_spec(), &bench.root);
    const bool by_key = GENERATE(false, true);
    SECTION("among the user's intermediates") {
        bench.add_ocsp({.with_certificate = false, .by_key = by_key}, alice, responder);
        CHECK(unknown(bench.judge(alice), "nobody known has signed it"));
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{responder.certificate})};
        CHECK(good(bench.judge(alice)));
    }
    SECTION("behind many others in the response") {
        OcspSpec spec{.by_key = by_key};
        const PrivateKey key = new_private_key(KeyKind::p256);
        for (int i = 0; i < 30; ++i)
            spec.before.push_back(certify_key(key, authority_spec(std::to_string(i)), &bench.root));
        bench.add_ocsp(spec, alice, responder);
        CHECK(good(bench.judge(alice)));
    }
    SECTION("behind many others in the mail") {
        bench.add_ocsp({.with_certificate = false, .by_key = by_key}, alice, responder);
        for (int i = 0; i < 30; ++i)
            bench.surplus.push_back(certify_key(
                responder.key,
                [&] {
                    CertificateSpec other = responder_spec();
                    other.name = std::to_string(i);
                    return other;
                }(),
                &bench.root));
        bench.surplus.push_back(responder.certificate);
        CHECK(good(bench.judge(alice)));
    }
}
