#pragma once

#include <string>
#include <string_view>

namespace p11mime::mime {

/// is_wsp is white space within a line (RFC 5234 WSP); is_space includes line ends.
inline bool is_wsp(char c) {
    return c == ' ' || c == '\t';
}
inline bool is_space(char c) {
    return is_wsp(c) || c == '\r' || c == '\n';
}

/// trim takes surrounding white space and line ends off.
inline std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

/// whole_characters is the beginning of a UTF-8 text that is no longer than `limit` bytes and splits no character.
inline std::string_view whole_characters(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80)
        --limit;
    return text.substr(0, limit);
}

/// brief is what a message quotes of a text of others: no more than 200 bytes of UTF-8, and "..." where there is more.
inline std::string brief(std::string_view text) {
    constexpr std::size_t kMaxQuoted = 200;
    const std::string_view quoted = whole_characters(text, kMaxQuoted);
    return std::string(quoted) + (quoted.size() < text.size() ? "..." : "");
}

/// comment_size is the size of the comment that starts at the front of text (RFC 5322 section 3.2.2, nested ones
/// included); one that is never closed goes to the end.
inline std::size_t comment_size(std::string_view text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '(') {
            ++depth;
        } else if (text[i] == ')' && --depth == 0) {
            return i + 1;
        }
    }
    return text.size();
}

}  // namespace p11mime::mime
