#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>

#include "cli/run.h"

namespace p11mime::cli {

/// CardReturn lets a batch go on after its card was pulled: whoever works with tokens says so, and a mail that failed
/// for the loss of one is done again once it is back. Safe for several threads.
class CardReturn {
  public:
    explicit CardReturn(Run& run) : run_(run) {}

    /// Work is a stretch of work with tokens, in one thread; it waits to begin while a card is waited for.
    class Work {
      public:
        explicit Work(CardReturn& cards);
        ~Work();
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;

        std::size_t number() const { return number_; }

      private:
        CardReturn& cards_;
        std::size_t number_;
    };

    /// await returns nothing where work that failed with `error` is to be done again: its token was lost and is back;
    /// else the error to report. `number` is of that work, which has ended. Nobody waits twice: what was not back in
    /// time is given up.
    std::optional<Error> await(std::size_t number, const Error& error);

  private:
    Run& run_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t working_ = 0;
    std::size_t returns_ = 0;  // how often all tokens were found afresh
    bool waiting_ = false;
    std::optional<Error> given_up_;  // why a token that was not back in time was lost
};

}  // namespace p11mime::cli
