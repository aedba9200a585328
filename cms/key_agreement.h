#pragma once

#include <span>

#include "cms/certificate.h"
#include "cms/key_management.h"

namespace p11mime::cms {

/// shared_info is the DER of ECC-CMS-SharedInfo (RFC 5753 section 7.2) for a key wrap AlgorithmIdentifier, as encoded
/// in the message, and optional user keying material.
Bytes shared_info(ByteView wrap_algorithm_der, std::optional<ByteView> ukm, const Algorithm& wrap);

/// agreement_algorithm is the row of the agreement that a certificate's key makes; null where it cannot make it.
const Algorithm* agreement_algorithm(const Certificate& recipient, const KeyAgreement& how);

/// agreed_recipient_info encrypts a content key to certificates whose keys have the same parameters and make the
/// agreement, with one ephemeral key (RFC 5753 section 3.1.1, RFC 8418); the DER of the whole KeyAgreeRecipientInfo.
Bytes agreed_recipient_info(std::span<const Certificate> recipients, const KeyAgreement& how,
                            const SecretBytes& content_key);

/// spki is the DER of a SubjectPublicKeyInfo.
Bytes spki(ByteView algorithm_der, ByteView public_key);

/// same_parameters says whether two public keys are of one kind, on one curve.
bool same_parameters(const EVP_PKEY* a, const EVP_PKEY* b);

}  // namespace p11mime::cms
