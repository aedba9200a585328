#include "mime/unicode.h"

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <memory>

#include "mime/error.h"
#include "mime/header.h"
#include "mime/shared_library.h"

// ICU's functions carry the number of its release in their names.
#define P11MIME_TEXT(name) #name
#define P11MIME_EXPANDED_TEXT(name) P11MIME_TEXT(name)
#define P11MIME_TAKE(library, member, function) library.take(member, P11MIME_EXPANDED_TEXT(function))

namespace p11mime::mime {

namespace {

constexpr std::int32_t kMaxTextBytes = 64 * 1024;  // of what is compared; a mailbox is far shorter

// Icu is the library's functions and the objects that all calls share; they are safe to read from many threads.
class Icu {
  public:
    Icu() {
        const SharedLibrary common("libicuuc.so." U_ICU_VERSION_SHORT, kPackage);
        const SharedLibrary more("libicui18n.so." U_ICU_VERSION_SHORT, kPackage);
        decltype(&::uidna_openUTS46) open_idna{};
        decltype(&::unorm2_getNFKCInstance) nfkc{};
        decltype(&::uspoof_open) open_spoof{};
        decltype(&::uspoof_setRestrictionLevel) set_level{};
        decltype(&::uspoof_setChecks) set_checks{};
        P11MIME_TAKE(common, open_idna, uidna_openUTS46);
        P11MIME_TAKE(common, to_ascii, uidna_nameToASCII_UTF8);
        P11MIME_TAKE(common, to_unicode, uidna_nameToUnicodeUTF8);
        P11MIME_TAKE(common, nfkc, unorm2_getNFKCInstance);
        P11MIME_TAKE(common, normalize, unorm2_normalize);
        P11MIME_TAKE(common, has_property, u_hasBinaryProperty);
        P11MIME_TAKE(common, category, u_charType);
        P11MIME_TAKE(common, to_utf16, u_strFromUTF8WithSub);
        P11MIME_TAKE(common, to_utf8, u_strToUTF8WithSub);
        P11MIME_TAKE(more, open_spoof, uspoof_open);
        P11MIME_TAKE(more, set_level, uspoof_setRestrictionLevel);
        P11MIME_TAKE(more, skeleton, uspoof_getSkeletonUTF8);
        P11MIME_TAKE(more, check, uspoof_check2UTF8);
        P11MIME_TAKE(more, set_checks, uspoof_setChecks);
        UErrorCode status = U_ZERO_ERROR;
        idna = open_idna(
            UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ,
            &status);
        compatible = nfkc(&status);
        spoof = open_spoof(&status);
        if (U_SUCCESS(status)) {
            set_level(spoof, USPOOF_HIGHLY_RESTRICTIVE);
            set_checks(spoof, USPOOF_RESTRICTION_LEVEL | USPOOF_INVISIBLE | USPOOF_HIDDEN_OVERLAY, &status);
        }
        if (U_FAILURE(status))
            throw Error(ErrorKind::io, "ICU's data cannot be read", std::string("apt install ") + kPackage);
    }

    static const Icu& loaded() {
        static const Icu icu;
        return icu;
    }

    decltype(&::uidna_nameToASCII_UTF8) to_ascii{};
    decltype(&::uidna_nameToUnicodeUTF8) to_unicode{};
    decltype(&::uspoof_getSkeletonUTF8) skeleton{};
    decltype(&::uspoof_check2UTF8) check{};
    decltype(&::unorm2_normalize) normalize{};
    decltype(&::u_hasBinaryProperty) has_property{};
    decltype(&::u_charType) category{};
    decltype(&::u_strFromUTF8WithSub) to_utf16{};
    decltype(&::u_strToUTF8WithSub) to_utf8{};
    UIDNA* idna = nullptr;
    const UNormalizer2* compatible = nullptr;
    USpoofChecker* spoof = nullptr;

  private:
    static constexpr const char* kPackage = "libicu" U_ICU_VERSION_SHORT;
};

template <class Text>
std::int32_t size_of(const Text& text) {
    return static_cast<std::int32_t>(text.size());
}

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

constexpr UChar32 kReplacement = 0xfffd;  // for what is no Unicode

std::u16string utf16(const Icu& icu, std::string_view text) {
    std::u16string result(text.size(), u'\0');
    std::int32_t size = 0;
    UErrorCode status = U_ZERO_ERROR;
    icu.to_utf16(result.data(), size_of(result), &size, text.data(), size_of(text), kReplacement, nullptr, &status);
    result.resize(U_SUCCESS(status) ? static_cast<std::size_t>(size) : 0);
    return result;
}

std::string utf8(const Icu& icu, std::u16string_view text) {
    std::string result(text.size() * 3, '\0');
    std::int32_t size = 0;
    UErrorCode status = U_ZERO_ERROR;
    icu.to_utf8(result.data(), size_of(result), &size, text.data(), size_of(text), kReplacement, nullptr, &status);
    result.resize(U_SUCCESS(status) ? static_cast<std::size_t>(size) : 0);
    return result;
}

std::u16string without_ignorable(const Icu& icu, std::u16string_view text) {
    std::u16string kept;
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
        UChar32 code = 0;
        U16_NEXT(text.data(), end, text.size(), code);
        if (!icu.has_property(code, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) kept += text.substr(begin, end - begin);
    }
    return kept;
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
                    kUnderDots.find(static_cast<char32_t>(code)) != kUnderDots.npos;
    }
    return kept;
}

}  // namespace

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string ascii_domain(std::string_view domain) {
    if (is_ascii(domain)) return ascii_lower(domain);
    return converted(domain, Icu::loaded().to_ascii).value_or(std::string(domain));
}

std::string unicode_domain(std::string_view domain) {
    const std::string lower = ascii_lower(domain);
    if (is_ascii(domain) && lower.find("xn--") == lower.npos) return lower;
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

std::string plain_letters(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    const Icu& icu = Icu::loaded();
    const std::u16string kept = without_ignorable(icu, utf16(icu, text));
    std::u16string plain(kept.size() * 18, u'\0');  // the most that NFKC makes of one
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t size =
        icu.normalize(icu.compatible, kept.data(), size_of(kept), plain.data(), size_of(plain), &status);
    if (U_FAILURE(status)) return utf8(icu, kept);
    return utf8(icu, std::u16string_view(plain).substr(0, static_cast<std::size_t>(size)));
}

bool is_plain_word(std::string_view text) {
    constexpr UChar32 kKatakanaDot = 0x30fb;
    constexpr std::uint32_t kPlain = U_GC_L_MASK | U_GC_M_MASK | U_GC_SO_MASK | U_GC_SK_MASK;
    const auto plain_ascii = [](char16_t c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::u16string_view(u"_-&+'").find(c) != std::u16string_view::npos;
    };
    if (is_ascii(text)) return std::all_of(text.begin(), text.end(), plain_ascii);
    const Icu& icu = Icu::loaded();
    const std::u16string units = utf16(icu, text);
    for (std::size_t i = 0; i < units.size();) {
        UChar32 code = 0;
        U16_NEXT(units.data(), i, units.size(), code);
        const bool plain = code < 0x80 ? plain_ascii(static_cast<char16_t>(code))
                                       : code == kKatakanaDot || (U_MASK(icu.category(code)) & kPlain) != 0;
        if (!plain || code == kReplacement) return false;
    }
    return true;
}

bool mixes_scripts(std::string_view text) {
    if (is_ascii(text) || text.size() > kMaxTextBytes) return false;
    const Icu& icu = Icu::loaded();
    UErrorCode status = U_ZERO_ERROR;
    return icu.check(icu.spoof, text.data(), size_of(text), nullptr, &status) != 0 && U_SUCCESS(status);
}

}  // namespace p11mime::mime
