#include "mime/content_type_oddity.h"

#include <algorithm>

#include "mime/content_type.h"
#include "mime/field_pieces.h"
#include "mime/text.h"

namespace p11mime::mime {

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

}  // namespace p11mime::mime
