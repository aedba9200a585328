#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "cms/openssl_error.h"
#include "token/ckr.h"
#include "token/decrypt.h"
#include "token/mechanisms.h"
#include "token/public_key.h"

namespace p11mime::token {

namespace {

/// DerivedSecret destroys the session object that a derivation leaves behind.
class DerivedSecret {
  public:
    DerivedSecret(const Session& session, CK_OBJECT_HANDLE object) : session_(session), object_(object) {}
    ~DerivedSecret() { session_.destroy(object_); }
    DerivedSecret(const DerivedSecret&) = delete;
    DerivedSecret& operator=(const DerivedSecret&) = delete;

    SecretBytes value() const { return session_.secret_value(object_); }

  private:
    const Session& session_;
    CK_OBJECT_HANDLE object_;
};

/// secret_template asks for a readable session object; modules differ in whether they want or refuse its length.
Template secret_template(std::optional<std::size_t> size) {
    Template secret = objects_of_class(CKO_SECRET_KEY);
    secret.add(CKA_KEY_TYPE, CK_ULONG{CKK_GENERIC_SECRET})
        .add_bool(CKA_TOKEN, false)
        .add_bool(CKA_SENSITIVE, false)
        .add_bool(CKA_EXTRACTABLE, true);
    if (size) secret.add(CKA_VALUE_LEN, CK_ULONG{*size});
    return secret;
}

/// may_like_another_form: SoftHSM takes a raw point for an OCTET STRING where its second byte looks like a length, and
/// answers with CKR_GENERAL_ERROR (brainpoolP512r1, one in 170).
bool may_like_another_form(CK_RV code) {
    constexpr std::array kCodes = {CKR_GENERAL_ERROR,           CKR_ARGUMENTS_BAD,         CKR_MECHANISM_PARAM_INVALID,
                                   CKR_TEMPLATE_INCONSISTENT,   CKR_TEMPLATE_INCOMPLETE,   CKR_ATTRIBUTE_TYPE_INVALID,
                                   CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY,   CKR_KEY_SIZE_RANGE,
                                   CKR_DATA_LEN_RANGE,          CKR_DOMAIN_PARAMS_INVALID, CKR_DATA_INVALID,
                                   CKR_PUBLIC_KEY_INVALID};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

/// derive tries the forms of the peer's point and of the template that modules are known to want.
SecretBytes derive(KeySession& key, CK_MECHANISM_TYPE mechanism, const Bytes& point, std::size_t size,
                   const cms::Intent& intent) {
    const Session& session = key.open(intent.what);
    CK_RV last = CKR_OK;
    for (Bytes form : {point, wrap_octet_string(point)}) {
        const CK_ECDH1_DERIVE_PARAMS parameters{CKD_NULL, 0, nullptr, form.size(), form.data()};
        for (const std::optional<std::size_t> length : {std::optional(size), std::optional<std::size_t>()}) {
            const auto answer =
                session.derive(Mechanism(mechanism, parameters), key.key().handle, secret_template(length));
            if (answer.code == CKR_OK) return DerivedSecret(session, answer.value).value();
            last = answer.code;
            if (!may_like_another_form(last)) throw_refused(last, key, "agree on a key");
        }
    }
    throw_refused(last, key, "agree on a key");
}

/// agreement_point is a public key as CK_ECDH1_DERIVE_PARAMS has it.
Bytes agreement_point(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) return uncompressed_point(key);
    std::size_t size = 0;
    EVP_PKEY_get_raw_public_key(key, nullptr, &size);
    Bytes point(size);
    cms::require(EVP_PKEY_get_raw_public_key(key, point.data(), &size) == 1, "cannot read a public key");
    return point;
}

/// whole_secret is a derived secret in its full length.
SecretBytes whole_secret(const KeySession& key, SecretBytes derived, std::size_t size, bool ec) {
    if (derived.size() == size) return derived;
    if (derived.size() > size || !ec)
        throw Error(ErrorKind::token, fmt::format("{} gave a shared secret of the wrong length", key.name()));
    SecretBytes secret(size);  // leading zeros get lost in some modules
    std::copy(derived.view().begin(), derived.view().end(), secret.data() + (size - derived.size()));
    return secret;
}

}  // namespace

std::optional<CK_MECHANISM_TYPE> agreement_mechanism(TokenCore& core, const EVP_PKEY* own, bool cofactor) {
    const CK_MECHANISM_TYPE exact = cofactor ? CKM_ECDH1_COFACTOR_DERIVE : CKM_ECDH1_DERIVE;
    const CK_MECHANISM_TYPE other = cofactor ? CKM_ECDH1_DERIVE : CKM_ECDH1_COFACTOR_DERIVE;
    if (core.offers(exact)) return exact;
    if (core.offers(other) && has_cofactor_one(own)) return other;
    return std::nullopt;
}

std::optional<SecretBytes> recover_by_agreement(KeySession& key, const EVP_PKEY* own, const cms::Agree& recovery,
                                                ByteView encrypted_key, const cms::Intent& intent) {
    const KeyHandle peer = cms::agreement_peer(recovery.peer_spki, own);
    if (!peer) return std::nullopt;
    const auto mechanism = agreement_mechanism(key.core(), own, recovery.cofactor);
    if (!mechanism)
        throw_refused(CKR_MECHANISM_INVALID, key,
                      fmt::format("agree on a key by {}",
                                  mechanism_name(recovery.cofactor ? CKM_ECDH1_COFACTOR_DERIVE : CKM_ECDH1_DERIVE)));
    const bool ec = EVP_PKEY_get_base_id(own) == EVP_PKEY_EC;
    const std::size_t size = ec ? field_size(own) : agreement_point(own).size();
    const SecretBytes secret =
        whole_secret(key, derive(key, *mechanism, agreement_point(peer.get()), size, intent), size, ec);
    return cms::derive_and_unwrap(secret, recovery.kdf, *recovery.wrap, encrypted_key);
}

}  // namespace p11mime::token
