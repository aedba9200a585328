#pragma once

#include <memory>
#include <string>
#include <vector>

#include "token/core.h"
#include "token/token.h"

namespace p11mime::token {

/// Pkcs11Token is a Token over the Cryptoki calls of its module.
class Pkcs11Token final : public Token {
  public:
    explicit Pkcs11Token(std::shared_ptr<TokenCore> core) : core_(std::move(core)) {}

    const std::shared_ptr<TokenCore>& core() const { return core_; }

    const TokenInfo& info() const override { return core_->info(); }
    Uri uri() const override { return token_uri(core_->info()); }

    std::vector<CertificateObject> certificates() override;
    std::vector<CertificateObject> find_certificates(const CertificateQuery& query) override;
    std::optional<std::vector<CertificateObject>> find_few_certificates(const CertificateQuery& query,
                                                                        std::size_t most) override;
    bool has_private_key(const CertificateObject& certificate, const std::string& what) override;
    std::vector<KeyObject> private_keys(bool may_login) override;
    void login(const std::string& what) override { core_->login(what); }

    std::unique_ptr<cms::Signer> signer(const CertificateObject& certificate) override;
    std::unique_ptr<cms::Decrypter> decrypter(const CertificateObject& certificate) override;
    cms::Abilities abilities(ByteView spki) override;
    std::vector<Method> methods(ByteView spki) override;

    KeyObject generate(KeySpec spec, const std::string& label, Bytes id, cms::Profile profile) override;
    Bytes public_key_spki(const KeyObject& key) override;
    std::unique_ptr<cms::Signer> raw_signer(const KeyObject& key) override;
    std::vector<ImportedKey> import_keys(std::span<const KeyImport> keys) override;
    void import_certificate(const cms::Certificate& certificate, const std::string& label, const Bytes& id) override;
    Belongings belongings(const KeyObject& key) override;
    std::size_t destroy(const KeyObject& key) override;
    void change_pin() override { core_->change_pin(); }
    void unblock() override { core_->unblock(); }

  private:
    PrivateKey key_of(const CertificateObject& certificate, const std::string& what);
    PrivateKey key_of(const KeyObject& key);

    std::shared_ptr<TokenCore> core_;
};

}  // namespace p11mime::token
