// A library to preload that ends a program in the middle of its work, as a power cut or a person does, at a call that
// is counted and not at a time. P11MIME_CUT_OFF is "FUNCTION N SIGNAL", "FUNCTION N SIGNAL after" where the call is
// done first: the N-th call (from 1) of fsync, fdatasync, mkostemp, rename, renameat2 or unlink.

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

namespace {

struct Cut {
    Cut() {
        const char* text = std::getenv("P11MIME_CUT_OFF");
        std::istringstream words(text != nullptr ? text : "");
        int number = 0;
        std::string when;
        words >> function >> number >> signal >> when;
        left = number;
        after = when == "after";
    }

    std::string function;
    std::atomic<int> left{0};
    int signal = 0;
    bool after = false;
};

Cut& cut() {
    static Cut cut;
    return cut;
}

template <class... Parameters>
int call(const char* function, std::string_view name, Parameters... parameters) noexcept {
    using Function = int (*)(Parameters...);
    const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, function));
    const bool now = cut().function == name && --cut().left == 0;
    if (now && !cut().after) kill(getpid(), cut().signal);
    const int result = real(parameters...);
    if (now && cut().after) kill(getpid(), cut().signal);
    return result;
}

}  // namespace

extern "C" {

int fsync(int fd) {
    return call("fsync", "fsync", fd);
}

int fdatasync(int fd) {
    return call("fdatasync", "fdatasync", fd);
}

int mkostemp(char* path, int flags) {
    return call("mkostemp", "mkostemp", path, flags);
}

int mkostemp64(char* path, int flags) {
    return call("mkostemp64", "mkostemp", path, flags);
}

int rename(const char* from, const char* to) noexcept {
    return call("rename", "rename", from, to);
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) noexcept {
    return call("renameat2", "renameat2", from_directory, from, to_directory, to, flags);
}

int unlink(const char* path) noexcept {
    return call("unlink", "unlink", path);
}
}
