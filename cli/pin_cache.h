#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "cms/secret.h"
#include "token/token_info.h"
#include "token/uri.h"

namespace p11mime::cli {

// PINs in the keyring of the Linux kernel: the session's where there is a real one, else the user's. Each is a key
// named after the token, by module, serial and label, that only its possessors may read and that the kernel drops when
// its time is over.

/// cache_pin keeps a PIN for so long. Throws Error(io) where the kernel keeps none, as in many containers.
void cache_pin(const token::TokenInfo& token, const SecretBytes& pin, std::chrono::seconds lifetime);

/// cached_pin finds the PIN of a token; nothing where none is kept, or where there is no keyring. It drops one from
/// before the card was last taken out, or before pcscd last started.
std::optional<SecretBytes> cached_pin(const token::TokenInfo& token);

/// forget_cached_pin drops the PINs of a token (refused, changed, or the token was removed), whichever module they were
/// for and whichever of the user's sessions has them. Returns how many there were.
std::size_t forget_cached_pin(const token::TokenInfo& token);

/// forget_cached_pins drops those of the tokens that a URI matches by label, serial and module, or all.
std::size_t forget_cached_pins(const std::optional<token::Uri>& tokens);

}  // namespace p11mime::cli
