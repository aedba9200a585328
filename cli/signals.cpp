#include "cli/signals.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr unsigned kGraceSeconds = 5;

// A signal handler reaches nothing but what has static storage.
std::atomic<int> g_signal{0};
std::array<std::atomic<const char*>, 4096> g_files{};
std::atomic<int> g_terminal{-1};
termios g_modes{};
std::atomic<int> g_wake{-1};  // readable once a signal has come

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
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(number);
}

extern "C" void on_signal(int number) {
    const int saved = errno;
    undo();
    if (number == SIGALRM) end_now(g_signal.load());
    if (g_signal.exchange(number) != 0) end_now(number);
    const std::uint64_t one = 1;
    (void)!::write(g_wake.load(), &one, sizeof one);
    ::alarm(kGraceSeconds);
    errno = saved;
}

}  // namespace

void install_signal_handlers() {
    g_wake.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
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

void wait_readable(int fd) {
    for (;;) {
        throw_if_interrupted();
        std::array<pollfd, 2> wanted{pollfd{fd, POLLIN, 0}, pollfd{g_wake.load(), POLLIN, 0}};
        if (::poll(wanted.data(), wanted.size(), -1) < 0 && errno == EINTR) continue;
        throw_if_interrupted();
        return;  // what is wrong with the descriptor, reading it tells
    }
}

void end_by_signal() {
    if (const int number = g_signal.load(); number != 0) end_now(number);
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
