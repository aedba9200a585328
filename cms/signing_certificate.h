#pragma once

#include <optional>
#include <vector>

#include "cms/algorithms.h"
#include "cms/certificate.h"

namespace p11mime::cms {

namespace asn1 {
struct SignerInfo;
}

/// CertificateHash names a certificate by a digest of it.
struct CertificateHash {
    std::optional<Hash> hash;  ///< nothing: a digest that is not supported
    Bytes value;

    bool is_of(const Certificate& certificate) const;
};

/// named_certificates are those that an ESS attribute names, SigningCertificate or SigningCertificateV2 (RFC 5035
/// section 5): the signer's first, and maybe others of its path, up to a limit. None where the attribute is malformed.
std::vector<CertificateHash> named_certificates(const ASN1_TYPE* attribute, Hash default_hash);

/// signed_certificates are all that the signed attributes of a SignerInfo name so.
std::vector<CertificateHash> signed_certificates(const asn1::SignerInfo& signer);

}  // namespace p11mime::cms
