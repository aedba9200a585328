#include "mime/shown_text.h"

#include <algorithm>
#include <array>

#include "mime/icu.h"
#include "mime/unicode.h"

namespace p11mime::mime {

namespace {

// is_framed knows letters in circles and squares.
bool is_framed(char32_t code) {
    return (code >= 0x24b6 && code <= 0x24e9) || (code >= 0x1f130 && code <= 0x1f149) ||
           (code >= 0x1f150 && code <= 0x1f169) || (code >= 0x1f170 && code <= 0x1f189);
}

bool is_blank(const Icu& icu, char32_t code) {
    return icu.has_property(static_cast<UChar32>(code), UCHAR_WHITE_SPACE) != 0;
}

// framed_a_size is how many characters make an "a" with something around it that stands alone, or goes for one; 0 where
// there is none. A circle (U+20DD) goes around the letter before it, and the marks on that: each mark is looked at
// once.
std::size_t framed_a_size(const Icu& icu, const std::u32string& text, std::size_t at) {
    constexpr std::u32string_view kFramedA = U"\u229a\u24b6\u24d0\U0001f130\U0001f150\U0001f170";
    constexpr char32_t kCircle = 0x20dd;
    if (is_mark(icu, static_cast<UChar32>(text[at]))) return 0;
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != kCircle && is_mark(icu, static_cast<UChar32>(text[end])))
        ++end;
    if (end < text.size() && text[end] == kCircle) {
        std::u16string letter;
        append(letter, text[at]);
        if (skeleton(without_marks(utf8(icu, letter))) == "a") return end + 1 - at;
    }
    const char32_t before = at > 0 ? text[at - 1] : 0, after = at + 1 < text.size() ? text[at + 1] : 0;
    return kFramedA.find(text[at]) != std::string_view::npos && !is_framed(before) && !is_framed(after) ? 1 : 0;
}

// is_small_a says whether a sign is a raised or lowered "a" where an "@" would stand: between letters or digits, or by
// itself. In honest names it ends a word ("M\u00aa Jos\u00e9").
bool is_small_a(const Icu& icu, const std::u32string& text, std::size_t at) {
    constexpr std::u32string_view kSmallA = U"\u00aa\u1d2c\u1d43\u1d45\u2090";
    if (kSmallA.find(text[at]) == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
    return (is_letter_or_digit(icu, text[at - 1]) && is_letter_or_digit(icu, text[at + 1])) ||
           (is_blank(icu, text[at - 1]) && is_blank(icu, text[at + 1]));
}

// is_in_word says whether letters stand on both sides of some characters.
bool is_in_word(const Icu& icu, const std::u32string& text, std::size_t at, std::size_t size) {
    const auto is_letter = [&](char32_t code) {
        return (U_MASK(icu.category(static_cast<UChar32>(code))) & U_GC_L_MASK) != 0;
    };
    return at > 0 && at + size < text.size() && is_letter(text[at - 1]) && is_letter(text[at + size]);
}

// with_plain_signs makes "@", "(a)", a dot and blanks of what goes for an "@" or looks like the others, as long as NFKC
// has not made other letters of that.
std::u16string with_plain_signs(const Icu& icu, const std::u32string& text) {
    constexpr std::size_t kMostMarks = 30;  // on a letter: UAX #15 lets no text need more
    constexpr char32_t kDotAbove = 0x2d9;   // NFKC makes a blank of it, with a dot above that
    constexpr std::u32string_view kBlankLetters = U"\u115f\u1160\u2800\u3164\uffa0";
    std::u16string plain;
    std::size_t marks = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        marks = is_mark(icu, static_cast<UChar32>(text[i])) ? marks + 1 : 0;
        if (marks > kMostMarks) continue;
        const std::size_t framed = framed_a_size(icu, text, i);
        if (framed > 0 && !is_in_word(icu, text, i, framed))
            plain += u'@';
        else if (framed > 0 || is_small_a(icu, text, i))
            plain += u"(a)";
        else if (kBlankLetters.find(text[i]) != std::string_view::npos)
            plain += u' ';
        else
            append(plain, text[i] == kDotAbove ? U'\u00b7' : text[i]);
        i += std::max<std::size_t>(framed, 1) - 1;
    }
    return plain;
}

bool looks_like_dot(const Icu& icu, char32_t code) {
    // Round pictures and low strokes besides those of the confusables, the dot that Korean writes between words, tone
    // marks of Han and Hangul, and Braille of one low dot.
    constexpr std::u32string_view kRound =
        U"\u02cc\u02f3\u119e\u2804\u2820\u2840\u2880\u302a\u302b\u302c\u302d\u302e\u302f"
        U"\u25aa\u25ab\u25cf\u25e6\u25fe\u26ab\u2981\u2b1d\u2b24\u2e33\U0001f784";
    constexpr std::u32string_view kDots = U".\u00b7";
    if (code < 0x80) return false;
    if (kRound.find(code) != std::string_view::npos) return true;
    std::u16string one;
    append(one, code);
    const std::u32string like = code_points(utf16(icu, skeleton(utf8(icu, one))));
    return !like.empty() && kDots.find(like.front()) != std::string_view::npos;
}

// is_used_in says whether a sign belongs to a script that both letters are of. Latin has no dot within words but
// Catalan's.
bool is_used_in(const Icu& icu, char32_t sign, char32_t before, char32_t after) {
    constexpr char32_t kMiddleDot = 0xb7;
    const auto is_l = [](char32_t code) { return code == 'l' || code == 'L'; };
    if (sign == kMiddleDot && is_l(before) && is_l(after)) return true;
    std::array<UScriptCode, 64> scripts{};
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t count = icu.scripts(static_cast<UChar32>(sign), scripts.data(), size_of(scripts), &status);
    return U_SUCCESS(status) && std::any_of(scripts.begin(), scripts.begin() + count, [&](UScriptCode script) {
               return script != USCRIPT_COMMON && script != USCRIPT_INHERITED && script != USCRIPT_LATIN &&
                      icu.has_script(static_cast<UChar32>(before), script) &&
                      icu.has_script(static_cast<UChar32>(after), script);
           });
}

// is_dot says whether a reader takes a sign for a dot in a domain. The ideographic full stop is one (UTS #46).
bool is_dot(const Icu& icu, const std::u32string& text, std::size_t at) {
    constexpr char32_t kFullStop = 0x3002;
    if (text[at] == kFullStop) return true;
    if (at == 0 || at + 1 == text.size() || !looks_like_dot(icu, text[at])) return false;
    return !is_blank(icu, text[at - 1]) && !is_blank(icu, text[at + 1]) &&
           !is_used_in(icu, text[at], text[at - 1], text[at + 1]);
}

// with_each writes a text anew that has anything beyond ASCII: each such character as a sign that it goes for, or as it
// is where that is 0.
template <class SignOf>
std::string with_each(std::string_view text, SignOf sign_of) {
    if (is_ascii(text)) return std::string(text);
    const Icu& icu = Icu::loaded();
    std::u16string result;
    for (const char32_t code : code_points(utf16(icu, text))) {
        const char16_t sign = code < 0x80 ? u'\0' : sign_of(icu, static_cast<UChar32>(code));
        append(result, sign == 0 ? code : sign);
    }
    return utf8(icu, result);
}

bool turns(UCharDirection direction) {
    constexpr std::array kTurning{U_RIGHT_TO_LEFT,           U_RIGHT_TO_LEFT_ARABIC,   U_ARABIC_NUMBER,
                                  U_LEFT_TO_RIGHT_EMBEDDING, U_LEFT_TO_RIGHT_OVERRIDE, U_RIGHT_TO_LEFT_EMBEDDING,
                                  U_RIGHT_TO_LEFT_OVERRIDE,  U_FIRST_STRONG_ISOLATE,   U_LEFT_TO_RIGHT_ISOLATE,
                                  U_RIGHT_TO_LEFT_ISOLATE};
    return std::find(kTurning.begin(), kTurning.end(), direction) != kTurning.end();
}

}  // namespace

std::string plain_signs(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    const Icu& icu = Icu::loaded();
    const std::u16string visible = without_ignorable(icu, with_plain_signs(icu, code_points(utf16(icu, text))));
    const std::u32string letters = code_points(normal_form(icu, icu.compatible, visible));
    std::u16string plain;
    for (std::size_t i = 0; i < letters.size(); ++i)
        append(plain, is_dot(icu, letters, i) ? U'.' : letters[i]);
    return utf8(icu, plain);
}

std::string plain_brackets(std::string_view text) {
    return with_each(text, [](const Icu& icu, UChar32 code) -> char16_t {
        const std::uint32_t category = U_MASK(icu.category(code));
        if (icu.has_property(code, UCHAR_BIDI_MIRRORED) == 0) return 0;  // a low quotation mark
        if ((category & U_GC_PS_MASK) != 0) return u'(';
        return (category & U_GC_PE_MASK) != 0 ? u')' : 0;
    });
}

std::string plain_punctuation(std::string_view text) {
    constexpr std::uint32_t kOfWords = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
    return with_each(text, [](const Icu& icu, UChar32 code) -> char16_t {
        const std::uint32_t category = U_MASK(icu.category(code));
        if ((category & kOfWords) != 0) return 0;
        return (category & U_GC_Z_MASK) != 0 ? u' ' : u'"';
    });
}

std::string without_narrow_blanks(std::string_view text) {
    constexpr std::array<std::string_view, 13> kNarrow{
        "\t",           "\n",           "\r",           "\xe1\x85\x9f", "\xe1\x85\xa0", "\xe2\x80\x86", "\xe2\x80\x88",
        "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x85\xa4", "\xef\xbe\xa0"};
    std::string kept;
    while (!text.empty()) {
        const auto* narrow = std::find_if(kNarrow.begin(), kNarrow.end(),
                                          [&](std::string_view blank) { return text.starts_with(blank); });
        if (narrow == kNarrow.end()) kept += text.front();
        text.remove_prefix(narrow == kNarrow.end() ? 1 : narrow->size());
    }
    return kept;
}

std::optional<std::string> visual_order(std::string_view text, bool right_to_left) {
    if (is_ascii(text)) return std::nullopt;
    const Icu& icu = Icu::loaded();
    const std::u16string letters = utf16(icu, text);
    const std::u32string codes = code_points(letters);
    if (std::none_of(codes.begin(), codes.end(),
                     [&](char32_t code) { return turns(icu.direction(static_cast<UChar32>(code))); }))
        return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    const Icu::Paragraph paragraph = icu.new_paragraph();
    if (!paragraph) throw std::bad_alloc();
    icu.set_paragraph(paragraph.get(), letters.data(), size_of(letters), right_to_left ? 1 : 0, nullptr, &status);
    std::u16string shown(letters.size(), u'\0');
    const std::int32_t size =
        icu.write_reordered(paragraph.get(), shown.data(), size_of(shown),
                            UBIDI_DO_MIRRORING | UBIDI_REMOVE_BIDI_CONTROLS | UBIDI_KEEP_BASE_COMBINING, &status);
    if (U_FAILURE(status)) return std::nullopt;
    return utf8(icu, std::u16string_view(shown).substr(0, static_cast<std::size_t>(size)));
}

}  // namespace p11mime::mime
