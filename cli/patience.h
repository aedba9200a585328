#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace p11mime::cli {

/// Patience is the time that one mail has for its questions to servers, which whoever made the certificates has chosen.
/// For one thread at a time.
class Patience {
  public:
    explicit Patience(std::chrono::milliseconds all)
        : left_(all), extra_(all), share_(all / 3), least_(all / 15), prompt_(all / 30), forgivable_(4 * all) {}

    std::chrono::milliseconds left() const { return part_ == nullptr ? left_ : part_->left; }
    /// share is what a server that works has answered a question in.
    std::chrono::milliseconds share() const { return share_; }
    /// fair says whether enough is left to tell a server that does not work from one that had no time.
    bool fair() const { return left() >= share_; }

    /// Part is what the questions about one certificate may take.
    struct Part {
        std::chrono::milliseconds left;
    };
    /// part is two thirds of what is left, as there may be others to ask about, and where that is little, enough for a
    /// server that works; as often as takes no longer than all together might, then nothing.
    Part part() {
        Part own{left_ * 2 / 3};
        if (own.left >= least_) return own;
        own.left = std::min(least_, extra_);
        extra_ -= own.left;
        return own;
    }
    /// turn tells whose part questions take from now on.
    void turn(Part& part) { part_ = &part; }

    /// spend calls `ask` and takes off the time that it takes.
    template <class Ask>
    auto spend(const Ask& ask) {
        struct Meter {
            Patience& patience;
            Clock::time_point begun = Clock::now();
            ~Meter() {
                patience.last_ = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - begun);
                patience.take_off(patience.last_);
            }
        } meter{*this};
        return ask();
    }

    /// forgive gives back what the last question took, where it told what was asked, and at once: a mail may have
    /// hundreds of recipients. There is an end to that too.
    void forgive() {
        const auto taken = std::exchange(last_, std::chrono::milliseconds(0));
        if (taken > prompt_ || taken > forgivable_) return;
        take_off(-taken);
        forgivable_ -= taken;
    }

  private:
    using Clock = std::chrono::steady_clock;
    void take_off(std::chrono::milliseconds taken) {
        left_ -= taken;
        if (part_ != nullptr) part_->left -= taken;
    }

    std::chrono::milliseconds left_;
    std::chrono::milliseconds extra_;  // for parts where others have left too little
    std::chrono::milliseconds share_;
    std::chrono::milliseconds least_;  // of a part
    std::chrono::milliseconds prompt_;
    std::chrono::milliseconds forgivable_;
    std::chrono::milliseconds last_{0};
    Part* part_ = nullptr;  // of whom questions are about
};

}  // namespace p11mime::cli
