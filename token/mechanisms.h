#pragma once

#include <string>
#include <string_view>

#include "cms/signer.h"
#include "token/cryptoki.h"
#include "token/token.h"

namespace p11mime::token {

/// HashMechanisms is how Cryptoki names a hash and what is built on it.
struct HashMechanisms {
    cms::Hash hash;
    CK_MECHANISM_TYPE digest;
    CK_RSA_PKCS_MGF_TYPE mgf1;
    CK_MECHANISM_TYPE rsa_pkcs;
    CK_MECHANISM_TYPE rsa_pss;
    CK_MECHANISM_TYPE ecdsa;
    std::string_view name;  ///< in the names of mechanisms: "SHA256"
};

/// PureMechanism is how Cryptoki makes a pure signature of the algorithm table.
struct PureMechanism {
    std::string_view algorithm;  ///< its name there
    CK_MECHANISM_TYPE mechanism;
    KeyType key;
    bool parameters;  ///< EddsaParameters go with it (PKCS#11 3.0 section 2.3.14)
};

/// pure_mechanism looks an algorithm up by its name; null where Cryptoki has none for it.
const PureMechanism* pure_mechanism(std::string_view algorithm);

/// mechanism_name is the name of a mechanism that makes private keys or uses them: "CKM_SHA256_RSA_PKCS".
std::string mechanism_name(CK_MECHANISM_TYPE mechanism);

/// mechanisms_of looks a hash up; null where Cryptoki has no name for it as a mask: SHA-512/224, SHA-512/256, SHAKE256.
const HashMechanisms* mechanisms_of(cms::Hash hash);

}  // namespace p11mime::token
