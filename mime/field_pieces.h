#pragma once

#include <string_view>
#include <vector>

namespace p11mime::mime {

/// pieces is a field as it stands, each but the last up to its ";"; what is quoted or a comment is not looked into.
std::vector<std::string_view> pieces(std::string_view raw);

/// without_end is a field without the white space, and line end, that it ends with.
std::string_view without_end(std::string_view raw);

}  // namespace p11mime::mime
