#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "cms/secret.h"
#include "cms/signer.h"
#include "mime/error.h"

namespace p11mime::cms {

/// KeyDerivation is how a wrapping key comes out of a shared secret: X9.63 KDF or HKDF with `info` as shared
/// information.
struct KeyDerivation {
    enum class Kind { x963, hkdf } kind;
    Hash hash;
    Bytes info;    ///< DER of ECC-CMS-SharedInfo (RFC 5753 section 7.2)
    Bytes salt{};  ///< of HKDF: the user keying material (RFC 8418 section 2.2)
};

/// Recovery names a way to get a content key out of a RecipientInfo, with all its parameters.
struct RsaV15 {
    std::optional<std::size_t> key_size;  ///< of the content key in bytes; a plaintext of another size is bad
                                          ///< ciphertext. Nothing: it may have any
};
struct RsaOaep {
    Hash hash;
    Hash mgf;
    Bytes label;

    bool operator==(const RsaOaep&) const = default;
};
struct Agree {
    Bytes peer_spki;  ///< DER of the originator's SubjectPublicKeyInfo; without curve parameters the recipient's count
    bool cofactor;
    KeyDerivation kdf;
    const Algorithm* wrap;  ///< a row of the table
};
/// KekUnwrap and PasswordUnwrap need no private key but a shared secret (RFC 5652 sections 6.2.3 and 6.2.4).
struct KekUnwrap {
    const Algorithm* wrap;
};
struct PasswordUnwrap {
    Bytes salt;
    std::uint32_t iterations;  ///< of PBKDF2 with HMAC of `prf`
    Hash prf;
    const Algorithm* cipher;  ///< of PWRI-KEK, in CBC mode
    Bytes iv;
};
using Recovery = std::variant<RsaV15, RsaOaep, Agree, KekUnwrap, PasswordUnwrap>;

/// needs_private_key tells the recoveries that a Decrypter does from those with a shared secret.
bool needs_private_key(const Recovery& recovery);

/// RecipientIdentifier is how a RecipientInfo names its key: issuer and serial number, or a subject key identifier.
struct RecipientIdentifier {
    Bytes issuer_der;  ///< DER Name; empty where the key identifier is used
    Bytes serial_der;  ///< DER INTEGER
    Bytes key_identifier;

    bool matches(const Certificate& certificate) const;
    std::string text() const;  ///< for people and the report
    bool operator==(const RecipientIdentifier&) const = default;
};

/// Unsupported is the Error(token) of a recovery that a key turned out not to do, whatever the ciphertext: nothing was
/// decrypted, so another recipient or key may be tried.
class Unsupported : public Error {
  public:
    explicit Unsupported(const Error& why) : Error(why) {}
};

/// kOaep is the OAEP that is announced, and written where nobody has announced another.
inline const RsaOaep kOaep{Hash::sha256, Hash::sha256, {}};

/// Abilities is which of the ways to encrypt a content key that this program announces a private key can undo.
struct Abilities {
    bool oaep = false;       ///< kOaep
    bool agreement = false;  ///< one-pass Diffie-Hellman without a cofactor
};

/// Decrypter is one private key that can recover content keys. Implemented in token/, and in software for tests.
class Decrypter {
  public:
    virtual ~Decrypter() = default;

    /// is_named_by says whether a RecipientInfo names this key, by its certificate or by its id.
    virtual bool is_named_by(const RecipientIdentifier& recipient) const = 0;
    virtual std::string name() const = 0;                               ///< for people: the key's label and its token
    virtual const Certificate* certificate() const { return nullptr; }  ///< null where the key is known by its id only
    /// obstacle says what keeps the key from a recovery, as far as that shows without trying: "the token offers no
    /// CKM_ECDH1_DERIVE". "" where nothing does.
    virtual std::string obstacle(const Recovery& recovery) const = 0;
    bool supports(const Recovery& recovery) const { return obstacle(recovery).empty(); }

    /// recover returns the content key; nothing where the ciphertext is bad. Throws Unsupported, and Error(token) for
    /// trouble with the token.
    virtual std::optional<SecretBytes> recover(const Recovery& recovery, ByteView encrypted_key, const Intent& intent,
                                               std::stop_token stop) = 0;
    virtual std::unique_ptr<Decrypter> clone() const = 0;
};

/// derive_and_unwrap does on the host what follows a key agreement: KDF, then key unwrap. Nothing where the shared
/// secret is all zero (RFC 7748 section 6) or the wrap's integrity check fails.
std::optional<SecretBytes> derive_and_unwrap(const SecretBytes& shared_secret, const KeyDerivation& kdf,
                                             const Algorithm& wrap, ByteView wrapped_key);

/// agreement_peer is the originator's public key as one to agree with; null unless it is a valid key of the kind and on
/// the curve of `own` (RFC 5753 section 3.1.1), and no point of low order (RFC 7748 section 6).
KeyHandle agreement_peer(ByteView peer_spki, const EVP_PKEY* own);

/// DecrypterSource finds the private keys that fit recipients. Implemented by token/ over all tokens.
class DecrypterSource {
  public:
    virtual ~DecrypterSource() = default;

    /// find returns the keys at hand that match one of the recipients, best first. It may ask for a PIN, for `intent`.
    /// An empty result is no error: skipped() then says for each key seen why it was passed over.
    virtual std::vector<std::unique_ptr<Decrypter>> find(std::span<const RecipientIdentifier> recipients,
                                                         const Intent& intent) = 0;
    virtual std::vector<std::string> skipped() const = 0;
};

}  // namespace p11mime::cms
