#include "token/decrypter.h"

#include <fmt/format.h>

#include "mime/error.h"
#include "token/mechanisms.h"
#include "token/public_key.h"

namespace p11mime::token {

TokenDecrypter::TokenDecrypter(std::shared_ptr<TokenCore> core, CertificateObject certificate,
                               std::optional<PrivateKey> key)
    : core_(std::move(core)),
      certificate_(std::move(certificate)),
      key_(std::move(key)),
      spki_(certificate_->certificate.value().spki_der()),
      public_key_(certificate_->certificate->public_key()) {}

TokenDecrypter::TokenDecrypter(std::shared_ptr<TokenCore> core, PrivateKey key, Bytes public_key)
    : core_(std::move(core)), key_(std::move(key)), spki_(std::move(public_key)), public_key_(parse_spki(spki_)) {
    if (!public_key_)
        throw Error(ErrorKind::token, fmt::format("{}: its public key cannot be read", name()),
                    "import the key's certificate: p11mime key import-cert");
}

bool TokenDecrypter::is_named_by(const cms::RecipientIdentifier& recipient) const {
    if (certificate_) return recipient.matches(*certificate_->certificate);
    return !key_->id.empty() && recipient.key_identifier == key_->id;
}

std::string TokenDecrypter::name() const {
    const std::string& label = certificate_ ? certificate_->label : key_->label;
    return fmt::format("key '{}' on {}", label, core_->name());
}

const cms::Certificate* TokenDecrypter::certificate() const {
    return certificate_ ? &*certificate_->certificate : nullptr;
}

std::string TokenDecrypter::obstacle(const cms::Recovery& recovery) const {
    const int type = EVP_PKEY_get_base_id(public_key_.get());
    const bool agrees = type == EVP_PKEY_EC || type == EVP_PKEY_X25519 || type == EVP_PKEY_X448;
    const auto* agree = std::get_if<cms::Agree>(&recovery);
    if (!needs_private_key(recovery) || (agree != nullptr ? !agrees : type != EVP_PKEY_RSA))
        return "it is of another type";
    if (agree != nullptr) {
        // YKCS11 denies CKA_DERIVE of keys that agree all the same, so their certificate counts.
        const bool certified = certificate_ && certificate_->certificate->allows_key_agreement();
        if (key_ && !key_->derive.value_or(true) && !certified) return "it may not agree on keys";
        if (agreement_mechanism(*core_, public_key_.get(), agree->cofactor)) return {};
        return fmt::format("the token offers no {}",
                           mechanism_name(agree->cofactor ? CKM_ECDH1_COFACTOR_DERIVE : CKM_ECDH1_DERIVE));
    }
    if (key_ && !key_->decrypt.value_or(true)) return "it may not decrypt";
    const CK_MECHANISM_TYPE native = std::holds_alternative<cms::RsaV15>(recovery) ? CKM_RSA_PKCS : CKM_RSA_PKCS_OAEP;
    if (core_->offers(native) || core_->offers(CKM_RSA_X_509)) return {};
    return fmt::format("the token offers no {} or {}", mechanism_name(native), mechanism_name(CKM_RSA_X_509));
}

KeySession& TokenDecrypter::key_session(const cms::Intent& intent) {
    if (!key_) key_ = core_->private_key_of(*certificate_, intent.what);
    if (!key_)
        throw Error(ErrorKind::token,
                    fmt::format("{} has no private key for certificate '{}'", core_->name(), certificate_->label),
                    "p11mime tokens lists what is on the token");
    if (!session_) session_.emplace(core_, *key_);
    return *session_;
}

std::optional<SecretBytes> TokenDecrypter::recover(const cms::Recovery& recovery, ByteView encrypted_key,
                                                   const cms::Intent& intent, std::stop_token stop) {
    throw_if_stopped(stop);
    KeySession& key = key_session(intent);
    const Operation operation(key);
    const auto modulus_size = static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()));
    std::optional<SecretBytes> content_key;
    if (const auto* v15 = std::get_if<cms::RsaV15>(&recovery))
        content_key = recover_rsa_v15(key, *v15, modulus_size, encrypted_key, intent);
    else if (const auto* oaep = std::get_if<cms::RsaOaep>(&recovery))
        content_key = recover_rsa_oaep(key, *oaep, modulus_size, encrypted_key, intent);
    else
        content_key =
            recover_by_agreement(key, public_key_.get(), std::get<cms::Agree>(recovery), encrypted_key, intent);
    throw_if_stopped(stop);
    return content_key;
}

std::unique_ptr<cms::Decrypter> TokenDecrypter::clone() const {
    if (certificate_) return std::make_unique<TokenDecrypter>(core_, *certificate_, key_);
    return std::make_unique<TokenDecrypter>(core_, *key_, spki_);
}

}  // namespace p11mime::token
