#include "cms/key_agreement.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>

#include <array>

#include "cms/algorithms.h"
#include "cms/encode.h"
#include "cms/identifiers.h"

namespace p11mime::cms {

namespace {

using KdfHandle = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;

SecretBytes derive_key(const SecretBytes& shared_secret, const KeyDerivation& kdf, std::size_t size) {
    const bool x963 = kdf.kind == KeyDerivation::Kind::x963;
    const KdfHandle algorithm(EVP_KDF_fetch(nullptr, x963 ? OSSL_KDF_NAME_X963KDF : OSSL_KDF_NAME_HKDF, nullptr));
    const KdfContext context(EVP_KDF_CTX_new(algorithm.get()));
    std::string digest(digest_algorithm(kdf.hash).evp);
    const std::array<OSSL_PARAM, 4> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<Byte*>(shared_secret.data()),
                                          shared_secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<Byte*>(kdf.info.data()), kdf.info.size()),
        OSSL_PARAM_construct_end()};
    SecretBytes key(size);
    require(EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) == 1, "key derivation failed");
    return key;
}

const Algorithm& wrap_algorithm(std::size_t key_size) {
    const auto* row = algorithm_named(AlgorithmKind::key_wrap, key_size == 16   ? "aes-128-wrap"
                                                               : key_size == 24 ? "aes-192-wrap"
                                                                                : "aes-256-wrap");
    return *row;
}

CipherContext wrap_context(const SecretBytes& key, bool encrypt) {
    const Handle<EVP_CIPHER, EVP_CIPHER_free> cipher(
        EVP_CIPHER_fetch(nullptr, std::string(wrap_algorithm(key.size()).evp).c_str(), nullptr));
    CipherContext context(EVP_CIPHER_CTX_new());
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    require(EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, encrypt ? 1 : 0, nullptr) == 1,
            "key wrap failed");
    return context;
}

Bytes wrap_key(const SecretBytes& wrapping_key, const SecretBytes& content_key) {
    const CipherContext context = wrap_context(wrapping_key, true);
    Bytes wrapped(content_key.size() + 16);
    int size = 0;
    require(EVP_CipherUpdate(context.get(), wrapped.data(), &size, content_key.data(),
                             static_cast<int>(content_key.size())) == 1,
            "key wrap failed");
    wrapped.resize(static_cast<std::size_t>(size));
    return wrapped;
}

SecretBytes agree(EVP_PKEY* own, EVP_PKEY* peer) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
    std::size_t size = 0;
    require(EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), peer) == 1 &&
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

Bytes public_point(EVP_PKEY* key) {
    Byte* point = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
    require(size > 0, "cannot encode an ephemeral key");
    Bytes bytes(point, point + size);
    OPENSSL_free(point);
    return bytes;
}

Hash kdf_hash(const EVP_PKEY* key) {
    const int bits = EVP_PKEY_get_bits(key);
    return bits <= 256 ? Hash::sha256 : bits <= 384 ? Hash::sha384 : Hash::sha512;
}

Bytes bit_string(ByteView bytes) {
    const Byte unused_bits = 0;
    return der_value(0x03, {ByteView(&unused_bits, 1), bytes});
}

}  // namespace

Bytes shared_info(ByteView wrap_algorithm_der, std::optional<ByteView> ukm, const KeyWrap& wrap) {
    const auto bits = static_cast<std::uint32_t>(wrap.key_size * 8);
    const Bytes key_bits{static_cast<Byte>(bits >> 24), static_cast<Byte>(bits >> 16), static_cast<Byte>(bits >> 8),
                         static_cast<Byte>(bits)};
    const Bytes entity = ukm ? der_value(tag::context(0, true), der_value(tag::kOctetString, *ukm)) : Bytes{};
    return der_value(tag::kSequence, {wrap_algorithm_der, entity,
                                      der_value(tag::context(2, true), der_value(tag::kOctetString, key_bits))});
}

std::optional<SecretBytes> derive_and_unwrap(const SecretBytes& shared_secret, const KeyDerivation& kdf,
                                             const KeyWrap& wrap, ByteView wrapped_key) {
    if (wrapped_key.size() < 24 || wrapped_key.size() % 8 != 0 || wrapped_key.size() > 128) return std::nullopt;
    const SecretBytes key = derive_key(shared_secret, kdf, wrap.key_size);
    const CipherContext context = wrap_context(key, false);
    SecretBytes content_key(wrapped_key.size());
    int size = 0;
    if (EVP_CipherUpdate(context.get(), content_key.data(), &size, wrapped_key.data(),
                         static_cast<int>(wrapped_key.size())) != 1 ||
        size <= 0) {
        ERR_clear_error();
        return std::nullopt;
    }
    content_key.shrink(static_cast<std::size_t>(size));
    return content_key;
}

Bytes ec_spki(ByteView parameters_der, ByteView point) {
    return der_value(tag::kSequence, {der_algorithm(oid::kEcPublicKey, parameters_der), bit_string(point)});
}

Bytes agreed_recipient_info(const Certificate& recipient, const SecretBytes& content_key) {
    const KeyHandle peer = recipient.public_key();
    const KeyHandle own = ephemeral_key(peer.get());
    const KeyWrap wrap{content_key.size()};
    const Hash hash = kdf_hash(peer.get());
    const auto* scheme = key_agreement_algorithm(hash, false);

    const Bytes wrap_der = der_algorithm(wrap_algorithm(wrap.key_size).oid);
    const KeyDerivation kdf{KeyDerivation::Kind::x963, hash, shared_info(wrap_der, std::nullopt, wrap)};
    const SecretBytes wrapping_key = derive_key(agree(own.get(), peer.get()), kdf, wrap.key_size);

    // OriginatorPublicKey without curve parameters: they are the recipient's (RFC 5753 section 3.1.1).
    const Bytes originator_key =
        der_value(tag::context(1, true), {der_algorithm(oid::kEcPublicKey), bit_string(public_point(own.get()))});
    const Bytes encrypted_keys = der_value(
        tag::kSequence, der_value(tag::kSequence, {issuer_and_serial(recipient),
                                                   der_value(tag::kOctetString, wrap_key(wrapping_key, content_key))}));
    return der_value(tag::context(1, true), {der_integer(3), der_value(tag::context(0, true), originator_key),
                                             der_algorithm(scheme->oid, wrap_der), encrypted_keys});
}

}  // namespace p11mime::cms
