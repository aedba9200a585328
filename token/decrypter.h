#pragma once

#include <memory>
#include <optional>

#include "token/decrypt.h"

namespace p11mime::token {

/// TokenDecrypter recovers content keys with a private key on a token. Where the key is known by its certificate alone
/// as yet, the login and the search for the key wait until they are needed: another token's key may do.
class TokenDecrypter final : public cms::Decrypter {
  public:
    /// With `key` missing it is looked for at first use.
    TokenDecrypter(std::shared_ptr<TokenCore> core, CertificateObject certificate, std::optional<PrivateKey> key);
    /// For a key known by its id alone; `public_key` is its DER SubjectPublicKeyInfo.
    TokenDecrypter(std::shared_ptr<TokenCore> core, PrivateKey key, Bytes public_key);

    bool is_named_by(const cms::RecipientIdentifier& recipient) const override;
    std::string name() const override;
    const cms::Certificate* certificate() const override;
    std::string obstacle(const cms::Recovery& recovery) const override;
    std::optional<SecretBytes> recover(const cms::Recovery& recovery, ByteView encrypted_key, const cms::Intent& intent,
                                       std::stop_token stop) override;
    std::unique_ptr<cms::Decrypter> clone() const override;

  private:
    KeySession& key_session(const cms::Intent& intent);

    std::shared_ptr<TokenCore> core_;
    std::optional<CertificateObject> certificate_;
    std::optional<PrivateKey> key_;
    std::optional<KeySession> session_;
    Bytes spki_;
    KeyHandle public_key_;
};

}  // namespace p11mime::token
