#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace p11mime::test {

/// Command is a program to run.
struct Command {
    std::vector<std::string> arguments;              ///< the program first, looked up in PATH
    std::map<std::string, std::string> environment;  ///< added to the test's own
    std::string input;                               ///< standard input, through a pipe
    std::string input_file;                          ///< standard input from this file instead
    /// generate makes the standard input on the fly instead: piece by piece, "" at the end.
    std::function<std::string_view()> generate;
    /// consume takes the standard output piece by piece instead of its being collected.
    std::function<void(std::string_view)> consume;
    std::string directory;  ///< to run in; "" for the test's own
    std::chrono::seconds timeout{120};
};

/// Outcome is how a program ended.
struct Outcome {
    int status = 0;  ///< exit status; 128 and the signal's number where a signal ended it, as a shell has it
    std::string out;
    std::string err;
    std::uint64_t peak_kib = 0;  ///< peak resident memory (what VmHWM says at the end), in KiB
};

/// run_process runs a program to its end. One that outlives its time is killed, and std::runtime_error thrown.
Outcome run_process(const Command& command);

/// Background is a program that runs beside the test and ends with it, whatever happens to the test.
class Background {
  public:
    /// The program's input is empty; what it says goes to the file `log`.
    Background(const Command& command, const std::string& log);
    ~Background() { kill(); }
    Background(Background&& other) noexcept;
    Background& operator=(Background&&) = delete;

    pid_t pid() const { return pid_; }
    /// running says whether it has not ended by itself.
    bool running();
    /// kill ends it with SIGKILL and waits for its end.
    void kill();

  private:
    pid_t pid_ = 0;  // 0 once it has ended
};

/// wait_until waits for a condition; std::runtime_error after a minute, with what was waited for.
void wait_until(const std::function<bool()>& condition, const std::string& what);

}  // namespace p11mime::test
