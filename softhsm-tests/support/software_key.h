#pragma once

#include <openssl/conf.h>

#include <memory>
#include <string>
#include <vector>

#include "cms/decrypter.h"
#include "cms/signer.h"
#include "softhsm-tests/support/pki.h"

namespace p11mime::test {

using PrivateKey = std::shared_ptr<EVP_PKEY>;

/// new_private_key makes a key in memory.
PrivateKey new_private_key(KeyKind kind);

/// SoftwareKey is a private key in memory and its certificate.
struct SoftwareKey {
    PrivateKey key;
    cms::Certificate certificate;

    std::string key_pem() const;  ///< PKCS#8
};

/// CertificateSpec is what a certificate says. Extensions are as openssl's x509v3_config has them; "" leaves one out.
struct CertificateSpec {
    std::string name = "Alice";
    std::string alternative_name = "email:alice@example.gov";
    std::string basic_constraints = "critical,CA:FALSE";
    std::string key_usage = "critical,digitalSignature,keyEncipherment,keyAgreement";
    std::string extended_key_usage = "emailProtection";
    std::string more_extensions = {};  ///< "name=value" lines
    std::string sections = {};         ///< of openssl's configuration, that the extensions point to with "@name"
    KeyKind kind = KeyKind::p256;
    std::string digest = "SHA256";
    int begins_in_days = -1;
    int ends_in_days = 365;
    std::string subject_key_identifier = "hash";
    std::string authority_key_identifier = "keyid";
    bool version_1 = false;          ///< without any extension
    std::string email_address = {};  ///< in the subject
    std::string organization = "Example";
};

/// authority_spec is the certificate of a CA; `constraints` are its basic constraints.
CertificateSpec authority_spec(const std::string& name, const std::string& constraints = "critical,CA:TRUE");

/// certify makes a key and its certificate; self-signed where there is no issuer.
SoftwareKey certify(const CertificateSpec& spec, const SoftwareKey* issuer = nullptr);

/// certify_key makes another certificate for a key that is there already.
cms::Certificate certify_key(const PrivateKey& key, const CertificateSpec& spec, const SoftwareKey* issuer);

/// config_of parses sections of openssl's configuration.
Handle<CONF, NCONF_free> config_of(const std::string& sections);

/// sign_with signs in software: RSA in modulus length, ECDSA as DER, EdDSA as it is.
Bytes sign_with(EVP_PKEY* key, const cms::SignScheme& scheme, ByteView message);

/// SoftwareSigner signs with a key in memory and counts its signatures.
class SoftwareSigner final : public cms::Signer {
  public:
    explicit SoftwareSigner(SoftwareKey key) : key_(std::move(key)) {}

    const cms::Certificate& certificate() const override { return key_.certificate; }
    std::string obstacle(const cms::SignScheme& scheme) const override;
    Bytes sign(const cms::SignScheme& scheme, ByteView message, const cms::Intent& intent,
               std::stop_token stop) override;
    std::unique_ptr<cms::Signer> clone() const override { return std::make_unique<SoftwareSigner>(key_); }

    int signatures = 0;
    std::string intent;  ///< of the last signature

  private:
    SoftwareKey key_;
};

/// SoftwareDecrypter recovers content keys with a key in memory.
class SoftwareDecrypter final : public cms::Decrypter {
  public:
    explicit SoftwareDecrypter(SoftwareKey key) : key_(std::move(key)) {}

    bool is_named_by(const cms::RecipientIdentifier& recipient) const override {
        return recipient.matches(key_.certificate);
    }
    std::string name() const override { return key_.certificate.common_name() + " in software"; }
    const cms::Certificate* certificate() const override { return &key_.certificate; }
    std::string obstacle(const cms::Recovery& recovery) const override;
    std::optional<SecretBytes> recover(const cms::Recovery& recovery, ByteView encrypted_key, const cms::Intent& intent,
                                       std::stop_token stop) override;
    std::unique_ptr<cms::Decrypter> clone() const override { return std::make_unique<SoftwareDecrypter>(key_); }

  private:
    SoftwareKey key_;
};

/// SoftwareKeys is a DecrypterSource over a list.
class SoftwareKeys final : public cms::DecrypterSource {
  public:
    explicit SoftwareKeys(std::vector<SoftwareKey> keys) : keys_(std::move(keys)) {}

    std::vector<std::unique_ptr<cms::Decrypter>> find(std::span<const cms::RecipientIdentifier> recipients,
                                                      const cms::Intent& intent) override;
    std::vector<std::string> skipped() const override { return skipped_; }

  private:
    std::vector<SoftwareKey> keys_;
    std::vector<std::string> skipped_;
};

}  // namespace p11mime::test
