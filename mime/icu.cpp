#include "mime/icu.h"

#include "mime/error.h"
#include "mime/shared_library.h"

// ICU's functions carry the number of its release in their names.
#define P11MIME_TEXT(name) #name
#define P11MIME_EXPANDED_TEXT(name) P11MIME_TEXT(name)
#define P11MIME_TAKE(library, member, function) library.take(member, P11MIME_EXPANDED_TEXT(function))

namespace p11mime::mime {

namespace {

constexpr const char* kPackage = "libicu" U_ICU_VERSION_SHORT;

}  // namespace

Icu::Icu() {
    const SharedLibrary common("libicuuc.so." U_ICU_VERSION_SHORT, kPackage);
    const SharedLibrary more("libicui18n.so." U_ICU_VERSION_SHORT, kPackage);
    decltype(&::uidna_openUTS46) open_idna{};
    decltype(&::unorm2_getNFKCInstance) nfkc{}, nfkc_casefold{};
    decltype(&::uspoof_open) open_spoof{};
    decltype(&::uspoof_setRestrictionLevel) set_level{};
    decltype(&::uspoof_setChecks) set_checks{};
    P11MIME_TAKE(common, open_idna, uidna_openUTS46);
    P11MIME_TAKE(common, to_ascii, uidna_nameToASCII_UTF8);
    P11MIME_TAKE(common, to_unicode, uidna_nameToUnicodeUTF8);
    P11MIME_TAKE(common, nfkc, unorm2_getNFKCInstance);
    P11MIME_TAKE(common, nfkc_casefold, unorm2_getNFKCCasefoldInstance);
    P11MIME_TAKE(common, normalize, unorm2_normalize);
    P11MIME_TAKE(common, decomposition, unorm2_getRawDecomposition);
    P11MIME_TAKE(common, has_property, u_hasBinaryProperty);
    P11MIME_TAKE(common, category, u_charType);
    P11MIME_TAKE(common, direction, u_charDirection);
    P11MIME_TAKE(common, scripts, uscript_getScriptExtensions);
    P11MIME_TAKE(common, has_script, uscript_hasScript);
    P11MIME_TAKE(common, to_utf16, u_strFromUTF8WithSub);
    P11MIME_TAKE(common, to_utf8, u_strToUTF8WithSub);
    P11MIME_TAKE(common, open_paragraph_, ubidi_open);
    P11MIME_TAKE(common, close_paragraph_, ubidi_close);
    P11MIME_TAKE(common, set_paragraph, ubidi_setPara);
    P11MIME_TAKE(common, write_reordered, ubidi_writeReordered);
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
    without_case = nfkc_casefold(&status);
    spoof = open_spoof(&status);
    if (U_SUCCESS(status)) {
        set_level(spoof, USPOOF_HIGHLY_RESTRICTIVE);
        set_checks(spoof, USPOOF_RESTRICTION_LEVEL | USPOOF_INVISIBLE | USPOOF_HIDDEN_OVERLAY, &status);
    }
    if (U_FAILURE(status))
        throw Error(ErrorKind::io, "ICU's data cannot be read", std::string("apt install ") + kPackage);
}

const Icu& Icu::loaded() {
    static const Icu icu;
    return icu;
}

std::u32string code_points(std::u16string_view text) {
    std::u32string codes;
    for (std::size_t i = 0; i < text.size();) {
        UChar32 code = 0;
        U16_NEXT(text.data(), i, text.size(), code);
        codes += static_cast<char32_t>(code);
    }
    return codes;
}

void append(std::u16string& text, char32_t code) {
    if (code > 0xffff) text += static_cast<char16_t>(U16_LEAD(code));
    text += static_cast<char16_t>(code > 0xffff ? U16_TRAIL(code) : code);
}

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

std::u16string normal_form(const Icu& icu, const UNormalizer2* form, std::u16string_view text) {
    std::u16string plain(text.size() * 18, u'\0');  // the most that NFKC makes of one
    UErrorCode status = U_ZERO_ERROR;
    const std::int32_t size = icu.normalize(form, text.data(), size_of(text), plain.data(), size_of(plain), &status);
    if (U_FAILURE(status)) return std::u16string(text);
    plain.resize(static_cast<std::size_t>(size));
    return plain;
}

}  // namespace p11mime::mime
