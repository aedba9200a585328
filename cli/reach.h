#pragma once

#include <string>

#include "cli/check.h"
#include "token/token.h"

namespace p11mime::cli {

/// check_reach looks in order at what a token needs before it shows: packages, pcscd, readers, cards, PKCS#11
/// modules, and the tokens that these see. No login. Throws Error(token) where a module that was named does not load.
/// `wanted` as below.
Checks check_reach(token::Tokens& tokens, const std::string& wanted);

/// check_readers_alone looks at pcscd, readers and cards where a module that was named does not load. Whether it needs
/// them nobody knows, so nothing fails.
Checks check_readers_alone();

/// Missing is what keeps a run from its token.
struct Missing {
    Error why;              ///< Error(token)
    bool may_come = false;  ///< a person can put it there, so that a terminal waits without being told to
};

/// missing_token is for a run that finds no token: the first thing that is missing on the way to it, and its remedy.
/// `wanted` names the token for a message: a URI, or "".
Missing missing_token(token::Tokens& tokens, const std::string& wanted);

}  // namespace p11mime::cli
