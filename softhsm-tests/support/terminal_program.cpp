#include "softhsm-tests/support/terminal_program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

extern char** environ;

namespace p11mime::test {

namespace {

constexpr auto kPatience = std::chrono::minutes(1);
constexpr int kPoll = 10;  // milliseconds

/// Line is a command as execvpe takes it.
class Line {
  public:
    explicit Line(std::vector<std::string> words) : words_(std::move(words)) {
        for (std::string& word : words_)
            pointers_.push_back(word.data());
        pointers_.push_back(nullptr);
    }
    char** data() { return pointers_.data(); }

  private:
    std::vector<std::string> words_;
    std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(const Command& command) {
    std::map<std::string, std::string> all = command.environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::size_t equals = text.find('=');
        all.emplace(text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1));
    }
    std::vector<std::string> entries;
    for (const auto& [name, value] : all)
        entries.push_back(name + "=" + value);
    return entries;
}

/// lead is what the leader of the session does: it puts the program into the foreground, tells its number, and ends as
/// it ends.
[[noreturn]] void lead(Line& arguments, Line& variables, int report) {
    const pid_t program = fork();
    if (program == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        execvpe(arguments.data()[0], arguments.data(), variables.data());
        _exit(127);
    }
    for (const int number : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP})
        signal(number, SIG_IGN);
    (void)!write(report, &program, sizeof program);
    int status = 0;
    waitpid(program, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/// Entry is what /proc says of a process: its state and its session.
struct Entry {
    char state = 'X';
    pid_t session = -1;
};

Entry entry_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');
    Entry entry;
    if (name_end == std::string::npos) return entry;
    std::istringstream fields(text.substr(name_end + 1));
    pid_t parent = 0;
    pid_t group = 0;
    fields >> entry.state >> parent >> group >> entry.session;
    return entry;
}

/// session_members are the processes of a session that still run.
std::vector<pid_t> session_members(pid_t session) {
    std::vector<pid_t> members;
    for (const auto& directory : std::filesystem::directory_iterator("/proc")) {
        const pid_t pid = std::atoi(directory.path().filename().c_str());
        if (pid <= 0) continue;
        const Entry entry = entry_of(pid);
        if (entry.session == session && entry.state != 'Z' && entry.state != 'X') members.push_back(pid);
    }
    return members;
}

}  // namespace

void ask_on_terminal(Desk& desk) {
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "GPG_TTY"})
        desk.environment[name] = "";
}

TerminalProgram::TerminalProgram(const Command& command) {
    Line arguments(command.arguments);
    Line variables(environment_of(command));
    std::array<int, 2> report{};
    if (pipe2(report.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const winsize size{.ws_row = 25, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    leader_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (leader_ == 0) lead(arguments, variables, report[1]);
    if (leader_ < 0) throw std::runtime_error("no pseudo-terminal");
    fcntl(terminal_, F_SETFD, FD_CLOEXEC);
    tcgetattr(terminal_, &before_);
    close(report[1]);
    const bool told = read(report[0], &program_, sizeof program_) == sizeof program_;
    close(report[0]);
    if (!told) throw std::runtime_error("the session did not begin");
}

TerminalProgram::~TerminalProgram() {
    for (const pid_t pid : session_members(leader_))
        kill(pid, SIGKILL);
    if (!ended_) waitpid(leader_, nullptr, 0);
    close(terminal_);
}

bool TerminalProgram::shows() {
    pollfd wanted{.fd = terminal_, .events = POLLIN, .revents = 0};
    if (poll(&wanted, 1, kPoll) <= 0) return true;
    std::array<char, 4096> buffer{};
    const ssize_t count = read(terminal_, buffer.data(), buffer.size());
    if (count <= 0) return false;  // nobody has the terminal open any more
    shown_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
}

template <class Condition>
void TerminalProgram::wait_until(const std::string& what, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    bool open = true;
    while (!condition()) {
        if (!open || std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("waited in vain for " + what + "; the terminal shows:\n" + shown_);
        open = shows();
    }
}

void TerminalProgram::wait_for(std::string_view text) {
    wait_until("'" + std::string(text) + "'", [&] { return shown_.find(text, seen_) != std::string::npos; });
    seen_ = shown_.find(text, seen_) + text.size();
}

void TerminalProgram::wait_for_echo(bool on) {
    wait_until(on ? "the echo" : "the echo to go off", [&] { return ((modes().c_lflag & ECHO) != 0) == on; });
}

void TerminalProgram::wait_for_prompt(std::string_view text) {
    wait_for(text);
    wait_for_echo(false);
}

void TerminalProgram::type(std::string_view keys) {
    if (write(terminal_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
        throw std::runtime_error("cannot type");
}

void TerminalProgram::signal(int number) const {
    kill(program_, number);
}

void TerminalProgram::wait_until_stopped() {
    wait_until("the program to stop", [&] { return entry_of(program_).state == 'T'; });
}

int TerminalProgram::wait_for_end() {
    int status = -1;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (waitpid(leader_, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("the program does not end; the terminal shows:\n" + shown_);
        if (!shows()) usleep(kPoll * 1000);
    }
    ended_ = true;
    while (!session_members(leader_).empty()) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("a program is left in the session");
        usleep(kPoll * 1000);
    }
    pollfd rest{.fd = terminal_, .events = POLLIN, .revents = 0};
    while (poll(&rest, 1, 0) > 0 && (rest.revents & POLLIN) != 0 && shows()) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

termios TerminalProgram::modes() const {
    termios modes{};
    tcgetattr(terminal_, &modes);
    return modes;
}

}  // namespace p11mime::test
