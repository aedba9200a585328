#pragma once

#include <span>
#include <vector>

#include "token/core.h"

namespace p11mime::token {

/// import_keys puts key pairs and their certificates on the token, and returns them in this order: all of them or,
/// where something fails, none. A token that takes no private keys as they are gets them wrapped with an AES key that
/// it has made for this. Throws Error(token), also where a key is there already or an id is taken.
std::vector<ImportedKey> import_keys(TokenCore& core, std::span<const KeyImport> keys);

}  // namespace p11mime::token
