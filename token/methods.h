#pragma once

#include <vector>

#include "token/core.h"

namespace p11mime::token {

/// key_methods is all that mail may ask of the private key of a public key, by the token's mechanisms; no login.
std::vector<Method> key_methods(TokenCore& core, const EVP_PKEY* own);

}  // namespace p11mime::token
