#include "cli/child_environment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace p11mime::cli {

std::vector<std::string> child_environment(const std::vector<std::string>& hidden,
                                           const std::map<std::string, std::string>& added) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::string name(text.substr(0, text.find('=')));
        if (!added.contains(name) && std::find(hidden.begin(), hidden.end(), name) == hidden.end())
            all.emplace_back(text);
    }
    for (const auto& [name, value] : added)
        all.push_back(fmt::format("{}={}", name, value));
    return all;
}

std::vector<char*> null_ended(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace p11mime::cli
