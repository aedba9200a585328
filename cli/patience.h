#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace p11mime::cli {

/// Patience is the time that one mail has for its questions to servers, which whoever made the certificates has chosen.
/// For one thread at a time.
class Patience {
  public:
    explicit Patience(std::chrono::milliseconds all)
        : all_(all), left_(all), share_(all / 3), prompt_(all / 30), forgivable_(4 * all) {}

    std::chrono::milliseconds left() const { return left_ - reserved_; }
    /// share is what a server that works has answered a question in.
    std::chrono::milliseconds share() const { return share_; }
    /// fair says whether enough is left to tell a server that does not work from one that had no time.
    bool fair() const { return left() >= share_; }

    /// begin tells that what is asked from now on is about another signer.
    void begin() { by_others_ = all_ - left_; }
    /// starved says whether it would be fair but for the questions about others.
    bool starved() const { return !fair() && left() + by_others_ >= share_; }
    /// reserve keeps something for the questions about so many other certificates of a path.
    void reserve(std::size_t others) {
        reserved_ = std::min(all_ / 2, all_ / 6 * static_cast<int>(std::min<std::size_t>(others, 3)));
    }

    /// spend calls `ask` and takes off the time that it takes.
    template <class Ask>
    auto spend(const Ask& ask) {
        struct Meter {
            Patience& patience;
            Clock::time_point begun = Clock::now();
            ~Meter() { patience.take_off(std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begun)); }
        } meter{*this};
        return ask();
    }

    /// forgive gives back what the last question took, where it told what was asked, and at once: a mail may have
    /// hundreds of recipients. There is an end to that too.
    void forgive() {
        const auto taken = std::exchange(last_, std::chrono::milliseconds(0));
        if (taken > prompt_ || taken > forgivable_) return;
        left_ += taken;
        forgivable_ -= taken;
    }

  private:
    using Clock = std::chrono::steady_clock;
    void take_off(std::chrono::milliseconds taken) {
        left_ -= taken;
        last_ = taken;
    }

    std::chrono::milliseconds all_;
    std::chrono::milliseconds left_;
    std::chrono::milliseconds share_;
    std::chrono::milliseconds prompt_;
    std::chrono::milliseconds forgivable_;
    std::chrono::milliseconds last_{0};
    std::chrono::milliseconds by_others_{0};
    std::chrono::milliseconds reserved_{0};
};

}  // namespace p11mime::cli
