#include "token/mechanisms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace p11mime::token {

namespace {

constexpr std::array kHashes = {
    HashMechanisms{cms::Hash::sha1, CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1,
                   "SHA1"},
    HashMechanisms{cms::Hash::sha224, CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA224, "SHA224"},
    HashMechanisms{cms::Hash::sha256, CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA256, "SHA256"},
    HashMechanisms{cms::Hash::sha384, CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA384, "SHA384"},
    HashMechanisms{cms::Hash::sha512, CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA512, "SHA512"},
    // SHA-3 as PKCS#11 3.0 numbers it, which p11-kit 0.24's pkcs11.h lacks.
    HashMechanisms{cms::Hash::sha3_224, 0x2b5, 0x6, 0x66, 0x67, 0x1047, "SHA3_224"},
    HashMechanisms{cms::Hash::sha3_256, 0x2b0, 0x7, 0x60, 0x63, 0x1048, "SHA3_256"},
    HashMechanisms{cms::Hash::sha3_384, 0x2c0, 0x8, 0x61, 0x64, 0x1049, "SHA3_384"},
    HashMechanisms{cms::Hash::sha3_512, 0x2d0, 0x9, 0x62, 0x65, 0x104a, "SHA3_512"},
};

constexpr std::array kPure = {
    PureMechanism{"ed25519", CKM_EDDSA, KeyType::edwards, false},
    PureMechanism{"ed448", CKM_EDDSA, KeyType::edwards, true},
};

/// Named is a mechanism that belongs to no hash.
struct Named {
    CK_MECHANISM_TYPE mechanism;
    std::string_view name;
};
constexpr std::array kNamed = {
    Named{CKM_RSA_PKCS, "CKM_RSA_PKCS"},
    Named{CKM_RSA_X_509, "CKM_RSA_X_509"},
    Named{CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS"},
    Named{CKM_RSA_PKCS_OAEP, "CKM_RSA_PKCS_OAEP"},
    Named{CKM_ECDSA, "CKM_ECDSA"},
    Named{CKM_EDDSA, "CKM_EDDSA"},
    Named{CKM_ECDH1_DERIVE, "CKM_ECDH1_DERIVE"},
    Named{CKM_ECDH1_COFACTOR_DERIVE, "CKM_ECDH1_COFACTOR_DERIVE"},
    Named{CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
    Named{CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
    Named{CKM_EC_EDWARDS_KEY_PAIR_GEN, "CKM_EC_EDWARDS_KEY_PAIR_GEN"},
    Named{kEcMontgomeryKeyPairGen, "CKM_EC_MONTGOMERY_KEY_PAIR_GEN"},
};

}  // namespace

const PureMechanism* pure_mechanism(std::string_view algorithm) {
    const auto* found =
        std::find_if(kPure.begin(), kPure.end(), [&](const PureMechanism& row) { return row.algorithm == algorithm; });
    return found == kPure.end() ? nullptr : found;
}

std::string mechanism_name(CK_MECHANISM_TYPE mechanism) {
    for (const Named& row : kNamed)
        if (row.mechanism == mechanism) return std::string(row.name);
    for (const HashMechanisms& row : kHashes) {
        if (row.rsa_pkcs == mechanism) return fmt::format("CKM_{}_RSA_PKCS", row.name);
        if (row.rsa_pss == mechanism) return fmt::format("CKM_{}_RSA_PKCS_PSS", row.name);
        if (row.ecdsa == mechanism) return fmt::format("CKM_ECDSA_{}", row.name);
    }
    return fmt::format("CKM 0x{:08X}", mechanism);
}

const HashMechanisms* mechanisms_of(cms::Hash hash) {
    const auto* found =
        std::find_if(kHashes.begin(), kHashes.end(), [&](const HashMechanisms& row) { return row.hash == hash; });
    return found == kHashes.end() ? nullptr : found;
}

}  // namespace p11mime::token
