#include "token/turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace p11mime::token {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestWait{20};  // a login to a slow card takes a few, and several may come before
constexpr std::chrono::milliseconds kBetweenTries{2};

void lock(int descriptor, int operation) {
    const auto deadline = Clock::now() + kLongestWait;
    while (flock(descriptor, operation | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return;
        if (Clock::now() > deadline) return;
        std::this_thread::sleep_for(kBetweenTries);
    }
}

}  // namespace

void Turns::begin(Kind kind) {
    mutex_.lock();
    if (depth_++ > 0) return;
    descriptor_ = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ >= 0) lock(descriptor_, kind == Kind::login ? LOCK_EX : LOCK_SH);
}

void Turns::end() {
    if (--depth_ == 0 && descriptor_ >= 0) close(std::exchange(descriptor_, -1));
    mutex_.unlock();
}

}  // namespace p11mime::token
