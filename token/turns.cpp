#include "token/turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace p11mime::token {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenTries{2};

}  // namespace

void Turns::lock(int operation) {
    const auto deadline = Clock::now() + longest_wait_;
    while (flock(descriptor_, operation | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return;
        if (waited_in_vain_) return;
        waited_in_vain_ = Clock::now() >= deadline;
        if (!waited_in_vain_) std::this_thread::sleep_for(kBetweenTries);
    }
}

void Turns::begin(Kind kind) {
    mutex_.lock();
    if (depth_++ > 0 || file_.empty()) return;
    descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor_ >= 0) lock(kind == Kind::login ? LOCK_EX : LOCK_SH);
}

void Turns::end() {
    if (--depth_ == 0 && descriptor_ >= 0) close(std::exchange(descriptor_, -1));
    mutex_.unlock();
}

}  // namespace p11mime::token
