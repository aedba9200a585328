// What sanitized programs do otherwise than the sanitizers' defaults.

#include <dlfcn.h>

/// __asan_default_options: undefined behaviour is reported with its place, and no exit code of p11mime's is that of a
/// fault.
extern "C" const char* __asan_default_options() {
    return "handle_sigill=1:exitcode=99";
}

/// dlclose keeps PKCS#11 modules loaded to the end: what libnssckbi and others still hold in their globals would else
/// be reported as leaked once they are unloaded, and LeakSanitizer could not tell whose it was.
extern "C" int dlclose(void*) noexcept {
    return 0;
}
