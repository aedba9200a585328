#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "mime/address.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

std::string without_controls(std::string_view text) {
    std::string kept;
    std::ranges::copy_if(text, std::back_inserter(kept), [](char c) { return (c < 0 || c >= ' ') && c != 0x7f; });
    return kept;
}

// The size of the comment or quoted string at the front of a text; 0 where nothing ends it. Comments nest.
std::size_t enclosed_size(std::string_view text) {
    const bool quoted = text.front() == '"';
    for (std::size_t i = 0, depth = 0; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (!quoted && text[i] == '(')
            ++depth;
        else if (i > 0 && (quoted ? text[i] == '"' : text[i] == ')' && --depth == 0))
            return i + 1;
    }
    return 0;
}

// without_enclosures takes comments out, and quotes with the blanks that begin and end the text in them. The local part
// of an address stays in its quotes.
std::string without_enclosures(std::string_view text) {
    std::string kept;
    for (std::size_t i = 0, size = 1; i < text.size(); i += size) {
        const bool opens = text[i] == '(' || text[i] == '"';
        const std::size_t enclosed = opens ? enclosed_size(text.substr(i)) : 0;
        size = std::max<std::size_t>(enclosed, 1);
        const std::string_view piece = text.substr(i, size), behind = text.substr(i + size);
        if (enclosed == 0 || behind.starts_with('@'))
            kept += piece;
        else if (piece.front() == '"')
            kept += trim(piece.substr(1, size - 2));
    }
    return kept;
}

// without_gaps_before_words takes blanks out before each encoded word but the first, whatever else stands before them.
std::string without_gaps_before_words(std::string_view text) {
    constexpr std::array<std::string_view, 19> kBlanks{" ",
                                                       "\xc2\xa0",
                                                       "\xe1\x9a\x80",
                                                       "\xe2\x80\x80",
                                                       "\xe2\x80\x81",
                                                       "\xe2\x80\x82",
                                                       "\xe2\x80\x83",
                                                       "\xe2\x80\x84",
                                                       "\xe2\x80\x85",
                                                       "\xe2\x80\x86",
                                                       "\xe2\x80\x87",
                                                       "\xe2\x80\x88",
                                                       "\xe2\x80\x89",
                                                       "\xe2\x80\x8a",
                                                       "\xe2\x80\xa8",
                                                       "\xe2\x80\xa9",
                                                       "\xe2\x80\xaf",
                                                       "\xe3\x80\x80",
                                                       "\xef\xbb\xbf"};
    std::string kept;
    bool behind_word = false;
    for (; !text.empty(); text.remove_prefix(1)) {
        if (text.starts_with("=?")) {
            const auto* blank = kBlanks.begin();
            while (behind_word && blank != kBlanks.end()) {
                blank = std::ranges::find_if(kBlanks, [&](std::string_view one) { return kept.ends_with(one); });
                if (blank != kBlanks.end()) kept.resize(kept.size() - blank->size());
            }
            behind_word = true;
        }
        kept += text.front();
    }
    return kept;
}

}  // namespace

std::vector<std::string> closed_up_forms(std::string_view field_value) {
    const std::string visible = without_controls(field_value);
    std::vector<std::string> forms{without_gaps_before_words(visible)};
    forms.push_back(without_gaps_before_words(without_enclosures(visible)));
    std::erase(forms, field_value);
    if (forms.size() == 2 && forms[0] == forms[1]) forms.pop_back();
    return forms;
}

}  // namespace p11mime::mime
