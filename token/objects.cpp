#include "token/objects.h"

#include <fmt/format.h>
#include <openssl/core_names.h>

#include <algorithm>

#include "cms/digests.h"
#include "cms/encode.h"
#include "mime/error.h"
#include "token/public_key.h"

namespace p11mime::token {

namespace {

KeyType key_type(std::optional<CK_ULONG> type) {
    if (!type) return KeyType::other;
    switch (*type) {
        case CKK_RSA:
            return KeyType::rsa;
        case CKK_EC:
            return KeyType::ec;
        case CKK_EC_EDWARDS:
            return KeyType::edwards;
        case kKeyEcMontgomery:
            return KeyType::montgomery;
        default:
            return KeyType::other;
    }
}

std::optional<cms::Certificate> parse(const Bytes& der) {
    try {
        return cms::Certificate::from_der(der);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string object_uri(const TokenInfo& token, std::string_view type, const std::string& label, const Bytes& id) {
    Uri uri = token_uri(token);
    if (!label.empty()) uri.object = label;
    if (!id.empty()) uri.id = std::string(text_of(id));
    uri.type = std::string(type);
    return uri.to_string();
}

std::vector<CK_ATTRIBUTE_TYPE> public_attributes(KeyType type) {
    if (type == KeyType::rsa) return {CKA_MODULUS, CKA_PUBLIC_EXPONENT};
    return {CKA_EC_PARAMS, CKA_EC_POINT};
}

Bytes spki_of_public_object(const Session& session, const PrivateKey& key) {
    if (key.id.empty()) return {};
    Template search = objects_of_class(CKO_PUBLIC_KEY);
    search.add(CKA_ID, key.id);
    for (const CK_OBJECT_HANDLE object : session.find(search)) {
        const Attributes attributes = session.attributes(object, public_attributes(key.type));
        Bytes spki = spki_from_attributes(attributes);
        if (!spki.empty()) return spki;
    }
    return {};
}

Bytes modulus_of(const EVP_PKEY* key) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &number) != 1) return {};
    const BignumHandle modulus(number);
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(modulus.get())));
    BN_bn2bin(modulus.get(), bytes.data());
    return bytes;
}

Bytes spki_of_private_object(const Session& session, const PrivateKey& key) {
    Bytes spki = spki_from_attributes(session.attributes(key.handle, {CKA_PUBLIC_KEY_INFO}));
    if (spki.empty()) spki = spki_from_attributes(session.attributes(key.handle, public_attributes(key.type)));
    return spki;
}

Bytes spki_of_certificate(const Session& session, const TokenInfo& token, const PrivateKey& key) {
    if (key.id.empty()) return {};
    Template search = objects_of_class(CKO_CERTIFICATE);
    search.add(CKA_ID, key.id);
    for (const CK_OBJECT_HANDLE handle : session.find(search)) {
        const CertificateObject object = read_certificate(session, token, handle);
        if (!object.certificate) continue;
        Bytes spki = object.certificate->spki_der();
        if (const KeyHandle public_key = parse_spki(spki); public_key && fits(key, public_key.get())) return spki;
    }
    return {};
}

std::string describe_type(const Session& session, const PrivateKey& key) {
    switch (key.type) {
        case KeyType::rsa: {
            const Bytes modulus = session.attributes(key.handle, {CKA_MODULUS}).bytes(CKA_MODULUS);
            const BignumHandle number(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
            return modulus.empty() || !number ? "RSA" : fmt::format("RSA-{}", BN_num_bits(number.get()));
        }
        case KeyType::ec:
        case KeyType::edwards:
        case KeyType::montgomery: {
            std::string name = curve_name(session.attributes(key.handle, {CKA_EC_PARAMS}).bytes(CKA_EC_PARAMS));
            return name.empty() ? "EC" : name;
        }
        case KeyType::other:
            return "unknown";
    }
    return "unknown";
}

}  // namespace

Uri token_uri(const TokenInfo& token) {
    Uri uri;
    uri.token = token.label;
    uri.manufacturer = token.manufacturer;
    uri.model = token.model;
    uri.serial = token.serial;
    return uri;
}

CertificateObject read_certificate(const Session& session, const TokenInfo& token, CK_OBJECT_HANDLE object) {
    const Attributes attributes = session.attributes(object, {CKA_VALUE, CKA_ID, CKA_LABEL});
    CertificateObject certificate{.label = attributes.text(CKA_LABEL),
                                  .id = attributes.bytes(CKA_ID),
                                  .certificate = parse(attributes.bytes(CKA_VALUE)),
                                  .uri = ""};
    certificate.uri = object_uri(token, "cert", certificate.label, certificate.id);
    return certificate;
}

PrivateKey read_private_key(const Session& session, CK_OBJECT_HANDLE object) {
    const Attributes attributes = session.attributes(
        object, {CKA_KEY_TYPE, CKA_ID, CKA_LABEL, CKA_SIGN, CKA_DECRYPT, CKA_DERIVE, CKA_ALWAYS_AUTHENTICATE});
    return {.handle = object,
            .id = attributes.bytes(CKA_ID),
            .label = attributes.text(CKA_LABEL),
            .type = key_type(attributes.number(CKA_KEY_TYPE)),
            .sign = attributes.boolean(CKA_SIGN),
            .decrypt = attributes.boolean(CKA_DECRYPT),
            .derive = attributes.boolean(CKA_DERIVE),
            .always_authenticate = attributes.boolean(CKA_ALWAYS_AUTHENTICATE).value_or(false)};
}

std::vector<PrivateKey> read_private_keys(const Session& session, const Template& search) {
    std::vector<PrivateKey> keys;
    for (const CK_OBJECT_HANDLE object : session.find(search))
        keys.push_back(read_private_key(session, object));
    return keys;
}

KeyObject describe_key(const Session& session, const TokenInfo& token, const PrivateKey& key) {
    return {.label = key.label,
            .id = key.id,
            .type = key.type,
            .description = describe_type(session, key),
            .can_sign = key.sign.value_or(key.type != KeyType::montgomery),         // what is not said may be tried
            .can_decrypt = key.decrypt.value_or(true) && key.type == KeyType::rsa,  // SoftHSM says so of EC keys
            .can_derive = key.derive.value_or(key.type != KeyType::edwards) &&
                          (key.type == KeyType::ec || key.type == KeyType::edwards || key.type == KeyType::montgomery),
            .always_authenticate = key.always_authenticate,
            .uri = object_uri(token, "private", key.label, key.id)};
}

Bytes read_public_key(const Session& session, const TokenInfo& token, const PrivateKey& key) {
    Bytes spki = spki_of_public_object(session, key);
    if (spki.empty()) spki = spki_of_private_object(session, key);
    if (spki.empty()) spki = spki_of_certificate(session, token, key);
    return spki;
}

bool fits(const PrivateKey& key, const EVP_PKEY* public_key) {
    const int type = EVP_PKEY_get_base_id(public_key);
    switch (key.type) {
        case KeyType::rsa:
            return type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS;
        case KeyType::ec:
            return type == EVP_PKEY_EC;
        case KeyType::edwards:  // SoftHSM keeps X25519 and X448 keys under this type as well
            return type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448 || type == EVP_PKEY_X25519 ||
                   type == EVP_PKEY_X448;
        case KeyType::montgomery:
            return type == EVP_PKEY_X25519 || type == EVP_PKEY_X448;
        case KeyType::other:
            return false;
    }
    return false;
}

Bytes read_public_object(const Session& session, CK_OBJECT_HANDLE object) {
    const KeyType type = key_type(session.attributes(object, {CKA_KEY_TYPE}).number(CKA_KEY_TYPE));
    return spki_from_attributes(session.attributes(object, public_attributes(type)));
}

std::vector<Bytes> ids_of_key(const EVP_PKEY* public_key) {
    std::vector<Bytes> ids{cms::key_identifier(cms::encode(public_key, i2d_PUBKEY))};
    if (EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA)
        ids.push_back(cms::digest_of(cms::Hash::sha1, modulus_of(public_key)));
    return ids;
}

std::optional<PrivateKey> find_key_by_public_key(const Session& session, const TokenInfo& token,
                                                 const EVP_PKEY* public_key) {
    const std::vector<Bytes> ids = ids_of_key(public_key);
    for (PrivateKey& key : read_private_keys(session, objects_of_class(CKO_PRIVATE_KEY))) {
        if (!fits(key, public_key)) continue;
        const KeyHandle own = parse_spki(read_public_key(session, token, key));
        const bool belongs =
            own ? same_public_key(own.get(), public_key) : std::find(ids.begin(), ids.end(), key.id) != ids.end();
        if (belongs) return std::move(key);
    }
    return std::nullopt;
}

}  // namespace p11mime::token
