#pragma once

#include <string>

#include "cli/check.h"
#include "cli/options.h"
#include "token/token.h"

namespace p11mime::cli {

/// check_reach looks in order at what a token needs before it shows: PKCS#11 modules, pcscd, readers, cards, and the
/// tokens that the modules see. No login. Throws Error(token) where a module that was named does not load.
Checks check_reach(token::Tokens& tokens, const Options& options);

/// no_token is the Error(token) for a run that finds no token: the first thing that is missing, and its remedy.
Error no_token(token::Tokens& tokens, const Options& options);

}  // namespace p11mime::cli
