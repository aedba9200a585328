#include "cms/key_agreement.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include <array>

#include "cms/algorithms.h"
#include "cms/encode.h"
#include "cms/identifiers.h"
#include "cms/key_wrap.h"

namespace p11mime::cms {

namespace {

using KdfHandle = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

SecretBytes derive_key(const SecretBytes& shared_secret, const KeyDerivation& kdf, std::size_t size) {
    const bool x963 = kdf.kind == KeyDerivation::Kind::x963;
    const KdfHandle algorithm(EVP_KDF_fetch(nullptr, x963 ? OSSL_KDF_NAME_X963KDF : OSSL_KDF_NAME_HKDF, nullptr));
    const KdfContext context(EVP_KDF_CTX_new(algorithm.get()));
    std::string digest(digest_algorithm(kdf.hash).evp);
    const std::array<OSSL_PARAM, 5> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<Byte*>(shared_secret.data()),
                                          shared_secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<Byte*>(kdf.info.data()), kdf.info.size()),
        kdf.salt.empty() ? OSSL_PARAM_construct_end()
                         : OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<Byte*>(kdf.salt.data()),
                                                             kdf.salt.size()),
        OSSL_PARAM_construct_end()};
    SecretBytes key(size);
    require(EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) == 1, "key derivation failed");
    return key;
}

SecretBytes agree(EVP_PKEY* own, EVP_PKEY* peer, bool cofactor) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
    std::size_t size = 0;
    require(EVP_PKEY_derive_init(context.get()) == 1 &&
                (!cofactor || EVP_PKEY_CTX_set_ecdh_cofactor_mode(context.get(), 1) == 1) &&
                EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
                EVP_PKEY_derive(context.get(), nullptr, &size) == 1,
            "key agreement failed");
    SecretBytes secret(size);
    require(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1, "key agreement failed");
    secret.shrink(size);
    return secret;
}

KeyHandle ephemeral_key(EVP_PKEY* like) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, like, nullptr));
    EVP_PKEY* key = nullptr;
    require(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_keygen(context.get(), &key) == 1,
            "cannot make an ephemeral key");
    return KeyHandle(key);
}

Bytes encoded_public_key(EVP_PKEY* key) {
    Byte* point = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
    require(size > 0, "cannot encode an ephemeral key");
    Bytes bytes(point, point + size);
    OPENSSL_free(point);
    return bytes;
}

Bytes bit_string(ByteView bytes) {
    const Byte unused_bits = 0;
    return der_value(0x03, {ByteView(&unused_bits, 1), bytes});
}

using PublicKeyInfo = Handle<X509_PUBKEY, X509_PUBKEY_free>;

// PublicKeyParts views an X509_PUBKEY.
struct PublicKeyParts {
    explicit PublicKeyParts(const X509_PUBKEY* from) {
        const Byte* at = nullptr;
        int size = 0;
        X509_ALGOR* identifier = nullptr;
        require(X509_PUBKEY_get0_param(nullptr, &at, &size, &identifier, from) == 1, "cannot read a public key");
        key = {at, static_cast<std::size_t>(size)};
        X509_ALGOR_get0(&algorithm, &parameter_type, &parameter, identifier);
    }

    ByteView key;
    const ASN1_OBJECT* algorithm = nullptr;
    int parameter_type = V_ASN1_UNDEF;
    const void* parameter = nullptr;
};

// same_curve lets the originator leave the curve out (RFC 5753 section 3.1.1).
bool same_curve(const PublicKeyParts& peer, const PublicKeyParts& own) {
    if (peer.parameter_type == V_ASN1_UNDEF || peer.parameter_type == V_ASN1_NULL) return true;
    return peer.parameter_type == V_ASN1_OBJECT && own.parameter_type == V_ASN1_OBJECT &&
           OBJ_cmp(static_cast<const ASN1_OBJECT*>(peer.parameter), static_cast<const ASN1_OBJECT*>(own.parameter)) ==
               0;
}

KeyHandle key_like(const EVP_PKEY* own, ByteView encoded) {
    KeyHandle key(EVP_PKEY_new());
    if (EVP_PKEY_is_a(own, "EC") != 1)
        return KeyHandle(EVP_PKEY_new_raw_public_key_ex(nullptr, EVP_PKEY_get0_type_name(own), nullptr, encoded.data(),
                                                        encoded.size()));
    const bool set = EVP_PKEY_copy_parameters(key.get(), own) == 1 &&
                     EVP_PKEY_set1_encoded_public_key(key.get(), encoded.data(), encoded.size()) == 1;
    return set ? std::move(key) : nullptr;
}

// agrees finds points of low order: any agreement with one fails.
bool agrees(const EVP_PKEY* peer) {
    auto* other = const_cast<EVP_PKEY*>(peer);
    const KeyHandle probe = ephemeral_key(other);
    const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, other, nullptr));
    const KeyContext agreement(EVP_PKEY_CTX_new_from_pkey(nullptr, probe.get(), nullptr));
    std::size_t size = 0;
    if (EVP_PKEY_public_check(check.get()) != 1 || EVP_PKEY_derive_init(agreement.get()) != 1 ||
        EVP_PKEY_derive_set_peer(agreement.get(), other) != 1 || EVP_PKEY_derive(agreement.get(), nullptr, &size) != 1)
        return false;
    SecretBytes secret(size);
    return EVP_PKEY_derive(agreement.get(), secret.data(), &size) == 1;
}

bool all_zero(const SecretBytes& secret) {
    Byte any = 0;
    for (const Byte byte : secret.view())
        any |= byte;
    return any == 0;
}

// originator_algorithm leaves curve parameters out: they are the recipients' (RFC 5753 section 3.1.1).
Bytes originator_algorithm(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "EC") == 1) return der_algorithm(oid::kEcPublicKey);
    return der_algorithm(EVP_PKEY_is_a(key, "X25519") == 1 ? oid::kX25519 : oid::kX448);
}

}  // namespace

Bytes shared_info(ByteView wrap_algorithm_der, std::optional<ByteView> ukm, const Algorithm& wrap) {
    const auto bits = static_cast<std::uint32_t>(wrap.key_size * 8);
    const Bytes key_bits{static_cast<Byte>(bits >> 24), static_cast<Byte>(bits >> 16), static_cast<Byte>(bits >> 8),
                         static_cast<Byte>(bits)};
    const Bytes entity = ukm ? der_value(tag::context(0, true), der_value(tag::kOctetString, *ukm)) : Bytes{};
    return der_value(tag::kSequence, {wrap_algorithm_der, entity,
                                      der_value(tag::context(2, true), der_value(tag::kOctetString, key_bits))});
}

std::optional<SecretBytes> derive_and_unwrap(const SecretBytes& shared_secret, const KeyDerivation& kdf,
                                             const Algorithm& wrap, ByteView wrapped_key) {
    if (all_zero(shared_secret)) return std::nullopt;
    return unwrap_key(wrap, derive_key(shared_secret, kdf, wrap.key_size), wrapped_key);
}

Bytes spki(ByteView algorithm_der, ByteView public_key) {
    return der_value(tag::kSequence, {algorithm_der, bit_string(public_key)});
}

KeyHandle agreement_peer(ByteView peer_spki, const EVP_PKEY* own) {
    const Byte* at = peer_spki.data();
    const PublicKeyInfo peer_info(d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(peer_spki.size())));
    X509_PUBKEY* encoded_own = nullptr;
    const bool encoded = X509_PUBKEY_set(&encoded_own, const_cast<EVP_PKEY*>(own)) == 1;
    const PublicKeyInfo own_info(encoded_own);
    KeyHandle peer;
    if (peer_info && encoded) {
        const PublicKeyParts peer_parts(peer_info.get());
        const PublicKeyParts own_parts(own_info.get());
        if (OBJ_cmp(peer_parts.algorithm, own_parts.algorithm) == 0 && same_curve(peer_parts, own_parts))
            peer = key_like(own, peer_parts.key);
        if (peer && !agrees(peer.get())) peer = nullptr;
    }
    ERR_clear_error();
    return peer;
}

bool same_parameters(const EVP_PKEY* a, const EVP_PKEY* b) {
    if (EVP_PKEY_get_base_id(a) != EVP_PKEY_get_base_id(b)) return false;
    return EVP_PKEY_get_base_id(a) != EVP_PKEY_EC || EVP_PKEY_parameters_eq(a, b) == 1;
}

const Algorithm* agreement_algorithm(const Certificate& recipient, const KeyAgreement& how) {
    const bool hkdf = recipient.is_xdh();
    return recipient.is_ec() || hkdf ? key_agreement_algorithm(how.hash, how.cofactor, hkdf) : nullptr;
}

Bytes agreed_recipient_info(std::span<const Certificate> recipients, const KeyAgreement& how,
                            const SecretBytes& content_key) {
    const Algorithm& scheme = *agreement_algorithm(recipients.front(), how);
    const Algorithm& wrap = aes_wrap(how.wrap_size.value_or(content_key.size()));
    const Bytes wrap_der = der_algorithm(wrap.oid);
    const KeyDerivation kdf{.kind = scheme.hkdf ? KeyDerivation::Kind::hkdf : KeyDerivation::Kind::x963,
                            .hash = how.hash,
                            .info = shared_info(wrap_der, std::nullopt, wrap)};

    const KeyHandle own = ephemeral_key(recipients.front().public_key().get());
    Bytes encrypted_keys;
    for (const Certificate& recipient : recipients) {
        const KeyHandle peer = recipient.public_key();
        const SecretBytes wrapping_key = derive_key(agree(own.get(), peer.get(), how.cofactor), kdf, wrap.key_size);
        const Bytes wrapped = der_value(tag::kOctetString, wrap_key(wrap, wrapping_key, content_key));
        encrypted_keys = concat({encrypted_keys, der_value(tag::kSequence, {issuer_and_serial(recipient), wrapped})});
    }
    const Bytes originator_key =
        der_value(tag::context(1, true), {originator_algorithm(own.get()), bit_string(encoded_public_key(own.get()))});
    return der_value(tag::context(1, true),
                     {der_integer(3), der_value(tag::context(0, true), originator_key),
                      der_algorithm(scheme.oid, wrap_der), der_value(tag::kSequence, encrypted_keys)});
}

}  // namespace p11mime::cms
