#include "cli/packages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "token/module_file.h"

namespace p11mime::cli {

namespace {

using Standing = Check::Standing;

// Packaged is a module that Debian has.
struct Packaged {
    std::string_view file, package;
};
constexpr std::array kPackaged = {
    Packaged{"opensc-pkcs11.so", "opensc-pkcs11"},
    Packaged{"onepin-opensc-pkcs11.so", "opensc-pkcs11"},
    Packaged{"libykcs11.so", "ykcs11"},
    Packaged{"libsofthsm2.so", "libsofthsm2"},
    Packaged{"libtpm2_pkcs11.so", "libtpm2-pkcs11-1"},
    Packaged{"libopencryptoki.so", "opencryptoki"},
    Packaged{"PKCS11_API.so", "opencryptoki"},
    Packaged{"libsoftokn3.so", "libnss3"},
    Packaged{"p11-kit-proxy.so", "p11-kit-modules"},
};

// package_of is the package of a module by its file's name, with or without a version; "" where it is not known.
std::string_view package_of(const std::string& file) {
    const std::string name = std::filesystem::path(file).filename().string();
    const auto* found = std::find_if(kPackaged.begin(), kPackaged.end(),
                                     [&](const Packaged& row) { return name.starts_with(row.file); });
    return found == kPackaged.end() ? "" : found->package;
}

// A bare name is looked for by the linker, in more places than are known here.
bool is_missing(const std::string& file) {
    std::error_code none;
    return file.find('/') != std::string::npos && !std::filesystem::exists(file, none);
}

Check missing_module(const std::string& file) {
    const std::string_view package = package_of(file);
    return {"packages", Standing::failed, fmt::format("the module '{}' is not installed", file),
            package.empty() ? "install the package of the token's maker, or name another with --module FILE"
                            : fmt::format("apt install {}", package)};
}

}  // namespace

Checks check_packages(const std::vector<std::string>& modules, bool pcscd_missing) {
    Checks checks;
    if (modules.empty())
        checks.push_back({"packages", Standing::failed, "no package with a PKCS#11 module is set up",
                          "apt install opensc-pkcs11 for most cards"});
    for (const std::string& module : modules)
        if (const std::string file = token::ModuleFile::parse(module).path; is_missing(file))
            checks.push_back(missing_module(file));
    if (pcscd_missing)
        checks.push_back({"packages", Standing::failed, "pcscd, which reaches smart card readers, is not installed",
                          "apt install pcscd"});
    if (checks.empty()) checks.push_back({"packages", Standing::good, "those of what is configured are installed", ""});
    return checks;
}

}  // namespace p11mime::cli
