#pragma once

#include <unicode/ubidi.h>
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace p11mime::mime {

/// Icu is the library's functions and the objects that all calls share; they are safe to read from many threads.
class Icu {
  public:
    /// loaded loads ICU at its first call. It throws Error(io) where it is not installed.
    static const Icu& loaded();

    decltype(&::uidna_nameToASCII_UTF8) to_ascii{};
    decltype(&::uidna_nameToUnicodeUTF8) to_unicode{};
    decltype(&::uspoof_getSkeletonUTF8) skeleton{};
    decltype(&::uspoof_check2UTF8) check{};
    decltype(&::unorm2_normalize) normalize{};
    decltype(&::unorm2_getRawDecomposition) decomposition{};
    decltype(&::u_hasBinaryProperty) has_property{};
    decltype(&::u_charType) category{};
    decltype(&::u_charDirection) direction{};
    decltype(&::uscript_getScriptExtensions) scripts{};
    decltype(&::uscript_hasScript) has_script{};
    decltype(&::u_strFromUTF8WithSub) to_utf16{};
    decltype(&::u_strToUTF8WithSub) to_utf8{};
    decltype(&::ubidi_setPara) set_paragraph{};
    decltype(&::ubidi_writeReordered) write_reordered{};
    UIDNA* idna = nullptr;
    const UNormalizer2* compatible = nullptr;    // NFKC
    const UNormalizer2* without_case = nullptr;  // NFKC_Casefold
    USpoofChecker* spoof = nullptr;

    using Paragraph = std::unique_ptr<UBiDi, decltype(&::ubidi_close)>;
    Paragraph new_paragraph() const { return {open_paragraph_(), close_paragraph_}; }

  private:
    Icu();

    decltype(&::ubidi_open) open_paragraph_{};
    decltype(&::ubidi_close) close_paragraph_{};
};

/// kReplacement stands for what is no Unicode.
inline constexpr UChar32 kReplacement = 0xfffd;

/// size_of is a text's size as ICU takes it.
template <class Text>
std::int32_t size_of(const Text& text) {
    return static_cast<std::int32_t>(text.size());
}

/// code_points is the characters of UTF-16; append adds one to such a text.
std::u32string code_points(std::u16string_view text);
void append(std::u16string& text, char32_t code);

std::u16string utf16(const Icu& icu, std::string_view text);
std::string utf8(const Icu& icu, std::u16string_view text);

inline bool is_mark(const Icu& icu, UChar32 code) {
    return (U_MASK(icu.category(code)) & U_GC_M_MASK) != 0;
}
inline bool is_letter_or_digit(const Icu& icu, char32_t code) {
    return (U_MASK(icu.category(static_cast<UChar32>(code))) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

/// without_ignorable leaves out what shows nothing (Default_Ignorable_Code_Point).
std::u16string without_ignorable(const Icu& icu, std::u16string_view text);

/// normal_form is a text in one of the forms that Icu has.
std::u16string normal_form(const Icu& icu, const UNormalizer2* form, std::u16string_view text);

}  // namespace p11mime::mime
