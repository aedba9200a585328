#pragma once

#include <optional>

#include "cms/decrypter.h"
#include "cms/handle.h"
#include "cms/signer.h"

namespace p11mime::token {

/// Host-side RSA paddings around a token's raw RSA operation (CKM_RSA_X_509), for tokens whose own are missing. The
/// paddings are OpenSSL's; removal runs in constant time up to its result.

/// pad_pkcs1_signature encodes a DigestInfo (EMSA-PKCS1-v1_5, RFC 8017 section 9.2) for a modulus of `size` bytes.
Bytes pad_pkcs1_signature(ByteView digest_info, std::size_t size);

/// pad_pss_signature encodes a digest for PSS (RFC 8017 section 9.1.1) with a fresh salt.
Bytes pad_pss_signature(const EVP_PKEY* key, const cms::RsaPss& scheme, ByteView digest);

/// unpad_pkcs1 and unpad_oaep remove an encryption padding from a block of the modulus' size; nothing where it is
/// wrong.
std::optional<SecretBytes> unpad_pkcs1(const SecretBytes& block);
std::optional<SecretBytes> unpad_oaep(const SecretBytes& block, const cms::RsaOaep& parameters);

}  // namespace p11mime::token
