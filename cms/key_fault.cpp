#include "cms/key_fault.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "cms/handle.h"
#include "mime/bytes.h"

namespace p11mime::cms {

namespace {

constexpr std::string_view kTooLarge = "is too large";
constexpr std::string_view kOpenToAll = "lets anybody sign";

bool is_a(const EVP_PKEY* key, const char* kind) {
    return EVP_PKEY_is_a(key, kind) == 1;
}

std::string_view rsa_fault(const EVP_PKEY* key) {
    constexpr int kMaxBits = 16'384, kMaxExponentBits = 64;
    BIGNUM* exponent = nullptr;
    const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
    const BignumHandle owned(exponent);
    if (!read || EVP_PKEY_get_bits(key) > kMaxBits || BN_num_bits(exponent) > kMaxExponentBits) return kTooLarge;
    return BN_is_odd(exponent) == 1 && BN_is_one(exponent) == 0 ? "" : kOpenToAll;
}

// The point at infinity has no encoding that OpenSSL writes, though it reads one.
std::string_view ec_fault(const EVP_PKEY* key) {
    std::size_t size = 0;
    return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &size) == 1 ? "" : kOpenToAll;
}

BignumHandle number(const char* hex) {
    BIGNUM* value = nullptr;
    BN_hex2bn(&value, hex);
    return BignumHandle(value);
}

// edwards_fault looks for the second coordinates (RFC 8032 section 5) of the points whose order divides the cofactor;
// the first is a sign.
std::string_view edwards_fault(const EVP_PKEY* key, const char* prime, std::initializer_list<const char*> small) {
    std::array<Byte, 57> encoded{};
    std::size_t size = encoded.size();
    if (EVP_PKEY_get_raw_public_key(key, encoded.data(), &size) != 1 || size == 0) return kOpenToAll;
    encoded.at(size - 1) &= 0x7f;
    const BignumHandle y(BN_lebin2bn(encoded.data(), static_cast<int>(size), nullptr)), p = number(prime);
    if (!y || !p) throw std::bad_alloc();
    if (BN_cmp(y.get(), p.get()) >= 0) BN_sub(y.get(), y.get(), p.get());
    const bool found = std::any_of(small.begin(), small.end(),
                                   [&](const char* each) { return BN_cmp(y.get(), number(each).get()) == 0; });
    return found ? kOpenToAll : "";
}

}  // namespace

std::string_view key_fault(const EVP_PKEY* key) {
    constexpr int kMaxDsaBits = 3'072;
    if (is_a(key, "DSA")) return EVP_PKEY_get_bits(key) > kMaxDsaBits ? kTooLarge : "";
    if (is_a(key, "RSA") || is_a(key, "RSA-PSS")) return rsa_fault(key);
    if (is_a(key, "EC")) return ec_fault(key);
    if (is_a(key, "ED25519"))
        return edwards_fault(key, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
                             {"0", "1", "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
                              "5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
                              "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"});
    if (is_a(key, "ED448"))
        return edwards_fault(key,
                             "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                             "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                             {"0", "1",
                              "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                              "fffffffffffffffffffffffffffffffffffffffffffffffffffffffe"});
    return "";
}

}  // namespace p11mime::cms
