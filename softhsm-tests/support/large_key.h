#pragma once

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "cms/handle.h"
#include "softhsm-tests/support/software_key.h"

/// Public keys of any size, whose numbers mean nothing.
namespace p11mime::test {

/// public_key is a key of numbers by OpenSSL's names, each of so many bits.
inline PrivateKey public_key(const char* type, const std::map<std::string, int>& bits) {
    const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    std::vector<BignumHandle> numbers;
    for (const auto& [name, size] : bits) {
        numbers.emplace_back(BN_new());
        BN_rand(numbers.back().get(), size, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
        OSSL_PARAM_BLD_push_BN(builder.get(), name.c_str(), numbers.back().get());
    }
    const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        throw std::runtime_error("no such key");
    return {key, EVP_PKEY_free};
}

inline PrivateKey rsa_key(int modulus_bits, int exponent_bits) {
    return public_key("RSA", {{OSSL_PKEY_PARAM_RSA_N, modulus_bits}, {OSSL_PKEY_PARAM_RSA_E, exponent_bits}});
}

inline PrivateKey dsa_key(int bits) {
    return public_key("DSA", {{OSSL_PKEY_PARAM_FFC_P, bits},
                              {OSSL_PKEY_PARAM_FFC_Q, 256},
                              {OSSL_PKEY_PARAM_FFC_G, bits - 1},
                              {OSSL_PKEY_PARAM_PUB_KEY, bits - 1}});
}

}  // namespace p11mime::test
