#include "token/key_template.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>

#include "cms/encode.h"
#include "token/mechanisms.h"
#include "token/public_key.h"

namespace p11mime::token {

namespace {

using Pkcs8Handle = Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

struct RsaValue {
    CK_ATTRIBUTE_TYPE attribute;
    const char* parameter;
};
constexpr std::array kRsaSecrets = {RsaValue{CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
                                    RsaValue{CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
                                    RsaValue{CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
                                    RsaValue{CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                    RsaValue{CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                    RsaValue{CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};

KeyType kind_of(const EVP_PKEY* key) {
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
        case EVP_PKEY_RSA_PSS:
            return KeyType::rsa;
        case EVP_PKEY_EC:
            return KeyType::ec;
        case EVP_PKEY_ED25519:
        case EVP_PKEY_ED448:
            return KeyType::edwards;
        case EVP_PKEY_X25519:
        case EVP_PKEY_X448:
            return KeyType::montgomery;
        default:
            throw Error(ErrorKind::malformed, fmt::format("{} keys are not for mail", cms::key_description(key)));
    }
}

// secret_number reads a number of a key into wiped memory and nowhere else, most significant byte first, in `size`
// bytes, or where that is 0 in as many as it takes.
SecretBytes secret_number(const EVP_PKEY* key, const char* parameter, std::size_t size) {
    SecretBytes number(static_cast<std::size_t>(EVP_PKEY_get_size(key)) + 1);
    std::array<OSSL_PARAM, 2> wanted = {OSSL_PARAM_construct_BN(parameter, number.data(), number.size()),
                                        OSSL_PARAM_construct_end()};
    cms::require(EVP_PKEY_get_params(key, wanted.data()) == 1 && wanted[0].return_size <= number.size(),
                 "a part of the private key is missing");
    if constexpr (std::endian::native == std::endian::big) std::reverse(number.data(), number.data() + number.size());
    std::size_t length = number.size();  // least significant byte first, with zeros behind
    while (length > 0 && length > size && number.data()[length - 1] == 0)
        --length;
    cms::require(size == 0 || length == size, "a part of the private key has the wrong size");
    number.shrink(length);
    std::reverse(number.data(), number.data() + length);
    return number;
}

Bytes public_number(const EVP_PKEY* key, const char* parameter) {
    BIGNUM* raw = nullptr;
    cms::require(EVP_PKEY_get_bn_param(key, parameter, &raw) == 1, "a part of the public key is missing");
    const BignumHandle number(raw);
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return bytes;
}

// octets reads a half of a key that is a string of bytes.
template <class Octets>
Octets octets(const EVP_PKEY* key, int (*half)(const EVP_PKEY*, unsigned char*, std::size_t*)) {
    std::size_t size = 0;
    cms::require(half(key, nullptr, &size) == 1, "a part of the key is missing");
    Octets value(size);
    cms::require(half(key, value.data(), &size) == 1, "a part of the key is missing");
    return value;
}

}  // namespace

KeyParts::KeyParts(TokenCore& core, const EVP_PKEY* key) : core_(core), key_(key), kind_(kind_of(key)) {
    cms::require(kind_ != KeyType::ec || field_size(key) > 0, "the key is on no named curve");
}

bool KeyParts::is_usable() const {
    const auto any = [&](std::initializer_list<CK_MECHANISM_TYPE> mechanisms) {
        return std::any_of(mechanisms.begin(), mechanisms.end(), [&](auto one) { return core_.offers(one); });
    };
    switch (kind_) {
        case KeyType::rsa:
            return any({CKM_RSA_PKCS, CKM_RSA_X_509, CKM_RSA_PKCS_PSS, CKM_RSA_PKCS_OAEP, CKM_SHA256_RSA_PKCS});
        case KeyType::ec:
            return any({CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE});
        case KeyType::edwards:
            return any({CKM_EDDSA});
        case KeyType::montgomery:
            return any({CKM_ECDH1_DERIVE});
        case KeyType::other:
            return false;
    }
    return false;
}

CK_KEY_TYPE KeyParts::cryptoki_type() const {
    switch (kind_) {
        case KeyType::rsa:
            return CKK_RSA;
        case KeyType::ec:
            return CKK_EC;
        case KeyType::montgomery:  // SoftHSM keeps them as Edwards keys, and makes them with that mechanism
            return core_.offers(kEcMontgomeryKeyPairGen) ? kKeyEcMontgomery : CKK_EC_EDWARDS;
        case KeyType::edwards:
        case KeyType::other:
            return CKK_EC_EDWARDS;
    }
    return CKK_EC_EDWARDS;
}

Bytes KeyParts::parameters() const {
    int curve = EVP_PKEY_get_base_id(key_);
    if (kind_ == KeyType::ec) {
        std::array<char, 64> name{};
        cms::require(EVP_PKEY_get_group_name(key_, name.data(), name.size(), nullptr) == 1, "no named curve");
        curve = OBJ_txt2nid(name.data());
    }
    return cms::encode(OBJ_nid2obj(curve), i2d_ASN1_OBJECT);
}

Bytes KeyParts::point() const {
    return wrap_octet_string(kind_ == KeyType::ec ? uncompressed_point(key_)
                                                  : octets<Bytes>(key_, EVP_PKEY_get_raw_public_key));
}

Template KeyParts::common_template(CK_OBJECT_CLASS half, const std::string& label, const Bytes& id) const {
    Template key = objects_of_class(half);
    key.add(CKA_KEY_TYPE, CK_ULONG{cryptoki_type()})
        .add_bool(CKA_TOKEN, true)
        .add_bool(CKA_PRIVATE, half == CKO_PRIVATE_KEY)
        .add(CKA_LABEL, label)
        .add(CKA_ID, id);
    return key;
}

Template KeyParts::private_template(const std::string& label, const Bytes& id) const {
    Template key = common_template(CKO_PRIVATE_KEY, label, id);
    key.add_bool(CKA_SENSITIVE, true).add_bool(CKA_EXTRACTABLE, false).add_bool(CKA_SIGN, signs());
    if (is_rsa()) key.add_bool(CKA_DECRYPT, true);
    if (!is_rsa()) key.add_bool(CKA_DERIVE, agrees());
    return key;
}

Template KeyParts::public_template(const std::string& label, const Bytes& id) const {
    Template key = common_template(CKO_PUBLIC_KEY, label, id);
    key.add_bool(CKA_VERIFY, signs());
    add_group(key);
    if (is_rsa()) key.add_bool(CKA_ENCRYPT, true);
    if (!is_rsa()) key.add(CKA_EC_POINT, point());
    return key;
}

void KeyParts::add_group(Template& object) const {
    if (is_rsa())
        object.add(CKA_MODULUS, public_number(key_, OSSL_PKEY_PARAM_RSA_N))
            .add(CKA_PUBLIC_EXPONENT, public_number(key_, OSSL_PKEY_PARAM_RSA_E));
    else
        object.add(CKA_EC_PARAMS, parameters());
}

void KeyParts::add_private_values(Template& object) const {
    add_group(object);
    if (is_rsa()) {
        for (const RsaValue& value : kRsaSecrets)
            object.add_secret(value.attribute, secret_number(key_, value.parameter, 0));
        return;
    }
    object.add_secret(CKA_VALUE, kind_ == KeyType::ec ? secret_number(key_, OSSL_PKEY_PARAM_PRIV_KEY, field_size(key_))
                                                      : octets<SecretBytes>(key_, EVP_PKEY_get_raw_private_key));
}

SecretBytes KeyParts::pkcs8() const {
    const Pkcs8Handle info(EVP_PKEY2PKCS8(key_));
    cms::require(info != nullptr, "the private key cannot be encoded");
    const int size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
    cms::require(size > 0, "the private key cannot be encoded");
    SecretBytes der(static_cast<std::size_t>(size));
    Byte* at = der.data();
    i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at);
    return der;
}

}  // namespace p11mime::token
