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
        scene.bench.add_crl(removal, forger("Authority"));
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
        scene.bench.add_crl({.number = 2, .this_update = -100, .next_update = -60}, forger("Authority"));
        add_response({.this_update = -200}, scene.authority);
        CHECK(revoked(scene.judge(), "nothing newer"));
        add_response({.this_update = -100}, forger("Authority"));
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

TEST_CASE("a delta CRL that lists a certificate no longer, which has ended, does not say that a hold was lifted") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -90, .ends_in_days = -1});
    bench.at(-2 * kDay);
    const CrlSpec::Entry hold{.certificate = alice, .since = -10 * kDay, .reason = "certificateHold"};
    bench.add_crl({.entries = {hold}, .this_update = -9 * kDay, .next_update = -8 * kDay});
    CrlSpec removal{.entries = {{.certificate = alice, .reason = "removeFromCRL"}}, .number = 4, .base_number = 3};
    bench.add_crl(removal);
    CHECK(revoked(bench.judge(alice), "nothing newer"));
    removal.this_update = -3 * kDay;
    bench.add_crl(removal);
    CHECK(unknown(bench.judge(alice), "nothing newer that counts"));
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
