#pragma once

#include "cli/check.h"
#include "cli/context.h"

namespace p11mime::cli {

/// check_certificates looks at a token's PIN state and certificates: there, dates, key usage, e-mail address, chain.
/// check_mechanisms looks at what its keys can do; of some only after a login. Neither logs in.
Checks check_certificates(Context& context, token::Token& token);
Checks check_mechanisms(token::Token& token);

/// Uses is what the certificates and keys on all tokens together are good for.
struct Uses {
    bool certificates = false;  ///< there are some, be they of use or not
    bool may_sign = false;      ///< one is for signing mail, is valid, and its private key is not known to be missing
    bool may_decrypt = false;   ///< one that mail can be encrypted to is so
    bool sign = false;          ///< and the token has a mechanism to sign with its key
    bool decrypt = false;       ///< and the token has one to decrypt with its key
};

/// add_uses adds those of one token. `logged_in`: a private key that is not seen is missing, not hidden.
void add_uses(Context& context, token::Token& token, bool logged_in, Uses& uses);

/// check_uses says what mail cannot be made or read with what there is; nothing where all can. With `wants_signature` a
/// test signature was asked for, which takes a certificate to sign with.
Checks check_uses(const Uses& uses, bool wants_signature);

/// check_signature makes a test signature with each certificate of a token that can sign mail, and verifies it; the
/// token asks for its PIN. Empty where there is no such certificate. check_no_signature says why none was made.
Checks check_signature(Context& context, token::Token& token);
Checks check_no_signature(token::Token& token);

}  // namespace p11mime::cli
