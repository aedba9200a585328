#pragma once

#include <optional>
#include <string>

#include "cms/secret.h"
#include "token/token_info.h"

namespace p11mime::token {

/// PinRequest is what a PIN is wanted for.
struct PinRequest {
    TokenInfo token;         ///< whose PIN; its flags tell the state of the tries
    std::string key_label;   ///< the key that asks, for a context-specific login; "" for a login to the token
    std::string what;        ///< the Intent: what the key is wanted for; may be ""
    std::string pin_source;  ///< pin-source of the URI in use, "" if none (RFC 7512 section 2.4)
};

/// Pin is a PIN and where it came from.
struct Pin {
    SecretBytes value;
    bool typed_by_person = false;  ///< only such a PIN is sent on a token's final try
};

/// PinProvider gets PINs from wherever they come. Implemented in cli/.
class PinProvider {
  public:
    virtual ~PinProvider() = default;

    /// pin returns the PIN; nothing where there is none to be had (--batch, no terminal). Throws Error(usage) or
    /// Error(io) for a bad source.
    virtual std::optional<Pin> pin(const PinRequest& request) = 0;

    /// use_reader tells the person to enter the PIN on the reader.
    virtual void use_reader(const PinRequest& request) = 0;

    /// say passes on a line on the state of the PIN ("few tries left").
    virtual void say(const std::string& line) = 0;
};

}  // namespace p11mime::token
