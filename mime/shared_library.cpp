#include "mime/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "mime/error.h"

namespace p11mime {

SharedLibrary::SharedLibrary(std::string name, std::string package)
    : name_(std::move(name)), package_(std::move(package)), handle_(dlopen(name_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr)
        throw Error(ErrorKind::io, fmt::format("{} is not installed", name_), fmt::format("apt install {}", package_));
}

void* SharedLibrary::find(const char* symbol) const {
    void* found = dlsym(handle_, symbol);
    if (found == nullptr)
        throw Error(ErrorKind::io, fmt::format("{} has no {}", name_, symbol), fmt::format("apt install {}", package_));
    return found;
}

}  // namespace p11mime
