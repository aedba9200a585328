#pragma once

#include <string>
#include <string_view>

namespace p11mime::test {

/// source_path is the path of a file of the source tree, by its name from the top.
std::string source_path(std::string_view name);

/// built_path is the path of a program or module that is built along with the tests: "libp11mime-poor-card.so".
std::string built_path(std::string_view name);

}  // namespace p11mime::test
