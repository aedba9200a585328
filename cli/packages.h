#pragma once

#include <string>
#include <vector>

#include "cli/check.h"

namespace p11mime::cli {

/// check_packages says which Debian packages are missing for what is configured: `modules` are files of PKCS#11 modules
/// as --module takes them. With `pcscd_missing` pcscd is one of them.
Checks check_packages(const std::vector<std::string>& modules, bool pcscd_missing);

}  // namespace p11mime::cli
