#pragma once

#include "cms/certificate.h"
#include "cms/decrypter.h"

namespace p11mime::cms {

/// shared_info is the DER of ECC-CMS-SharedInfo (RFC 5753 section 7.2) for a key wrap AlgorithmIdentifier, as encoded
/// in the message, and optional user keying material.
Bytes shared_info(ByteView wrap_algorithm_der, std::optional<ByteView> ukm, const KeyWrap& wrap);

/// agreed_recipient_info encrypts a content key to an EC certificate with an ephemeral key (dhSinglePass-stdDH, RFC
/// 5753 section 3.1.1); the DER of the whole RecipientInfo. KDF hash by the curve's size, AES key wrap by the content
/// key's size.
Bytes agreed_recipient_info(const Certificate& recipient, const SecretBytes& content_key);

/// ec_spki is the DER of a SubjectPublicKeyInfo for a point on a named curve.
Bytes ec_spki(ByteView parameters_der, ByteView point);

}  // namespace p11mime::cms
