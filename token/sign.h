#pragma once

#include <memory>
#include <optional>

#include "cms/signer.h"
#include "token/key_session.h"

namespace p11mime::token {

/// TokenSigner signs with a private key on a token. Of the mechanisms that give the wanted signature it takes the first
/// that the token offers and accepts: the one over a digest made here, the one that hashes on the token, raw RSA. No
/// signature leaves it that the public key does not verify.
class TokenSigner final : public cms::Signer {
  public:
    /// `public_key` is the DER SubjectPublicKeyInfo; `certificate` is missing for a key that has none yet.
    TokenSigner(std::shared_ptr<TokenCore> core, PrivateKey key, Bytes public_key,
                std::optional<cms::Certificate> certificate);

    const cms::Certificate& certificate() const override;
    std::string obstacle(const cms::SignScheme& scheme) const override;
    Bytes sign(const cms::SignScheme& scheme, ByteView message, const cms::Intent& intent,
               std::stop_token stop) override;
    std::unique_ptr<cms::Signer> clone() const override;

  private:
    struct Attempt;
    std::vector<Attempt> attempts(const cms::SignScheme& scheme) const;
    Answer<Bytes> try_one(const Attempt& attempt, ByteView message, const cms::Intent& intent);
    Bytes raw_signature(const cms::SignScheme& scheme, ByteView message, const cms::Intent& intent,
                        const std::stop_token& stop);
    Bytes finish(const cms::SignScheme& scheme, ByteView message, Bytes signature) const;

    KeySession session_;
    Bytes spki_;
    KeyHandle public_key_;
    std::optional<cms::Certificate> certificate_;
};

}  // namespace p11mime::token
