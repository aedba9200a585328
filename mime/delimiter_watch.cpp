#include "mime/delimiter_watch.h"

#include <algorithm>
#include <string_view>

namespace p11mime::mime {

ByteView DelimiterWatch::pull() {
    constexpr std::string_view kNone = "--";
    const ByteView piece = from_.pull();
    if (delimiter_ == kNone) return piece;
    for (std::string_view text = text_of(piece); !text.empty() && !found_;) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        start_ += text.substr(0, std::min(end, delimiter_.size() - start_.size()));
        found_ = start_ == delimiter_;
        if (end < text.size()) start_.clear();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return piece;
}

}  // namespace p11mime::mime
