#include "token/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <set>
#include <vector>

#include "mime/error.h"
#include "mime/hex.h"
#include "token/module_file.h"

namespace p11mime::token {

namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::size_t kMaxLength = 16 * 1024;

// RFC 7512 section 2.3: what may stand unencoded, beside letters, digits and "-._~".
constexpr std::string_view kPathMarks = ":[]@!$'()*+,=&";
constexpr std::string_view kQueryMarks = ":[]@!$'()*+,=/?|";

constexpr std::array<std::string_view, 5> kTypes = {"public", "private", "cert", "secret-key", "data"};

using Text = std::optional<std::string>;

/// TextAttribute is an attribute that is a string as it stands.
struct TextAttribute {
    std::string_view name;
    Text Uri::*member;
};

constexpr std::array kPathAttributes = {
    TextAttribute{"token", &Uri::token},
    TextAttribute{"manufacturer", &Uri::manufacturer},
    TextAttribute{"model", &Uri::model},
    TextAttribute{"serial", &Uri::serial},
    TextAttribute{"library-manufacturer", &Uri::library_manufacturer},
    TextAttribute{"library-description", &Uri::library_description},
    TextAttribute{"library-version", &Uri::library_version},
    TextAttribute{"slot-description", &Uri::slot_description},
    TextAttribute{"slot-manufacturer", &Uri::slot_manufacturer},
    TextAttribute{"object", &Uri::object},
    TextAttribute{"id", &Uri::id},
    TextAttribute{"type", &Uri::type},
};

constexpr std::array kQueryAttributes = {
    TextAttribute{"pin-source", &Uri::pin_source},
    TextAttribute{"module-name", &Uri::module_name},
    TextAttribute{"module-path", &Uri::module_path},
};

[[noreturn]] void fail(const std::string& why, std::string hint = {}) {
    throw Error(ErrorKind::usage, "bad PKCS#11 URI: " + why, std::move(hint));
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool may_stand(char c, std::string_view marks) {
    return is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos ||
           marks.find(c) != std::string_view::npos;
}

std::string percent(char c) {
    return fmt::format("%{:02X}", static_cast<unsigned char>(c));
}

std::string decode(std::string_view name, std::string_view encoded, std::string_view marks) {
    std::string value;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        const char c = encoded[i];
        if (c == '%') {
            const auto byte = hex_byte(encoded.substr(i + 1));
            if (!byte) fail(fmt::format("'%' in {} is not followed by two hex digits", name));
            value.push_back(static_cast<char>(*byte));
            i += 2;
        } else if (may_stand(c, marks)) {
            value.push_back(c);
        } else {
            fail(fmt::format("{} has a character that must be written as {}", name, percent(c)));
        }
    }
    return value;
}

std::string encode(std::string_view value, std::string_view marks) {
    std::string encoded;
    for (const char c : value)
        encoded += may_stand(c, marks) ? std::string(1, c) : percent(c);
    return encoded;
}

std::string encode_id(std::string_view id) {
    std::string encoded;
    for (const char c : id)
        encoded += percent(c);
    return encoded;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

struct RawAttribute {
    std::string name;
    std::string_view value;
};

RawAttribute split_attribute(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const bool well_formed = equals != std::string_view::npos && !name.empty() &&
                             std::all_of(name.begin(), name.end(),
                                         [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
    if (!well_formed) fail("an attribute is not of the form name=value");
    return {std::string(name), text.substr(equals + 1)};
}

/// is_vendor_attribute: RFC 7512 section 2.3 leaves other names to vendors; "x-" is in use, "vendor-" in its examples.
bool is_vendor_attribute(std::string_view name) {
    return name.starts_with("x-") || name.starts_with("vendor-");
}

unsigned long parse_slot_id(const std::string& text) {
    unsigned long id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size()) fail("slot-id is not a number");
    return id;
}

bool is_version(std::string_view text) {
    const std::vector<std::string_view> parts = split(text, '.');
    return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               return !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
           });
}

template <std::size_t N>
bool set_text(Uri& uri, const std::array<TextAttribute, N>& known, std::string_view name, const std::string& value) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const TextAttribute& attribute) { return attribute.name == name; });
    if (found == known.end()) return false;
    uri.*(found->member) = value;
    return true;
}

void parse_path(Uri& uri, std::string_view path) {
    if (path.empty()) return;
    std::set<std::string> seen;
    for (const std::string_view part : split(path, ';')) {
        const RawAttribute attribute = split_attribute(part);
        if (!seen.insert(attribute.name).second) fail(fmt::format("{} is there twice", attribute.name));
        const std::string value = decode(attribute.name, attribute.value, kPathMarks);
        if (attribute.name == "slot-id")
            uri.slot_id = parse_slot_id(value);
        else if (!set_text(uri, kPathAttributes, attribute.name, value) && !is_vendor_attribute(attribute.name))
            fail(fmt::format("unknown attribute {}", attribute.name));
    }
    if (uri.type && std::find(kTypes.begin(), kTypes.end(), *uri.type) == kTypes.end())
        fail("unknown type", "types are cert, data, private, public and secret-key");
    if (uri.library_version && !is_version(*uri.library_version)) fail("library-version is not of the form 1 or 1.23");
}

void parse_query(Uri& uri, std::string_view query) {
    std::set<std::string> seen;
    for (const std::string_view part : split(query, '&')) {
        const RawAttribute attribute = split_attribute(part);
        if (is_vendor_attribute(attribute.name)) continue;
        if (!seen.insert(attribute.name).second) fail(fmt::format("{} is there twice", attribute.name));
        if (attribute.name == "pin-value") {
            std::string value = decode(attribute.name, attribute.value, kQueryMarks);
            uri.pin_value.emplace(bytes_of(value));
            OPENSSL_cleanse(value.data(), value.size());
            continue;
        }
        if (!set_text(uri, kQueryAttributes, attribute.name, decode(attribute.name, attribute.value, kQueryMarks)))
            fail(fmt::format("unknown attribute {}", attribute.name));
    }
    if (uri.pin_source && uri.pin_value) fail("pin-source and pin-value exclude each other");
    if (uri.pin_source && uri.pin_source->starts_with('|'))
        throw Error(ErrorKind::usage, "a pin-source that runs a command is refused",
                    "use pin-source=file:PATH or --pin-source");
}

bool fits(const Text& wanted, const std::string& actual) {
    return !wanted || *wanted == actual;
}

/// is_module says whether a module-path (RFC 7512 section 2.3) leads to a module's file.
bool is_module(const std::string& module_path, const std::string& file) {
    const std::filesystem::path wanted = ModuleFile::parse(module_path).path;
    const std::filesystem::path actual(file);
    if (wanted == actual || wanted == actual.filename()) return true;
    std::error_code none;
    return std::filesystem::equivalent(wanted, actual, none) ||
           std::filesystem::equivalent(wanted, actual.parent_path(), none);
}

}  // namespace

Uri Uri::parse(std::string_view text) {
    if (text.size() > kMaxLength) fail("it is too long");
    const bool has_scheme = text.size() >= kScheme.size() &&
                            std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                                       [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    if (!has_scheme) fail("it does not begin with pkcs11:", "p11mime tokens lists the URIs of tokens and keys");
    text.remove_prefix(kScheme.size());
    Uri uri;
    const std::size_t question = text.find('?');
    parse_path(uri, text.substr(0, question));
    if (question != std::string_view::npos) parse_query(uri, text.substr(question + 1));
    return uri;
}

std::string Uri::to_string() const {
    std::vector<std::string> path;
    for (const TextAttribute& attribute : kPathAttributes) {
        const Text& value = this->*(attribute.member);
        if (!value) continue;
        path.push_back(fmt::format("{}={}", attribute.name,
                                   attribute.name == "id" ? encode_id(*value) : encode(*value, kPathMarks)));
    }
    if (slot_id) path.push_back(fmt::format("slot-id={}", *slot_id));
    std::vector<std::string> query;
    for (const TextAttribute& attribute : kQueryAttributes) {
        const Text& value = this->*(attribute.member);
        if (value) query.push_back(fmt::format("{}={}", attribute.name, encode(*value, kQueryMarks)));
    }
    return fmt::format("{}{}{}{}", kScheme, fmt::join(path, ";"), query.empty() ? "" : "?", fmt::join(query, "&"));
}

bool Uri::matches(const TokenInfo& info) const {
    return fits(token, info.label) && fits(manufacturer, info.manufacturer) && fits(model, info.model) &&
           fits(serial, info.serial) && fits(library_manufacturer, info.library_manufacturer) &&
           fits(library_description, info.library_description) && fits(slot_description, info.slot_description) &&
           fits(slot_manufacturer, info.slot_manufacturer) && (!slot_id || *slot_id == info.slot_id) &&
           (!library_version || *library_version == info.library_version ||
            *library_version + ".0" == info.library_version) &&
           (!module_path || is_module(*module_path, info.module));
}

}  // namespace p11mime::token
