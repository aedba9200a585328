#pragma once

#include <string>
#include <vector>

#include "token/module_file.h"

namespace p11mime::token {

/// ConfiguredModules is what p11-kit's configuration offers: the files of modules that may hold keys.
struct ConfiguredModules {
    std::vector<ModuleFile> files;
    std::vector<std::string> warnings;  ///< modules that p11-kit could not load
};

/// configured_modules asks p11-kit. Modules that only hold trust policy are left out.
ConfiguredModules configured_modules();

}  // namespace p11mime::token
