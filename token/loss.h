#pragma once

#include <optional>

#include "mime/error.h"
#include "token/core.h"

namespace p11mime::token {

/// loss_of says why a token that was found is no longer usable: pulled, replaced by another, its reader unplugged,
/// pcscd gone. Nothing where it is in its slot and its sessions live. No login.
std::optional<Error> loss_of(TokenCore& core);

}  // namespace p11mime::token
