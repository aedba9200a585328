#pragma once

#include <openssl/evp.h>

#include <string_view>

namespace p11mime::cms {

/// key_fault says why nothing is verified with a public key, to read after "the key"; empty where nothing speaks
/// against it. One is too large, which takes long to verify with, and nobody has who means well: RSA with a modulus
/// over 16,384 bits or a public exponent over 64, DSA over 3,072 bits. With others anybody makes signatures that
/// verify, without any private key: RSA with a public exponent that is even or 1, points at infinity, and Edwards
/// points of small order.
std::string_view key_fault(const EVP_PKEY* key);

}  // namespace p11mime::cms
