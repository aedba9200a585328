#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/signals.h"
#include "cms/secure_heap.h"

namespace {

// A core would hold PINs and content keys.
void forbid_core_dumps() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

// A batch, and a mail with many copies for Bcc, have many files open until they are on disk.
void allow_many_files() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

// A file opened in place of a closed standard stream would be taken for it. What stands in for input cannot be read,
// and for output not be written.
void occupy_standard_streams() {
    constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = 0; fd <= 2; ++fd)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", kModes[fd]) != fd) _exit(7);
}

// The libraries of TPMs warn of whatever they try in vain, which would stand before what p11mime has to say.
void quiet_tpm_libraries() {
    setenv("TSS2_LOG", "all+none", 0);
    setenv("TPM2_PKCS11_LOG_LEVEL", "0", 0);
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_streams();
    forbid_core_dumps();
    allow_many_files();
    quiet_tpm_libraries();
    p11mime::init_secure_heap();
    p11mime::cli::install_signal_handlers();
    p11mime::cli::Terminal terminal;
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    const int status = p11mime::cli::run(arguments, terminal);
    p11mime::cli::end_by_signal();
    return status;
}
