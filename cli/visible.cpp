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

// Pictures (Unicode's Extended_Pictographic), which joiners and variation selectors make others of. Ascending.
constexpr Range kPictures[] = {
    {0xa9, 0xa9},       {0xae, 0xae},       {0x203c, 0x203c},   {0x2049, 0x2049},   {0x2122, 0x2122},
    {0x2139, 0x2139},   {0x2194, 0x2199},   {0x21a9, 0x21aa},   {0x231a, 0x231b},   {0x2328, 0x2328},
    {0x2388, 0x2388},   {0x23cf, 0x23cf},   {0x23e9, 0x23f3},   {0x23f8, 0x23fa},   {0x24c2, 0x24c2},
    {0x25aa, 0x25ab},   {0x25b6, 0x25b6},   {0x25c0, 0x25c0},   {0x25fb, 0x25fe},   {0x2600, 0x2605},
    {0x2607, 0x2612},   {0x2614, 0x2685},   {0x2690, 0x2705},   {0x2708, 0x2712},   {0x2714, 0x2714},
    {0x2716, 0x2716},   {0x271d, 0x271d},   {0x2721, 0x2721},   {0x2728, 0x2728},   {0x2733, 0x2734},
    {0x2744, 0x2744},   {0x2747, 0x2747},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2763, 0x2767},   {0x2795, 0x2797},   {0x27a1, 0x27a1},   {0x27b0, 0x27b0},
    {0x27bf, 0x27bf},   {0x2934, 0x2935},   {0x2b05, 0x2b07},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},
    {0x2b55, 0x2b55},   {0x3030, 0x3030},   {0x303d, 0x303d},   {0x3297, 0x3297},   {0x3299, 0x3299},
    {0x1f000, 0x1f0ff}, {0x1f10d, 0x1f10f}, {0x1f12f, 0x1f12f}, {0x1f16c, 0x1f171}, {0x1f17e, 0x1f17f},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f1ad, 0x1f1e5}, {0x1f201, 0x1f20f}, {0x1f21a, 0x1f21a},
    {0x1f22f, 0x1f22f}, {0x1f232, 0x1f23a}, {0x1f23c, 0x1f23f}, {0x1f249, 0x1f3fa}, {0x1f400, 0x1f53d},
    {0x1f546, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f774, 0x1f77f}, {0x1f7d5, 0x1f7ff}, {0x1f80c, 0x1f80f},
    {0x1f848, 0x1f84f}, {0x1f85a, 0x1f85f}, {0x1f888, 0x1f88f}, {0x1f8ae, 0x1f8ff}, {0x1f90c, 0x1f93a},
    {0x1f93c, 0x1f945}, {0x1f947, 0x1faff}, {0x1fc00, 0x1fffd},
};

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

// Pictures follows emoji (UTS #51): a selector of their style is harmless right behind one, a joiner between two. Both
// show nothing there but the picture.
class Pictures {
  public:
    /// harmless says whether a character that is misleading elsewhere is not so here; `next` is the text after it.
    bool harmless(char32_t code, std::string_view next) const {
        if (code == 0xfe0e || code == 0xfe0f) return last_ == Last::picture;
        if (code != 0x200d || last_ == Last::other || next.empty()) return false;
        const Character follows = first_character(next);
        return follows.length > 1 && is_in(kPictures, follows.code);
    }

    /// pass is for what was shown as it is.
    void pass(char32_t code) {
        const bool continues = last_ != Last::other && (code == 0xfe0e || code == 0xfe0f || is_skin_tone(code));
        last_ = is_in(kPictures, code) ? Last::picture : continues ? Last::styled : Last::other;
    }

  private:
    enum class Last { other, picture, styled };
    static bool is_skin_tone(char32_t code) { return code >= 0x1f3fb && code <= 0x1f3ff; }

    Last last_ = Last::other;
};

// Shown is how much of a text is shown, and as what.
struct Shown {
    std::string text;
    std::size_t taken = 0;  // bytes of the text itself
};

// show makes no more than `most` characters.
Shown show(std::string_view text, std::size_t most) {
    Shown shown;
    Pictures pictures;
    std::size_t marks = kMostMarks;  // on the last character that was shown as it is
    for (std::size_t count = 0; shown.taken < text.size();) {
        const std::string_view rest = text.substr(shown.taken);
        const Character character = first_character(rest);
        const std::size_t length = std::max<std::size_t>(character.length, 1);
        const bool mark = character.length > 1 && is_in(kMarks, character.code);
        const bool misleading =
            is_in(kMisleading, character.code) && !pictures.harmless(character.code, rest.substr(length));
        const bool escapes = character.length == 0 || misleading || (mark && marks == kMostMarks);
        const std::string piece =
            escapes ? escape(character.code, character.length <= 1) : std::string(rest.substr(0, length));
        count += escapes ? piece.size() : 1;
        if (count > most) break;
        if (escapes)
            pictures = {};
        else
            pictures.pass(character.code);
        marks = escapes ? kMostMarks : mark ? marks + 1 : 0;
        shown.text += piece;
        shown.taken += length;
    }
    return shown;
}

}  // namespace

std::string visible(std::string_view text) {
    return show(text, std::string_view::npos).text;
}

std::string shortened(std::string_view text, std::size_t most) {
    const std::size_t taken = show(text, most).taken;
    std::string beginning(text.substr(0, taken));
    return taken < text.size() ? beginning += "…" : beginning;
}

}  // namespace p11mime::cli
