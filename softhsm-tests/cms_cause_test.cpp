// For what reason and since when a certificate is revoked, which CRLs tell and many OCSP responders do not.

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

constexpr int kNoReason = -1, kSuperseded = 4;

// Told is Alice, whose revocation is judged at a time after others had her key and before it was revoked.
struct Told {
    RevocationBench bench;
    SoftwareKey alice = certify(CertificateSpec{.begins_in_days = -90}, &bench.root);

    Told() { bench.at(-15 * kDay); }
    void responder_tells(const OcspSpec& spec) {
        bench.source->responders.ocsp = {
            {OcspResponse::from_der(make_ocsp(spec, alice.certificate, bench.root.certificate, bench.root))}};
    }
    static OcspSpec revoked_later() { return {.status = OcspSpec::Status::revoked, .since = -5 * kDay}; }
    CrlSpec lists(std::optional<int> invalid_since, const std::string& reason = "keyCompromise") const {
        return {.entries = {{.certificate = alice.certificate,
                             .since = -5 * kDay,
                             .reason = reason,
                             .invalid_since = invalid_since}}};
    }
    void points_tell(const CrlSpec& spec) {
        bench.source->points.at_points = {Crl::from_der(make_crl(spec, bench.root))};
    }
    PathVerdict judge() const { return bench.judge(alice.certificate); }
};

}  // namespace

TEST_CASE("a CRL is asked since when a key is others' where a responder tells when it was revoked") {
    Told told;
    told.responder_tells(Told::revoked_later());
    SECTION("before the judged time") {
        told.points_tell(told.lists(-30 * kDay));
        CHECK(revoked(
            told.judge(),
            "is revoked since " + format_time(told.bench.trust.clock->now() - std::chrono::days(30)).substr(0, 10)));
    }
    SECTION("as far as is known, after it") {
        told.points_tell(told.lists({}));
        const PathVerdict verdict = told.judge();
        CHECK(good(verdict));
        CHECK(verdict.revoked_since.size() == 1);
    }
    SECTION("a delta CRL tells") {
        told.points_tell({.number = 1, .extensions = "freshestCRL=URI:http://crl.example/delta"});
        CrlSpec delta = told.lists(-30 * kDay);
        delta.number = 2;
        delta.base_number = 1;
        told.bench.source->deltas.crls = {Crl::from_der(make_crl(delta, told.bench.root))};
        CHECK(revoked(told.judge()));
    }
    SECTION("and nobody else tells anything") {
        CHECK(good(told.judge()));
    }
    CHECK(told.bench.source->fetches == 2);
}

TEST_CASE("no CRL is asked where its key was as good as before") {
    Told told;
    OcspSpec retired = Told::revoked_later();
    retired.reason = kSuperseded;
    told.responder_tells(retired);
    CHECK(good(told.judge()));
    CHECK(told.bench.source->fetches == 1);
}

TEST_CASE("a responder may tell since when a key is others'") {
    Told told;
    OcspSpec spec = Told::revoked_later();
    spec.invalid_since = -10 * kDay;
    told.responder_tells(spec);
    CHECK(good(told.judge()));
    spec.invalid_since = -30 * kDay;
    told.responder_tells(spec);
    CHECK(revoked(told.judge()));
}

TEST_CASE("a CRL is asked for what reason a certificate is revoked where a responder does not tell") {
    Told told;
    told.bench.trust.at.reset();
    const Certificate renewed = certify_key(told.alice.key, {.ends_in_days = 500}, &told.bench.root);
    told.bench.surplus = {told.alice.certificate};
    OcspSpec spec = Told::revoked_later();
    spec.reason = kNoReason;
    told.responder_tells(spec);
    told.points_tell(told.lists({}));
    CHECK(revoked(told.bench.judge(renewed), "others may know the key"));
    CHECK(told.judge().key_compromised);
    told.points_tell(told.lists({}, "superseded"));
    CHECK(good(told.bench.judge(renewed)));
    CHECK(revoked(told.judge()));
}
