#include "token/refused_pins.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace p11mime::token {

namespace {

enum class Reason { refused, in_doubt };

struct Entry {
    std::string owner;
    SecretBytes pin;
    Reason reason;

    bool is(const std::string& other_owner, const SecretBytes& other) const {
        return owner == other_owner && pin.size() == other.size() &&
               CRYPTO_memcmp(pin.data(), other.data(), pin.size()) == 0;
    }
};

/// Memory is the process's: modules and tokens may be opened anew, the card still counts.
struct Memory {
    std::mutex mutex;
    std::vector<Entry> entries;
};

Memory& memory() {
    static Memory all;
    return all;
}

bool remembers(const std::string& owner, const SecretBytes& pin, Reason reason) {
    Memory& all = memory();
    const std::lock_guard lock(all.mutex);
    return std::any_of(all.entries.begin(), all.entries.end(),
                       [&](const Entry& entry) { return entry.reason == reason && entry.is(owner, pin); });
}

void remember(const std::string& owner, const SecretBytes& pin, Reason reason) {
    if (remembers(owner, pin, reason)) return;
    Memory& all = memory();
    const std::lock_guard lock(all.mutex);
    all.entries.push_back({owner, pin.copy(), reason});
}

}  // namespace

void remember_refused(const std::string& owner, const SecretBytes& pin) {
    remember(owner, pin, Reason::refused);
}

bool was_refused(const std::string& owner, const SecretBytes& pin) {
    return remembers(owner, pin, Reason::refused);
}

void remember_in_doubt(const std::string& owner, const SecretBytes& pin) {
    remember(owner, pin, Reason::in_doubt);
}

bool is_in_doubt(const std::string& owner, const SecretBytes& pin) {
    return remembers(owner, pin, Reason::in_doubt);
}

void forget_refused(const std::string& owner, const SecretBytes& pin) {
    Memory& all = memory();
    const std::lock_guard lock(all.mutex);
    std::erase_if(all.entries, [&](const Entry& entry) { return entry.is(owner, pin); });
}

}  // namespace p11mime::token
