#pragma once

#include <exception>
#include <memory>
#include <stop_token>
#include <string>

#include "token/core.h"

namespace p11mime::token {

/// KeySession is a private key and, while an operation is under way, a session to use it in, lent by the token's pool
/// after the login and given up when the operation has failed half-way.
class KeySession {
  public:
    KeySession(std::shared_ptr<TokenCore> core, PrivateKey key) : core_(std::move(core)), key_(std::move(key)) {}

    TokenCore& core() const { return *core_; }
    const std::shared_ptr<TokenCore>& shared_core() const { return core_; }
    const PrivateKey& key() const { return key_; }
    std::string name() const;  ///< "key 'LABEL' on token 'LABEL'"

    /// open logs in and returns the session, which stays until release() or discard(). Until then a key that wants a
    /// login for each operation has the token for itself: a login of another thread would be taken for this one. So has
    /// one on a card, which does one thing at a time: nobody goes on before it is known whether it was pulled.
    const Session& open(const std::string& what);
    void release();
    CK_RV discard();  ///< as SessionPool::Loan::discard

    /// begin does what an operation needs between its C_…Init and itself: the context-specific login of a key that
    /// wants one. Throws Error(token), and gives the session up, where the login fails.
    void begin(const std::string& what);

  private:
    std::shared_ptr<TokenCore> core_;
    PrivateKey key_;
    std::unique_ptr<SessionPool::Loan> loan_;
    std::unique_lock<std::recursive_mutex> exclusive_;  // after the loan, which may have to be waited for
};

/// Operation gives a key's session back at the end of its scope; one that an exception leaves gives it up.
class Operation {
  public:
    explicit Operation(KeySession& key) : key_(key) {}
    ~Operation() {
        if (std::uncaught_exceptions() > before_) {
            key_.core().note_trouble();
            key_.discard();
        }
        key_.release();
    }
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

  private:
    KeySession& key_;
    int before_ = std::uncaught_exceptions();
};

/// throw_if_stopped ends in Error(token) where a stop was requested.
void throw_if_stopped(const std::stop_token& stop);

/// is_unsupported says whether a return value means that a mechanism cannot be used this way, so that another may.
bool is_unsupported(CK_RV code);

}  // namespace p11mime::token
