#include <sys/prctl.h>
#include <sys/resource.h>

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

}  // namespace

int main(int argc, char** argv) {
    forbid_core_dumps();
    p11mime::init_secure_heap();
    p11mime::cli::install_signal_handlers();
    p11mime::cli::Terminal terminal;
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    const int status = p11mime::cli::run(arguments, terminal);
    p11mime::cli::end_by_signal();
    return status;
}
