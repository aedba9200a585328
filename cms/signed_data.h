#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cms/asn1.h"
#include "cms/content_info.h"
#include "cms/digests.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxDigestAlgorithms = 100;
inline constexpr std::size_t kMaxSigners = 100;
inline constexpr std::size_t kMaxSignerInfoBytes = 256 * 1024;        ///< with all its attributes
inline constexpr std::size_t kMaxSignerInfosBytes = 2 * 1024 * 1024;  ///< of all SignerInfos in one message
inline constexpr std::size_t kMaxAttributes = 10'000;                 ///< likewise, signed and unsigned
inline constexpr std::size_t kMaxCertificates = 1'000;
inline constexpr std::size_t kMaxCertificateBytes = 4 * 1024 * 1024;  ///< of all certificates in one message
inline constexpr std::size_t kMaxCrls = 100;                          ///< kept; others are counted
inline constexpr std::size_t kMaxCrlBytes = 4 * 1024 * 1024;          ///< likewise

/// SignedDataReader reads SignedData (RFC 5652 section 5.1) as a stream: the constructor up to the content, then
/// content(), then finish().
class SignedDataReader {
  public:
    /// The reader stands inside the [0] of ContentInfo. Throws Error(malformed).
    explicit SignedDataReader(BerReader& reader);

    const std::string& content_type() const { return encapsulated_->type(); }  ///< dotted OID of eContentType
    const std::set<Hash>& digest_algorithms() const { return digests_; }  ///< the announced ones that are supported
    bool has_content() const { return encapsulated_->present(); }
    Source& content() {
        return encapsulated_->content();
    }  ///< the encapsulated content; it must be drained before finish()

    /// finish reads what follows the content.
    void finish();
    const std::vector<Certificate>& certificates() const { return certificates_; }
    /// other_certificates counts the forms of CertificateChoices (RFC 5652 section 10.2.2) that are no X.509
    /// certificate, and those that cannot be parsed.
    std::size_t other_certificates() const { return other_certificates_; }
    /// crls are the DER of CertificateLists, not parsed, as far as they are within the limits; crl_count counts all.
    const std::vector<Bytes>& crls() const { return crls_; }
    std::size_t crl_count() const { return crl_count_; }
    /// ocsp_responses are the DER of OCSPResponses (RFC 5940), likewise; other_revocation_infos counts them among all
    /// that are no CRL (section 10.2.1).
    const std::vector<Bytes>& ocsp_responses() const { return ocsp_responses_; }
    std::size_t other_revocation_infos() const { return other_revocation_infos_; }
    const std::vector<asn1::SignerInfoHandle>& signers() const { return signers_; }
    std::size_t certificate_bytes() const { return certificate_bytes_; }  ///< of all forms together, in DER
    std::size_t signer_bytes() const { return signer_bytes_; }            ///< likewise

  private:
    void read_certificates();
    void read_revocation_infos();
    void read_signers();

    BerReader& reader_;
    std::set<Hash> digests_;
    std::optional<EncapsulatedContent> encapsulated_;
    std::vector<Certificate> certificates_;
    std::size_t certificate_bytes_ = 0;
    std::size_t other_certificates_ = 0;
    std::vector<Bytes> crls_;
    std::size_t crl_count_ = 0;
    std::vector<Bytes> ocsp_responses_;
    std::size_t other_revocation_infos_ = 0;
    std::vector<asn1::SignerInfoHandle> signers_;
    std::size_t signer_bytes_ = 0;
};

}  // namespace p11mime::cms
