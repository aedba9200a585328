#include <fmt/format.h>

#include <algorithm>
#include <iterator>

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

struct Range {
    char32_t first, last;
};

// Controls, what reorders, joins or breaks the text around it, and what shows nothing (Unicode's default ignorable
// characters and other blanks that pass for no character): all of it can hide or disguise. Ascending.
constexpr Range kMisleading[] = {
    {0x0, 0x1f},      {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160},
    {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f}, {0x2800, 0x2800},
    {0x3164, 0x3164}, {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

// Marks that are drawn over the character before them, of the scripts in which a pile of them can be made. Ascending.
constexpr Range kMarks[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x5bf, 0x5bf},     {0x5c1, 0x5c2},   {0x5c4, 0x5c5},
    {0x610, 0x61a},   {0x64b, 0x65f},   {0x670, 0x670},   {0x6d6, 0x6dc},     {0x6df, 0x6e4},   {0x6e7, 0x6e8},
    {0x6ea, 0x6ed},   {0x711, 0x711},   {0x730, 0x74a},   {0x8d3, 0x8e1},     {0x8e3, 0x902},   {0xe31, 0xe31},
    {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0xeb1, 0xeb1},   {0xeb4, 0xebc},     {0xec8, 0xece},   {0xf71, 0xf7e},
    {0xf80, 0xf84},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20f0},   {0x302a, 0x302d}, {0x3099, 0x309a},
    {0xa66f, 0xa672}, {0xa674, 0xa67d}, {0xfe20, 0xfe2f}, {0x1e8d0, 0x1e8d6},
};

// How many marks a character may have: more would be drawn over other lines. One without a character of its own would
// be drawn over what we have written ourselves.
constexpr std::size_t kMostMarks = 4;

template <std::size_t Size>
bool is_in(const Range (&ranges)[Size], char32_t code) {
    const auto* range = std::upper_bound(std::begin(ranges), std::end(ranges), code,
                                         [](char32_t value, const Range& each) { return value < each.first; });
    return range != std::begin(ranges) && code <= std::prev(range)->last;
}

std::string escape(char32_t code, bool byte) {
    const auto number = static_cast<unsigned>(code);
    return byte ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{{{:x}}}", number);
}

}  // namespace

std::string visible(std::string_view text) {
    std::string shown;
    std::size_t marks = kMostMarks;  // on the last character that was shown as it is
    while (!text.empty()) {
        const Character character = first_character(text);
        const bool mark = character.length > 1 && is_in(kMarks, character.code);
        if (character.length == 0 || is_in(kMisleading, character.code) || (mark && marks == kMostMarks)) {
            shown += escape(character.code, character.length <= 1);
            marks = kMostMarks;
        } else {
            shown += text.substr(0, character.length);
            marks = mark ? marks + 1 : 0;
        }
        text.remove_prefix(std::max<std::size_t>(character.length, 1));
    }
    return shown;
}

}  // namespace p11mime::cli
