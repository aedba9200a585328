#pragma once

#include <string>
#include <string_view>

namespace p11mime::token {

/// ModuleFile is a PKCS#11 module's file and what the module is started with.
struct ModuleFile {
    std::string path;
    /// What pReserved of C_Initialize points to: NSS's softoken is told its database so ("configdir='sql:DIR'"), and
    /// p11-kit's x-init-reserved holds the same. Most modules want none.
    std::string arguments;

    /// parse takes "FILE" or "FILE.so ARGUMENTS". What is a file as a whole is one.
    static ModuleFile parse(std::string_view text);
};

}  // namespace p11mime::token
