#include "cms/ocsp.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

using Status = OcspSpec::Status;

CertificateSpec responder_spec() {
    return {.name = "Responder",
            .alternative_name = {},
            .key_usage = "critical,digitalSignature",
            .extended_key_usage = "OCSPSigning",
            .more_extensions = "noCheck=ignored"};
}

}  // namespace

TEST_CASE("an OCSP response tells whether a certificate is revoked") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const std::string digest = GENERATE("SHA1", "SHA256");
    SECTION("good") {
        bench.add_ocsp({.identifier_digest = digest}, alice);
        CHECK(good(bench.judge(alice)));
    }
    SECTION("revoked") {
        bench.add_ocsp({.status = Status::revoked, .identifier_digest = digest}, alice);
        CHECK(revoked(bench.judge(alice), "(key compromise)"));
    }
    SECTION("unknown") {
        bench.add_ocsp({.status = Status::unknown, .identifier_digest = digest}, alice);
        CHECK(unknown(bench.judge(alice), "does not know the certificate"));
    }
    SECTION("about another certificate") {
        bench.add_ocsp({.identifier_digest = digest}, bench.issue());
        CHECK(unknown(bench.judge(alice), "no OCSP response"));
    }
    SECTION("about one that a broken digest tells of") {
        bench.add_ocsp({.identifier_digest = "MD5"}, alice);
        CHECK(unknown(bench.judge(alice), "no OCSP response"));
    }
    SECTION("about one of another issuer with that name") {
        const SoftwareKey namesake = certify(authority_spec("Test Root"));
        bench.source->here.ocsp.push_back({OcspResponse::from_der(
            make_ocsp({.identifier_digest = digest}, alice, namesake.certificate, bench.root))});
        CHECK(unknown(bench.judge(alice), "no OCSP response"));
    }
}

TEST_CASE("a response that says revoked wins over one that says good, and over a CRL") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_ocsp({}, alice);
    bench.add_crl({});
    CHECK(good(bench.judge(alice)));
    bench.add_ocsp({.status = Status::revoked}, alice);
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("an OCSP response counts from its time until the next, and a newer one for a time before it") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -10});
    const auto judged = [&](const OcspSpec& spec) {
        bench.source->here.ocsp.clear();
        bench.add_ocsp(spec, alice);
        return bench.judge(alice);
    };
    CHECK(unknown(judged({.this_update = -60, .next_update = -30}), "has ended on"));
    CHECK(unknown(judged({.this_update = 60}), "is not valid before"));
    CHECK(unknown(judged({.this_update = -30, .next_update = -60}), "it ends before it begins"));
    CHECK(unknown(judged({.next_update = std::nullopt}), "until when it holds"));
    bench.at(-3 * kDay);
    CHECK(good(judged({.next_update = std::nullopt})));
    CHECK(good(judged({.status = Status::revoked, .since = -2 * kDay})));
    CHECK_THAT(bench.judge(alice).revocation_reason, Catch::Contains("after the time that counts"));
    CHECK(revoked(judged({.status = Status::revoked, .since = -4 * kDay})));
    CHECK(unknown(judged({.this_update = -kDay, .next_update = -2 * kDay}), "it ends before it begins"));
}

TEST_CASE("a response of the future makes nothing good, and what it says is revoked is so") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_ocsp({.this_update = 20, .produced_at = 20}, alice);
    CHECK(unknown(bench.judge(alice), "of the future"));
    bench.add_ocsp({.status = Status::revoked, .this_update = 20, .produced_at = 20}, alice);
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("a certificate that was never issued stays so, whatever a newer CRL does not list") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_ocsp({.status = Status::revoked, .never_issued = true}, alice);
    bench.add_crl({.this_update = -10});
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("a certificate that its responder does not know is not good by what is older") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const OcspSpec ignorant{.status = Status::unknown};
    bench.add_crl({.this_update = -60});
    CHECK(good(bench.judge(alice)));
    SECTION("whoever asks") {
        const Bytes response = make_ocsp(ignorant, alice, bench.root.certificate, bench.root);
        bench.source->here.ocsp = {{OcspResponse::from_der(response)}};
        CHECK(unknown(bench.judge(alice), "it was not known to its responder at"));
        CHECK(std::count(bench.source->kept.begin(), bench.source->kept.end(), response) == 1);
        bench.trust.require_revocation = true;
        CHECK_FALSE(bench.judge(alice).trusted);
        // What is newer lifts it.
        bench.trust.require_revocation = false;
        SECTION("a CRL") {
            bench.add_crl({.number = 2, .this_update = -10});
            CHECK(good(bench.judge(alice)));
        }
        SECTION("a response") {
            bench.add_ocsp({.this_update = -40}, alice);
            CHECK(unknown(bench.judge(alice), "it was not known to its responder at"));
            bench.add_ocsp({.this_update = -10}, alice);
            CHECK(good(bench.judge(alice)));
        }
        SECTION("a CRL for some reasons does not") {
            bench.add_crl({.number = 2,
                           .this_update = -10,
                           .extensions = "issuingDistributionPoint=critical,@idp",
                           .sections = "[idp]\nonlysomereasons=keyCompromise\n"});
            CHECK(unknown(bench.judge(alice), "it was not known to its responder at"));
        }
    }
    SECTION("but not where another than the issuer's responder says so") {
        bench.add_ocsp(ignorant, alice, certify(authority_spec("Stranger")));
        CHECK(good(bench.judge(alice)));
    }
    SECTION("nor where the answer has ended") {
        bench.add_ocsp({.status = Status::unknown, .this_update = -3 * kDay, .next_update = -kDay}, alice);
        CHECK(good(bench.judge(alice)));
    }
    SECTION("nor where the certificate had ended before, which responders need not know") {
        const Certificate old = bench.issue({.begins_in_days = -90, .ends_in_days = -1});
        bench.at(-2 * kDay);
        bench.source->here.crls = {Crl::from_der(make_crl({.this_update = -2 * kDay + 60}, bench.root))};
        bench.add_ocsp(ignorant, old);
        CHECK(good(bench.judge(old)));
    }
}

TEST_CASE("a certificate that had ended is unknown to a response that does not go back so far") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -20, .ends_in_days = -10});
    bench.at(-15 * kDay);
    bench.add_ocsp({}, alice);
    CHECK(unknown(bench.judge(alice), "had ended before"));
    bench.add_ocsp({.keeps_ended_since = -5 * kDay}, alice);
    CHECK(unknown(bench.judge(alice), "had ended before"));
    bench.add_ocsp({.keeps_ended_since = -100 * kDay}, alice);
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a response has the nonce of its request or none") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Bytes request = ocsp_request(alice, bench.root.certificate);
    const auto answering = [&](const OcspSpec& spec, const Bytes& asked) {
        bench.source->here.ocsp = {
            {OcspResponse::from_der(make_ocsp(spec, alice, bench.root.certificate, bench.root)), asked}};
        return bench.judge(alice);
    };
    CHECK(good(answering({.request = request}, request)));
    CHECK(good(answering({}, request)));
    CHECK(unknown(answering({.request = ocsp_request(alice, bench.root.certificate)}, request), "another request"));
    // What it says is revoked is so whoever has asked.
    const Bytes others = ocsp_request(alice, bench.root.certificate);
    CHECK(revoked(answering({.status = Status::revoked, .request = others}, request)));
    CHECK(revoked(answering({.status = Status::revoked}, request)));
    // With the nonce, it is known to be fresh.
    CHECK(good(answering({.next_update = std::nullopt, .request = request}, request)));
    CHECK(unknown(answering({.next_update = std::nullopt}, request), "until when it holds"));
    // And what it tells may be known from long ago.
    CHECK(good(answering({.this_update = -kDay + 60, .next_update = std::nullopt, .request = request}, request)));
    CHECK(unknown(answering({.this_update = -kDay - 60, .next_update = std::nullopt, .request = request}, request),
                  "until when it holds"));
    // Without, an answer just made is, where it was asked for.
    CHECK(good(answering({.this_update = -1, .next_update = std::nullopt}, request)));
    CHECK(unknown(answering({.this_update = -1, .next_update = std::nullopt}, {}), "until when it holds"));
}

TEST_CASE("a response with a critical extension that is not known counts for nothing") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_ocsp({.odd = true}, alice);
    CHECK(unknown(bench.judge(alice), "critical extension"));
    bench.source->here.ocsp.clear();
    bench.add_ocsp({.odd_single = true}, alice);
    CHECK(unknown(bench.judge(alice), "critical extension"));
}

TEST_CASE("a response counts where the issuer or its delegate has signed it") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const auto signed_by = [&](const SoftwareKey& responder, const OcspSpec& spec = {}) {
        bench.source->here.ocsp.clear();
        bench.add_ocsp(spec, alice, responder);
        return bench.judge(alice);
    };
    CertificateSpec spec = responder_spec();
    CHECK(good(signed_by(certify(spec, &bench.root))));

    CHECK(unknown(signed_by(certify(spec)), "is not to be trusted"));
    const SoftwareKey namesake = certify(authority_spec("Test Root"));
    CHECK(unknown(signed_by(namesake, {.with_certificate = false}), "nobody known has signed it"));
    CHECK(unknown(signed_by(namesake), "may not sign OCSP responses"));
    CHECK(unknown(signed_by(certify(spec, &bench.root), {.digest = "SHA1"}), "weak digest"));
    CHECK(unknown(signed_by(certify(spec, &bench.root), {.with_certificate = false}), "nobody known has signed it"));
    const SoftwareKey between = certify(authority_spec("Between"), &bench.root);
    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{between.certificate})};
    CHECK(unknown(signed_by(certify(spec, &between)), "it has another issuer"));
    for (const char* usage : {"", "emailProtection", "anyExtendedKeyUsage"}) {
        CertificateSpec other = spec;
        other.extended_key_usage = usage;
        CHECK(unknown(signed_by(certify(other, &bench.root)), "may not sign OCSP responses"));
    }
    CertificateSpec encrypting = spec;
    encrypting.key_usage = "critical,keyAgreement";
    CHECK(unknown(signed_by(certify(encrypting, &bench.root)), "may not sign OCSP responses"));
    CertificateSpec old = spec;
    old.begins_in_days = -20;
    old.ends_in_days = -10;
    CHECK(unknown(signed_by(certify(old, &bench.root)), "has ended on"));
}

TEST_CASE("a delegate is not revoked itself, unless its issuer says that nobody need look") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.more_extensions = "crlDistributionPoints=URI:http://crl.example/a"});
    CertificateSpec spec = responder_spec();
    spec.more_extensions = "crlDistributionPoints=URI:http://crl.example/r";
    const SoftwareKey responder = certify(spec, &bench.root);
    bench.add_ocsp({}, alice, responder);
    CHECK(unknown(bench.judge(alice), "not known not to be revoked"));
    // The responder does not vouch for itself.
    bench.add_ocsp({}, responder.certificate, responder);
    CHECK(unknown(bench.judge(alice), "not known not to be revoked"));
    const CrlSpec crl{.extensions = "issuingDistributionPoint=critical,@idp",
                      .sections = "[idp]\nfullname=URI:http://crl.example/r\n"};
    bench.add_crl(crl);
    CHECK(good(bench.judge(alice)));
    CrlSpec against = crl;
    against.this_update = -10;
    against.entries = {{.certificate = responder.certificate}};
    bench.add_crl(against);
    CHECK(unknown(bench.judge(alice), "it is revoked"));
}

TEST_CASE("a response tells of as many certificates as the limit allows, and of none where there are more") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const std::string digest = GENERATE("SHA1", "SHA256");
    bench.add_ocsp({.status = Status::revoked, .identifier_digest = digest, .others = kMaxOcspAnswers - 1}, alice);
    CHECK(revoked(bench.judge(alice)));
    CHECK_THROWS_WITH(bench.add_ocsp({.others = kMaxOcspAnswers}, alice), Catch::Contains("more than 1000"));
}

TEST_CASE("what is no successful OCSP response is told in plain words") {
    CHECK_THROWS_WITH(OcspResponse::from_der(Bytes{0x30, 0x03, 0x0a, 0x01, 0x03}), Catch::Contains("try later"));
    CHECK_THROWS_WITH(OcspResponse::from_der(Bytes{0x30, 0x03, 0x0a, 0x01, 0x06}),
                      Catch::Contains("does not answer for this certificate"));
    CHECK_THROWS_WITH(OcspResponse::from_der(Bytes{0x30, 0x03, 0x0a, 0x01, 0x00}),
                      "the answer of 5 bytes is no OCSP response");
    CHECK_THROWS_WITH(OcspResponse::from_der(bytes_of("<html>away</html>")),
                      "the answer of 17 bytes is no OCSP response");
    CHECK_THROWS_WITH(OcspResponse::from_der(Bytes{}), "the answer of 0 bytes is no OCSP response");
    RevocationBench bench;
    Bytes longer = make_ocsp({}, bench.issue(), bench.root.certificate, bench.root);
    CHECK_NOTHROW(OcspResponse::from_der(longer));
    longer.push_back(0);
    CHECK_THROWS_AS(OcspResponse::from_der(longer), Error);
}

TEST_CASE("a responder's answer about another certificate than it was asked about is told as such") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Bytes request = ocsp_request(alice, bench.root.certificate);
    bench.source->responders.ocsp = {
        {OcspResponse::from_der(make_ocsp({.request = request}, bench.issue(), bench.root.certificate, bench.root)),
         request}};
    CHECK(unknown(bench.judge(alice), "does not count: it is about another certificate"));
}

TEST_CASE("a responder below a root that is trusted for e-mail alone may answer") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const SoftwareKey responder = certify(responder_spec(), &bench.root);
    const CmsBench files;
    const std::string pem = files.openssl(
        {"x509", "-in", files.file(bench.root.certificate.pem()), "-trustout", "-addtrust", "emailProtection"});
    bench.trust.anchors = {std::make_shared<MemoryCertificates>(Certificate::from_file_bytes(bytes_of(pem)))};
    bench.add_ocsp({}, alice, responder);
    CHECK(good(bench.judge(alice)));
}
