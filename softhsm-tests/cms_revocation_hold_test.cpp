// Certificates that are on hold, and what says that they no longer are.

#include <catch2/catch.hpp>

#include "cms/revocation.h"
#include "softhsm-tests/cms_revocation_authority.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

TEST_CASE("a hold in evidence that has ended counts before older evidence, and newer evidence lifts it") {
    AuthorityBench scene;
    CrlSpec hold = scene.lists_alice();
    hold.entries.front().reason = "certificateHold";
    hold.entries.front().since = -100;
    hold.this_update = -60;
    hold.next_update = -10;
    hold.number = 2;
    SECTION("a newer CRL") {
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        scene.bench.add_crl(hold, scene.authority);
        const Time now = scene.bench.trust.clock->now();
        CHECK(revoked(scene.judge(), "(on hold), as of "));
        CHECK_THAT(scene.judge().reason, Catch::EndsWith("; nothing newer tells of it"));
        // Before it was put on hold, it was not.
        scene.bench.trust.at = now - std::chrono::minutes(105);
        CHECK(scene.judge().trusted);
        scene.bench.trust.at.reset();
        scene.bench.add_crl({.number = 3, .this_update = -20}, scene.authority);
        CHECK(good(scene.judge()));
    }
    SECTION("a delta CRL") {
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        hold.base_number = 1;
        scene.bench.add_crl(hold, scene.authority);
        CHECK(revoked(scene.judge(), "nothing newer"));
    }
    SECTION("an OCSP response") {
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        scene.bench.source->here.ocsp = {
            {OcspResponse::from_der(make_ocsp({.status = OcspSpec::Status::revoked,
                                               .since = -100,
                                               .reason = CRL_REASON_CERTIFICATE_HOLD,
                                               .this_update = -60,
                                               .next_update = -10},
                                              scene.alice, scene.authority.certificate, scene.authority))}};
        CHECK(revoked(scene.judge(), "nothing newer"));
    }
    SECTION("an OCSP response is newer") {
        hold.next_update = 60;
        scene.bench.add_crl(hold, scene.authority);
        CHECK(revoked(scene.judge()));
        scene.bench.source->here.ocsp = {{OcspResponse::from_der(
            make_ocsp({.this_update = -10}, scene.alice, scene.authority.certificate, scene.authority))}};
        CHECK(good(scene.judge()));
    }
}

TEST_CASE("a hold in evidence that has ended does not count where newer evidence that has ended does not tell of it") {
    AuthorityBench scene;
    CrlSpec hold = scene.lists_alice();
    hold.entries.front() = {.certificate = scene.alice, .since = -190, .reason = "certificateHold"};
    hold.this_update = -180;
    hold.next_update = -120;
    scene.bench.add_crl(hold, scene.authority);
    CHECK(revoked(scene.judge(), "nothing newer"));
    const auto add_response = [&](OcspSpec spec, const SoftwareKey& responder) {
        spec.next_update = -60;
        scene.bench.source->here.ocsp = {
            {OcspResponse::from_der(make_ocsp(spec, scene.alice, scene.authority.certificate, responder))}};
    };
    SECTION("a CRL") {
        scene.bench.add_crl({.number = 2, .this_update = -100, .next_update = -60}, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer that counts"));
    }
    SECTION("an OCSP response") {
        add_response({.this_update = -100}, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer that counts"));
    }
    const CrlSpec removal{.entries = {{.certificate = scene.alice, .reason = "removeFromCRL"}},
                          .number = 2,
                          .base_number = 1,
                          .this_update = -100,
                          .next_update = -60};
    SECTION("a delta CRL") {
        scene.bench.add_crl(removal, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer that counts"));
    }
    SECTION("a delta CRL that has not ended, to a newer CRL") {
        CrlSpec newer = removal;
        newer.number = 4;
        newer.base_number = 3;
        newer.next_update = kDay;
        scene.bench.add_crl(newer, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer that counts"));
    }
    SECTION("but no delta CRL that is older, of somebody else, or of another certificate") {
        CrlSpec other = removal;
        other.entries.front().certificate = certify({.name = "Bob"}, &scene.authority).certificate;
        scene.bench.add_crl(other, scene.authority);
        scene.bench.add_crl(removal, certify(authority_spec("Authority")));
        CrlSpec weak = removal;
        weak.digest = "SHA1";
        scene.bench.add_crl(weak, scene.authority);
        CrlSpec older = removal;
        older.this_update = -185;
        scene.bench.add_crl(older, scene.authority);
        CHECK(revoked(scene.judge(), "nothing newer"));
        scene.bench.add_crl(removal, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer that counts"));
    }
    SECTION("nor a delta CRL by another key of the issuer") {
        const SoftwareKey rolled = certify(authority_spec("Authority"), &scene.bench.root);
        scene.bench.surplus = {rolled.certificate};
        scene.bench.add_crl(removal, rolled);
        CHECK(revoked(scene.judge(), "nothing newer"));
    }
    SECTION("but not older evidence, nor somebody else's") {
        scene.bench.add_crl({.number = 2, .this_update = -200, .next_update = -60}, scene.authority);
        scene.bench.add_crl({.number = 2, .this_update = -100, .next_update = -60},
                            certify(authority_spec("Authority")));
        add_response({.this_update = -200}, scene.authority);
        CHECK(revoked(scene.judge(), "nothing newer"));
        add_response({.this_update = -100}, certify(authority_spec("Authority")));
        CHECK(revoked(scene.judge(), "nothing newer"));
        add_response({.this_update = -100, .digest = "SHA1"}, scene.authority);  // weak
        CHECK(revoked(scene.judge(), "nothing newer"));
    }
    SECTION("nor what tells nothing of holds") {
        scene.bench.add_crl({.number = 2,
                             .this_update = -100,
                             .next_update = -60,
                             .extensions = "issuingDistributionPoint=critical,@idp\n",
                             .sections = "[idp]\nonlysomereasons=keyCompromise\n"},
                            scene.authority);
        CHECK(revoked(scene.judge(), "nothing newer"));
    }
    SECTION("older evidence that has not ended makes nothing good then either") {
        scene.bench.add_crl({.number = 2, .this_update = -100, .next_update = -60}, scene.authority);
        scene.bench.add_crl({.number = 3, .this_update = -200}, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer that counts"));
    }
}

TEST_CASE(
    "a hold in evidence that has not ended is lifted by nothing that has, though newer evidence tells of it too") {
    AuthorityBench scene;
    CrlSpec hold = scene.lists_alice();
    hold.entries.front() = {.certificate = scene.alice, .since = -190, .reason = "certificateHold"};
    hold.this_update = -180;
    scene.bench.add_crl(hold, scene.authority);
    const Crl without =
        Crl::from_der(make_crl({.number = 3, .this_update = -100, .next_update = -60}, scene.authority));
    hold.number = 2;
    hold.this_update = -150;
    hold.next_update = -110;
    scene.carried.crls = {without};
    CHECK(revoked(scene.judge(), "(on hold)"));
    scene.carried.crls = {Crl::from_der(make_crl(hold, scene.authority)), without};
    CHECK(revoked(scene.judge(), "(on hold)"));
    // What has not ended lifts it.
    scene.bench.add_crl({.number = 4, .this_update = -50}, scene.authority);
    CHECK(good(scene.judge()));
}

TEST_CASE("evidence of after a certificate's end, which need not tell of it, does not say that a hold was lifted") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -90, .ends_in_days = -1});
    bench.at(-2 * kDay);
    const CrlSpec::Entry hold{.certificate = alice, .since = -10 * kDay, .reason = "certificateHold"};
    bench.add_crl({.entries = {hold}, .this_update = -9 * kDay, .next_update = -8 * kDay});
    const auto lifted_before_its_end = [&](const auto& add) {
        add(0);
        CHECK(revoked(bench.judge(alice), "nothing newer"));
        add(-3 * kDay);
        CHECK(unknown(bench.judge(alice), "nothing newer that counts"));
    };
    SECTION("a CRL") {
        lifted_before_its_end(
            [&](int day) { bench.add_crl({.number = 4, .this_update = day, .next_update = day + 60}); });
    }
    SECTION("a delta CRL") {
        lifted_before_its_end([&](int day) {
            bench.add_crl({.entries = {{.certificate = alice, .reason = "removeFromCRL"}},
                           .number = 4,
                           .base_number = 3,
                           .this_update = day});
        });
    }
    SECTION("an OCSP response") {
        lifted_before_its_end([&](int day) {
            bench.source->here.ocsp = {
                {OcspResponse::from_der(make_ocsp({.this_update = day, .next_update = day + 60, .produced_at = day},
                                                  alice, bench.root.certificate, bench.root))}};
        });
    }
}

TEST_CASE("a hold is as new as the newest that tells of it") {
    AuthorityBench scene;
    CrlSpec hold = scene.lists_alice();
    hold.entries.front().reason = "certificateHold";
    hold.this_update = -60;
    scene.bench.add_crl(hold, scene.authority);
    scene.bench.source->here.ocsp = {{OcspResponse::from_der(
        make_ocsp({.this_update = -30}, scene.alice, scene.authority.certificate, scene.authority))}};
    CHECK(good(scene.judge()));
    hold.number = 2;
    hold.base_number = 1;
    hold.this_update = -10;
    scene.bench.add_crl(hold, scene.authority);
    CHECK(revoked(scene.judge()));
}

TEST_CASE("a certificate that a response tells to be revoked without a reason is not taken to be on hold") {
    AuthorityBench scene;
    CrlSpec hold = scene.lists_alice();
    hold.entries.front() = {.certificate = scene.alice, .since = -100, .reason = "certificateHold"};
    hold.this_update = -60;
    scene.bench.add_crl(hold, scene.authority);
    scene.bench.add_crl({.number = 2, .this_update = -10}, scene.authority);
    CHECK(good(scene.judge()));
    scene.bench.source->here.ocsp = {{OcspResponse::from_der(
        make_ocsp({.status = OcspSpec::Status::revoked, .since = -100, .reason = -1, .this_update = -60}, scene.alice,
                  scene.authority.certificate, scene.authority))}};
    CHECK(revoked(scene.judge()));
}
