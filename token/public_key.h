#pragma once

#include <string>

#include "cms/handle.h"
#include "mime/bytes.h"
#include "token/attributes.h"

namespace p11mime::token {

/// spki_from_attributes makes a DER SubjectPublicKeyInfo out of CKA_PUBLIC_KEY_INFO, or CKA_MODULUS and
/// CKA_PUBLIC_EXPONENT, or CKA_EC_PARAMS and CKA_EC_POINT (wrapped in an OCTET STRING or raw). Empty where they are not
/// there or no key that OpenSSL reads.
Bytes spki_from_attributes(const Attributes& attributes);

/// parse_spki reads a DER SubjectPublicKeyInfo; null where it is none.
KeyHandle parse_spki(ByteView der);

/// curve_name names a curve for people from CKA_EC_PARAMS: "P-256", "Ed25519", …; "" where unknown.
std::string curve_name(ByteView ec_params);

/// wrap_octet_string gives the DER of an OCTET STRING.
Bytes wrap_octet_string(ByteView content);

/// field_size is the size of an EC key's field elements in bytes, and so of its ECDH shared secrets; 0 where the curve
/// is no named one.
std::size_t field_size(const EVP_PKEY* key);

/// has_cofactor_one says whether ECDH with and without the cofactor are the same on an EC key's curve.
bool has_cofactor_one(const EVP_PKEY* key);

/// uncompressed_point is the point of an EC public key in the uncompressed form (SEC 1 section 2.3.3).
Bytes uncompressed_point(const EVP_PKEY* key);

/// same_public_key compares two public keys.
bool same_public_key(const EVP_PKEY* a, const EVP_PKEY* b);

}  // namespace p11mime::token
