#include "token/mechanisms.h"

#include <algorithm>
#include <array>

namespace p11mime::token {

namespace {

constexpr std::array kHashes = {
    HashMechanisms{cms::Hash::sha1, CKM_SHA_1, CKG_MGF1_SHA1, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1,
                   "SHA-1"},
    HashMechanisms{cms::Hash::sha224, CKM_SHA224, CKG_MGF1_SHA224, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA224, "SHA-224"},
    HashMechanisms{cms::Hash::sha256, CKM_SHA256, CKG_MGF1_SHA256, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA256, "SHA-256"},
    HashMechanisms{cms::Hash::sha384, CKM_SHA384, CKG_MGF1_SHA384, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA384, "SHA-384"},
    HashMechanisms{cms::Hash::sha512, CKM_SHA512, CKG_MGF1_SHA512, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS,
                   CKM_ECDSA_SHA512, "SHA-512"},
    // SHA-3 as PKCS#11 3.0 numbers it, which p11-kit 0.24's pkcs11.h lacks.
    HashMechanisms{cms::Hash::sha3_224, 0x2b5, 0x6, 0x66, 0x67, 0x1047, "SHA3-224"},
    HashMechanisms{cms::Hash::sha3_256, 0x2b0, 0x7, 0x60, 0x63, 0x1048, "SHA3-256"},
    HashMechanisms{cms::Hash::sha3_384, 0x2c0, 0x8, 0x61, 0x64, 0x1049, "SHA3-384"},
    HashMechanisms{cms::Hash::sha3_512, 0x2d0, 0x9, 0x62, 0x65, 0x104a, "SHA3-512"},
};

constexpr std::array kPure = {
    PureMechanism{"ed25519", CKM_EDDSA, KeyType::edwards, false},
    PureMechanism{"ed448", CKM_EDDSA, KeyType::edwards, true},
};

}  // namespace

const PureMechanism* pure_mechanism(std::string_view algorithm) {
    const auto* found =
        std::find_if(kPure.begin(), kPure.end(), [&](const PureMechanism& row) { return row.algorithm == algorithm; });
    return found == kPure.end() ? nullptr : found;
}

const HashMechanisms& mechanisms_of(cms::Hash hash) {
    return *std::find_if(kHashes.begin(), kHashes.end(), [&](const HashMechanisms& row) { return row.hash == hash; });
}

}  // namespace p11mime::token
