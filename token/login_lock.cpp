#include "token/login_lock.h"

#include <map>
#include <string>
#include <utility>

namespace p11mime::token {

namespace {

/// Locks are the process's, one a token, and stay: there are few tokens.
struct Locks {
    std::mutex mutex;
    std::map<std::pair<std::string, std::string>, std::mutex> by_token;
};

Locks& locks() {
    static Locks all;
    return all;
}

}  // namespace

std::unique_lock<std::mutex> lock_login(const TokenInfo& token) {
    std::unique_lock finding(locks().mutex);
    std::mutex& found = locks().by_token[{token.serial, token.label}];
    finding.unlock();
    return std::unique_lock(found);
}

}  // namespace p11mime::token
