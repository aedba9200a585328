#include "mime/hidden_fields.h"

#include <algorithm>

#include "mime/header.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

constexpr std::size_t kMostKept = 64;

bool is_line_end(char c) {
    return c == '\r' || c == '\n';
}

bool is_visible(char c) {
    return c > ' ' && c < 127;
}

bool decides(std::string_view name) {
    return equal_ignoring_case(name, "From") || equal_ignoring_case(name, "Sender") ||
           equal_ignoring_case(name, "MIME-Version") || is_mime_field(name);
}

}  // namespace

ByteView HiddenFields::pull() {
    const ByteView piece = from_.pull();
    const std::string_view text = text_of(piece);
    for (const auto* c = text.begin(); c != text.end() && !found_ && !ended_; ++c) {
        if (at_ == At::rest) c = std::find_if(c, text.end(), is_line_end);
        if (c == text.end()) break;
        look_at(*c);
    }
    return piece;
}

void HiddenFields::look_at(char c) {
    if (c == '\n') ended_ = behind_ == 0 || (behind_ == 1 && last_ == '\r');
    behind_ = c == '\n' ? 0 : behind_ + 1;
    last_ = c;
    if (is_line_end(c)) {
        at_ = At::start;
        name_.clear();
        return;
    }
    switch (at_) {
        case At::start:
            if (!is_visible(c) && !is_wsp(c)) return;  // no program shows it
            at_ = At::name;
            [[fallthrough]];
        case At::name:
            if (is_visible(c) && c != ':') {
                if (name_.size() < kMostKept) name_ += c;
                return;
            }
            at_ = At::colon;
            [[fallthrough]];
        case At::colon:
            if (is_wsp(c)) return;
            found_ = c == ':' && decides(name_);
            at_ = At::rest;
            break;
        case At::rest:
            break;
    }
}

}  // namespace p11mime::mime
