#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/evidence.h"

namespace p11mime::test {

/// TestSource has evidence at hand and more to fetch, and counts what it is asked.
class TestSource : public cms::RevocationSource {
  public:
    cms::RevocationEvidence here;
    cms::RevocationEvidence responders;
    cms::RevocationEvidence points;
    cms::RevocationEvidence deltas;
    bool online = true;
    int fetches = 0;
    int delta_fetches = 0;
    std::vector<bool> answers_told;  ///< whether what was fetched told all
    std::vector<Bytes> kept;
    std::vector<cms::Time> kept_until;
    std::vector<cms::Telling> remembered;
    std::vector<cms::Time> remembered_until;
    std::vector<cms::Time> released;  ///< as of when it was told that a hold was lifted

    cms::RevocationEvidence at_hand(const cms::Certificate&, const cms::Certificate&) override { return here; }
    bool asks() const override { return online; }
    cms::RevocationEvidence fetch(const cms::Certificate&, const cms::Certificate&, From from,
                                  const Tells& tells) override {
        ++fetches;
        const cms::RevocationEvidence& answer = from == From::responders ? responders : points;
        answers_told.push_back(tells(answer));
        return answer;
    }
    cms::RevocationEvidence fetch_delta(const cms::Certificate&, const std::optional<cms::Crl>&,
                                        const Tells&) override {
        ++delta_fetches;
        return deltas;
    }
    void keep(ByteView der, cms::Time until) override {
        kept.push_back(to_bytes(der));
        kept_until.push_back(until);
    }
    void remember(const cms::Certificate&, bool, const cms::Telling& telling, cms::Time until) override {
        remembered.push_back(telling);
        remembered_until.push_back(until);
    }
    void forget_holds(const cms::Certificate&, cms::Time before, cms::Time) override { released.push_back(before); }
};

/// RevocationBench is a root that issues certificates, and what there is to tell whether they are revoked.
struct RevocationBench {
    SoftwareKey root = certify(old_authority());
    std::shared_ptr<TestSource> source = std::make_shared<TestSource>();
    cms::Trust trust = trusting();
    std::vector<cms::Certificate> surplus;

    static CertificateSpec old_authority() {
        CertificateSpec spec = authority_spec("Test Root");
        spec.begins_in_days = -100;
        return spec;
    }
    cms::Trust trusting() const {
        cms::Trust all = trust_in({root.certificate});
        all.revocation = source;
        return all;
    }
    cms::Certificate issue(const CertificateSpec& spec = {}) const { return certify(spec, &root).certificate; }
    void add_crl(const CrlSpec& spec) { add_crl(spec, root); }
    void add_crl(const CrlSpec& spec, const SoftwareKey& issuer) {
        source->here.crls.push_back(cms::Crl::from_der(make_crl(spec, issuer)));
    }
    void add_ocsp(const OcspSpec& spec, const cms::Certificate& about) { add_ocsp(spec, about, root); }
    void add_ocsp(const OcspSpec& spec, const cms::Certificate& about, const SoftwareKey& responder) {
        source->here.ocsp.push_back(
            {cms::OcspResponse::from_der(make_ocsp(spec, about, root.certificate, responder)), spec.request});
    }
    cms::PathVerdict judge(const cms::Certificate& certificate) const {
        return cms::validate(certificate, surplus, trust, cms::Use::signing);
    }
    /// at judges at a time in minutes from now.
    void at(int minutes) { trust.at = trust.clock->now() + std::chrono::minutes(minutes); }
};

inline bool good(const cms::PathVerdict& verdict) {
    CAPTURE(verdict.reason, verdict.revocation_reason);
    CHECK(verdict.trusted);
    CHECK(verdict.revocation == cms::RevocationState::good);
    return verdict.trusted && verdict.revocation == cms::RevocationState::good;
}

inline bool revoked(const cms::PathVerdict& verdict, std::string_view why = "is revoked") {
    CAPTURE(verdict.reason, verdict.revocation_reason);
    CHECK_FALSE(verdict.trusted);
    CHECK(verdict.revocation == cms::RevocationState::revoked);
    CHECK(verdict.reason == verdict.revocation_reason);
    return verdict.revocation == cms::RevocationState::revoked && verdict.reason.find(why) != std::string::npos;
}

inline bool unknown(const cms::PathVerdict& verdict, std::string_view why) {
    CAPTURE(verdict.reason, verdict.revocation_reason);
    CHECK(verdict.trusted);
    CHECK(verdict.revocation == cms::RevocationState::unknown);
    CHECK_THAT(verdict.revocation_reason, Catch::Contains(std::string(why)));
    return verdict.revocation == cms::RevocationState::unknown;
}

}  // namespace p11mime::test
