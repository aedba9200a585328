#pragma once

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace p11mime::test {

/// ModuleLeaks lives where a module is known to leak: pkcs11-spy leaks its own state and the names that it prints,
/// SoftHSM what it decodes of Edwards and Montgomery keys. The leaks come out of libcrypto, whose stacks do not show
/// the module, so LeakSanitizer looks at nothing that is allocated meanwhile.
class ModuleLeaks {
  public:
#ifdef __SANITIZE_ADDRESS__
    ModuleLeaks() {
        __lsan_disable();
    }
    ~ModuleLeaks() {
        __lsan_enable();
    }
#else
    ModuleLeaks() {}
    ~ModuleLeaks() {}
#endif
    ModuleLeaks(const ModuleLeaks&) = delete;
    ModuleLeaks& operator=(const ModuleLeaks&) = delete;
};

}  // namespace p11mime::test
