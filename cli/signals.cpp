#include "cli/signals.h"

#include <fmt/format.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr unsigned kGraceSeconds = 5;

// A signal handler reaches nothing but what has static storage.
std::atomic<int> g_signal{0};
std::array<std::atomic<const char*>, 4096> g_files{};
std::atomic<int> g_terminal{-1};
termios g_modes{};

void undo() {
    for (const auto& slot : g_files)
        if (const char* file = slot.load()) ::unlink(file);
    if (const int terminal = g_terminal.load(); terminal >= 0) ::tcsetattr(terminal, TCSANOW, &g_modes);
}

void end_now(int number) {
    ::signal(number, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(number);
}

extern "C" void on_signal(int number) {
    const int saved = errno;
    undo();
    if (number == SIGALRM) end_now(g_signal.load());
    if (g_signal.exchange(number) != 0) end_now(number);
    ::alarm(kGraceSeconds);
    errno = saved;
}

}  // namespace

void install_signal_handlers() {
    ::signal(SIGPIPE, SIG_IGN);
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGALRM}) {
        struct sigaction before {};
        // nohup's choice stays.
        if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
        sigaction(number, &action, nullptr);
    }
}

int interrupting_signal() {
    return g_signal.load();
}

void throw_if_interrupted() {
    if (g_signal.load() != 0) throw Error(ErrorKind::io, "interrupted");
}

void end_by_signal() {
    if (const int number = g_signal.load(); number != 0) end_now(number);
}

SignalsHeld::SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before_);
}

SignalsHeld::~SignalsHeld() {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

RemovedOnSignal::RemovedOnSignal(const std::string& path) : path_(path), slot_(0) {
    for (; slot_ < g_files.size(); ++slot_) {
        const char* expected = nullptr;
        if (g_files[slot_].compare_exchange_strong(expected, path_.c_str())) return;
    }
    throw Error(ErrorKind::io, fmt::format("more than {} output files at once", g_files.size()));
}

RemovedOnSignal::~RemovedOnSignal() {
    g_files[slot_].store(nullptr);
}

EchoOff::EchoOff(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &g_modes) != 0) {
        terminal_ = -1;
        return;
    }
    g_terminal.store(terminal);
    termios silent = g_modes;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program would leave the shell without echo
    ::tcsetattr(terminal, TCSAFLUSH, &silent);
}

EchoOff::~EchoOff() {
    if (terminal_ < 0) return;
    ::tcsetattr(terminal_, TCSAFLUSH, &g_modes);
    g_terminal.store(-1);
}

}  // namespace p11mime::cli
