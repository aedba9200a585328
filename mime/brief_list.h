#pragma once

#include <string>
#include <vector>

#include "mime/text.h"

namespace p11mime::mime {

/// brief_list is what a message quotes of a list of others' texts: the first ones, as many as are brief together, and
/// how many more there are.
inline std::string brief_list(const std::vector<std::string>& texts) {
    constexpr std::size_t kMaxListed = 200;
    std::string list;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0 && list.size() + texts[i].size() > kMaxListed)
            return list + " and " + std::to_string(texts.size() - i) + " more";
        list += (i > 0 ? ", " : "") + brief(texts[i]);
    }
    return list;
}

}  // namespace p11mime::mime
