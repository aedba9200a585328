#pragma once

#include "token/core.h"

namespace p11mime::token {

/// belongings_of and delete_key are Token::belongings and Token::destroy. Both log in and throw Error(token), also
/// where the key is not there.
Belongings belongings_of(TokenCore& core, const KeyObject& key);
std::size_t delete_key(TokenCore& core, const KeyObject& key);

}  // namespace p11mime::token
