#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "cms/decrypter.h"
#include "cms/secret.h"

namespace p11mime::cms {

/// RsaPkcs1Transport is RSAES-PKCS1-v1_5 (RFC 3370 section 4.2.1). RsaOaep (decrypter.h) is the other key transport.
struct RsaPkcs1Transport {};

/// KeyAgreement is one-pass Diffie-Hellman with an ephemeral key. The recipient's key says which: ECDH with the X9.63
/// KDF (RFC 5753), or X25519 or X448 with HKDF (RFC 8418; SHA-256, SHA-384 or SHA-512).
struct KeyAgreement {
    Hash hash;                               ///< of the KDF
    std::optional<std::size_t> wrap_size{};  ///< key size of the AES key wrap in bytes: 16, 24 or 32; where unset the
                                             ///< least that is not weaker than the content key
    bool cofactor = false;                   ///< cofactor ECDH, for EC keys alone
    bool shared = false;                     ///< one KeyAgreeRecipientInfo and ephemeral key for all who agree alike;
                                             ///< by default each has one alone, as most programs write it: gpgsm
                                             ///< reads no more than the first key of one

    bool operator==(const KeyAgreement&) const = default;
};

/// KeyEncryptionKey is a symmetric key that sender and recipient share (RFC 5652 section 6.2.3).
struct KeyEncryptionKey {
    Bytes id;                                ///< keyIdentifier; empty: any, for reading alone
    std::shared_ptr<const SecretBytes> key;  ///< of AES key wrap: 16, 24 or 32 bytes
};

/// kPasswordIterations are PBKDF2's on writing; more than kMaxPasswordIterations in one message are refused.
inline constexpr std::uint32_t kPasswordIterations = 600'000;
inline constexpr std::uint32_t kMaxPasswordIterations = 2'000'000;

/// Password is a password recipient (RFC 5652 section 6.2.4): PBKDF2 with HMAC (RFC 8018 section 5.2), and PWRI-KEK
/// with AES in CBC mode (RFC 3211).
struct Password {
    std::shared_ptr<const SecretBytes> password;  ///< its bytes as they are, UTF-8 where typed
    Hash prf = Hash::sha256;
    std::uint32_t iterations = kPasswordIterations;
    std::size_t key_size = 32;  ///< of AES in bytes: 16, 24 or 32
};

/// GivenSecrets open what is encrypted to no private key.
struct GivenSecrets {
    std::optional<KeyEncryptionKey> kek;
    std::shared_ptr<const SecretBytes> password;  ///< null where none is given
};

/// KeyManagement is how a content key goes to one recipient on writing, with all its parameters.
using KeyManagement = std::variant<RsaPkcs1Transport, RsaOaep, KeyAgreement, KeyEncryptionKey, Password>;

/// default_key_management fits a certificate's key: PKCS#1 v1.5 for RSA, agreement with a hash by the curve's size.
/// Throws Error(malformed) "unsupported algorithm…" for a key that does not encrypt.
KeyManagement default_key_management(const Certificate& certificate);

/// Recipient is whom or what a content key is encrypted to. Shared secrets have no certificate.
struct Recipient {
    Recipient(Certificate to) : certificate(std::move(to)), management(default_key_management(*certificate)) {}
    /// Throws Error(malformed) from make_recipient_infos() where `how` does not fit the certificate's key.
    Recipient(Certificate to, KeyManagement how) : certificate(std::move(to)), management(std::move(how)) {}
    Recipient(KeyEncryptionKey key) : management(std::move(key)) {}
    Recipient(Password password) : management(std::move(password)) {}

    std::optional<Certificate> certificate;
    KeyManagement management;
};

/// make_recipient_infos encrypts a content key to all recipients; the DER of each RecipientInfo.
std::vector<Bytes> make_recipient_infos(const std::vector<Recipient>& recipients, const SecretBytes& content_key);

/// enveloped_data_version is CMSVersion of EnvelopedData with these RecipientInfos (RFC 5652 section 6.1).
unsigned enveloped_data_version(const std::vector<Bytes>& recipient_infos);

}  // namespace p11mime::cms
