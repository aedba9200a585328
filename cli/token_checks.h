#pragma once

#include "cli/check.h"
#include "cli/context.h"

namespace p11mime::cli {

/// check_certificates looks at a token's PIN state and certificates: there, dates, key usage, e-mail address, chain.
/// check_mechanisms looks at what its keys can do; of some only after a login. Neither logs in.
Checks check_certificates(Context& context, token::Token& token);
Checks check_mechanisms(token::Token& token);

/// check_signature makes a test signature with each certificate of a token that can sign mail, and verifies it; the
/// token asks for its PIN. check_no_signature says why none was made.
Checks check_signature(Context& context, token::Token& token);
Checks check_no_signature(token::Token& token);

}  // namespace p11mime::cli
