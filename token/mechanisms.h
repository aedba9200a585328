#pragma once

#include <string_view>

#include "cms/signer.h"
#include "token/cryptoki.h"

namespace p11mime::token {

/// HashMechanisms is how Cryptoki names a hash and what is built on it.
struct HashMechanisms {
    cms::Hash hash;
    CK_MECHANISM_TYPE digest;
    CK_RSA_PKCS_MGF_TYPE mgf1;
    CK_MECHANISM_TYPE rsa_pkcs;
    CK_MECHANISM_TYPE rsa_pss;
    CK_MECHANISM_TYPE ecdsa;
    std::string_view name;
};

/// mechanisms_of looks a hash up; SHAKE256, which only goes with Ed448, has none.
const HashMechanisms& mechanisms_of(cms::Hash hash);

}  // namespace p11mime::token
