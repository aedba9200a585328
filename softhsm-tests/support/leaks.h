#pragma once

// LeakSanitizer's, where the program that a test is linked into has it.
extern "C" __attribute__((weak)) void __lsan_disable();
extern "C" __attribute__((weak)) void __lsan_enable();

namespace p11mime::test {

/// ModuleLeaks lives where a module is known to leak: pkcs11-spy leaks its own state and the names that it prints,
/// SoftHSM what it decodes of Edwards and Montgomery keys. The leaks come out of libcrypto, whose stacks do not show
/// the module, so LeakSanitizer looks at nothing that is allocated meanwhile.
class ModuleLeaks {
  public:
    ModuleLeaks() {
        if (__lsan_disable != nullptr) __lsan_disable();
    }
    ~ModuleLeaks() {
        if (__lsan_enable != nullptr) __lsan_enable();
    }
    ModuleLeaks(const ModuleLeaks&) = delete;
    ModuleLeaks& operator=(const ModuleLeaks&) = delete;
};

}  // namespace p11mime::test
