#include "mime/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <type_traits>
#include <utility>

#include "mime/header.h"

namespace p11mime::mime {

namespace {

struct CloseConverter {
    void operator()(iconv_t converter) const { iconv_close(converter); }
};
using Converter = std::unique_ptr<std::remove_pointer_t<iconv_t>, CloseConverter>;

constexpr std::string_view kPunctuation = "-_.:+";

// iconv gives "//" and what follows it a meaning of its own, so only plain names get through.
bool is_charset_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kPunctuation.find(c) != std::string_view::npos;
    });
}

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// known_name is a charset's name as iconv knows it: without "x-" before it, without the marks of RFC 1556 for the
// direction of letters, without the zeros of the names that IANA gives to code pages of IBM, and with code pages of
// Windows and Latin alphabets by number, however programs write them.
std::string known_name(std::string_view charset) {
    using Names = std::pair<std::string_view, std::string_view>;
    constexpr std::array<Names, 19> kOthers{Names{"iso-8859-6-e", "iso-8859-6"},
                                            Names{"iso-8859-6-i", "iso-8859-6"},
                                            Names{"iso-8859-8-e", "iso-8859-8"},
                                            Names{"iso-8859-8-i", "iso-8859-8"},
                                            Names{"unicode-1-1-utf-7", "utf-7"},
                                            Names{"unicode-2-0-utf-7", "utf-7"},
                                            Names{"csunicode11utf7", "utf-7"},
                                            Names{"csutf7", "utf-7"},
                                            Names{"unicode-1-1-utf-8", "utf-8"},
                                            Names{"ks_c_5601-1987", "cp949"},
                                            Names{"ms949", "cp949"},
                                            Names{"mac-roman", "macintosh"},
                                            Names{"macroman", "macintosh"},
                                            Names{"dos-866", "ibm866"},
                                            Names{"windows-31j", "cp932"},
                                            Names{"cswindows31j", "cp932"},
                                            Names{"cp50220", "iso-2022-jp-3"},
                                            Names{"cp50221", "iso-2022-jp-3"},
                                            Names{"iso-2022-jp-ms", "iso-2022-jp-3"}};
    constexpr std::array<Names, 6> kNumbered{Names{"windows-", "cp"}, Names{"windows", "cp"}, Names{"win-", "cp"},
                                             Names{"win", "cp"},      Names{"cp-", "cp"},     Names{"latin-", "latin"}};
    constexpr std::string_view kIbm = "ibm";
    constexpr std::size_t kIanaDigits = 5;
    std::string name = ascii_lower(charset);
    while (name.starts_with("x-") && name.size() > 2)
        name.erase(0, 2);
    if (name.size() == kIbm.size() + kIanaDigits && name.starts_with(kIbm))
        name.erase(kIbm.size(), std::min(name.find_first_not_of('0', kIbm.size()), name.size()) - kIbm.size());
    for (const auto& [other, known] : kOthers)
        if (name == other) return std::string(known);
    for (const auto& [prefix, known] : kNumbered)
        if (name.starts_with(prefix) && is_number(std::string_view(name).substr(prefix.size())))
            return std::string(known) + name.substr(prefix.size());
    return name;
}

// shifts knows charsets in which letters of ASCII stand for others behind an escape sequence (ISO/IEC 2022).
bool shifts(std::string_view known_name) {
    return known_name.find("2022") != std::string_view::npos;
}

// The names that browsers know (WHATWG Encoding Standard section 4.2) of charsets with bytes of ASCII in characters.
constexpr std::array<std::string_view, 25> kUsualNames{
    "big5",       "big5-hkscs", "chinese",   "cn-big5",   "csbig5",     "csgb2312",    "csiso2022jp", "csiso58gb231280",
    "csshiftjis", "gb18030",    "gb2312",    "gb_2312",   "gb_2312-80", "gbk",         "iso-2022-jp", "iso-ir-58",
    "ms932",      "ms_kanji",   "shift-jis", "shift_jis", "sjis",       "windows-31j", "x-gbk",       "x-sjis",
    "x-x-big5"};

Converter open_converter(std::string_view charset) {
    const iconv_t converter = iconv_open("UTF-8", known_name(charset).c_str());
    return Converter(converter == reinterpret_cast<iconv_t>(-1) ? nullptr : converter);
}

// converted is to_utf8, or to_utf8_loosely.
std::optional<std::string> converted(std::string_view charset, std::string_view bytes, bool loosely) {
    constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
    if (!is_charset_name(charset)) return std::nullopt;
    const Converter converter = open_converter(charset);
    if (!converter) return std::nullopt;

    std::string text;
    std::array<char, 1024> buffer;
    char* in = const_cast<char*>(bytes.data());  // iconv(3) does not write to its input
    std::size_t in_left = bytes.size();
    for (bool flushing = false;;) {
        char* out = buffer.data();
        std::size_t out_left = buffer.size();
        const std::size_t result =
            iconv(converter.get(), flushing ? nullptr : &in, flushing ? nullptr : &in_left, &out, &out_left);
        const int error = errno;
        text.append(buffer.data(), out);
        if (result == static_cast<std::size_t>(-1)) {
            if (error == E2BIG) continue;
            if (!loosely) return std::nullopt;
            if (in_left == 0) return text;
            text += kReplacement;
            ++in;
            --in_left;
        } else if (flushing) {
            return text;
        } else {
            flushing = true;
        }
    }
}

}  // namespace

std::optional<std::string> to_utf8(std::string_view charset, std::string_view bytes) {
    return converted(charset, bytes, false);
}

std::optional<std::string> to_utf8_loosely(std::string_view charset, std::string_view bytes) {
    return converted(charset, bytes, true);
}

bool is_shared(std::string_view charset) {
    constexpr std::string_view kOfAddresses = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@.-_";
    constexpr std::array<std::string_view, 3> kJapanese{"iso-2022-jp", "iso2022jp", "csiso2022jp"};
    const std::string name = known_name(charset);
    const bool japanese = std::any_of(kJapanese.begin(), kJapanese.end(),
                                      [&](std::string_view prefix) { return name.starts_with(prefix); });
    return (!shifts(name) || japanese) && to_utf8(charset, kOfAddresses) == kOfAddresses;
}

bool hides_ascii(std::string_view charset) {
    constexpr unsigned kFirstLead = 0x81, kLastLead = 0xfe;
    const std::string name = ascii_lower(charset);
    if (!is_shared(name) || std::find(kUsualNames.begin(), kUsualNames.end(), name) != kUsualNames.end()) return false;
    if (shifts(known_name(name))) return true;
    std::string pairs;
    for (unsigned lead = kFirstLead; lead <= kLastLead; ++lead)
        pairs += {static_cast<char>(lead), '@'};
    const std::string text = to_utf8_loosely(name, pairs).value_or(pairs);
    return std::count(text.begin(), text.end(), '@') < std::count(pairs.begin(), pairs.end(), '@');
}

}  // namespace p11mime::mime
