#include "token/session_pool.h"

#include <algorithm>

#include "token/ckr.h"

namespace p11mime::token {

SessionPool::Loan::Loan(SessionPool& pool, std::unique_ptr<Session> session)
    : pool_(pool), session_(std::move(session)) {
    if (!pool_.module_->threads()) alone_ = std::unique_lock(pool_.calls_);
}

SessionPool::Loan::~Loan() {
    pool_.give_back(std::move(session_));
}

std::unique_ptr<SessionPool::Loan> SessionPool::lend() {
    return std::make_unique<Loan>(*this, take());
}

std::unique_ptr<Session> SessionPool::take() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return !free_.empty() || open_ < most_; });
        if (!free_.empty()) {
            auto session = std::move(free_.back());
            free_.pop_back();
            return session;
        }
        ++open_;
        lock.unlock();
        CK_RV code = CKR_OK;
        try {
            return std::make_unique<Session>(module_, token_, Session::Access::read_only);
        } catch (const CkrError& error) {
            code = error.code();
            lock.lock();
            --open_;
            changed_.notify_one();
            // Other programs have sessions too, so the token may have fewer than it says.
            if (code != CKR_SESSION_COUNT || open_ == 0) throw;
            most_ = open_;
        }
    }
}

void SessionPool::give_back(std::unique_ptr<Session> session) {
    const std::lock_guard lock(mutex_);
    if (session)
        free_.push_back(std::move(session));
    else
        --open_;
    changed_.notify_one();
}

void SessionPool::limit(std::size_t most) {
    const std::lock_guard lock(mutex_);
    most_ = std::min(most_, std::max<std::size_t>(most, 1));
}

}  // namespace p11mime::token
