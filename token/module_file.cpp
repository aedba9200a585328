#include "token/module_file.h"

#include <filesystem>

namespace p11mime::token {

ModuleFile ModuleFile::parse(std::string_view text) {
    constexpr std::string_view kSuffix = ".so";
    std::error_code error;
    const std::size_t suffix = text.find(kSuffix);
    if (suffix == std::string_view::npos || std::filesystem::exists(text, error))
        return {.path = std::string(text), .arguments = {}};
    // "libsoftokn3.so.1 configdir=…": a version may follow the suffix.
    const std::size_t end = text.find_first_not_of(".0123456789", suffix + kSuffix.size());
    if (end == std::string_view::npos || text[end] != ' ') return {.path = std::string(text), .arguments = {}};
    return {.path = std::string(text.substr(0, end)), .arguments = std::string(text.substr(end + 1))};
}

}  // namespace p11mime::token
