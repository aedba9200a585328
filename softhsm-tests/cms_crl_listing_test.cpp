// What an issuer says to be revoked is, in whatever CRL or response; silence in one that is not to be used tells
// nothing.

#include <catch2/catch.hpp>

#include "cms/crl.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Lists is a CRL that lists nobody, which its issuer must list in for it to be heard.
struct Lists {
    RevocationBench bench;
    Certificate alice = bench.issue({.more_extensions = "crlDistributionPoints=URI:http://crl.example/a"});

    PathVerdict judge(CrlSpec spec, const std::vector<CrlSpec::Entry>& entries) {
        spec.entries.insert(spec.entries.end(), entries.begin(), entries.end());
        bench.source->here.crls.clear();
        bench.add_crl(spec);
        return bench.judge(alice);
    }
    /// counts_as_listing holds for a CRL that makes nothing good: what it lists is revoked, and not on hold.
    bool counts_as_listing(const CrlSpec& spec, const std::string& why) {
        return unknown(judge(spec, {}), why) && revoked(judge(spec, {{.certificate = alice}})) &&
               unknown(judge(spec, {{.certificate = alice, .reason = "certificateHold"}}), "");
    }
};

CrlSpec with_extension(const std::string& extension) {
    return {.extensions = extension};
}

CrlSpec for_others(const std::string& lines) {
    return {.extensions = "issuingDistributionPoint=critical,@idp", .sections = "[idp]\n" + lines};
}

}  // namespace

TEST_CASE("what an issuer lists as revoked is, in a CRL that is not to be used too") {
    Lists lists;
    CHECK(lists.counts_as_listing({.digest = "SHA1"}, "weak digest"));
    CHECK(lists.counts_as_listing({.next_update = std::nullopt}, "until when it holds"));
    CHECK(lists.counts_as_listing({.this_update = -30, .next_update = -60}, "ends before it begins"));
    CHECK(lists.counts_as_listing(with_extension("1.2.3.4.5=critical,DER:0500"), "critical extension 1.2.3.4.5"));
    CHECK(lists.counts_as_listing(with_extension("freshestCRL=DER:0500"), "malformed"));
    const CrlSpec odd{.entries = {{.certificate = lists.bench.issue({.name = "Bob"}), .odd = true}}};
    CHECK(lists.counts_as_listing(odd, "critical extension 1.2.3.4.5"));
    CHECK(lists.counts_as_listing(for_others("fullname=URI:http://crl.example/b\n"), "no CRL"));
    CHECK(lists.counts_as_listing(for_others("onlyCA=TRUE\n"), "no CRL"));

    CertificateSpec spec = RevocationBench::old_authority();
    spec.key_usage = "critical,keyCertSign";
    lists.bench.root = certify(spec);
    lists.bench.trust = lists.bench.trusting();
    lists.alice = lists.bench.issue();
    CHECK(lists.counts_as_listing({}, "may not sign it"));
}

TEST_CASE("an entry that may be another certificate's, or that anybody may have made, revokes nothing") {
    Lists lists;
    const std::vector<CrlSpec::Entry> entries{{.certificate = lists.alice}};
    SECTION("attribute certificates are numbered apart") {
        CHECK(unknown(lists.judge(for_others("onlyAA=TRUE\n"), entries), "no CRL"));
    }
    SECTION("a scope that cannot be read may be that of an indirect CRL") {
        CHECK(unknown(lists.judge(with_extension("issuingDistributionPoint=critical,DER:0500"), entries), "malformed"));
    }
    SECTION("others' certificates in a CRL that is not indirect") {
        const std::vector<CrlSpec::Entry> others{{.certificate = lists.bench.issue(), .names_issuer = true},
                                                 {.certificate = lists.alice}};
        CHECK(unknown(lists.judge({}, others), "without being an indirect CRL"));
    }
    SECTION("a broken digest") {
        CertificateSpec spec = RevocationBench::old_authority();
        spec.kind = KeyKind::rsa2048;
        lists.bench.root = certify(spec);
        lists.bench.trust = lists.bench.trusting();
        lists.alice = lists.bench.issue();
        CHECK(unknown(lists.judge({.digest = "MD5"}, {{.certificate = lists.alice}}), "broken digest"));
    }
}

TEST_CASE("a response with a weak signature makes nothing good, and what it says to be revoked is") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_ocsp({.digest = "SHA1"}, alice);
    CHECK(unknown(bench.judge(alice), "weak digest"));
    bench.add_ocsp({.status = OcspSpec::Status::revoked, .digest = "SHA1"}, alice);
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("what servers tell of a certificate that is revoked is remembered as long as that lasts, and for a year") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.ends_in_days = 800});
    const auto crl = [&](CrlSpec spec, std::string reason) {
        spec.entries = {{.certificate = alice, .reason = std::move(reason)}};
        return Crl::from_der(make_crl(spec, bench.root));
    };
    struct Remembered {
        Telling telling;
        Time until;
    };
    const auto remembered = [&](const Certificate& certificate) -> Remembered {
        bench.source->remembered.clear();
        CHECK(revoked(bench.judge(certificate)));
        REQUIRE(bench.source->remembered.size() == 1);
        return {bench.source->remembered.front(), bench.source->remembered_until.front()};
    };
    const auto is_of = [](const Telling& telling, const Crl& told) {
        return telling.of == told.this_update() && telling.ends == told.next_update();
    };
    SECTION("a delta CRL that lists it, and not its base, which is kept until it ends") {
        const Bytes base = make_crl({.number = 5, .this_update = -60}, bench.root);
        bench.source->points.at_points = {Crl::from_der(base)};
        const Crl delta = crl({.number = 6, .base_number = 5}, "keyCompromise");
        bench.source->points.at_freshest = {delta};
        const auto [telling, until] = remembered(alice);
        CHECK(is_of(telling, delta));
        CHECK(until == alice.not_after());
        CHECK(telling.revoked.since == delta.entry(alice)->since);
        CHECK(telling.revoked.reason == "key compromise");
        CHECK(telling.revoked.cause == Cause::key_compromised);
        CHECK_FALSE(telling.revoked.on_hold);
        const auto at = std::find(bench.source->kept.begin(), bench.source->kept.end(), base);
        REQUIRE(at != bench.source->kept.end());
        CHECK(bench.source->kept_until.at(static_cast<std::size_t>(at - bench.source->kept.begin())) ==
              Crl::from_der(base).next_update());
    }
    SECTION("a delta CRL whose base is missing") {
        const Crl delta = crl({.number = 6, .base_number = 5}, "keyCompromise");
        bench.source->points.at_freshest = {delta};
        CHECK(is_of(remembered(alice).telling, delta));
    }
    SECTION("a hold, by what is at hand") {
        const Crl hold = crl({}, "certificateHold");
        bench.source->here.at_points = {hold};
        const Telling telling = remembered(alice).telling;
        CHECK(is_of(telling, hold));
        CHECK(telling.revoked.on_hold);
    }
    SECTION("an OCSP response") {
        const auto response = OcspResponse::from_der(
            make_ocsp({.status = OcspSpec::Status::revoked}, alice, bench.root.certificate, bench.root));
        bench.source->responders.ocsp = {{response}};
        CHECK(remembered(alice).telling.of == response.answers(alice, bench.root.certificate).front().this_update);
    }
    SECTION("of a certificate that has ended, in a CRL that has ended or does not say until when it holds") {
        const Certificate old = bench.issue({.begins_in_days = -90, .ends_in_days = -1});
        const auto next = GENERATE(std::optional<int>(), std::optional(-60));
        bench.source->points.at_points = {Crl::from_der(
            make_crl({.entries = {{.certificate = old, .since = -3 * kDay}}, .this_update = -90, .next_update = next},
                     bench.root))};
        bench.at(-2 * kDay);
        CHECK(remembered(old).until > bench.trust.clock->now() + std::chrono::days(365));
    }
}

TEST_CASE("what the user's own CRL or one that came along tells is not remembered, which says it each time") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Crl listing = Crl::from_der(make_crl({.entries = {{.certificate = alice}}}, bench.root));
    RevocationEvidence carried;
    SECTION("the user's own") {
        bench.source->here.crls = {listing};
    }
    SECTION("a CRL that came along") {
        carried.crls = {listing};
    }
    SECTION("a response that came along") {
        carried.ocsp = {{OcspResponse::from_der(
            make_ocsp({.status = OcspSpec::Status::revoked}, alice, bench.root.certificate, bench.root))}};
    }
    CHECK(revoked(validate(alice, {}, bench.trust, Use::signing, {}, carried)));
    CHECK(bench.source->remembered.empty());
}

TEST_CASE("what is remembered of a certificate counts as the evidence did that told it") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Time now = bench.trust.clock->now();
    const auto remember = [&](const Revoked& told, std::chrono::minutes of, std::chrono::minutes ends) {
        bench.source->here.remembered = {{told, now + of, now + ends}};
    };
    using std::chrono::minutes;
    SECTION("for good, though it has ended, beside a CRL that does not list it") {
        remember({now - minutes(90), "key compromise", Cause::key_compromised}, minutes(-60), minutes(-30));
        bench.add_crl({});
        const PathVerdict verdict = bench.judge(alice);
        CHECK(revoked(verdict, "is revoked since " + format_time(now - minutes(90)) + " (key compromise)"));
        CHECK(verdict.key_compromised);
        bench.at(-100);
        CHECK(bench.judge(alice).trusted);
    }
    SECTION("a hold that a newer CRL lifts") {
        remember({now - minutes(90), "on hold", Cause::other, true}, minutes(-60), minutes(60));
        CHECK(revoked(bench.judge(alice)));
        bench.add_crl({.this_update = -70});
        CHECK(revoked(bench.judge(alice)));
        bench.add_crl({.this_update = -50});
        CHECK(good(bench.judge(alice)));
    }
    SECTION("a hold in what has ended") {
        remember({now - minutes(90), "on hold", Cause::other, true}, minutes(-60), minutes(-30));
        bench.add_crl({.this_update = -70});
        CHECK(revoked(bench.judge(alice), "nothing newer tells of it"));
        CHECK_THAT(bench.judge(alice).hint, Catch::EndsWith("--crl FILE adds a CRL"));
        bench.add_crl({.this_update = -50});
        CHECK(good(bench.judge(alice)));
    }
}

TEST_CASE("no hold counts from before it is remembered to be lifted, and nothing is good for that") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Time now = bench.trust.clock->now();
    const CrlSpec hold{.entries = {{.certificate = alice, .since = -90, .reason = "certificateHold"}},
                       .number = 5,
                       .this_update = -60};
    bench.add_crl(hold);
    bench.source->here.released = now - std::chrono::minutes(70);
    CHECK(revoked(bench.judge(alice), "(on hold)"));
    bench.source->here.released = now - std::chrono::minutes(50);
    CHECK(unknown(bench.judge(alice), "(on hold)"));
    bench.add_ocsp({.this_update = -80}, alice);
    CHECK(unknown(bench.judge(alice), "(on hold)"));
    CrlSpec again = hold;
    again.number = 6;
    again.this_update = -40;
    bench.add_crl(again);
    CHECK(revoked(bench.judge(alice), "(on hold)"));
}

TEST_CASE("that a hold was lifted is told by evidence that did not come along, and where it is not one of later") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    CrlSpec hold{.entries = {{.certificate = alice, .since = -90, .reason = "certificateHold"}}, .this_update = -80};
    bench.add_crl(hold);
    const OcspResponse lifting =
        OcspResponse::from_der(make_ocsp({.this_update = -50}, alice, bench.root.certificate, bench.root));
    const Time lifted = lifting.answers(alice, bench.root.certificate).front().this_update;
    RevocationEvidence carried;
    carried.ocsp = {{lifting}};
    CHECK(good(validate(alice, {}, bench.trust, Use::signing, {}, carried)));
    CHECK(bench.source->released.empty());
    bench.source->here.ocsp = {{lifting}};
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->released == std::vector{lifted});

    bench.source->released.clear();
    hold.entries.front().since = -30;
    hold.number = 2;
    hold.this_update = -20;
    bench.add_crl(hold);
    bench.at(-40);
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->released.empty());
}

TEST_CASE("where a certificate is on hold, it is asked whether it still is") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.more_extensions = "freshestCRL=URI:http://crl.example/delta"});
    const CrlSpec hold{
        .entries = {{.certificate = alice, .reason = "certificateHold"}}, .number = 5, .this_update = -60};
    bench.add_crl(hold);
    CHECK(revoked(bench.judge(alice), "on hold"));
    CHECK(bench.source->fetches == 2);
    CHECK(bench.source->delta_fetches == 1);
    SECTION("a delta CRL lifts it") {
        bench.source->deltas.crls = {Crl::from_der(
            make_crl({.entries = {{.certificate = alice, .reason = "removeFromCRL"}}, .number = 6, .base_number = 5},
                     bench.root))};
        CHECK(good(bench.judge(alice)));
    }
    SECTION("a newer CRL lifts it") {
        bench.source->points.crls = {Crl::from_der(make_crl({.number = 6}, bench.root))};
        CHECK(good(bench.judge(alice)));
    }
}

TEST_CASE("a delta CRL is fetched where there is no base, and counts as far as it lists") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.more_extensions = "freshestCRL=URI:http://crl.example/delta"});
    CHECK(unknown(bench.judge(alice), "no CRL"));
    CHECK(bench.source->delta_fetches == 1);
    bench.source->deltas.crls = {
        Crl::from_der(make_crl({.entries = {{.certificate = alice}}, .number = 6, .base_number = 5}, bench.root))};
    CHECK(revoked(bench.judge(alice)));
}
