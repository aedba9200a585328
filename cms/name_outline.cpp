#include "cms/name_outline.h"

#include <openssl/asn1.h>
#include <openssl/err.h>

#include <algorithm>
#include <iterator>

#include "cms/der.h"
#include "mime/header.h"

namespace p11mime::cms {

namespace {

struct Value {
    Byte identifier;
    ByteView content;
};

// take_value takes the first value off `der`; nothing where there is none, or none of definite length.
std::optional<Value> take_value(ByteView& der) {
    constexpr int kIndefinite = 0x01, kError = 0x80;
    const Byte* at = der.data();
    long length = 0;
    int number = 0, of_class = 0;
    const int kind = ASN1_get_object(&at, &length, &number, &of_class, static_cast<long>(der.size()));
    if ((kind & (kIndefinite | kError)) != 0) {
        ERR_clear_error();
        return std::nullopt;
    }
    const Value value{der.front(), ByteView(at, static_cast<std::size_t>(length))};
    der = der.subspan(static_cast<std::size_t>(at - der.data()) + value.content.size());
    return value;
}

std::optional<ByteView> take(ByteView& der, Byte identifier) {
    const auto value = take_value(der);
    return value && value->identifier == identifier ? std::optional(value->content) : std::nullopt;
}

// take_only takes a value that nothing follows.
std::optional<ByteView> take_only(ByteView der, Byte identifier) {
    const auto content = take(der, identifier);
    return der.empty() ? content : std::nullopt;
}

// take_text takes a string of one byte a character, as long as that is ASCII, which all of its types have alike.
std::optional<ByteView> take_text(ByteView der) {
    constexpr Byte kUtf8 = 0x0c, kPrintable = 0x13, kTeletex = 0x14, kIa5 = 0x16, kVisible = 0x1a;
    constexpr Byte kTexts[] = {kUtf8, kPrintable, kTeletex, kIa5, kVisible};
    const auto value = take_value(der);
    if (!value || !der.empty() || std::ranges::count(kTexts, value->identifier) == 0) return std::nullopt;
    const bool ascii = std::ranges::all_of(value->content, [](Byte byte) { return byte < 0x80; });
    return ascii ? std::optional(value->content) : std::nullopt;
}

}  // namespace

std::optional<std::string> name_outline(ByteView name_der) {
    std::string outline;
    auto rdns = take_only(name_der, tag::kSequence);
    if (!rdns) return std::nullopt;
    while (!rdns->empty()) {
        const auto rdn = take(*rdns, tag::kSet);
        auto attribute = rdn ? take_only(*rdn, tag::kSequence) : std::nullopt;
        const auto type = attribute ? take(*attribute, tag::kOid) : std::nullopt;
        const auto text = type ? take_text(*attribute) : std::nullopt;
        if (!text) return std::nullopt;
        outline.append(type->begin(), type->end()).push_back('\n');
        std::ranges::copy_if(*text, std::back_inserter(outline), [](Byte byte) { return byte > ' '; });
        outline.push_back('\n');
    }
    return mime::ascii_lower(outline);
}

}  // namespace p11mime::cms
