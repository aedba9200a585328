#include "mime/unicode.h"

#include <algorithm>
#include <array>

#include "mime/header.h"
#include "mime/icu.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

constexpr std::int32_t kMaxTextBytes = 64 * 1024;  // of what is compared; a mailbox is far shorter

// converted is what one of ICU's two conversions makes of a domain; nothing where it finds an error in it.
template <class Convert>
std::optional<std::string> converted(std::string_view domain, Convert convert) {
    if (domain.size() > kMaxTextBytes) return std::nullopt;
    std::string result(domain.size() * 8 + 64, '\0');
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t size =
        convert(Icu::loaded().idna, domain.data(), size_of(domain), result.data(), size_of(result), &info, &status);
    if (U_FAILURE(status) || info.errors != 0) return std::nullopt;
    result.resize(static_cast<std::size_t>(size));
    return result;
}

// without_overlaid takes the dots off that a letter has already: "i" with a dot above (U+0307) looks like "i". The
// letters are those that ICU's USPOOF_HIDDEN_OVERLAY names.
std::u16string without_overlaid(const Icu& icu, std::u16string_view text) {
    constexpr UChar32 kDotAbove = 0x307, kFirstMark = 0x300, kLastMark = 0x36f;
    constexpr std::u32string_view kUnderDots = U"l\u0131\u0237";  // besides those of Unicode's Soft_Dotted
    std::u16string kept;
    bool under_dot = false;
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        UChar32 code = 0;
        U16_NEXT(text.data(), end, text.size(), code);
        if (code == kDotAbove && under_dot) continue;
        kept += text.substr(begin, end - begin);
        if (code >= kFirstMark && code <= kLastMark) continue;
        under_dot = icu.has_property(code, UCHAR_SOFT_DOTTED) != 0 ||
                    kUnderDots.find(static_cast<char32_t>(code)) != std::string_view::npos;
    }
    return kept;
}

// ascii_prototype is what an ASCII character looks like, where that is another: its prototype in UTS #39's
// confusables.txt.
std::string_view ascii_prototype(char c) {
    switch (c) {
        case '"':
            return "''";
        case '%':
            return "\u00ba/\u2080";
        case '0':
            return "o";
        case '1':
        case 'I':
        case '|':
            return "l";
        case '`':
            return "'";
        case 'm':
            return "rn";
        default:
            return {};
    }
}

// AsciiLooks reads an ASCII text byte by byte as it looks.
class AsciiLooks {
  public:
    explicit AsciiLooks(std::string_view text) : text_(text) {}

    std::optional<char> next() {
        if (prototype_.empty()) {
            if (text_.empty()) return std::nullopt;
            prototype_ = ascii_prototype(text_.front());
            if (prototype_.empty()) prototype_ = text_.substr(0, 1);
            text_.remove_prefix(1);
        }
        const char c = prototype_.front();
        prototype_.remove_prefix(1);
        return ascii_lower(c);
    }

  private:
    std::string_view text_;
    std::string_view prototype_;  // what is left of the one that is read
};

bool looks_alike(std::string_view ascii, std::string_view other) {
    AsciiLooks looks(ascii), other_looks(other);
    for (;;) {
        const auto next = looks.next();
        if (next != other_looks.next()) return false;
        if (!next) return true;
    }
}

// BareLetter is a letter without its marks, and whether one at its foot is among them that goes for a dot: a dot, a
// ring, a comma or a stroke (U+0323, U+0325, U+0326, U+0329).
struct BareLetter {
    UChar32 base;
    bool dot_below;
    bool mark_below;
};

BareLetter taken_apart(const Icu& icu, UChar32 code) {
    constexpr UChar32 kDotBelow = 0x323;
    constexpr std::u16string_view kBelow = u"\u0323\u0325\u0326\u0329";
    const auto is_below = [&](UChar32 mark) {
        return kBelow.find(static_cast<char16_t>(mark)) != std::string_view::npos;
    };
    BareLetter parts{code, code == kDotBelow, is_below(code)};
    for (;;) {
        std::array<UChar, 32> units{};
        UErrorCode status = U_ZERO_ERROR;
        const std::int32_t size = icu.decomposition(icu.compatible, parts.base, units.data(), size_of(units), &status);
        if (size <= 0 || U_FAILURE(status)) return parts;
        std::int32_t end = 0;
        U16_NEXT(units.data(), end, size, parts.base);
        parts.dot_below =
            parts.dot_below || std::find(units.begin() + end, units.begin() + size, kDotBelow) != units.begin() + size;
        parts.mark_below = parts.mark_below || std::any_of(units.begin() + end, units.begin() + size, is_below);
    }
}

// unmarked is a letter without the marks that it is made with; a syllable of Hangul stays what it is.
UChar32 unmarked(const Icu& icu, UChar32 code) {
    for (;;) {
        std::array<UChar, 32> units{};
        UErrorCode status = U_ZERO_ERROR;
        const std::int32_t size = icu.decomposition(icu.compatible, code, units.data(), size_of(units), &status);
        if (size <= 0 || U_FAILURE(status)) return code;
        std::int32_t at = 0;
        UChar32 first = 0;
        U16_NEXT(units.data(), at, size, first);
        while (at < size) {
            UChar32 next = 0;
            U16_NEXT(units.data(), at, size, next);
            if (!is_mark(icu, next)) return code;
        }
        code = first;
    }
}

// capital_skeleton is alike for texts that look alike in capitals.
std::string capital_skeleton(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == 'l' || c == '1' || c == '|')
            result += 'I';
        else
            result += c == '0' ? 'O' : ascii_upper(c);
    }
    return result;
}

bool label_is_picture_of(std::string_view label, std::string_view other) {
    if (looks_alike(label, other)) return true;
    const bool in_capitals =
        std::any_of(label.begin(), label.end(), [](char c) { return c >= 'A' && c <= 'Z' && c != 'I'; });
    if (!in_capitals) return false;
    std::string capitals(other);
    std::transform(capitals.begin(), capitals.end(), capitals.begin(), ascii_upper);
    return capital_skeleton(label) == capital_skeleton(capitals);
}

// Under vowels a dot makes a letter that languages write (Vietnamese, Yoruba).
bool is_ascii_consonant(UChar32 code) {
    constexpr std::u32string_view kVowels = U"aeiouyAEIOUY";
    const bool letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
    return letter && kVowels.find(static_cast<char32_t>(code)) == std::string_view::npos;
}

// ascii_text is a text of ASCII alone; "" for another.
std::string ascii_text(std::u32string_view codes) {
    const bool ascii = std::all_of(codes.begin(), codes.end(), [](char32_t code) { return code < 0x80; });
    return ascii ? std::string(codes.begin(), codes.end()) : std::string();
}

// has_dot_below says whether a letter has a mark at its foot that goes for a dot behind it: a dot below a consonant
// before another letter, or any such mark before what is a general top-level domain.
bool has_dot_below(const Icu& icu, const std::u32string& codes) {
    UChar32 base = 0;     // of the marks that follow
    bool dotted = false;  // it has a dot below that goes for one behind it
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto code = static_cast<UChar32>(codes[i]);
        if (dotted && is_letter_or_digit(icu, codes[i])) return true;
        const BareLetter parts = taken_apart(icu, code);
        if (parts.mark_below && is_general_top(ascii_text(std::u32string_view(codes).substr(i + 1)))) return true;
        if (!is_mark(icu, code)) base = parts.base;
        dotted = (dotted && is_mark(icu, code)) || (parts.dot_below && is_ascii_consonant(base));
    }
    return false;
}

// has_strange_sign says whether between two letters there is a mark or a sign that is of none of their scripts, or is
// written from right to left where they are not. No language writes such, and some look like a dot.
bool has_strange_sign(const Icu& icu, const std::u32string& codes) {
    for (std::size_t i = 1; i + 1 < codes.size(); ++i) {
        const auto code = static_cast<UChar32>(codes[i]);
        const UCharDirection direction = icu.direction(code);
        const bool may_be_sign = (U_MASK(icu.category(code)) & (U_GC_M_MASK | U_GC_SK_MASK)) != 0 ||
                                 direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC;
        if (!may_be_sign || !is_letter_or_digit(icu, codes[i - 1]) || !is_letter_or_digit(icu, codes[i + 1])) continue;
        std::u16string around, all;
        append(around, codes[i - 1]);
        append(around, codes[i + 1]);
        append(all, codes[i]);
        all += around;
        if (!mixes_scripts(utf8(icu, around)) && mixes_scripts(utf8(icu, all))) return true;
    }
    return false;
}

}  // namespace

bool is_general_top(std::string_view label) {
    constexpr std::array<std::string_view, 7> kTops{"com", "edu", "gov", "int", "mil", "net", "org"};
    return std::find(kTops.begin(), kTops.end(), ascii_lower(label)) != kTops.end();
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string ascii_domain(std::string_view domain) {
    if (is_ascii(domain)) return ascii_lower(domain);
    return converted(domain, Icu::loaded().to_ascii).value_or(std::string(domain));
}

std::string unicode_domain(std::string_view domain) {
    std::string lower = ascii_lower(domain);
    if (is_ascii(domain) && lower.find("xn--") == std::string_view::npos) return lower;
    return converted(domain, Icu::loaded().to_unicode).value_or(lower);
}

std::string skeleton(std::string_view text) {
    if (text.size() > kMaxTextBytes) return std::string(text);
    const Icu& icu = Icu::loaded();
    const std::string shown = utf8(icu, without_overlaid(icu, without_ignorable(icu, utf16(icu, text))));
    std::string result(shown.size() * 4 + 64, '\0');
    for (;;) {
        UErrorCode status = U_ZERO_ERROR;
        const std::int32_t size =
            icu.skeleton(icu.spoof, 0, shown.data(), size_of(shown), result.data(), size_of(result), &status);
        if (status == U_BUFFER_OVERFLOW_ERROR && size > size_of(result)) {
            result.resize(static_cast<std::size_t>(size));
            continue;
        }
        if (U_FAILURE(status)) return std::string(text);
        result.resize(static_cast<std::size_t>(size));
        return ascii_lower(result);
    }
}

std::string ascii_skeleton(std::string_view text) {
    std::string result;
    AsciiLooks looks(text);
    while (const auto next = looks.next())
        result += *next;
    return result;
}

bool is_picture_of(std::string_view address, std::string_view other) {
    for (;;) {
        const std::size_t end = std::min(address.find_first_of("@."), address.size()),
                          other_end = std::min(other.find_first_of("@."), other.size());
        if (!label_is_picture_of(address.substr(0, end), other.substr(0, other_end))) return false;
        if (end == address.size() || other_end == other.size())
            return end == address.size() && other_end == other.size();
        if (address[end] != other[other_end]) return false;
        address.remove_prefix(end + 1);
        other.remove_prefix(other_end + 1);
    }
}

std::string without_marks(std::string_view text) {
    if (is_ascii(text) || text.size() > kMaxTextBytes) return std::string(text);
    const Icu& icu = Icu::loaded();
    const std::u16string units = utf16(icu, text);
    std::u16string kept;
    for (std::size_t i = 0; i < units.size();) {
        UChar32 code = 0;
        U16_NEXT(units.data(), i, units.size(), code);
        if (is_mark(icu, code)) continue;
        const UChar32 bare = unmarked(icu, code);
        if (U_IS_SUPPLEMENTARY(bare)) kept += static_cast<char16_t>(U16_LEAD(bare));
        kept += static_cast<char16_t>(U_IS_SUPPLEMENTARY(bare) ? U16_TRAIL(bare) : bare);
    }
    return utf8(icu, kept);
}

std::string plain_letters(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    const Icu& icu = Icu::loaded();
    return utf8(icu, normal_form(icu, icu.compatible, without_ignorable(icu, utf16(icu, text))));
}

std::string without_case(std::string_view text) {
    if (is_ascii(text)) return ascii_lower(text);
    const Icu& icu = Icu::loaded();
    return utf8(icu, normal_form(icu, icu.without_case, utf16(icu, text)));
}

bool starts_with_capital(std::string_view text) {
    constexpr std::size_t kLongestCharacter = 4;
    if (text.empty() || is_ascii(text.substr(0, 1))) return !text.empty() && text[0] >= 'A' && text[0] <= 'Z';
    const Icu& icu = Icu::loaded();
    const std::u32string codes = code_points(utf16(icu, whole_characters(text, kLongestCharacter)));
    if (codes.empty()) return false;
    const std::uint32_t category = U_MASK(icu.category(static_cast<UChar32>(codes.front())));
    return (category & (U_GC_LU_MASK | U_GC_LT_MASK)) != 0;
}

bool is_plain_word(std::string_view text) {
    constexpr char32_t kKatakanaDot = 0x30fb;
    constexpr std::uint32_t kPlain = U_GC_L_MASK | U_GC_M_MASK | U_GC_SO_MASK | U_GC_SK_MASK;
    const auto plain_ascii = [](char32_t c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::u32string_view(U"_-&+'").find(c) != std::u32string_view::npos;
    };
    if (is_ascii(text))
        return std::all_of(text.begin(), text.end(), [&](char c) { return plain_ascii(static_cast<char32_t>(c)); });
    const Icu& icu = Icu::loaded();
    const std::u32string codes = code_points(utf16(icu, text));
    const bool plain = std::all_of(codes.begin(), codes.end(), [&](char32_t code) {
        if (code < 0x80) return plain_ascii(code);
        const auto letter = static_cast<UChar32>(code);
        return letter != kReplacement && (code == kKatakanaDot || (U_MASK(icu.category(letter)) & kPlain) != 0);
    });
    return plain && !has_dot_below(icu, codes) && !has_strange_sign(icu, codes);
}

bool mixes_scripts(std::string_view text) {
    if (is_ascii(text) || text.size() > kMaxTextBytes) return false;
    const Icu& icu = Icu::loaded();
    UErrorCode status = U_ZERO_ERROR;
    return icu.check(icu.spoof, text.data(), size_of(text), nullptr, &status) != 0 && U_SUCCESS(status);
}

}  // namespace p11mime::mime
