#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cms/timestamp.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/timestamps.h"

namespace p11mime::test {

using namespace cms;
using namespace cms::smime;

inline constexpr std::string_view kTimestampedContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";
inline constexpr std::string_view kStamped = "the value of a signature";

/// ShiftedClock is a clock that is so many days off.
class ShiftedClock final : public Clock {
  public:
    explicit ShiftedClock(int days) : days_(days) {}
    Time now() const override { return SystemClock().now() + days_; }

  private:
    std::chrono::days days_;
};

/// Stamp is a token to craft.
struct Stamp {
    std::string_view stamped = kStamped;
    Hash hash = Hash::sha256;
    unsigned version = 1;
    int days_ago = 0;
    Bytes more{};  ///< DER, behind genTime
    bool names_certificate = true;
    std::size_t signers = 1;
    std::vector<Bytes> revocation_infos{};
    std::vector<Certificate> more_certificates{};
    std::vector<Bytes> more_attributes{};
    bool by_key = false;  ///< names the authority by the identifier of its key
    Bytes info{};         ///< the TSTInfo; empty: of the above
    bool brings_certificate = true;
};

inline Bytes generalized_time(Time time) {
    std::string text = format_time(time);
    std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
    return der_value(0x18, bytes_of(text));
}

inline Bytes tst_info(const Stamp& stamp) {
    const Bytes imprint = der_value(
        tag::kSequence,
        {digest_identifier(stamp.hash), der_value(tag::kOctetString, digest_of(stamp.hash, bytes_of(stamp.stamped)))});
    const Time time = SystemClock().now() - std::chrono::days(stamp.days_ago);
    return der_value(tag::kSequence, {der_integer(stamp.version), der_oid("1.2.3.4"), imprint, der_integer(7),
                                      generalized_time(time), stamp.more});
}

inline std::string token(const SoftwareKey& authority, const Stamp& stamp = {}) {
    const Bytes info = stamp.info.empty() ? tst_info(stamp) : stamp.info;
    const std::string_view content = text_of(info);
    std::vector<Bytes> attributes{craft::content_type(oid::kTstInfo), craft::message_digest(content)};
    if (stamp.names_certificate) attributes.push_back(craft::signing_certificate_v2(authority.certificate));
    attributes.insert(attributes.end(), stamp.more_attributes.begin(), stamp.more_attributes.end());
    const craft::Info info_of_signer{
        .key = authority, .attributes = attributes, .content = content, .by_key = stamp.by_key};
    const std::vector<Bytes> signers(stamp.signers, craft::signer_info(info_of_signer));
    std::vector<Certificate> certificates;
    if (stamp.brings_certificate) certificates.push_back(authority.certificate);
    certificates.insert(certificates.end(), stamp.more_certificates.begin(), stamp.more_certificates.end());
    return craft::signed_data({.content = content,
                               .signer_infos = signers,
                               .certificates = certificates,
                               .type = oid::kTstInfo,
                               .revocation_infos = stamp.revocation_infos});
}

/// TimestampBench is an authority that a mail's signature may have time-stamps of.
struct TimestampBench {
    CmsBench bench;
    SoftwareKey authority = certify(timestamping_spec(), &bench.root);
    SoftwareKey alice = bench.issue();
    Trust trust = bench.trust();

    TimestampVerdict judge(const std::string& token, std::string_view stamped = kStamped) const {
        return judge_timestamp(bytes_of(token), bytes_of(stamped), &trust);
    }
    std::string fault(const std::string& token) const {
        const TimestampVerdict verdict = judge(token);
        CHECK(verdict.integrity != Integrity::valid);
        return verdict.reason;
    }
    SoftwareKey other_authority(const CertificateSpec& spec) const { return certify(spec, &bench.root); }

    std::string signed_mail(const std::shared_ptr<TimestampSource>& source) const {
        return bench.sign({alice}, kTimestampedContent, {.timestamps = source});
    }
    std::shared_ptr<TimestampSource> openssl() const { return std::make_shared<OpensslTimestamps>(bench, authority); }
};

}  // namespace p11mime::test
