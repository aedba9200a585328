#include <fmt/format.h>

#include "cli/terminal.h"

namespace p11mime::cli {

namespace {

struct Character {
    char32_t code;
    std::size_t length;  // in bytes; 0 where the bytes are no UTF-8
};

std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

Character first_character(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = sequence_length(lead);
    if (length == 0 || length > text.size()) return {lead, 0};
    if (length == 1) return {lead, 1};
    char32_t code = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return {lead, 0};
        code = code << 6 | (next & 0x3fU);
    }
    constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {lead, 0};
    return {code, length};
}

// Controls, and what reorders or hides the text around it.
bool misleads(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xad || code == 0x61c || code == 0x180e ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
           (code >= 0xe0000 && code <= 0xe007f);
}

}  // namespace

std::string visible(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const Character character = first_character(text);
        const std::size_t length = character.length == 0 ? 1 : character.length;
        if (character.length == 0 || (misleads(character.code) && character.code < 0x80))
            shown += fmt::format("\\x{:02x}", static_cast<unsigned>(character.code));
        else if (misleads(character.code))
            shown += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(character.code));
        else
            shown += text.substr(0, length);
        text.remove_prefix(length);
    }
    return shown;
}

}  // namespace p11mime::cli
