#pragma once

#include <optional>
#include <string>

#include "cms/algorithms.h"
#include "cms/signer.h"

namespace p11mime::cms {

/// default_scheme is what a key of this SubjectPublicKeyInfo signs with if nothing else is asked for: SHA-256 for RSA
/// and curves of 256 bits, SHA-384 and SHA-512 for longer ones, EdDSA as it is (Ed25519, Ed448), and PSS with what the
/// key is restricted to for id-RSASSA-PSS. Throws Error(malformed) for other kinds of key.
SignScheme default_scheme(const Bytes& spki_der);

/// chosen_scheme is the default of a certificate's key with another digest, or with PSS. Throws Error(usage) where the
/// key cannot have it.
SignScheme chosen_scheme(const Certificate& certificate, std::optional<Hash> digest, bool pss);

/// scheme_hash is the digest of a scheme; of pure signatures that of the content.
Hash scheme_hash(const SignScheme& scheme);

/// scheme_text is a scheme for people: "RSA-PSS with sha256".
std::string scheme_text(const SignScheme& scheme);

/// The AlgorithmIdentifier (DER) of a scheme: in a SignerInfo, where RSA PKCS#1 v1.5 with SHA-2 goes by the key's OID
/// (RFC 3370 section 3.2), and in certificates and requests.
Bytes signer_info_algorithm(const SignScheme& scheme);
Bytes certificate_algorithm(const SignScheme& scheme);

/// verify_digest checks a signature over the digest of what was signed; false where it does not fit, and for pure
/// signatures, which sign no digest.
bool verify_digest(const EVP_PKEY* key, const SignScheme& scheme, ByteView digest, ByteView signature);

/// verify_message checks a signature over a message in memory.
bool verify_message(const EVP_PKEY* key, const SignScheme& scheme, ByteView message, ByteView signature);

}  // namespace p11mime::cms
