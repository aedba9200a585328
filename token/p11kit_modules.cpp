#include "token/p11kit_modules.h"

#include <p11-kit/p11-kit.h>

#include <cstdlib>
#include <memory>

#include "cms/handle.h"

namespace p11mime::token {

namespace {

using Text = Handle<char, std::free>;
using Modules = Handle<CK_FUNCTION_LIST*, p11_kit_modules_release>;

bool is_trust_policy(CK_FUNCTION_LIST* module) {
    const Text option(p11_kit_config_option(module, "trust-policy"));
    return option && std::string(option.get()) == "yes";
}

}  // namespace

ConfiguredModules configured_modules() {
    p11_kit_be_quiet();
    ConfiguredModules result;
    const Modules modules(p11_kit_modules_load(nullptr, 0));
    if (const char* message = p11_kit_message(); message != nullptr) result.warnings.emplace_back(message);
    if (!modules) return result;
    for (CK_FUNCTION_LIST** module = modules.get(); *module != nullptr; ++module) {
        const Text file(p11_kit_module_get_filename(*module));
        const Text arguments(p11_kit_config_option(*module, "x-init-reserved"));
        if (file && !is_trust_policy(*module))
            result.files.push_back({.path = file.get(), .arguments = arguments ? arguments.get() : ""});
    }
    return result;
}

}  // namespace p11mime::token
