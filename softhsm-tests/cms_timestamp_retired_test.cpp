// What an authority that was retired has stamped, where not all that tells so gives the reason.

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_old_timestamps.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Told is a time-stamping authority that was revoked 20 days ago, and what tells so.
struct Told : OldTimestamps {
    void answer(int reason) {
        source->here.ocsp = {{OcspResponse::from_der(
            make_ocsp({.status = OcspSpec::Status::revoked, .since = -20 * kDay, .reason = reason},
                      authority.certificate, root.certificate, root))}};
    }
    Crl listing(const std::string& reason, CrlSpec spec = {}, int since = -20 * kDay) const {
        spec.entries = {{.certificate = authority.certificate, .since = since, .reason = reason}};
        return Crl::from_der(make_crl(spec, root));
    }
    bool stamped(int days_ago, const std::vector<Bytes>& along = {}) const {
        return counts(token(authority, {.days_ago = days_ago, .revocation_infos = along}));
    }
};

constexpr int kNone = -1;

}  // namespace

TEST_CASE("a response without a reason says nothing against the one that a CRL gives for the same revocation") {
    Told world;
    world.trust.require_revocation = GENERATE(false, true);
    world.answer(kNone);
    CHECK_FALSE(world.stamped(30));
    SECTION("that leaves the key as good as before") {
        const std::string reason = GENERATE("superseded", "cessationOfOperation", "affiliationChanged", "unspecified");
        world.source->here.crls = {world.listing(reason)};
        CHECK(world.stamped(30));
        CHECK_FALSE(world.stamped(10));
    }
    SECTION("which is remembered of the response when that is gone") {
        world.source->here.crls = {world.listing("superseded")};
        const auto answer =
            world.source->here.ocsp.front().response.answers(world.authority.certificate, world.root.certificate);
        world.source->here.ocsp.clear();
        world.source->here.remembered = {
            {{answer.front().since, {}, Cause::other}, answer.front().this_update, answer.front().next_update}};
        CHECK(world.stamped(30));
    }
    SECTION("but not where the CRL came along, as whoever sent it chose which one") {
        CHECK_FALSE(world.stamped(30, {world.listing("superseded").der()}));
    }
    SECTION("but not where the CRL gives none, or one that speaks against the key") {
        const std::string reason =
            GENERATE("", "keyCompromise", "CACompromise", "privilegeWithdrawn", "certificateHold");
        world.source->here.crls = {world.listing(reason)};
        CHECK_FALSE(world.stamped(30));
    }
    SECTION("but not where the response gives one that does") {
        world.source->here.crls = {world.listing("superseded")};
        world.answer(CRL_REASON_KEY_COMPROMISE);
        CHECK_FALSE(world.stamped(30));
    }
    SECTION("but not where the CRL has ended, whoever has it") {
        const Crl over = world.listing("superseded", {.this_update = -19 * kDay, .next_update = -10 * kDay});
        CHECK_FALSE(world.stamped(30, {over.der()}));
        world.source->here.crls = {over};
        CHECK_FALSE(world.stamped(30));
    }
    SECTION("but not where another revocation is meant") {
        world.source->here.crls = {world.listing("superseded", {}, -21 * kDay)};
        CHECK_FALSE(world.stamped(30));
    }
    SECTION("but not where who has signed the CRL may not, or not so") {
        world.source->here.crls = {world.listing("superseded", {.digest = "SHA1"})};
        CHECK_FALSE(world.stamped(30));
    }
}

TEST_CASE("why a certificate is revoked is told as the CRL has it where a response gives no reason") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_ocsp({.status = OcspSpec::Status::revoked, .reason = kNone}, alice);
    CHECK(revoked(bench.judge(alice)));
    CHECK_FALSE(bench.judge(alice).retired_since);
    bench.add_crl({.entries = {{.certificate = alice, .reason = "superseded"}}});
    CHECK(revoked(bench.judge(alice), "(superseded)"));
    CHECK(bench.judge(alice).retired_since);
}
