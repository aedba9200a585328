#pragma once

#include <p11-kit/pkcs11.h>

#include <dlfcn.h>

#include <cstdlib>

namespace p11mime::test {

/// load_module fills in the functions of the PKCS#11 module that a variable names, or of SoftHSM's, for a module that
/// stands in front of it.
inline CK_RV load_module(const char* variable, CK_FUNCTION_LIST*& functions) {
    const char* given = std::getenv(variable);
    void* library = dlopen(given != nullptr ? given : "/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return CKR_GENERAL_ERROR;
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    return get != nullptr ? get(&functions) : CKR_GENERAL_ERROR;
}

}  // namespace p11mime::test
