#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace p11mime::cli {

/// OnceEach makes a value for each key once and keeps it. Threads that want the same one wait for the thread that makes
/// it; nobody waits for another.
template <class T>
class OnceEach {
  public:
    /// get is what `make` gave for the key at the first call that did not throw.
    template <class Make>
    const T& get(const std::string& key, const Make& make) {
        Entry& entry = entry_of(key);
        std::call_once(entry.once, [&] {
            entry.value = make();
            entry.made = true;
        });
        return *entry.value;
    }

    /// find is what has been made by now; null where nothing has.
    const T* find(const std::string& key) const {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        return found != entries_.end() && found->second.made ? &*found->second.value : nullptr;
    }

  private:
    struct Entry {
        std::once_flag once;
        std::atomic<bool> made = false;
        std::optional<T> value;
    };

    Entry& entry_of(const std::string& key) {
        const std::lock_guard lock(mutex_);
        return entries_[key];
    }

    mutable std::mutex mutex_;  // of the map, whose entries stay where they are
    std::map<std::string, Entry> entries_;
};

}  // namespace p11mime::cli
