#include "cms/smime/visible_html.h"

#include <algorithm>
#include <string_view>

namespace p11mime::cms::smime {

namespace {

bool is_ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_blank(char c) {
    return std::string_view(" \t\r\n\f").find(c) != std::string_view::npos;
}

// value_of gives the value of a digit, 16 where it is none.
unsigned value_of(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
    return 16;
}

}  // namespace

std::string VisibleHtml::take(char c) {
    switch (state_) {
        case State::text:
            return take_text(c);
        case State::opened:
            return take_opened(c);
        case State::declaration:
            return take_declaration(c);
        case State::comment:
            return take_comment(c);
        case State::reference:
            return take_reference(c);
        case State::number:
            return take_number(c);
        default:
            return take_tag(c);
    }
}

std::string VisibleHtml::take_text(char c) {
    if (c == '<') {
        state_ = State::opened;
    } else if (c == '&') {
        state_ = State::reference;
        name_.clear();
    } else {
        return std::string(1, c);
    }
    return {};
}

std::string VisibleHtml::take_opened(char c) {
    dashes_ = 0;
    state_ = c == '!'             ? State::declaration
             : c == '/'           ? State::closing
             : c == '?'           ? State::other
             : is_ascii_letter(c) ? State::tag
                                  : State::text;
    return state_ == State::text ? '<' + take(c) : std::string();
}

std::string VisibleHtml::take_declaration(char c) {
    begins_ = true;
    if (c == '-' && ++dashes_ == 2) state_ = State::comment;
    if (c == '-') return {};
    state_ = State::other;
    return take(c);
}

// A comment ends with "-->" or "--!>"; "<!-->" is all of one.
std::string VisibleHtml::take_comment(char c) {
    if (c == '>' && dashes_ >= 2) {
        state_ = State::text;
    } else if (c == '-') {
        ++dashes_;
    } else {
        if (c != '!' || begins_) dashes_ = 0;
        begins_ = false;
    }
    return {};
}

std::string VisibleHtml::take_tag(char c) {
    if (c == '>' && state_ != State::quoted) {
        state_ = State::text;
        return "\n";
    }
    const bool ends_name = is_blank(c) || c == '/';
    if (state_ == State::closing) {
        state_ = is_ascii_letter(c) ? State::tag : State::other;
    } else if ((state_ == State::tag && ends_name) || (state_ == State::unquoted && is_blank(c)) ||
               (state_ == State::quoted && c == quote_)) {
        state_ = State::attributes;
        named_ = false;
    } else if (state_ == State::attributes && c == '=' && named_) {
        state_ = State::value;
    } else if (state_ == State::attributes && !is_blank(c)) {
        named_ = c != '/';
    } else if (state_ == State::value && !is_blank(c)) {
        state_ = c == '"' || c == '\'' ? State::quoted : State::unquoted;
        quote_ = c;
    }
    return {};
}

// take_reference knows the names of signs that stand before quotes or in base64.
std::string VisibleHtml::take_reference(char c) {
    constexpr std::size_t kLongest = 32;
    if (c == '#' && name_.empty()) {
        state_ = State::number;
        base_ = 10;
        number_ = 0;
    } else if ((is_ascii_letter(c) || value_of(c) < 10) && name_.size() < kLongest) {
        name_ += c;
    } else {
        state_ = State::text;
        const std::string shown = name_ == "gt" || name_ == "GT" ? ">"
                                  : name_ == "plus"              ? "+"
                                  : name_ == "sol"               ? "/"
                                                                 : "";
        return c == ';' ? shown : shown + take(c);
    }
    return {};
}

std::string VisibleHtml::take_number(char c) {
    constexpr unsigned kEnd = 0x80;  // of ASCII
    const unsigned value = value_of(c);
    if ((c == 'x' || c == 'X') && base_ == 10) {
        base_ = 16;
    } else if (value < base_) {
        number_ = std::min(number_ * base_ + value, kEnd);
    } else {
        state_ = State::text;
        const std::string shown(number_ < kEnd ? 1 : 0, static_cast<char>(number_));
        return c == ';' ? shown : shown + take(c);
    }
    return {};
}

}  // namespace p11mime::cms::smime
