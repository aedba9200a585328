#include "token/methods.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "token/decrypt.h"
#include "token/mechanisms.h"

namespace p11mime::token {

namespace {

using Way = Method::Way;

constexpr cms::Hash kUsualHashes[] = {cms::Hash::sha1, cms::Hash::sha256, cms::Hash::sha384, cms::Hash::sha512};

std::string hash_name(cms::Hash hash) {
    return std::string(cms::digest_algorithm(hash).name);
}

Way native_or_none(bool offered) {
    return offered ? Way::native : Way::none;
}

/// oaep_way: only a decryption that was begun tells which hashes a token's OAEP takes.
Way oaep_way(TokenCore& core, const EVP_PKEY* own, cms::Hash hash) {
    const bool raw = core.offers(CKM_RSA_X_509);
    if (core.offers(CKM_RSA_PKCS_OAEP)) {
        if (!core.logged_in() && !raw) return Way::untried;
        if (begins_oaep(core, own, {hash, hash, {}})) return Way::native;
    }
    return raw ? Way::raw : Way::none;
}

std::vector<Method> rsa_methods(TokenCore& core, const EVP_PKEY* own) {
    const bool raw = core.offers(CKM_RSA_X_509);
    const auto way = [&](bool offered) { return offered || !raw ? native_or_none(offered) : Way::raw; };
    const auto offers_hashing = [&](CK_MECHANISM_TYPE HashMechanisms::*mechanism) {
        return core.offers(mechanisms_of(cms::Hash::sha256)->*mechanism);
    };
    std::vector<Method> methods = {
        {"RSA PKCS#1 v1.5 signature", true,
         way(core.offers(CKM_RSA_PKCS) || offers_hashing(&HashMechanisms::rsa_pkcs))},
        {"RSA-PSS signature", true, way(core.offers(CKM_RSA_PKCS_PSS) || offers_hashing(&HashMechanisms::rsa_pss))},
        {"RSA PKCS#1 v1.5 decryption", false, way(core.offers(CKM_RSA_PKCS))}};
    for (const cms::Hash hash : kUsualHashes)
        methods.push_back({fmt::format("OAEP with {}", hash_name(hash)), false, oaep_way(core, own, hash)});
    return methods;
}

}  // namespace

std::vector<Method> key_methods(TokenCore& core, const EVP_PKEY* own) {
    switch (EVP_PKEY_get_base_id(own)) {
        case EVP_PKEY_RSA:
            return rsa_methods(core, own);
        case EVP_PKEY_EC:
            return {{"ECDSA signature", true,
                     native_or_none(core.offers(CKM_ECDSA) || core.offers(mechanisms_of(cms::Hash::sha256)->ecdsa))},
                    {"ECDH", false, native_or_none(agreement_mechanism(core, own, false).has_value())}};
        case EVP_PKEY_X25519:
        case EVP_PKEY_X448:
            return {{"ECDH", false, native_or_none(agreement_mechanism(core, own, false).has_value())}};
        default:
            break;
    }
    const cms::Algorithm* pure = cms::pure_signature_algorithm(own);
    const PureMechanism* mechanism = pure != nullptr ? pure_mechanism(pure->name) : nullptr;
    if (mechanism == nullptr) return {};
    return {{fmt::format("{} signature", pure->name), true, native_or_none(core.offers(mechanism->mechanism))}};
}

}  // namespace p11mime::token
