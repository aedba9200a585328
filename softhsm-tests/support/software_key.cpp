#include "softhsm-tests/support/software_key.h"

#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "cms/algorithms.h"
#include "cms/rsa_oaep.h"
#include "cms/sign_scheme.h"

namespace p11mime::test {

namespace {

void check(bool done, const std::string& what) {
    if (!done) throw std::runtime_error("software key: " + what);
}

NameHandle name_of(const CertificateSpec& spec) {
    NameHandle name(X509_NAME_new());
    for (const auto& [type, text] : {std::pair<const char*, std::string>{"O", spec.organization},
                                     {"CN", spec.name},
                                     {"emailAddress", spec.email_address}})
        if (!text.empty())
            check(X509_NAME_add_entry_by_txt(name.get(), type, MBSTRING_UTF8,
                                             reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0) == 1,
                  "name");
    return name;
}

void set_random_serial(X509* certificate) {
    Byte bytes[16];
    check(RAND_bytes(bytes, sizeof bytes) == 1, "random");
    bytes[0] = static_cast<Byte>((bytes[0] & 0x3f) | 0x40);
    const BignumHandle number(BN_bin2bn(bytes, sizeof bytes, nullptr));
    check(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "serial number");
}

void add_extension(X509* certificate, X509* issuer, const std::string& name, const std::string& value,
                   const std::string& sections) {
    if (value.empty()) return;
    const Handle<CONF, NCONF_free> config = config_of(sections);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509V3_set_nconf(&context, config.get());
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_nconf(config.get(), &context, name.c_str(), value.c_str()));
    check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, name + " = " + value);
}

bool is_a(const SoftwareKey& key, const char* type) {
    return EVP_PKEY_is_a(key.key.get(), type) == 1;
}

std::optional<SecretBytes> decrypt_rsa(EVP_PKEY_CTX* context, ByteView encrypted) {
    std::size_t size = 0;
    check(EVP_PKEY_decrypt(context, nullptr, &size, encrypted.data(), encrypted.size()) == 1, "RSA decryption");
    SecretBytes key(size);
    if (EVP_PKEY_decrypt(context, key.data(), &size, encrypted.data(), encrypted.size()) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    key.shrink(size);
    return key;
}

std::optional<SecretBytes> recover_v15(EVP_PKEY_CTX* context, const cms::RsaV15& v15, ByteView encrypted) {
    check(EVP_PKEY_decrypt_init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
          "RSA PKCS#1 v1.5");
    auto key = decrypt_rsa(context, encrypted);
    return key && key->size() == v15.key_size.value_or(key->size()) ? std::move(key) : std::nullopt;
}

std::optional<SecretBytes> recover_oaep(EVP_PKEY_CTX* context, const cms::RsaOaep& oaep, ByteView encrypted) {
    check(EVP_PKEY_decrypt_init(context) == 1 && cms::set_oaep_padding(context, oaep), "RSA-OAEP");
    return decrypt_rsa(context, encrypted);
}

std::optional<SecretBytes> recover_agreed(EVP_PKEY* own, const cms::Agree& agree, ByteView wrapped) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
    const KeyHandle peer = cms::agreement_peer(agree.peer_spki, own);
    std::size_t size = 0;
    if (!peer || EVP_PKEY_derive_init(context.get()) != 1 ||
        (agree.cofactor && EVP_PKEY_CTX_set_ecdh_cofactor_mode(context.get(), 1) != 1) ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    SecretBytes secret(size);
    check(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1, "key agreement");
    secret.shrink(size);
    return cms::derive_and_unwrap(secret, agree.kdf, *agree.wrap, wrapped);
}

}  // namespace

Handle<CONF, NCONF_free> config_of(const std::string& sections) {
    Handle<CONF, NCONF_free> config(NCONF_new(nullptr));
    const BioHandle text(BIO_new_mem_buf(sections.data(), static_cast<int>(sections.size())));
    check(config && text && (sections.empty() || NCONF_load_bio(config.get(), text.get(), nullptr) > 0), sections);
    return config;
}

PrivateKey new_private_key(KeyKind kind) {
    return generate_key(kind);
}

std::string SoftwareKey::key_pem() const {
    const BioHandle bio(BIO_new(BIO_s_mem()));
    check(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

CertificateSpec authority_spec(const std::string& name, const std::string& constraints) {
    return {.name = name,
            .alternative_name = {},
            .basic_constraints = constraints,
            .key_usage = "critical,keyCertSign,cRLSign",
            .extended_key_usage = {},
            .ends_in_days = 3650};
}

SoftwareKey certify(const CertificateSpec& spec, const SoftwareKey* issuer) {
    const PrivateKey key = new_private_key(spec.kind);
    return {key, certify_key(key, spec, issuer)};
}

cms::Certificate certify_key(const PrivateKey& key, const CertificateSpec& spec, const SoftwareKey* issuer) {
    X509Handle x509(X509_new());
    X509_set_version(x509.get(), X509_VERSION_3);
    set_random_serial(x509.get());
    const NameHandle subject = name_of(spec);
    X509* issuing = issuer == nullptr ? x509.get() : issuer->certificate.get();
    X509_set_subject_name(x509.get(), subject.get());
    X509_set_issuer_name(x509.get(), X509_get_subject_name(issuing));
    X509_time_adj_ex(X509_getm_notBefore(x509.get()), spec.begins_in_days, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(x509.get()), spec.ends_in_days, 0, nullptr);
    check(X509_set_pubkey(x509.get(), key.get()) == 1, "public key");

    const auto add = [&](const std::string& name, const std::string& value) {
        if (!spec.version_1) add_extension(x509.get(), issuing, name, value, spec.sections);
    };
    if (spec.version_1) X509_set_version(x509.get(), X509_VERSION_1);
    add("basicConstraints", spec.basic_constraints);
    add("keyUsage", spec.key_usage);
    add("extendedKeyUsage", spec.extended_key_usage);
    add("subjectKeyIdentifier", spec.subject_key_identifier);
    add("authorityKeyIdentifier", spec.authority_key_identifier);
    add("subjectAltName", spec.alternative_name);
    std::istringstream lines(spec.more_extensions);
    for (std::string line; std::getline(lines, line);)
        add(line.substr(0, line.find('=')), line.substr(line.find('=') + 1));

    EVP_PKEY* signing = issuer == nullptr ? key.get() : issuer->key.get();
    const EVP_MD* digest = spec.digest.empty() ? nullptr : EVP_get_digestbyname(spec.digest.c_str());
    check(X509_sign(x509.get(), signing, digest) > 0, "signing a certificate");
    return cms::Certificate(std::move(x509));
}

Bytes sign_with(EVP_PKEY* key, const cms::SignScheme& scheme, ByteView message) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;
    const bool pure = std::holds_alternative<cms::Pure>(scheme);
    const EVP_MD* digest = pure ? nullptr : cms::evp_digest(cms::scheme_hash(scheme));
    check(EVP_DigestSignInit(context.get(), &key_context, digest, nullptr, key) == 1, "signing");
    if (const auto* pss = std::get_if<cms::RsaPss>(&scheme))
        check(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, cms::evp_digest(pss->mgf)) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, static_cast<int>(pss->salt)) == 1,
              "PSS");
    std::size_t size = 0;
    check(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1, "signing");
    Bytes signature(size);
    check(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1, "signing");
    signature.resize(size);
    return signature;
}

std::string SoftwareSigner::obstacle(const cms::SignScheme& scheme) const {
    const auto fits = [&] {
        if (std::holds_alternative<cms::Ecdsa>(scheme)) return is_a(key_, "EC");
        if (const auto* pure = std::get_if<cms::Pure>(&scheme))
            return cms::pure_signature_algorithm(key_.key.get()) == pure->algorithm;
        return is_a(key_, "RSA") || (is_a(key_, "RSA-PSS") && std::holds_alternative<cms::RsaPss>(scheme));
    };
    return fits() ? "" : "the key is of another type";
}

Bytes SoftwareSigner::sign(const cms::SignScheme& scheme, ByteView message, const cms::Intent& why, std::stop_token) {
    ++signatures;
    intent = why.what;
    return sign_with(key_.key.get(), scheme, message);
}

std::string SoftwareDecrypter::obstacle(const cms::Recovery& recovery) const {
    const bool fits =
        cms::needs_private_key(recovery) && std::holds_alternative<cms::Agree>(recovery) != is_a(key_, "RSA");
    return fits ? "" : "the key is of another type";
}

std::optional<SecretBytes> SoftwareDecrypter::recover(const cms::Recovery& recovery, ByteView encrypted_key,
                                                      const cms::Intent&, std::stop_token) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.key.get(), nullptr));
    if (const auto* v15 = std::get_if<cms::RsaV15>(&recovery)) return recover_v15(context.get(), *v15, encrypted_key);
    if (const auto* oaep = std::get_if<cms::RsaOaep>(&recovery))
        return recover_oaep(context.get(), *oaep, encrypted_key);
    return recover_agreed(key_.key.get(), std::get<cms::Agree>(recovery), encrypted_key);
}

std::vector<std::unique_ptr<cms::Decrypter>> SoftwareKeys::find(std::span<const cms::RecipientIdentifier> recipients,
                                                                const cms::Intent&) {
    std::vector<std::unique_ptr<cms::Decrypter>> found;
    skipped_.clear();
    for (const SoftwareKey& key : keys_) {
        auto decrypter = std::make_unique<SoftwareDecrypter>(key);
        if (std::any_of(recipients.begin(), recipients.end(),
                        [&](const auto& recipient) { return decrypter->is_named_by(recipient); }))
            found.push_back(std::move(decrypter));
        else
            skipped_.push_back(key.certificate.common_name() + " is not a recipient");
    }
    return found;
}

}  // namespace p11mime::test
