#pragma once

#include <optional>
#include <string>

#include "cms/certificate.h"
#include "cms/decrypter.h"
#include "cms/ess.h"
#include "cms/sign_scheme.h"

namespace p11mime::cms {

namespace asn1 {
struct SignerInfo;
}
class Digests;
class TimestampSource;

enum class Integrity { valid, invalid, not_checked };

/// SignerInfoVerdict is what a SignerInfo (RFC 5652 section 5.3) says and whether its signature holds over the content.
/// It says nothing of trust in the certificate.
struct SignerInfoVerdict {
    Integrity integrity = Integrity::not_checked;
    std::string reason;        ///< why it is not valid
    bool weak = false;         ///< the digest, the signature algorithm or the key is weak
    bool unsupported = false;  ///< not_checked because an algorithm is not supported
    std::string digest;
    std::string signature;
    std::optional<Hash> missing_digest;  ///< this digest of the content was not computed; judge again with it
    Ess ess;
    std::vector<std::string> signed_attributes;    ///< kinds, by name
    std::vector<std::string> unsigned_attributes;  ///< likewise
    std::optional<Time> signing_time;
    std::optional<RecipientIdentifier> encryption_key;  ///< SMIMEEncryptionKeyPreference
    std::optional<Bytes> capabilities;                  ///< DER of SMIMECapabilities
};

/// kContentPeek is how much of the content is kept: a pure signature (EdDSA) without signed attributes is over the
/// content itself, and cannot be checked where that is longer.
inline constexpr std::size_t kContentPeek = 256 * 1024;

/// SignedContent is what SignerInfos are judged against.
struct SignedContent {
    const Digests& digests;
    std::string type;   ///< dotted OID of eContentType; "" for a signature value, which countersignatures are over
    Bytes first_bytes;  ///< of the content, up to kContentPeek bytes

    bool whole() const { return first_bytes.size() < kContentPeek; }  ///< first_bytes is all of it
    bool is_signature() const { return type.empty(); }
};

/// judge_signer_info checks a signature. `certificate` is null where the signer's is missing; `key` is its public key
/// where it has inherited parameters, else null.
SignerInfoVerdict judge_signer_info(const asn1::SignerInfo& signer, const SignedContent& content,
                                    const Certificate* certificate, const EVP_PKEY* key = nullptr);

/// claimed_signing_time is the signingTime attribute, which nobody has checked.
std::optional<Time> claimed_signing_time(const asn1::SignerInfo& signer);

/// SignedAttributes is what goes into a new SignerInfo.
struct SignedAttributes {
    std::string content_type;
    Bytes message_digest;
    Time signing_time;
    std::optional<Certificate> encryption_certificate;
    Abilities abilities;                    ///< of the key that mail to the signer is encrypted to
    TimestampSource* timestamps = nullptr;  ///< stamps the signature (RFC 3161 appendix A), or null
};

/// make_signer_info signs attributes and gives the DER of the SignerInfo. Throws Error(io) where no time-stamp can be
/// had.
Bytes make_signer_info(Signer& signer, const SignScheme& scheme, const SignedAttributes& attributes,
                       const Intent& intent);

}  // namespace p11mime::cms
