#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cms/secret.h"
#include "token/token_info.h"

namespace p11mime::token {

/// PinKind is which of a token's secrets is wanted.
enum class PinKind {
    user,      ///< the PIN, for a login
    old_user,  ///< the PIN that is to be changed
    new_user,  ///< the PIN to be set
    puk,       ///< the PUK, which PKCS#11 calls the PIN of the security officer
};

/// pin_name is what people call a secret of that kind.
constexpr std::string_view pin_name(PinKind kind) {
    if (kind == PinKind::puk) return "PUK";
    return kind == PinKind::new_user ? "new PIN" : "PIN";
}

/// PinRequest is what a PIN is wanted for.
struct PinRequest {
    TokenInfo token;         ///< whose PIN; its flags tell the state of the tries
    std::string key_label;   ///< the key that asks, for a context-specific login; "" for a login to the token
    std::string what;        ///< the Intent: what the key is wanted for; may be ""
    std::string pin_source;  ///< pin-source of the URI in use, "" if none (RFC 7512 section 2.4)
    PinKind kind = PinKind::user;
    std::string refused{};  ///< why the PIN that a person has just typed did not do; "" where none was
};

/// Pin is a PIN and where it came from.
struct Pin {
    SecretBytes value;
    bool typed_by_person = false;  ///< only such a PIN is sent on a token's final try
};

/// LoginOutcome is what has become of a PIN that was given out.
enum class LoginOutcome {
    accepted,
    refused,
    locked,     ///< the token took no PIN and said that it is locked, which tells nothing of this one
    unchecked,  ///< the token was logged in already and did not look at it
    removed,    ///< the token was removed
    replaced,   ///< another one was set in its place
};

/// PinProvider gets PINs from wherever they come. Implemented in cli/.
class PinProvider {
  public:
    virtual ~PinProvider() = default;

    /// pin returns the PIN; nothing where there is none to be had (--batch, no terminal). Throws Error(usage) or
    /// Error(io) for a bad source, Error(token) where the person has cancelled.
    virtual std::optional<Pin> pin(const PinRequest& request) = 0;

    /// answers_at_once says that pin() would give a stored PIN and ask nobody: other processes may wait meanwhile.
    virtual bool answers_at_once(const PinRequest&) { return false; }

    /// use_reader tells the person to enter the PIN on the reader; false where it is to come from elsewhere all the
    /// same. Throws Error(token) where nobody is there to enter it.
    virtual bool use_reader(const PinRequest& request) = 0;

    /// say passes on a line on the state of the PIN ("few tries left").
    virtual void say(const std::string& line) = 0;

    /// ended tells how it went on with a PIN. `pin` is null for one that was entered on the reader, and where there is
    /// none any more.
    virtual void ended(const PinRequest& request, const Pin* pin, LoginOutcome outcome) = 0;
};

}  // namespace p11mime::token
