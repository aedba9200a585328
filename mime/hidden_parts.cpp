#include "mime/hidden_parts.h"

#include <string_view>

#include "mime/header.h"

namespace p11mime::mime {

namespace {

constexpr std::string_view kDashes = "--", kField = "Content-";

}  // namespace

ByteView HiddenParts::pull() {
    const ByteView piece = from_.pull();
    for (const char c : text_of(piece)) {
        if (found_) break;
        look_at(c);
    }
    return piece;
}

void HiddenParts::look_at(char c) {
    if (c == '\r' || c == '\n') return start_.clear();
    if (start_.size() == kField.size()) return;
    start_ += c;
    dashed_ = dashed_ || start_ == kDashes;
    found_ = dashed_ && equal_ignoring_case(start_, kField);
}

}  // namespace p11mime::mime
