#include "token/p11kit_modules.h"

#include <p11-kit/p11-kit.h>

#include <cstdlib>
#include <memory>

#include "cms/handle.h"
#include "mime/shared_library.h"

namespace p11mime::token {

namespace {

using Text = Handle<char, std::free>;

// P11Kit is the library's functions, as far as they are used: a run with `module` set does without.
struct P11Kit {
    P11Kit() {
        const SharedLibrary file("libp11-kit.so.0", "libp11-kit0");
        file.take(be_quiet, "p11_kit_be_quiet");
        file.take(load_modules, "p11_kit_modules_load");
        file.take(release_modules, "p11_kit_modules_release");
        file.take(message, "p11_kit_message");
        file.take(file_of, "p11_kit_module_get_filename");
        file.take(option_of, "p11_kit_config_option");
    }

    decltype(&p11_kit_be_quiet) be_quiet{};
    decltype(&p11_kit_modules_load) load_modules{};
    decltype(&p11_kit_modules_release) release_modules{};
    decltype(&p11_kit_message) message{};
    decltype(&p11_kit_module_get_filename) file_of{};
    decltype(&p11_kit_config_option) option_of{};
};

const P11Kit& p11kit() {
    static const P11Kit library;
    return library;
}

using Modules = std::unique_ptr<CK_FUNCTION_LIST*, decltype(&p11_kit_modules_release)>;

bool is_trust_policy(CK_FUNCTION_LIST* module) {
    const Text option(p11kit().option_of(module, "trust-policy"));
    return option && std::string(option.get()) == "yes";
}

}  // namespace

ConfiguredModules configured_modules() {
    const P11Kit& kit = p11kit();
    kit.be_quiet();
    ConfiguredModules result;
    const Modules modules(kit.load_modules(nullptr, 0), kit.release_modules);
    if (const char* message = kit.message(); message != nullptr) result.warnings.emplace_back(message);
    if (!modules) return result;
    for (CK_FUNCTION_LIST** module = modules.get(); *module != nullptr; ++module) {
        const Text file(kit.file_of(*module));
        const Text arguments(kit.option_of(*module, "x-init-reserved"));
        if (file && !is_trust_policy(*module))
            result.files.push_back({.path = file.get(), .arguments = arguments ? arguments.get() : ""});
    }
    return result;
}

}  // namespace p11mime::token
