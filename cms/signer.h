#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <variant>

#include "cms/certificate.h"
#include "mime/bytes.h"

namespace p11mime::cms {

enum class Hash {
    sha1,
    sha224,
    sha256,
    sha384,
    sha512,
    sha512_224,
    sha512_256,
    sha3_224,
    sha3_256,
    sha3_384,
    sha3_512,
    shake256
};

struct Algorithm;

/// SignScheme names a signature algorithm with all its parameters.
struct RsaPkcs1 {
    Hash hash;
};
struct RsaPss {
    Hash hash;
    Hash mgf;
    unsigned salt;  ///< in bytes
};
struct Ecdsa {
    Hash hash;
};
struct Pure {
    const Algorithm* algorithm;  ///< the table's row: Ed25519 or Ed448, over the message itself (RFC 8419)
    Hash hash;                   ///< of the content; the row's, where that has one
};
using SignScheme = std::variant<RsaPkcs1, RsaPss, Ecdsa, Pure>;

/// Intent says in a PIN prompt what the key is wanted for, e.g. "sign the mail to bob@example.gov".
struct Intent {
    std::string what;
};

/// Signer is one private key and its certificate. Implemented in token/, and in software for tests.
class Signer {
  public:
    virtual ~Signer() = default;

    virtual const Certificate& certificate() const = 0;
    /// obstacle says why the key cannot sign with a scheme, naming the key, where it is, and what it lacks; "" where it
    /// can.
    virtual std::string obstacle(const SignScheme& scheme) const = 0;
    bool supports(const SignScheme& scheme) const { return obstacle(scheme).empty(); }

    /// sign returns the signature of `message` (the DER of the signed attributes, never a digest): RSA in modulus
    /// length, ECDSA as DER ECDSA-Sig-Value, EdDSA as it is. Throws Error(token); a stop request ends in Error(token)
    /// too, as soon as the module allows.
    virtual Bytes sign(const SignScheme& scheme, ByteView message, const Intent& intent, std::stop_token stop) = 0;

    /// clone has a session of its own, for another thread.
    virtual std::unique_ptr<Signer> clone() const = 0;
};

}  // namespace p11mime::cms
