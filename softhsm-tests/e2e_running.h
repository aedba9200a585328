#pragma once

#include <signal.h>

#include "softhsm-tests/support/desk.h"
#include "softhsm-tests/support/office.h"

namespace p11mime::test {

/// Running is p11mime beside the test, which meanwhile moves cards.
class Running {
  public:
    Running(const Desk& desk, const Arguments& arguments)
        : log_(desk.path("running.log")), program_(wrapped(desk.p11mime_command(arguments)), fresh(log_)) {}

    std::string said() const { return read_file(log_); }
    /// wait_for waits for words that it says.
    void wait_for(const std::string& words) {
        wait_until([&] { return said().find(words) != std::string::npos || !program_.running(); }, words);
        if (said().find(words) == std::string::npos) throw std::runtime_error("it ended and said: " + said());
    }
    /// stop keeps it from running until go_on; it stands still when this returns.
    void stop() const {
        ::kill(pid(), SIGSTOP);
        const std::string state = "/proc/" + std::to_string(pid()) + "/stat";
        wait_until([&] { return read_file(state).find(") T ") != std::string::npos; }, "its stop");
    }
    void go_on() const { ::kill(pid(), SIGCONT); }
    /// status waits for its end.
    int status() {
        wait_until([&] { return !program_.running(); }, "the end of the program, which said: " + said());
        const std::string all = said();
        return std::stoi(all.substr(all.rfind("\nstatus ") + 8));
    }

  private:
    // The shell's only child is the program.
    pid_t pid() const {
        const std::string shell = std::to_string(program_.pid());
        return std::stoi(read_file("/proc/" + shell + "/task/" + shell + "/children"));
    }
    static Command wrapped(Command command) {
        command.arguments.insert(
            command.arguments.begin(),
            {"sh", "-c", "setpriv --pdeathsig KILL -- \"$@\"; s=$?; echo; echo \"status $s\"", "sh"});
        return command;
    }
    static const std::string& fresh(const std::string& log) {
        write_file(log, "");
        return log;
    }

    std::string log_;
    Background program_;
};

}  // namespace p11mime::test
