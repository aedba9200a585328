#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace p11mime::cli {

/// FetchedOnce keeps what was fetched under a key (a URL, say), so that each is fetched once. Safe for several threads:
/// who asks for what another fetches waits for it, and nobody else does. What is thrown is not kept.
template <class Answer>
class FetchedOnce {
  public:
    const Answer& at(const std::string& key, const std::function<Answer()>& fetch) {
        const std::shared_ptr<Slot> slot = slot_of(key);
        const std::lock_guard lock(slot->mutex);
        if (!slot->answer) slot->answer = fetch();
        return *slot->answer;
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return slots_.size();
    }

  private:
    struct Slot {
        std::mutex mutex;
        std::optional<Answer> answer;  // never changed once it is there
    };

    std::shared_ptr<Slot> slot_of(const std::string& key) {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<Slot>& slot = slots_[key];
        if (!slot) slot = std::make_shared<Slot>();
        return slot;
    }

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Slot>> slots_;
};

}  // namespace p11mime::cli
