#pragma once

#include <cstddef>
#include <optional>

#include "cms/secret.h"
#include "cms/sources.h"
#include "token/pin.h"
#include "token/uri.h"

namespace p11mime::cli {

// What tokens have refused of PINs that nobody typed, in an SQLite file below $XDG_STATE_HOME, for later runs. Of a PIN
// it holds twelve bits of a salted digest, too little to tell it by: one PIN in 4096 that a token was never sent passes
// for one that it has refused. Tokens are known by serial number and label, in whatever module. Everything throws
// Error(io).

void record_refused_pin(const token::TokenInfo& token, token::PinKind kind, const SecretBytes& pin);

/// refused_at is when the token refused this PIN or, without one, any; nothing where it did not.
std::optional<cms::Time> refused_at(const token::TokenInfo& token, token::PinKind kind, const SecretBytes& pin);
std::optional<cms::Time> refused_at(const token::TokenInfo& token);

/// forget_refused_pins forgets those of a token, or of the tokens that a URI matches by label and serial, or of all.
/// Returns how many there were.
std::size_t forget_refused_pins(const token::TokenInfo& token);
std::size_t forget_refused_pins(const std::optional<token::Uri>& tokens);

}  // namespace p11mime::cli
