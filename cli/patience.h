#pragma once

#include <chrono>

namespace p11mime::cli {

/// Patience is the time that one mail has for its questions to servers, which whoever made the certificates has chosen.
/// For one thread at a time.
class Patience {
  public:
    explicit Patience(std::chrono::milliseconds all) : left_(all), share_(all / 3), prompt_(all / 30) {}

    std::chrono::milliseconds left() const { return left_; }
    /// share is what a server that works has answered a question in.
    std::chrono::milliseconds share() const { return share_; }
    /// fair says whether enough is left to tell a server that does not work from one that had no time.
    bool fair() const { return left_ >= share_; }

    /// spend calls `ask` and takes off the time that it takes. Who answers at once takes nothing off: a mail may have
    /// hundreds of recipients.
    template <class Ask>
    auto spend(const Ask& ask) {
        struct Meter {
            Patience& patience;
            Clock::time_point begun = Clock::now();
            ~Meter() { patience.take_off(std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begun)); }
        } meter{*this};
        return ask();
    }

  private:
    using Clock = std::chrono::steady_clock;
    void take_off(std::chrono::milliseconds taken) {
        if (taken > prompt_) left_ -= taken;
    }

    std::chrono::milliseconds left_;
    std::chrono::milliseconds share_;
    std::chrono::milliseconds prompt_;
};

}  // namespace p11mime::cli
