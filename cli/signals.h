#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace p11mime::cli {

/// install_signal_handlers makes SIGINT, SIGTERM, SIGHUP and SIGQUIT undo at once what must not stay (temporary files,
/// a terminal without echo) and then end the program in order: the work stops at the next piece of input, sessions are
/// closed and modules finalised. A second signal, or five seconds, end it at once. SIGPIPE is ignored.
void install_signal_handlers();

/// interrupting_signal is the signal that came, or 0.
int interrupting_signal();

/// throw_if_interrupted throws Error(io) once a signal has come.
void throw_if_interrupted();

/// wait_readable waits for a descriptor to have something to read, or its end. Throws Error(io) once a signal has come,
/// whichever thread got it. `resumed` is called when the program may have been stopped and gone on meanwhile.
void wait_readable(int fd, const std::function<void()>& resumed = {});

/// pause_for sleeps for so long, or until a signal comes.
void pause_for(std::chrono::milliseconds longest);

/// end_by_signal lets a signal that came end the process, so that its parent sees it; it does nothing where none came.
void end_by_signal();

/// RemovedOnSignal has a file removed by the signal handler as long as this lives.
class RemovedOnSignal {
  public:
    /// Throws Error(io) where too many files are to be kept at once.
    explicit RemovedOnSignal(const std::string& path);
    ~RemovedOnSignal();
    RemovedOnSignal(const RemovedOnSignal&) = delete;
    RemovedOnSignal& operator=(const RemovedOnSignal&) = delete;

  private:
    std::string path_;
    std::size_t slot_;
};

/// TerminalModes has the modes of a terminal put back to what they were at the end, on every signal that ends a program
/// and can be caught, and while the program is stopped (SIGTSTP, SIGTTIN, SIGTTOU). One at a time. Without a terminal
/// (-1) it does nothing.
class TerminalModes {
  public:
    enum class Echo { as_is, off };
    TerminalModes(int terminal, Echo echo);
    ~TerminalModes();
    TerminalModes(const TerminalModes&) = delete;
    TerminalModes& operator=(const TerminalModes&) = delete;

    /// take_resumed says whether the program was stopped and went on since this was last asked.
    bool take_resumed();

  private:
    int terminal_;
};

}  // namespace p11mime::cli
