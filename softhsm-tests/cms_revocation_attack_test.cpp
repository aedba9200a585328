// What a message's sender may carry along, so that a revocation is not seen.

#include <catch2/catch.hpp>

#include "cms/revocation.h"
#include "softhsm-tests/cms_revocation_authority.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

SoftwareKey forger(const std::string& name) {
    return certify(authority_spec(name));
}

}  // namespace

TEST_CASE("no number of CRLs that came along hides what the user's own say") {
    AuthorityBench scene;
    scene.bench.add_crl(scene.lists_alice(), scene.authority);
    CHECK(revoked(scene.judge()));
    const SoftwareKey eve = forger("Authority");
    for (int i = 0; i < 40; ++i)
        scene.carried.crls.push_back(Crl::from_der(make_crl({.number = i, .this_update = -1}, eve)));
    CHECK(revoked(scene.judge()));

    // Nor do delta CRLs.
    scene.bench.source->here.crls.clear();
    scene.bench.add_crl({});
    scene.bench.add_crl({.number = 1, .this_update = -60}, scene.authority);
    CrlSpec delta = scene.lists_alice();
    delta.number = 2;
    delta.base_number = 1;
    delta.entries.front().reason = "certificateHold";
    scene.bench.add_crl(delta, scene.authority);
    CHECK(revoked(scene.judge()));
    for (int i = 0; i < 40; ++i)
        scene.carried.crls.push_back(
            Crl::from_der(make_crl({.number = 3 + i, .base_number = 1, .this_update = -1}, eve)));
    CHECK(revoked(scene.judge()));
}

TEST_CASE("no number of OCSP responses that came along hides what a responder says") {
    AuthorityBench scene;
    const auto response = [&](const OcspSpec& spec, const SoftwareKey& responder) {
        return RevocationEvidence::Ocsp{
            OcspResponse::from_der(make_ocsp(spec, scene.alice, scene.authority.certificate, responder))};
    };
    scene.bench.source->responders.ocsp = {response({.status = OcspSpec::Status::revoked}, scene.authority)};
    const SoftwareKey eve = forger("Authority");
    for (int i = 0; i < 40; ++i)
        scene.carried.ocsp.push_back(response({}, eve));
    scene.carried.crls.push_back(Crl::from_der(make_crl({.this_update = -90}, scene.authority)));
    CHECK(revoked(scene.judge()));
}

TEST_CASE("no number of certificates that came along hides who has signed an indirect CRL") {
    AuthorityBench scene;
    const SoftwareKey signers = certify(authority_spec("Signers"), &scene.bench.root);
    const SoftwareKey lister = certify(authority_spec("Lister"), &signers);
    scene.alice = scene.listed_elsewhere();
    scene.bench.trust.intermediates = {std::make_shared<MemoryCertificates>(
        std::vector{scene.authority.certificate, signers.certificate, lister.certificate})};
    scene.bench.add_crl({}, signers);
    CrlSpec crl = AuthorityBench::indirect();
    crl.entries = {{.certificate = scene.alice, .names_issuer = true}};
    scene.bench.add_crl(crl, lister);
    CHECK(revoked(scene.judge()));

    SECTION("by its name") {
        for (int i = 0; i < 30; ++i)
            scene.bench.surplus.push_back(forger("Lister").certificate);
        CHECK(revoked(scene.judge()));
    }
    SECTION("by its issuer's name") {
        const PrivateKey key = new_private_key(KeyKind::p256);
        for (int i = 0; i < 210; ++i)
            scene.bench.surplus.push_back(certify_key(key, authority_spec("Signers"), nullptr));
        CHECK(revoked(scene.judge()));
    }
}

TEST_CASE("a delta CRL is fetched whatever came along") {
    AuthorityBench scene;
    scene.bench.add_crl({.number = 1, .this_update = -60, .extensions = "freshestCRL=URI:http://crl.example/delta"},
                        scene.authority);
    CrlSpec delta = scene.lists_alice();
    delta.number = 3;
    delta.base_number = 1;
    scene.bench.source->deltas.crls = {Crl::from_der(make_crl(delta, scene.authority))};
    CHECK(revoked(scene.judge()));
    SECTION("an older delta CRL") {
        scene.carried.crls = {
            Crl::from_der(make_crl({.number = 2, .base_number = 1, .this_update = -50}, scene.authority))};
    }
    SECTION("an OCSP response") {
        scene.carried.ocsp = {{OcspResponse::from_der(
            make_ocsp({.this_update = -50}, scene.alice, scene.authority.certificate, scene.authority))}};
    }
    SECTION("a newer CRL that names no place of delta CRLs") {
        scene.carried.crls = {Crl::from_der(make_crl({.number = 2, .this_update = -50}, scene.authority))};
    }
    CHECK(revoked(scene.judge()));
}

TEST_CASE("a newer delta CRL is asked for though a CRL and a delta CRL to it came along") {
    AuthorityBench scene;
    scene.bench.trust.require_revocation = true;
    const CrlSpec base{.number = 10, .this_update = -60, .extensions = "freshestCRL=URI:http://crl.example/delta"};
    CrlSpec newer = scene.lists_alice();
    newer.number = 12;
    newer.base_number = 10;
    CrlSpec along{.number = 11, .base_number = 10, .this_update = -50};
    SECTION("which completes it") {}
    SECTION("which is from before it") {
        along.number = 9;
        along.base_number = 8;
    }
    scene.carried.crls = {Crl::from_der(make_crl(base, scene.authority)),
                          Crl::from_der(make_crl(along, scene.authority))};
    CHECK(scene.judge().revocation == RevocationState::unknown);
    CHECK(scene.bench.source->delta_fetches == 1);
    scene.bench.source->deltas.crls = {Crl::from_der(make_crl(newer, scene.authority))};
    CHECK(revoked(scene.judge()));
    newer.entries.clear();
    scene.bench.source->deltas.crls = {Crl::from_der(make_crl(newer, scene.authority))};
    CHECK(good(scene.judge()));
}

TEST_CASE("no number of certificates that came along pushes out those of the path") {
    AuthorityBench scene;
    const SoftwareKey upper = certify(authority_spec("Upper"), &scene.bench.root);
    const SoftwareKey lower = certify(authority_spec("Lower"), &upper);
    const SoftwareKey responder = certify(AuthorityBench::responder_spec(), &lower);
    scene.alice = certify({}, &lower).certificate;
    scene.bench.trust.intermediates.clear();
    scene.bench.surplus = {lower.certificate, upper.certificate};
    const PrivateKey key = new_private_key(KeyKind::p256);
    for (int i = 0; i < 198; ++i)
        scene.bench.surplus.push_back(certify_key(key, authority_spec("Lower"), nullptr));
    scene.bench.source->here.ocsp = {{OcspResponse::from_der(
        make_ocsp({.status = OcspSpec::Status::revoked}, scene.alice, lower.certificate, responder))}};
    CHECK(revoked(scene.judge()));
}

TEST_CASE("what is listed as revoked from a time to come is revoked now") {
    AuthorityBench scene;
    CrlSpec ahead = scene.lists_alice();
    ahead.entries.front().since = 3;
    scene.bench.add_crl(ahead, scene.authority);
    CHECK(revoked(scene.judge()));
    // At an earlier time it was not.
    scene.bench.at(-20);
    CHECK(good(scene.judge()));
}

TEST_CASE("a certificate that was revoked stays so, however old the evidence is") {
    AuthorityBench scene;
    CrlSpec old = scene.lists_alice();
    old.this_update = -120;
    old.next_update = -60;
    SECTION("by a CRL that has ended") {
        old.entries.front().since = -180;
        scene.bench.add_crl(old, scene.authority);
        CHECK(revoked(scene.judge()));
    }
    SECTION("on hold too, for want of something newer") {
        old.entries.front().since = -180;
        old.entries.front().reason = "certificateHold";
        scene.bench.add_crl(old, scene.authority);
        CHECK(revoked(scene.judge(), "nothing newer"));
        scene.bench.add_crl({}, scene.authority);
        CHECK(good(scene.judge()));
    }
    SECTION("by an OCSP response that has ended") {
        scene.bench.source->here.ocsp = {{OcspResponse::from_der(
            make_ocsp({.status = OcspSpec::Status::revoked, .since = -180, .this_update = -120, .next_update = -60},
                      scene.alice, scene.authority.certificate, scene.authority))}};
        CHECK(revoked(scene.judge()));
    }
    SECTION("not by one that nobody has signed") {
        scene.bench.add_crl(old, forger("Authority"));
        CHECK(unknown(scene.judge(), "does not count"));
    }
    SECTION("by a delta CRL without its base, or for another one") {
        CrlSpec delta = scene.lists_alice();
        delta.number = 9;
        delta.base_number = 8;
        scene.bench.add_crl(delta, scene.authority);
        CHECK(revoked(scene.judge()));
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        CHECK(revoked(scene.judge()));
    }
    SECTION("a hold in a delta CRL counts until something newer says otherwise") {
        CrlSpec delta = scene.lists_alice();
        delta.entries.front().reason = "certificateHold";
        delta.number = 9;
        delta.base_number = 8;
        scene.bench.add_crl(delta, scene.authority);
        CHECK(revoked(scene.judge()));
        scene.bench.add_crl({.number = 10, .this_update = -1}, scene.authority);
        CHECK(good(scene.judge()));
    }
    SECTION("a delta CRL releases what was on hold alone") {
        for (const auto& [reason, released] : {std::pair("certificateHold", true), std::pair("keyCompromise", false)}) {
            scene.bench.source->here.crls.clear();
            scene.bench.add_crl({});
            CrlSpec base = scene.lists_alice();
            base.entries.front().reason = reason;
            scene.bench.add_crl(base, scene.authority);
            CrlSpec delta{.entries = {{.certificate = scene.alice, .since = -20, .reason = "removeFromCRL"}}};
            delta.number = 2;
            delta.base_number = 1;
            delta.this_update = -10;
            scene.bench.add_crl(delta, scene.authority);
            CHECK((released ? good(scene.judge()) : revoked(scene.judge())));
        }
    }
}
