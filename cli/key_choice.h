#pragma once

#include <memory>
#include <vector>

#include "cli/context.h"

namespace p11mime::cli {

/// tokens_at_hand are all tokens, or those that --token names. Throws Error(token) where there is none.
std::vector<std::shared_ptr<token::Token>> tokens_at_hand(Context& context);

/// check_stored_pin is for a login to each of several tokens: a stored PIN is one token's, and would cost another one a
/// try. Throws Error(usage) where it may be for any of several; the hint lists them.
void check_stored_pin(Context& context, const std::vector<std::shared_ptr<token::Token>>& tokens);

/// id_of is the CKA_ID that --id asks for; empty where it does not. Throws Error(usage).
Bytes id_of(const Options& options);

/// only_token is the one token at hand, or the one that --token names. Throws Error(token), Error(usage) where there
/// are several; the hint lists them.
std::shared_ptr<token::Token> only_token(Context& context);

/// only_key is the one private key that --key names; it logs in as Tokens::find_keys says. Throws Error(token),
/// Error(usage) where the URI fits several.
token::KeyOnToken only_key(Context& context);

/// key_of_certificate finds the private key that a certificate belongs to, over all tokens; it logs in as
/// Tokens::find_keys says. Throws Error(token) where none has it, Error(usage) where --token is needed.
token::KeyOnToken key_of_certificate(Context& context, const cms::Certificate& certificate);

}  // namespace p11mime::cli
