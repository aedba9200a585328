#include "mime/content_type.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "mime/charset.h"
#include "mime/field_pieces.h"
#include "mime/hex.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

// Scanner reads a structured field body, dropping comments and taking quotes off.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }

    // Whether the next character is `c`, which is then skipped.
    bool skip(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // Everything up to one of the stops outside quotes and comments, without surrounding white space.
    std::string until(std::string_view stops) {
        std::string text;
        std::size_t solid = 0;  // what white space at the end may be cut down to
        while (!rest_.empty() && stops.find(rest_.front()) == std::string_view::npos) {
            if (rest_.front() == '(') {
                rest_.remove_prefix(comment_size(rest_));
            } else if (skip('"')) {
                quoted(text);
                solid = text.size();
            } else {
                const char c = rest_.front();
                rest_.remove_prefix(1);
                if (is_space(c) && text.empty()) continue;
                text += c;
                if (!is_space(c)) solid = text.size();
            }
        }
        text.resize(solid);
        return text;
    }

  private:
    void quoted(std::string& text) {
        while (!rest_.empty() && !skip('"')) {
            if (skip('\\') && rest_.empty()) return;
            text += rest_.front();
            rest_.remove_prefix(1);
        }
    }

    std::string_view rest_;
};

// Takes white space around "/" out; what follows other white space is no part of the value.
std::string compact(std::string_view value) {
    std::string compacted;
    while (!value.empty()) {
        const std::string_view word = value.substr(0, value.find_first_of(" \t\r\n"));
        compacted += word;
        value = trim(value.substr(word.size()));
        if (!value.starts_with('/') && !compacted.ends_with('/')) break;
    }
    return ascii_lower(compacted);
}

// One section of an RFC 2231 parameter.
struct Section {
    bool encoded;
    std::string text;
};
using Sections = std::map<unsigned, Section>;

std::string percent_decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' ? hex_byte(text.substr(i + 1)) : std::nullopt;
        if (byte) {
            bytes += static_cast<char>(*byte);
            i += 2;
        } else {
            bytes += text[i];
        }
    }
    return bytes;
}

// RFC 2231 sections 3 and 4: sections in order from 0, the charset named by the first one.
std::string joined(const Sections& sections) {
    std::string charset, bytes, as_written;
    for (unsigned number = 0; sections.contains(number); ++number) {
        const Section& section = sections.at(number);
        as_written += section.text;
        std::string_view text = section.text;
        if (number == 0 && section.encoded) {
            const std::size_t first = text.find('\'');
            const std::size_t second = first == std::string_view::npos ? first : text.find('\'', first + 1);
            if (second != std::string_view::npos) {
                charset = text.substr(0, first);
                text.remove_prefix(second + 1);
            }
        }
        bytes += section.encoded ? percent_decoded(text) : std::string(text);
    }
    if (charset.empty()) return bytes;
    return to_utf8(charset, bytes).value_or(as_written);
}

struct SectionName {
    std::string name;
    unsigned number = 0;
    bool encoded = false;
};

// Reads "name*", "name*3" and "name*3*"; nothing where the name has another form.
std::optional<SectionName> section_name(std::string_view name) {
    const std::size_t star = name.find('*');
    SectionName result{.name = std::string(name.substr(0, star))};
    std::string_view suffix = name.substr(star + 1);
    if (suffix.empty()) {
        result.encoded = true;
        return result;
    }
    if (suffix.ends_with('*')) {
        result.encoded = true;
        suffix.remove_suffix(1);
    }
    const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), result.number);
    if (error != std::errc() || end != suffix.data() + suffix.size()) return std::nullopt;
    return result;
}

}  // namespace

std::string Parameterized::parameter(std::string_view name) const {
    const auto found = parameters.find(std::string(name));
    return found == parameters.end() ? std::string() : found->second;
}

Parameterized parse_parameterized(std::string_view field_value) {
    Scanner scanner(field_value);
    Parameterized result{.value = compact(scanner.until(";")), .parameters = {}, .ambiguous = {}};
    std::map<std::string, Sections> extended;
    while (scanner.skip(';')) {
        const std::string name = ascii_lower(scanner.until("=;"));
        if (!scanner.skip('=')) continue;
        std::string value = scanner.until(";");
        if (name.empty()) continue;
        if (name.find('*') == std::string::npos) {
            if (const auto known = result.parameters.find(name); known == result.parameters.end())
                result.parameters.emplace(name, std::move(value));
            else if (known->second != value)
                result.ambiguous.push_back(name);
        } else if (const auto section = section_name(name)) {
            const auto [known, is_new] =
                extended[section->name].emplace(section->number, Section{section->encoded, value});
            if (!is_new && known->second.text != value) result.ambiguous.push_back(section->name);
        }
    }
    for (const auto& [name, sections] : extended) {
        if (name.empty() || !sections.contains(0)) continue;
        std::string value = joined(sections);
        const auto known = result.parameters.find(name);
        if (known != result.parameters.end() && known->second != value) result.ambiguous.push_back(name);
        result.parameters[name] = std::move(value);
    }
    return result;
}

namespace {

std::string_view line_end_of(std::string_view raw) {
    return raw.ends_with("\r\n") ? "\r\n" : "\n";
}

}  // namespace

Field with_parameter(const Field& field, std::string_view name, std::string_view value) {
    const Field cleared = without_parameter(field, name);
    const std::string_view end = line_end_of(field.raw);
    std::string raw(without_end(cleared.raw));
    if (!raw.ends_with(';')) raw += ';';
    raw += std::string(end) + " " + std::string(name) + "=\"" + std::string(value) + '"' + std::string(end);
    return {field.name, std::move(raw)};
}

namespace {

// parameter_name is the name of the parameter that a piece of a field is, among comments; "" for another piece.
std::string parameter_name(std::string_view piece) {
    std::string name;
    for (; !piece.empty() && piece.front() != '='; piece.remove_prefix(piece.front() == '(' ? comment_size(piece) : 1))
        if (piece.front() != '(') name += piece.front();
    return piece.empty() ? "" : std::string(trim(std::string_view(name).substr(0, name.find('*'))));
}

}  // namespace

Field without_parameter(const Field& field, std::string_view name) {
    std::string raw;
    for (const std::string_view piece : pieces(without_end(field.raw))) {
        if (!raw.empty() && equal_ignoring_case(parameter_name(piece), name)) continue;
        if (!raw.empty()) raw += ';';
        raw += piece;
    }
    return {field.name, raw + std::string(line_end_of(field.raw))};
}

namespace {

// usable_type is what the field says where that is a type.
std::optional<Parameterized> usable_type(const Header& header) {
    Parameterized type = parse_parameterized(header.value_or_empty("Content-Type"));
    const std::size_t slash = type.value.find('/');
    const bool usable = slash != std::string_view::npos && slash > 0 && slash + 1 < type.value.size() &&
                        type.value.find('/', slash + 1) == std::string_view::npos;
    return usable ? std::optional(std::move(type)) : std::nullopt;
}

}  // namespace

Parameterized content_type(const Header& header) {
    return usable_type(header).value_or(Parameterized{.value = "text/plain", .parameters = {}, .ambiguous = {}});
}

bool has_content_type(const Header& header) {
    return usable_type(header).has_value();
}

Parameterized content_disposition(const Header& header) {
    return parse_parameterized(header.value_or_empty("Content-Disposition"));
}

TransferEncoding transfer_encoding(const Header& header) {
    const std::string name = parse_parameterized(header.value_or_empty("Content-Transfer-Encoding")).value;
    if (name.empty()) return TransferEncoding::seven_bit;
    for (const TransferEncoding encoding :
         {TransferEncoding::seven_bit, TransferEncoding::eight_bit, TransferEncoding::binary,
          TransferEncoding::quoted_printable, TransferEncoding::base64}) {
        if (name == transfer_encoding_name(encoding)) return encoding;
    }
    return TransferEncoding::unknown;
}

std::string_view transfer_encoding_name(TransferEncoding encoding) {
    switch (encoding) {
        case TransferEncoding::seven_bit:
            return "7bit";
        case TransferEncoding::eight_bit:
            return "8bit";
        case TransferEncoding::binary:
            return "binary";
        case TransferEncoding::quoted_printable:
            return "quoted-printable";
        case TransferEncoding::base64:
            return "base64";
        case TransferEncoding::unknown:
            break;
    }
    return "unknown";
}

}  // namespace p11mime::mime
