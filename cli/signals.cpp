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
termios g_modes{};          // as found
termios g_working_modes{};  // without echo
std::atomic<bool> g_silent{false};
std::atomic<bool> g_resumed{false};
std::atomic<int> g_wake{-1};  // readable once a signal has come

std::array<struct sigaction, 65> g_before{};  // what was done about a signal before a prompt, by its number

// In the background the terminal is somebody else's, and changing it would stop the program (SIGTTOU).
void give_terminal_back() {
    const int terminal = g_terminal.load();
    if (terminal < 0) return;
    const pid_t foreground = ::tcgetpgrp(terminal);
    if (foreground < 0 || foreground == ::getpgrp()) ::tcsetattr(terminal, TCSANOW, &g_modes);
}

void undo() {
    for (const auto& slot : g_files)
        if (const char* file = slot.load()) ::unlink(file);
    give_terminal_back();
}

sigset_t unblock(int number) {
    sigset_t only;
    sigset_t before;
    sigemptyset(&only);
    sigaddset(&only, number);
    pthread_sigmask(SIG_UNBLOCK, &only, &before);
    return before;
}

void end_now(int number) {
    ::signal(number, SIG_DFL);
    unblock(number);
    ::raise(number);
}

// Ends the poll of whoever waits, also where the signal came just before it.
void wake() {
    const std::uint64_t one = 1;
    (void)!::write(g_wake.load(), &one, sizeof one);
}

extern "C" void on_signal(int number) {
    const int saved = errno;
    undo();
    if (number == SIGALRM) end_now(g_signal.load());
    if (g_signal.exchange(number) != 0) end_now(number);
    wake();
    ::alarm(kGraceSeconds);
    errno = saved;
}

// Whether going back from the handler meets the fault again. A signal that was sent, or is a trap, comes once.
bool comes_again(int number, const siginfo_t& info) {
    const bool fault = number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
    return fault && info.si_code > 0;
}

// For what ends a program at once, at a prompt. Whoever handled it before, such as a sanitizer, gets it after that,
// and a fault at the place where it happened.
extern "C" void on_end(int number, siginfo_t* info, void*) {
    undo();
    sigaction(number, &g_before.at(static_cast<std::size_t>(number)), nullptr);
    if (comes_again(number, *info)) return;
    unblock(number);
    ::raise(number);
}

// with_default does something while a signal has its default effect.
template <class Action>
void with_default(int number, Action action) {
    struct sigaction again {};
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(number, &standard, &again);
    const sigset_t before = unblock(number);
    action();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    sigaction(number, &again, nullptr);
}

// Gives the terminal back, stops, and takes it again once the program goes on. In the background that stops it once
// more (SIGTTOU), until it is in the foreground.
extern "C" void on_stop(int number) {
    const int saved = errno;
    give_terminal_back();
    with_default(number, [&] { ::raise(number); });
    if (const int terminal = g_terminal.load(); terminal >= 0 && g_silent.load())
        with_default(SIGTTOU, [&] { ::tcsetattr(terminal, TCSANOW, &g_working_modes); });
    g_resumed.store(true);
    wake();
    errno = saved;
}

void handle(int number, struct sigaction action) {
    struct sigaction before {};
    // nohup's choice stays.
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) return;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    handle(number, action);
}

// On the alternate stack where there is one, since the stack may be what has run out.
struct sigaction ending_action() {
    struct sigaction action {};
    action.sa_sigaction = on_end;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    return action;
}

// Whatever else ends a program by default and can be caught, faults and the real-time signals among it.
template <class Action>
void each_ending_signal(Action action) {
    for (const int number : {SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, SIGABRT,
                             SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
        action(number);
#ifdef SIGSTKFLT
    action(SIGSTKFLT);
#endif
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number)
        action(number);
}

template <class Handler>
void handle_for_prompt(int number, Handler handler) {
    sigaction(number, nullptr, &g_before.at(static_cast<std::size_t>(number)));
    handle(number, handler);
}

void handle_as_before(int number) {
    sigaction(number, &g_before.at(static_cast<std::size_t>(number)), nullptr);
}

}  // namespace

void install_signal_handlers() {
    g_wake.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    ::signal(SIGPIPE, SIG_IGN);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM})
        handle(number, on_signal);
}

int interrupting_signal() {
    return g_signal.load();
}

void throw_if_interrupted() {
    if (g_signal.load() != 0) throw Error(ErrorKind::io, "interrupted");
}

void wait_readable(int fd, const std::function<void()>& resumed) {
    for (;;) {
        throw_if_interrupted();
        std::array<pollfd, 2> wanted{pollfd{fd, POLLIN, 0}, pollfd{g_wake.load(), POLLIN, 0}};
        const bool disturbed = ::poll(wanted.data(), wanted.size(), -1) < 0 || wanted[1].revents != 0;
        throw_if_interrupted();
        if (disturbed) {
            std::uint64_t count = 0;
            (void)!::read(g_wake.load(), &count, sizeof count);
            if (resumed) resumed();
            continue;
        }
        return;  // what is wrong with the descriptor, reading it tells
    }
}

void pause_for(std::chrono::milliseconds longest) {
    pollfd wake{g_wake.load(), POLLIN, 0};
    (void)::poll(&wake, 1, static_cast<int>(longest.count()));
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

TerminalModes::TerminalModes(int terminal, Echo echo) : terminal_(terminal) {
    if (terminal < 0 || ::tcgetattr(terminal, &g_modes) != 0) {
        terminal_ = -1;
        return;
    }
    g_working_modes = g_modes;
    g_silent.store(echo == Echo::off);
    if (echo == Echo::off) g_working_modes.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    g_resumed.store(false);
    g_terminal.store(terminal);
    handle_for_prompt(SIGTSTP, on_stop);
    each_ending_signal([](int number) { handle_for_prompt(number, ending_action()); });
    if (echo == Echo::off) ::tcsetattr(terminal, TCSAFLUSH, &g_working_modes);
    // Only now: in the background the line before is to stop the program, and to go on after that.
    handle_for_prompt(SIGTTIN, on_stop);
    handle_for_prompt(SIGTTOU, on_stop);
}

TerminalModes::~TerminalModes() {
    if (terminal_ < 0) return;
    handle_as_before(SIGTTIN);
    handle_as_before(SIGTTOU);
    ::tcsetattr(terminal_, g_silent.load() ? TCSAFLUSH : TCSANOW, &g_modes);
    g_terminal.store(-1);
    handle_as_before(SIGTSTP);
    each_ending_signal(handle_as_before);
}

bool TerminalModes::take_resumed() {
    return g_resumed.exchange(false);
}

}  // namespace p11mime::cli
