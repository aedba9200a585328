#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cms/handle.h"
#include "cms/signer.h"
#include "mime/error.h"

namespace p11mime::cms {

/// AlgorithmKind is what a row of the algorithm table does.
enum class AlgorithmKind { digest, signature, key_transport, key_agreement, key_wrap, content_cipher, mask_generation };

/// Standing is how far an algorithm is relied on.
enum class Standing {
    ok,
    weak,     ///< read and reported as weak
    refused,  ///< known and not accepted at all
};

/// SignatureFamily is the kind of key that a signature algorithm needs.
enum class SignatureFamily { none, rsa_pkcs1, rsa_pss, dsa, ecdsa };

/// Algorithm is one row of the one table. Adding an algorithm is adding a row.
struct Algorithm {
    AlgorithmKind kind;
    std::string_view oid;       ///< dotted
    std::string_view name;      ///< in reports, options and messages
    std::string_view evp = {};  ///< the name EVP fetches it by; "" where there is none
    Standing standing = Standing::ok;
    std::optional<Hash> hash = {};  ///< the digest itself; or the one that a signature or KDF is bound to
    SignatureFamily family = SignatureFamily::none;
    std::size_t key_size = 0;      ///< of ciphers and key wraps, in bytes
    bool authenticated = false;    ///< of ciphers
    bool cofactor = false;         ///< of key agreement
    std::string_view micalg = {};  ///< of digests: the name in multipart/signed (RFC 8551 section 3.5.3.2)
};

/// find_algorithm looks a row up by its OID; null where the table has none.
const Algorithm* find_algorithm(AlgorithmKind kind, std::string_view oid);
const Algorithm* find_algorithm(AlgorithmKind kind, const X509_ALGOR* identifier);

/// algorithm_named looks a row up by its name; null where there is none.
const Algorithm* algorithm_named(AlgorithmKind kind, std::string_view name);

/// digest_algorithm is the row of a hash; key_agreement_algorithm the row of ECDH with a KDF hash.
const Algorithm& digest_algorithm(Hash hash);
const Algorithm* key_agreement_algorithm(Hash hash, bool cofactor);

/// signature_algorithm is the row of a signature family bound to a hash (ECDSA).
const Algorithm* signature_algorithm(SignatureFamily family, Hash hash);

/// digest_for_micalg finds the digest that a micalg token names, in any of the spellings in use; null where unknown.
const Algorithm* digest_for_micalg(std::string_view token);

/// evp_digest is OpenSSL's implementation of a hash.
const EVP_MD* evp_digest(Hash hash);

/// hash_size in bytes.
std::size_t hash_size(Hash hash);

/// weak_key tells keys of less than 112 bits of security: RSA under 2048 bits, curves under 224 bits; and DSA.
bool weak_key(const EVP_PKEY* key);

/// algorithm_text names an AlgorithmIdentifier for people: the table's name, else OpenSSL's, else the dotted OID.
std::string algorithm_text(const X509_ALGOR* identifier);
std::string oid_text(const ASN1_OBJECT* object);  ///< dotted

/// unsupported makes the Error(malformed) "unsupported algorithm NAME".
Error unsupported(const X509_ALGOR* identifier);

}  // namespace p11mime::cms
