#pragma once

#include <memory>
#include <string>
#include <vector>

#include "softhsm-tests/cms_revocation.h"
#include "softhsm-tests/cms_timestamp.h"

namespace p11mime::test {

/// since lets a certificate begin so many days ago.
inline CertificateSpec since(CertificateSpec spec, int days) {
    spec.begins_in_days = -days;
    return spec;
}

/// OldTimestamps is a root that was there long ago, what it has certified, time-stamps from then, and what there is to
/// tell whether certificates are revoked.
struct OldTimestamps {
    CmsBench bench;
    SoftwareKey root = certify(since(authority_spec("Old Root"), 200));
    SoftwareKey between = certify(since(authority_spec("Between"), 190), &root);
    SoftwareKey authority = certify(since(timestamping_spec(), 180), &root);  ///< stamps
    SoftwareKey lower_authority = certify(since(timestamping_spec(), 180), &between);
    SoftwareKey alice = certify(since({}, 180), &root);
    std::shared_ptr<TestSource> source = std::make_shared<TestSource>();
    Trust trust = trusting();

    Trust trusting() const {
        Trust all = trust_in({root.certificate});
        all.revocation = source;
        return all;
    }
    bool counts(const std::string& token) const {
        return judge_timestamp(bytes_of(token), bytes_of(kStamped), &trust).integrity == Integrity::valid;
    }
    /// by_lower says whether a time-stamp of 30 days ago counts by the authority below another, where evidence is in
    /// it.
    bool by_lower(const std::vector<Bytes>& along) const {
        return counts(token(lower_authority,
                            {.days_ago = 30, .revocation_infos = along, .more_certificates = {between.certificate}}));
    }
    /// read verifies what Alice signed, as it was stamped so many days ago, with evidence that came along.
    ReadMail read(const std::vector<int>& days_ago, const std::vector<Bytes>& along = {},
                  const std::vector<Certificate>& more = {}) const {
        const auto stamps = [&](ByteView signature) {
            std::string tokens;  // in this order, not in DER's
            for (const int days : days_ago)
                tokens += token(authority, {.stamped = text_of(signature), .days_ago = days});
            return der_value(tag::kSequence, {der_oid(oid::kTimestampToken), der_value(tag::kSet, bytes_of(tokens))});
        };
        const Bytes info = craft::signer_info({.key = alice,
                                               .attributes = craft::usual_attributes(kTimestampedContent),
                                               .content = kTimestampedContent,
                                               .unsigned_over = stamps});
        std::vector<Certificate> certificates{alice.certificate};
        certificates.insert(certificates.end(), more.begin(), more.end());
        return bench.verify(craft::signed_data({.content = kTimestampedContent,
                                                .signer_infos = {info},
                                                .certificates = certificates,
                                                .revocation_infos = along}),
                            trust);
    }
    /// at_hand sets what is at hand.
    void at_hand(const std::vector<Bytes>& crls) {
        source->here = {};
        for (const Bytes& crl : crls)
            source->here.crls.push_back(Crl::from_der(crl));
    }
};

}  // namespace p11mime::test
