#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cms/asn1.h"
#include "cms/ber_reader.h"
#include "cms/digests.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxSigners = 100;
inline constexpr std::size_t kMaxCertificates = 1'000;
inline constexpr std::size_t kMaxCertificateBytes = 16 * 1024 * 1024;  ///< of all certificates in one message
inline constexpr std::size_t kMaxCrls = 100;                           ///< kept; others are counted
inline constexpr std::size_t kMaxCrlBytes = 4 * 1024 * 1024;           ///< likewise

/// SignedDataReader reads SignedData (RFC 5652 section 5.1) as a stream: the constructor up to the content, then
/// content(), then finish().
class SignedDataReader {
  public:
    /// The reader stands inside the [0] of ContentInfo. Throws Error(malformed).
    explicit SignedDataReader(BerReader& reader);

    const std::string& content_type() const { return content_type_; }     ///< dotted OID of eContentType
    const std::set<Hash>& digest_algorithms() const { return digests_; }  ///< the announced ones that are supported
    bool has_content() const { return has_content_; }
    Source& content() { return octets_; }  ///< the encapsulated content; it must be drained before finish()

    /// finish reads what follows the content.
    void finish();
    const std::vector<Certificate>& certificates() const { return certificates_; }
    /// other_certificates counts the forms of CertificateChoices (RFC 5652 section 10.2.2) that are no X.509
    /// certificate, and those that cannot be parsed.
    std::size_t other_certificates() const { return other_certificates_; }
    /// crls are the DER of CertificateLists, not parsed, as far as they are within the limits; crl_count counts all.
    const std::vector<Bytes>& crls() const { return crls_; }
    std::size_t crl_count() const { return crl_count_; }
    std::size_t other_revocation_infos() const { return other_revocation_infos_; }  ///< section 10.2.1
    const std::vector<asn1::SignerInfoHandle>& signers() const { return signers_; }

  private:
    void read_certificates();
    void read_revocation_infos();
    void read_signers();

    BerReader& reader_;
    OctetsSource octets_;
    std::string content_type_;
    std::set<Hash> digests_;
    bool has_content_ = false;
    std::vector<Certificate> certificates_;
    std::size_t other_certificates_ = 0;
    std::vector<Bytes> crls_;
    std::size_t crl_count_ = 0;
    std::size_t other_revocation_infos_ = 0;
    std::vector<asn1::SignerInfoHandle> signers_;
};

/// read_oid reads an object identifier and gives it dotted.
std::string read_oid(BerReader& reader, const char* what);

/// enter_content_info reads the front of a ContentInfo (RFC 5652 section 3): its type, a dotted OID; the reader then
/// stands inside [0].
std::string enter_content_info(BerReader& reader);

/// leave_content_info reads its end; bytes other than white space after it are Error(malformed).
void leave_content_info(BerReader& reader);

}  // namespace p11mime::cms
