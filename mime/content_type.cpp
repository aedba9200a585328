#include "mime/content_type.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "mime/charset.h"
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

// The field as it stands in pieces, each but the last up to its ";"; what is quoted or a comment is not looked into.
std::vector<std::string_view> pieces(std::string_view raw) {
    std::vector<std::string_view> found;
    std::size_t begin = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (quoted && raw[i] == '\\') {
            ++i;
        } else if (raw[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && raw[i] == '(') {
            i += comment_size(raw.substr(i)) - 1;
        } else if (!quoted && raw[i] == ';') {
            found.push_back(raw.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    found.push_back(raw.substr(begin));
    return found;
}

std::string_view without_end(std::string_view raw) {
    while (!raw.empty() && is_space(raw.back()))
        raw.remove_suffix(1);
    return raw;
}

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

Field without_parameter(const Field& field, std::string_view name) {
    std::string raw;
    for (const std::string_view piece : pieces(without_end(field.raw))) {
        const std::string_view of_piece = trim(piece.substr(0, piece.find_first_of("=*")));
        if (!raw.empty() && piece.find('=') != std::string_view::npos && equal_ignoring_case(of_piece, name)) continue;
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

namespace {

// Takes what stands in front of the stops, white space and ";" off a text.
std::string_view take_until(std::string_view& text, std::string_view stops) {
    std::size_t size = 0;
    while (size < text.size() && !is_space(text[size]) && text[size] != ';' &&
           stops.find(text[size]) == std::string_view::npos)
        ++size;
    const std::string_view taken = text.substr(0, size);
    text.remove_prefix(size);
    return taken;
}

constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";  // RFC 2045 section 5.1

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 127 && kSpecials.find(c) == std::string_view::npos;
    });
}

bool is_control(unsigned char c) {
    return (c < ' ' && c != '\t') || c == 127;
}

// Whether there is an encoded word (RFC 2047), which some programs decode wherever it stands.
bool holds_encoded_word(std::string_view text) {
    const std::size_t begin = text.find("=?");
    return begin != std::string_view::npos && text.find("?=", begin + 2) != std::string_view::npos;
}

// Whether a quoted boundary delimits the same lines for all.
bool is_plain_boundary(std::string_view boundary) {
    const bool enclosed = boundary.starts_with('<') && boundary.ends_with('>');  // some take these off
    return !boundary.empty() && !enclosed && !holds_encoded_word(boundary) && boundary == trim(boundary) &&
           std::all_of(boundary.begin(), boundary.end(), [](char c) { return c >= ' ' && c < 127; });
}

// Whether an unquoted boundary is a token, but for the characters that mail programs forget to quote.
bool is_bare_boundary(std::string text) {
    constexpr std::string_view kUnquoted = "=/?:", kEncoding = "'%";  // some look for a charset by the latter
    if (text.find_first_of(kEncoding) != std::string::npos || holds_encoded_word(text)) return false;
    const auto is_unquoted = [&](char c) { return kUnquoted.find(c) != std::string_view::npos; };
    text.erase(std::remove_if(text.begin(), text.end(), is_unquoted), text.end());
    return is_token(text);
}

bool is_name(std::string_view name) {
    return name == "name" || name == "filename";
}

// Whether a parameter only names or describes: no program looks for parts by it, in whatever form it stands.
bool only_describes(std::string_view name) {
    return is_name(name) || name == "title" || name.starts_with("x-");
}

// What is odd in a parameter, which is taken off the text; "" where nothing is.
std::string_view parameter_oddity(std::string_view& text) {
    constexpr std::string_view kNoParameter = "has text where a parameter should be";
    const std::string name = ascii_lower(take_until(text, "="));
    const std::size_t star = std::min(name.find('*'), name.size());
    text = trim(text);
    if (!is_token(name) || !text.starts_with('=')) return kNoParameter;
    const std::string_view base = std::string_view(name).substr(0, star);
    if (star < name.size() && !only_describes(base)) return "has a parameter in the form of RFC 2231";
    text.remove_prefix(1);
    const bool goes_on = !text.empty() && is_space(text.front());
    text = trim(text);
    if (!text.starts_with('"')) {
        const std::string_view value = take_until(text, "\"");
        const bool is_odd = value.empty()              ? name != "micalg"
                            : goes_on || is_name(base) ? !is_token(value)
                                                       : name == "boundary" && !is_bare_boundary(std::string(value));
        return is_odd || text.starts_with('"') ? kNoParameter : "";
    }
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return "has a quotation mark that is never closed";
    const std::string_view value = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return name == "boundary" && !is_plain_boundary(value) ? "has a boundary with odd characters" : "";
}

// Whether there is a comment, or what may be one: a "(" outside quotes.
bool has_comment(std::string_view text) {
    bool quoted = false;
    return std::any_of(text.begin(), text.end(), [&](char c) {
        quoted = quoted != (c == '"');
        return c == '(' && !quoted;
    });
}

std::string_view parameters_oddity(std::string_view text) {
    for (text = trim(text); !text.empty(); text = trim(text)) {
        if (!text.starts_with(';')) return "has text where a semicolon should be";
        text = trim(text.substr(1));
        if (text.empty() || text.starts_with(';')) continue;
        if (const std::string_view oddity = parameter_oddity(text); !oddity.empty()) return oddity;
    }
    return "";
}

// A piece of the field without a comment of words alone at its end, behind white space.
std::string_view without_words(std::string_view piece) {
    const auto of_words = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '.';
    };
    const std::string_view solid = without_end(piece);
    const std::size_t open = solid.rfind('(');
    if (open == std::string_view::npos || open == 0 || !is_space(solid[open - 1]) || !solid.ends_with(')'))
        return piece;
    const std::string_view words = solid.substr(open + 1, solid.size() - open - 2);
    return std::all_of(words.begin(), words.end(), of_words) ? solid.substr(0, open) : piece;
}

// The value without the comments that change nothing for a program that does not know of comments: of words alone, and
// not in what says where the parts are.
std::string without_harmless_comments(std::string_view value) {
    std::string result;
    for (const std::string_view piece : pieces(value)) {
        const std::string name = ascii_lower(trim(piece.substr(0, piece.find_first_of("=*("))));
        if (!result.empty()) result += ';';
        result += name == "boundary" || name == "protocol" ? piece : without_words(piece);
    }
    return result;
}

}  // namespace

std::string_view content_type_oddity(const Field& field) {
    if (!std::string_view(field.raw).substr(field.name.size()).starts_with(':')) return "has white space in its name";
    const std::string written = field.value();
    if (std::any_of(written.begin(), written.end(), is_control)) return "has a control character";
    if (written.find('\\') != std::string::npos) return "has a backslash";
    const std::string value = without_harmless_comments(written);
    std::string_view text = value;
    if (has_comment(text)) return "has a comment";
    const std::string_view type = take_until(text, "/");
    const bool has_slash = text.starts_with('/');
    if (has_slash) text.remove_prefix(1);
    if (!is_token(type) || !has_slash || !is_token(take_until(text, ""))) return "has no plain type";
    return parameters_oddity(text);
}

std::string_view content_disposition_oddity(const Field& field) {
    if (!std::string_view(field.raw).substr(field.name.size()).starts_with(':')) return "has white space in its name";
    const std::string value = field.value();
    std::string_view text = value;
    if (std::any_of(text.begin(), text.end(), is_control)) return "has a control character";
    if (text.find('\\') != std::string_view::npos) return "has a backslash";
    if (has_comment(text)) return "has a comment";
    if (!is_token(take_until(text, ""))) return "has no plain value";
    return parameters_oddity(text);
}

bool has_two_forms(const Field& field, std::string_view parameter) {
    bool plain = false, extended = false;
    for (const std::string_view piece : pieces(field.raw)) {
        const std::size_t end = std::min(piece.find_first_of("=*"), piece.size());
        if (!equal_ignoring_case(trim(piece.substr(0, end)), parameter)) continue;
        const bool has_star = piece.substr(end).starts_with('*');
        plain = plain || !has_star;
        extended = extended || has_star;
    }
    return plain && extended;
}

std::string boundary_cut_short(const Field& field) {
    for (const std::string_view piece : pieces(field.raw)) {
        const std::size_t equals = std::min(piece.find('='), piece.size());
        if (!equal_ignoring_case(trim(piece.substr(0, equals)), "boundary")) continue;
        const std::string_view value = trim(piece.substr(std::min(equals + 1, piece.size())));
        const std::size_t end = value.find_first_of(kSpecials);
        return value.starts_with('"') || end == std::string_view::npos ? "" : std::string(value.substr(0, end));
    }
    return {};
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
