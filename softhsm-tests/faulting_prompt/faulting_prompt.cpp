// A library to preload that has a program fault where it waits for a person at a prompt, after a handler of its own was
// set up for that, as a sanitizer's is. The handler writes "fault at ADDRESS, code N" to standard error.

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

namespace {

constexpr std::uintptr_t kAddress = 0x40;

extern "C" void on_fault(int, siginfo_t* info, void*) {
    char line[80];
    const int size = std::snprintf(line, sizeof line, "fault at %p, code %d\n", info->si_addr, info->si_code);
    (void)!::write(2, line, static_cast<std::size_t>(size));
    ::_exit(77);
}

__attribute__((constructor)) void set_up() {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace

namespace {

// Waited is a pollfd: <poll.h> declares poll as if it read nothing.
struct Waited {
    int fd;
    short events, revents;
};

}  // namespace

// Only a prompt waits for a terminal and a signal without an end.
extern "C" int poll(Waited* waited, unsigned long count, int timeout) {
    if (count == 2 && timeout < 0 && ::isatty(waited[0].fd) != 0) {
        volatile std::uintptr_t address = kAddress;
        *reinterpret_cast<volatile char*>(address) = 0;
    }
    timespec limit{timeout / 1000, timeout % 1000 * 1000000L};
    return static_cast<int>(::syscall(SYS_ppoll, waited, count, timeout < 0 ? nullptr : &limit, nullptr, 0));
}
