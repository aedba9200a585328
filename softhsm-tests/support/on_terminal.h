#pragma once

#include <sys/types.h>

#include <string>

#include "softhsm-tests/support/process.h"

namespace p11mime::test {

/// OnTerminal is a program on a terminal of its own. One that is still there at the end is killed.
class OnTerminal {
  public:
    explicit OnTerminal(const Command& command);
    ~OnTerminal();
    OnTerminal(const OnTerminal&) = delete;
    OnTerminal& operator=(const OnTerminal&) = delete;

    /// shows takes in what the program shows for a moment, and is false once it has ended.
    bool shows();
    const std::string& shown() const { return shown_; }
    /// waits_for takes in what the program shows until a text is there; false where it ends without it.
    bool waits_for(const std::string& text);
    /// type types at the program's terminal.
    void type(const std::string& text) const;
    /// status waits for the program's end and returns what waitpid says.
    int status();

  private:
    pid_t child_ = 0;
    int terminal_ = -1;
    std::string shown_;
};

}  // namespace p11mime::test
