#include "token/session_pool.h"

#include <limits>

#include "token/ckr.h"

namespace p11mime::token {

SessionPool::SessionPool(std::shared_ptr<Module> module, TokenInfo token, std::recursive_mutex& calls)
    : module_(std::move(module)),
      token_(std::move(token)),
      calls_(calls),
      most_(token_.most_sessions.value_or(std::numeric_limits<std::size_t>::max())) {}

std::unique_ptr<Session> SessionPool::open() const {
    return std::make_unique<Session>(module_, token_, Session::Access::read_only);
}

std::unique_lock<std::recursive_mutex> SessionPool::alone() const {
    return module_->threads() ? std::unique_lock<std::recursive_mutex>() : std::unique_lock(calls_);
}

std::unique_ptr<Session> SessionPool::take() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return retired_ || !free_.empty() || open_ < most_; });
        if (retired_) throw CkrError(CKR_DEVICE_REMOVED, token_name(token_), "open a session");
        if (!free_.empty()) {
            auto session = std::move(free_.back());
            free_.pop_back();
            return session;
        }
        ++open_;
        ++opening_;
        lock.unlock();
        try {
            const auto alone_now = alone();
            auto session = open();
            lock.lock();
            --opening_;
            return session;
        } catch (const CkrError& error) {
            lock.lock();
            --opening_;
            --open_;
            changed_.notify_one();
            // Other programs have sessions too, so the token may have fewer than it says.
            if (error.code() != CKR_SESSION_COUNT || open_ == 0) throw;
            most_ = open_;
        }
    }
}

void SessionPool::give_back(std::unique_ptr<Session> session) {
    const std::lock_guard lock(mutex_);
    if (session && !retired_) free_.push_back(std::move(session));
    changed_.notify_one();
}

/// discard opens another session before it closes the last one, with which the login and the handles of private objects
/// would end.
CK_RV SessionPool::discard(std::unique_ptr<Session>& session) {
    const std::lock_guard lock(mutex_);
    if (open_ - opening_ > 1) {
        session.reset();
        --open_;
        return CKR_OK;
    }
    try {
        session = open();
        return CKR_OK;
    } catch (const CkrError& error) {
        return error.code();
    }
}

void SessionPool::close() {
    const std::lock_guard lock(mutex_);
    open_ -= free_.size();
    free_.clear();
    changed_.notify_all();
}

void SessionPool::retire() {
    {
        const std::lock_guard lock(mutex_);
        retired_ = true;
    }
    close();
}

}  // namespace p11mime::token
