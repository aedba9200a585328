#pragma once

#include <string>

#include "cms/algorithms.h"
#include "cms/signer.h"

namespace p11mime::cms {

/// default_scheme is what a key of this SubjectPublicKeyInfo signs with if nothing else is asked for: SHA-256 for RSA
/// and P-256, SHA-384 for P-384, SHA-512 for P-521. Throws Error(malformed) for other kinds of key.
SignScheme default_scheme(const Bytes& spki_der);

/// scheme_hash is the digest of a scheme.
Hash scheme_hash(const SignScheme& scheme);

/// scheme_text is a scheme for people: "RSA-PSS with sha256".
std::string scheme_text(const SignScheme& scheme);

/// The AlgorithmIdentifier (DER) of a scheme: in a SignerInfo, where RSA PKCS#1 v1.5 goes by the key's OID (RFC 3370
/// section 3.2), and in certificates and requests.
Bytes signer_info_algorithm(const SignScheme& scheme);
Bytes certificate_algorithm(const SignScheme& scheme);

/// verify_signature checks a signature over the digest of what was signed; false where it does not fit.
bool verify_signature(EVP_PKEY* key, const SignScheme& scheme, ByteView digest, ByteView signature);

}  // namespace p11mime::cms
