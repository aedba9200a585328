#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cms/handle.h"
#include "cms/signer.h"
#include "mime/error.h"

namespace p11mime::cms {

/// AlgorithmKind is what a row of the algorithm table does.
enum class AlgorithmKind {
    digest,
    signature,
    key_transport,
    key_agreement,
    key_derivation,
    key_wrap,
    password_wrap,
    mask_generation,
    mac,
    content_cipher,
    compression,
};

/// Standing is how far an algorithm is relied on.
enum class Standing {
    ok,
    weak,     ///< read and reported as weak
    refused,  ///< known and not accepted at all
};

/// SignatureFamily is the kind of signature: over a digest, made by a kind of key; or `pure`, over the message itself.
enum class SignatureFamily { none, rsa_pkcs1, rsa_pss, dsa, ecdsa, pure };

/// CipherParameters is the form in which a content cipher's AlgorithmIdentifier holds its initialisation vector.
enum class CipherParameters {
    octets,  ///< alone, as an OCTET STRING
    gcm,     ///< GCMParameters (RFC 5084 section 3.2)
    rc2,     ///< RC2CBCParameter (RFC 3370 section 5.2)
};

/// Algorithm is one row of the one table. Adding an algorithm is adding a row.
struct Algorithm {
    AlgorithmKind kind;
    std::string_view oid;       ///< dotted
    std::string_view name;      ///< in reports, options and messages
    std::string_view evp = {};  ///< the name EVP fetches it by, of pure signatures the kind of key; "": there is none
    Standing standing = Standing::ok;
    std::optional<Hash> hash = {};  ///< the digest itself, or the one that a signature, KDF or MAC is bound to; of
                                    ///< pure signatures that of the content
    SignatureFamily family = SignatureFamily::none;
    std::size_t key_size = 0;    ///< of ciphers and key wraps, in bytes
    std::size_t iv_size = 0;     ///< of ciphers: initialisation vector or nonce, in bytes; the block size of CBC
    bool authenticated = false;  ///< of ciphers
    bool legacy = false;         ///< of ciphers: only OpenSSL's legacy provider has it
    CipherParameters cipher_parameters = CipherParameters::octets;
    int rc2_version = 0;           ///< of RC2: rc2ParameterVersion (RFC 3370 section 5.2), which tells its rows apart
    bool cofactor = false;         ///< of key agreement
    bool hkdf = false;             ///< of key agreement: HKDF, not the X9.63 KDF
    bool sha3 = false;             ///< of digests: RSA writes it by RFC 9688, not by RFC 4055 and RFC 3370
    std::string_view micalg = {};  ///< of digests: the name in multipart/signed (RFC 8551 section 3.5.3.2)
    const EVP_MD* (*md)() = nullptr;   ///< of digests
    std::size_t output = 0;            ///< of extendable digests: the length that is used, in bytes
    std::string_view parameters = {};  ///< DER of the only parameters that there may be; "": not looked at here
};

/// algorithm_table is all rows.
std::span<const Algorithm> algorithm_table();

/// find_algorithm looks a row up by its OID, and an identifier by its parameters too where the row says what they are;
/// null where the table has none.
const Algorithm* find_algorithm(AlgorithmKind kind, std::string_view oid);
const Algorithm* find_algorithm(AlgorithmKind kind, const X509_ALGOR* identifier);

/// algorithm_named looks a row up by its name; null where there is none.
const Algorithm* algorithm_named(AlgorithmKind kind, std::string_view name);

/// digest_identifier is the AlgorithmIdentifier (DER) of a hash in digestAlgorithms and SignerInfo: without parameters
/// (RFC 5754 section 2, RFC 9688 section 2), for SHAKE256 with the output's length (RFC 8419 section 2.3).
Bytes digest_identifier(Hash hash);

/// digest_algorithm is the row of a hash.
const Algorithm& digest_algorithm(Hash hash);

/// mac_algorithm is the row of HMAC with a hash; null where there is none.
const Algorithm* mac_algorithm(Hash hash);

/// key_agreement_algorithm is the row of ECDH with a hash, of standard or cofactor ECDH with the X9.63 KDF (RFC 5753)
/// or, where `hkdf`, with HKDF (RFC 8418); null where there is none.
const Algorithm* key_agreement_algorithm(Hash hash, bool cofactor, bool hkdf = false);

/// signature_algorithm is the row of a signature family bound to a hash; null where there is none.
const Algorithm* signature_algorithm(SignatureFamily family, Hash hash);

/// pure_signature_algorithm is the row of the pure signature that a kind of key makes; null where it makes none.
const Algorithm* pure_signature_algorithm(const EVP_PKEY* key);

/// digest_for_micalg finds the digest that a micalg token names, in any of the spellings in use; null where unknown.
const Algorithm* digest_for_micalg(std::string_view token);

/// evp_digest is OpenSSL's implementation of a hash.
const EVP_MD* evp_digest(Hash hash);

/// hash_size in bytes, of SHAKE256 the 64 that RFC 8419 uses.
std::size_t hash_size(Hash hash);

/// rc2_cipher is the row of an rc2ParameterVersion; null where it is not supported.
const Algorithm* rc2_cipher(long version);

/// natural_hash is the SHA-2 that goes with the size of a curve: SHA-256 up to 256 bits, SHA-384 up to 384, SHA-512
/// for longer ones.
Hash natural_hash(const EVP_PKEY* curve_key);

/// weak_key tells RSA keys under 2048 bits, others of less than 112 bits of security (curves under 224 bits), and DSA.
bool weak_key(const EVP_PKEY* key);

/// algorithm_text names an AlgorithmIdentifier for people: the table's name, else OpenSSL's, else the dotted OID.
std::string algorithm_text(const X509_ALGOR* identifier);
std::string oid_text(const ASN1_OBJECT* object);  ///< dotted

/// unsupported is the Error(malformed) "unsupported algorithm NAME".
Error unsupported(std::string_view name);
Error unsupported(const X509_ALGOR* identifier);

}  // namespace p11mime::cms
