#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <string_view>

#include "softhsm-tests/support/desk.h"

namespace p11mime::test {

/// ask_on_terminal has a desk's programs ask for PINs themselves, whatever display or GPG_TTY the test runs with.
void ask_on_terminal(Desk& desk);

/// TerminalProgram is a program in the foreground of a pseudo-terminal, under a session leader as a shell is one, so
/// that it can be stopped. Whatever is left of the session is killed when this ends. What takes longer than a minute
/// throws std::runtime_error with what the terminal shows.
class TerminalProgram {
  public:
    /// Standard input, output and error are the terminal; `input` and the like of the command are not used.
    explicit TerminalProgram(const Command& command);
    ~TerminalProgram();
    TerminalProgram(const TerminalProgram&) = delete;
    TerminalProgram& operator=(const TerminalProgram&) = delete;

    /// wait_for waits until the terminal has shown a text, since the last such wait.
    void wait_for(std::string_view text);
    /// wait_for_prompt waits for a text and for the echo to go off.
    void wait_for_prompt(std::string_view text);
    void wait_for_echo(bool on);
    /// shows takes in what the program shows for a moment, and is false once nothing has the terminal open any more.
    bool shows();
    void type(std::string_view keys);

    void signal(int number) const;
    void wait_until_stopped();
    /// wait_for_end returns the exit status: 128 and the signal's number where a signal ended the program. No other
    /// program is left in the session then.
    int wait_for_end();

    termios modes() const;
    const termios& modes_before() const { return before_; }
    const std::string& shown() const { return shown_; }

  private:
    template <class Condition>
    void wait_until(const std::string& what, Condition condition);

    int terminal_ = -1;
    pid_t leader_ = -1;
    pid_t program_ = -1;
    termios before_{};
    std::string shown_;
    std::size_t seen_ = 0;  // how much of it was waited for
    bool ended_ = false;
};

}  // namespace p11mime::test
