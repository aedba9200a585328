// What sanitized programs do otherwise than the sanitizers' defaults.

#include <dlfcn.h>
#include <openssl/crypto.h>

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

/// clean_up has OpenSSL free at the end what p11mime leaves to the end of the process, and would be reported.
extern "C" __attribute__((destructor)) void clean_up() {
    OPENSSL_cleanup();
}
