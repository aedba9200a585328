#include "cli/card_return.h"

#include "cli/card_wait.h"

namespace p11mime::cli {

CardReturn::Work::Work(CardReturn& cards) : cards_(cards) {
    std::unique_lock lock(cards_.mutex_);
    cards_.changed_.wait(lock, [&] { return !cards_.waiting_; });
    ++cards_.working_;
    number_ = cards_.returns_;
}

CardReturn::Work::~Work() {
    const std::lock_guard lock(cards_.mutex_);
    --cards_.working_;
    cards_.changed_.notify_all();
}

std::optional<Error> CardReturn::await(std::size_t number, const Error& error) {
    if (error.kind() != ErrorKind::token) return error;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_; });
    if (number != returns_) return std::nullopt;  // somebody has waited for it meanwhile
    if (given_up_) return error;
    const auto lost = run_.lost_tokens();
    if (lost.empty()) return error;
    waiting_ = true;
    changed_.wait(lock, [&] { return working_ == 0; });  // what is still under way fails by itself, or ends well
    lock.unlock();
    const bool back = await_return(run_, lost);
    lock.lock();
    waiting_ = false;
    if (back)
        ++returns_;
    else
        given_up_ = lost.front().why;
    changed_.notify_all();
    return given_up_;
}

}  // namespace p11mime::cli
