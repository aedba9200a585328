#pragma once

#include <memory>
#include <string>

#include "token/module.h"
#include "token/pin.h"
#include "token/session.h"

namespace p11mime::token {

/// Login is the PIN policy of one token. Before each login the state of the tries is read and said; a locked token gets
/// no PIN, on the last try only one that a person has typed, and a refused PIN is never sent again. A person who has
/// mistyped may try again as long as it is not the last try. Everything throws Error(token).
class Login {
  public:
    Login(std::shared_ptr<Module> module, TokenInfo token, PinProvider& pins)
        : module_(std::move(module)), token_(std::move(token)), pins_(pins) {}

    /// user logs in for all sessions, where the token wants a login and none was made yet.
    void user(const Session& session, const std::string& what);

    /// context logs in for the one operation just begun in the session (CKA_ALWAYS_AUTHENTICATE).
    void context(const Session& session, const std::string& key_label, const std::string& what);

    /// change_pin and unblock need a read-write session; for unblock no other session may be open. Both check the new
    /// PIN's length before anything is sent.
    void change_pin(const Session& session);
    void unblock(const Session& session);

    /// use_pin_source passes on the pin-source of the URI that names this token.
    void use_pin_source(const std::string& pin_source) { pin_source_ = pin_source; }

    bool done() const { return done_; }
    void reset() { done_ = false; }  ///< after the session that held the login was closed

  private:
    std::unique_ptr<Turns::Turn> turn_of_stored(const std::string& key_label, PinKind kind) const;
    void enter(const Session& session, CK_USER_TYPE user, PinRequest request);
    PinRequest request(std::string key_label, std::string what, PinKind kind) const;
    void check_state(const PinRequest& request);
    Pin obtain(const PinRequest& request);
    void check_may_be_sent(const PinRequest& request, const Pin& pin) const;
    bool may_retype(PinRequest& request, const Pin& pin, std::size_t typed);
    SecretBytes obtain_new_pin(const PinRequest& request);
    void conclude(CK_RV code, const PinRequest& request, const Pin* pin);
    void conclude_change(const PinRequest& request, const SecretBytes* new_pin);
    bool unblock_as_officer(const Session& session, const PinRequest& request, const Pin& puk,
                            const SecretBytes& new_pin);
    bool is_uncounted(CK_RV code, const PinRequest& request) const;
    void unblock_without_login(const Session& session, const PinRequest& request, const Pin& puk,
                               const SecretBytes& new_pin);
    void unblock_on_reader(const Session& session, const PinRequest& request);
    std::string tries_hint(PinKind kind) const;
    std::string owner(PinKind kind) const;

    std::shared_ptr<Module> module_;
    TokenInfo token_;
    PinProvider& pins_;
    std::string pin_source_;
    bool done_ = false;
};

}  // namespace p11mime::token
