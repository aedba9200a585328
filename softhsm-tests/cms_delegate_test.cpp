// What those tell of revocation whom an issuer has certified to do so, and who are not as they should be.

#include <catch2/catch.hpp>
#include <utility>

#include "softhsm-tests/cms_revocation_authority.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Delegating is an authority with a responder and a key of its own for CRLs, both certified by it.
struct Delegating {
    AuthorityBench scene;
    SoftwareKey responder;
    SoftwareKey crl_key;

    explicit Delegating(CertificateSpec spec = AuthorityBench::responder_spec(), AuthorityBench scene_of_it = {})
        : scene(std::move(scene_of_it)),
          responder(certify(spec, &scene.authority)),
          crl_key(certify({.name = "Authority", .alternative_name = "", .key_usage = "critical,cRLSign"},
                          &scene.authority)) {
        scene.bench.surplus = {crl_key.certificate};
    }
    PathVerdict answered(const OcspSpec& spec) {
        scene.bench.source->here.ocsp = {
            {OcspResponse::from_der(make_ocsp(spec, scene.alice, scene.authority.certificate, responder))}};
        return scene.judge();
    }
    PathVerdict listed(CrlSpec spec) {
        scene.bench.source->here.ocsp.clear();
        spec.number = ++number_;
        scene.bench.add_crl(spec, crl_key);
        return scene.judge();
    }

  private:
    int number_ = 1;
};

constexpr auto kRevoked = OcspSpec::Status::revoked;

// with_policies is an authority that demands one below it, which Alice's certificate follows.
AuthorityBench with_policies() {
    AuthorityBench scene;
    CertificateSpec authority = authority_spec("Authority");
    authority.more_extensions = "certificatePolicies=1.2.3\npolicyConstraints=critical,requireExplicitPolicy:0\n";
    scene.authority = certify(authority, &scene.bench.root);
    scene.alice = certify({.more_extensions = "certificatePolicies=1.2.3\n"}, &scene.authority).certificate;
    scene.bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{scene.authority.certificate})};
    return scene;
}

}  // namespace

TEST_CASE("who tells of revocation need not follow a policy that an authority demands below it") {
    Delegating scene(AuthorityBench::responder_spec(), with_policies());
    CHECK(good(scene.answered({})));
    CHECK(revoked(scene.answered({.status = kRevoked})));
    CHECK(revoked(scene.listed(scene.scene.lists_alice())));
    // Who signs mail must.
    const Certificate bob = certify({.name = "Bob"}, &scene.scene.authority).certificate;
    CHECK_FALSE(validate(bob, {}, scene.scene.bench.trust, Use::signing).trusted);
}

TEST_CASE("what a delegate tells with a weak signature makes nothing good, and what it says to be revoked is") {
    Delegating scene;
    CHECK(good(scene.answered({})));
    SECTION("a response with a weak digest") {
        CHECK(unknown(scene.answered({.digest = "SHA1"}), "weak digest"));
        CHECK(revoked(scene.answered({.status = kRevoked, .digest = "SHA1"})));
    }
    SECTION("a response by a weak key") {
        CertificateSpec spec = AuthorityBench::responder_spec();
        spec.kind = KeyKind::rsa1024;
        scene.responder = certify(spec, &scene.scene.authority);
        CHECK(unknown(scene.answered({}), "weak"));
        CHECK(revoked(scene.answered({.status = kRevoked})));
    }
    SECTION("a CRL with a weak digest") {
        CHECK(unknown(scene.listed({.digest = "SHA1"}), "weak digest"));
        CrlSpec lists = scene.scene.lists_alice();
        lists.digest = "SHA1";
        CHECK(revoked(scene.listed(lists)));
    }
    SECTION("but not by a key that can be broken for little") {
        const PrivateKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{768}), EVP_PKEY_free);
        scene.responder = {key, certify_key(key, AuthorityBench::responder_spec(), &scene.scene.authority)};
        CHECK(unknown(scene.answered({.status = kRevoked}), "that anybody can break"));
    }
    SECTION("but not with a broken one") {
        CertificateSpec spec = AuthorityBench::responder_spec();
        spec.kind = KeyKind::rsa2048;
        scene.responder = certify(spec, &scene.scene.authority);
        CHECK(unknown(scene.answered({.status = kRevoked, .digest = "MD5"}), "broken digest"));
    }
    SECTION("nor who may not sign CRLs at all") {
        scene.crl_key = certify({.name = "Authority", .alternative_name = ""}, &scene.scene.authority);
        scene.scene.bench.surplus = {scene.crl_key.certificate};
        CHECK(unknown(scene.listed({}), "may not sign it"));
        CHECK(unknown(scene.listed(scene.scene.lists_alice()), "may not sign it"));
    }
    SECTION("nor who may not sign responses at all") {
        CertificateSpec spec = AuthorityBench::responder_spec();
        spec.extended_key_usage = "emailProtection";
        scene.responder = certify(spec, &scene.scene.authority);
        CHECK(unknown(scene.answered({.status = kRevoked, .digest = "SHA1"}), "may not sign OCSP responses"));
    }
}

TEST_CASE("a responder's certificate may say as critical that it is not to be checked itself") {
    CertificateSpec spec = AuthorityBench::responder_spec();
    spec.more_extensions = "noCheck=critical,ignored\n";
    Delegating scene(spec);
    CHECK(good(scene.answered({})));
    CHECK(revoked(scene.answered({.status = kRevoked})));
}

TEST_CASE(
    "that a response tells a certificate to be revoked is said where it does not count, and older evidence then") {
    Delegating scene;
    scene.scene.bench.add_crl({.this_update = -120}, scene.scene.authority);
    CHECK(good(scene.scene.judge()));
    scene.responder = certify(AuthorityBench::responder_spec());
    CHECK(unknown(scene.answered({.status = kRevoked, .this_update = -30}), "was told to be revoked in a response"));
    CHECK(unknown(scene.answered({.status = kRevoked, .this_update = -30}), "is not to be trusted"));
    SECTION("newer evidence makes it good") {
        scene.scene.bench.add_crl({.number = 2, .this_update = -10}, scene.scene.authority);
        CHECK(good(scene.scene.judge()));
    }
    SECTION("what came along tells nothing then") {
        scene.scene.carried.ocsp = std::exchange(scene.scene.bench.source->here.ocsp, {});
        CHECK(good(scene.scene.judge()));
    }
    SECTION("without older evidence, it comes first") {
        scene.scene.bench.source->here.crls.clear();
        scene.scene.bench.add_crl({});
        const PathVerdict verdict = scene.scene.judge();
        CHECK(unknown(verdict, "is not known: it is told to be revoked, but the OCSP response of "));
    }
}

TEST_CASE("a CRL at a certificate's own place that is for other certificates is said to be") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.more_extensions = "crlDistributionPoints=URI:http://crl.example/a"});
    bench.source->here.at_points = {Crl::from_der(make_crl(
        {.extensions = "issuingDistributionPoint=critical,@idp\n", .sections = "[idp]\nonlyCA=TRUE\n"}, bench.root))};
    CHECK(unknown(bench.judge(alice), " does not count: it is for other certificates"));
}
