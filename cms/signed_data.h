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
inline constexpr std::size_t kMaxCertificateBytes =
    16 * 1024 * 1024;  ///< of all certificates, and of all CRLs, in one message

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
    const std::vector<asn1::SignerInfoHandle>& signers() const { return signers_; }

  private:
    void read_certificates();
    void skip_crls();
    void read_signers();

    BerReader& reader_;
    OctetsSource octets_;
    std::string content_type_;
    std::set<Hash> digests_;
    bool has_content_ = false;
    std::vector<Certificate> certificates_;
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
