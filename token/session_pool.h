#pragma once

#include <condition_variable>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "token/session.h"

namespace p11mime::token {

/// SessionPool keeps read-only sessions of one token open for the operations to come, so that an operation costs no
/// C_OpenSession, and never has more in use than the token has. Safe for several threads.
class SessionPool {
  public:
    /// `calls` is held along with a session where the module takes one thread at a time.
    SessionPool(std::shared_ptr<Module> module, TokenInfo token, std::recursive_mutex& calls)
        : module_(std::move(module)), token_(std::move(token)), calls_(calls) {}

    /// Loan is a session in use by one thread; it goes back when this ends. Whoever has one must not wait for another.
    class Loan {
      public:
        Loan(SessionPool& pool, std::unique_ptr<Session> session);
        ~Loan();
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;

        const Session& session() const { return *session_; }
        void discard() { session_.reset(); }  ///< closes the session, whose state nobody knows

      private:
        SessionPool& pool_;
        std::unique_ptr<Session> session_;
        std::unique_lock<std::recursive_mutex> alone_;
    };

    /// lend opens a session where none is free, and waits for one where the token has no more. Throws CkrError.
    std::unique_ptr<Loan> lend();

    /// limit says how many sessions there may be at a time, at least 1.
    void limit(std::size_t most);

  private:
    std::unique_ptr<Session> take();
    void give_back(std::unique_ptr<Session> session);

    std::shared_ptr<Module> module_;
    TokenInfo token_;
    std::recursive_mutex& calls_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Session>> free_;
    std::size_t open_ = 0;  // free or lent
    std::size_t most_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace p11mime::token
