#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "token/session.h"

namespace p11mime::token {

/// SessionPool keeps read-only sessions of one token open for searches and operations to come, so that these cost no
/// C_OpenSession, and never has more in use than the token has. A login ends with a token's last session, so once there
/// was one there stays one, where the token allows. Safe for several threads.
class SessionPool {
  public:
    /// `calls` is held along with a session where the module takes one thread at a time.
    SessionPool(std::shared_ptr<Module> module, TokenInfo token, std::recursive_mutex& calls);

    /// Loan is a session in use by one thread; it goes back when this ends. Whoever has one, or holds `calls`, must not
    /// wait for another.
    class Loan {
      public:
        explicit Loan(SessionPool& pool) : pool_(pool), session_(pool.take()), alone_(pool.alone()) {}
        ~Loan() { pool_.give_back(std::move(session_)); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;

        const Session& session() const { return *session_; }
        /// discard closes the session, whose state nobody knows: CKR_OK. The last one, which keeps the login, stays
        /// where no other can be opened in its place: the code of that, CKR_SESSION_COUNT where the token has but one.
        CK_RV discard() { return pool_.discard(session_); }

      private:
        SessionPool& pool_;
        std::unique_ptr<Session> session_;
        std::unique_lock<std::recursive_mutex> alone_;
    };

    /// lend opens a session where none is free, and waits for one where the token has no more. Throws CkrError.
    std::unique_ptr<Loan> lend() { return std::make_unique<Loan>(*this); }

    /// close closes the sessions that are not lent, and with the last one ends the login.
    void close();

    /// retire does so for good: what is lent is closed when it comes back, and lend throws CkrError
    /// (CKR_DEVICE_REMOVED).
    void retire();

  private:
    std::unique_ptr<Session> open() const;
    std::unique_lock<std::recursive_mutex> alone() const;
    std::unique_ptr<Session> take();
    void give_back(std::unique_ptr<Session> session);
    CK_RV discard(std::unique_ptr<Session>& session);

    std::shared_ptr<Module> module_;
    TokenInfo token_;
    std::recursive_mutex& calls_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Session>> free_;
    std::size_t open_ = 0;     // free, lent or being opened
    std::size_t opening_ = 0;  // being opened, which may fail
    std::size_t most_;         // at least 1
    bool retired_ = false;
};

}  // namespace p11mime::token
