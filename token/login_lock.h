#pragma once

#include <mutex>

#include "token/token_info.h"

namespace p11mime::token {

/// lock_login keeps the other threads from logging in to a token, through whatever module, for as long as it is held:
/// the tries are the token's, and who comes second is to know how it went before. One thread takes it once at a time.
std::unique_lock<std::mutex> lock_login(const TokenInfo& token);

}  // namespace p11mime::token
