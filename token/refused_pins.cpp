#include "token/refused_pins.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace p11mime::token {

namespace {

struct Refusal {
    std::string owner;
    SecretBytes pin;

    bool is(const std::string& other_owner, const SecretBytes& other) const {
        return owner == other_owner && pin.size() == other.size() &&
               CRYPTO_memcmp(pin.data(), other.data(), pin.size()) == 0;
    }
};

/// Refusals is the process's memory: modules and tokens may be opened anew, the card still counts.
struct Refusals {
    std::mutex mutex;
    std::vector<Refusal> list;
};

Refusals& refusals() {
    static Refusals all;
    return all;
}

}  // namespace

void remember_refused(const std::string& owner, const SecretBytes& pin) {
    if (was_refused(owner, pin)) return;
    Refusals& all = refusals();
    const std::lock_guard lock(all.mutex);
    all.list.push_back({owner, pin.copy()});
}

bool was_refused(const std::string& owner, const SecretBytes& pin) {
    Refusals& all = refusals();
    const std::lock_guard lock(all.mutex);
    return std::any_of(all.list.begin(), all.list.end(), [&](const Refusal& entry) { return entry.is(owner, pin); });
}

void forget_refused(const std::string& owner, const SecretBytes& pin) {
    Refusals& all = refusals();
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.list, [&](const Refusal& entry) { return entry.is(owner, pin); });
}

}  // namespace p11mime::token
