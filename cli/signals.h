#pragma once

#include <cstddef>
#include <string>

namespace p11mime::cli {

/// install_signal_handlers makes SIGINT, SIGTERM and SIGHUP undo at once what must not stay (temporary files, a
/// terminal without echo) and then end the program in order: the work stops at the next piece of input, sessions are
/// closed and modules finalised. A second signal, or five seconds, end it at once. SIGPIPE is ignored.
void install_signal_handlers();

/// interrupting_signal is the signal that came, or 0.
int interrupting_signal();

/// throw_if_interrupted throws Error(io) once a signal has come.
void throw_if_interrupted();

/// wait_readable waits for a descriptor to have something to read, or its end. Throws Error(io) once a signal has come,
/// whichever thread got it.
void wait_readable(int fd);

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

/// EchoOff turns the echo of a terminal off and back on, on a signal too.
class EchoOff {
  public:
    explicit EchoOff(int terminal);
    ~EchoOff();
    EchoOff(const EchoOff&) = delete;
    EchoOff& operator=(const EchoOff&) = delete;

  private:
    int terminal_;
};

}  // namespace p11mime::cli
