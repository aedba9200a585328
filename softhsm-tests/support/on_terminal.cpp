#include "softhsm-tests/support/on_terminal.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

namespace p11mime::test {

namespace {

[[noreturn]] void become(const Command& command) {
    for (const auto& [name, value] : command.environment)
        setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> arguments;
    for (const std::string& argument : command.arguments)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execv(arguments.front(), arguments.data());
    _exit(127);
}

}  // namespace

OnTerminal::OnTerminal(const Command& command) {
    child_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (child_ < 0) throw std::runtime_error("no terminal");
    if (child_ == 0) become(command);
}

OnTerminal::~OnTerminal() {
    if (child_ > 0) kill(child_, SIGKILL);
    (void)status();
    close(terminal_);
}

bool OnTerminal::shows() {
    pollfd wanted{terminal_, POLLIN, 0};
    if (poll(&wanted, 1, 10) == 0) return true;
    char buffer[4096];
    const ssize_t got = read(terminal_, buffer, sizeof buffer);
    if (got > 0) shown_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
}

bool OnTerminal::waits_for(const std::string& text) {
    while (shown_.find(text) == std::string::npos)
        if (!shows()) return shown_.find(text) != std::string::npos;
    return true;
}

void OnTerminal::type(const std::string& text) const {
    (void)!write(terminal_, text.data(), text.size());  // one that has ended takes nothing any more
}

int OnTerminal::status() {
    int status = -1;
    if (child_ > 0) waitpid(std::exchange(child_, 0), &status, 0);
    return status;
}

}  // namespace p11mime::test
