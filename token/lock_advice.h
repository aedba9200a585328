#pragma once

#include <string>

#include "mime/error.h"
#include "token/pin.h"
#include "token/token_info.h"

namespace p11mime::token {

/// locked_error is the Error(token) for a PIN or PUK that is locked; unlock_hint is what to do about a locked PIN. Both
/// depend on what stands behind the module.
Error locked_error(const TokenInfo& token, PinKind kind);
std::string unlock_hint(const TokenInfo& token);

/// shows_tries says whether the token's flags can tell of wrong PINs. A TPM's do not.
bool shows_tries(const TokenInfo& token);

/// takes_puk says whether the PUK is what the module's login as security officer wants. With YKCS11 that is the
/// management key, and a PUK unblocks nothing.
bool takes_puk(const TokenInfo& token);
constexpr const char* kUnblockYubiKey =
    "'ykman piv access unblock-pin' or 'yubico-piv-tool -a unblock-pin' takes the PUK";

}  // namespace p11mime::token
