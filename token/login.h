#pragma once

#include <memory>
#include <string>

#include "token/module.h"
#include "token/pin.h"
#include "token/session.h"

namespace p11mime::token {

/// Login is the PIN policy of one token. Before each login the state of the tries is read and said; a locked token gets
/// no PIN, on the last try only one that a person has typed, and a refused PIN is never sent again. Everything throws
/// Error(token).
class Login {
  public:
    Login(std::shared_ptr<Module> module, TokenInfo token, PinProvider& pins)
        : module_(std::move(module)), token_(std::move(token)), pins_(pins) {}

    /// user logs in for all sessions, where the token wants a login and none was made yet.
    void user(const Session& session, const std::string& what);

    /// context logs in for the one operation just begun in the session (CKA_ALWAYS_AUTHENTICATE).
    void context(const Session& session, const std::string& key_label, const std::string& what);

    /// change_pin and unblock need a read-write session; for unblock no other session may be open.
    void change_pin(const Session& session, const SecretBytes& old_pin, const SecretBytes& new_pin);
    void unblock(const Session& session, const SecretBytes& puk, const SecretBytes& new_pin);

    /// use_pin_source passes on the pin-source of the URI that names this token.
    void use_pin_source(const std::string& pin_source) { pin_source_ = pin_source; }

    bool done() const { return done_; }
    void reset() { done_ = false; }  ///< after the session that held the login was closed

  private:
    void enter(const Session& session, CK_USER_TYPE user, PinRequest request);
    Pin obtain(const PinRequest& request);
    void say_state(const TokenInfo& now);
    void judge(CK_RV code, const std::string& owner, const SecretBytes* pin, std::string_view pin_name);
    void refuse_to_repeat(const std::string& owner, const SecretBytes& pin, std::string_view pin_name) const;
    std::string tries_hint() const;
    std::string owner(std::string_view pin_name) const;

    std::shared_ptr<Module> module_;
    TokenInfo token_;
    PinProvider& pins_;
    std::string pin_source_;
    bool done_ = false;
};

}  // namespace p11mime::token
