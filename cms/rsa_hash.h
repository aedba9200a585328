#pragma once

#include "cms/algorithms.h"

/// What the parameters of RSASSA-PSS and RSAES-OAEP have in common (RFC 4055 section 2).
namespace p11mime::cms {

/// rsa_hash_identifier is the AlgorithmIdentifier (DER) of a hash there: with NULL (RFC 4055 section 2.1), of SHA-3
/// without (RFC 9688 section 2).
Bytes rsa_hash_identifier(Hash hash);

/// mgf1_identifier is that of MGF1 with a hash.
Bytes mgf1_identifier(Hash hash);

/// read_rsa_hash and read_mgf1 are their inverses, for hashes with an output of fixed length. They throw
/// Error(malformed), also "unsupported algorithm NAME".
Hash read_rsa_hash(const X509_ALGOR* algorithm);
Hash read_mgf1(const X509_ALGOR* mask);

}  // namespace p11mime::cms
