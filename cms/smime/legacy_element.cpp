#include "cms/smime/legacy_element.h"

#include <algorithm>
#include <array>
#include <optional>

#include "cms/smime/protected_headers.h"
#include "mime/charset.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

// unfolded is the lines of a text, those that start with white space joined to the one before; empty ones are left out.
std::vector<std::string> unfolded(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (mime::trim(line).empty()) continue;
        if (mime::is_space(line.front()) && !lines.empty())
            lines.back() += line;
        else
            lines.emplace_back(line);
    }
    return lines;
}

bool repeats(const std::string& text, const std::set<std::string>& fields) {
    const std::vector<std::string> lines = unfolded(text);
    return !lines.empty() && std::all_of(lines.begin(), lines.end(), [&](std::string_view line) {
        const std::size_t colon = line.find(':');
        return colon != std::string_view::npos &&
               fields.count(comparable(mime::trim(line.substr(0, colon)), line.substr(colon + 1))) > 0;
    });
}

// Tag is one in HTML: its name in lower case, "/" first for an end tag, and what follows that.
struct Tag {
    std::size_t begin, end;
    std::string name;
    std::string_view rest;
};

std::optional<Tag> next_tag(std::string_view html, std::size_t from) {
    const std::size_t begin = html.find('<', from), last = html.find('>', begin);
    if (begin == std::string_view::npos || last == std::string_view::npos) return std::nullopt;
    const std::string_view inside = html.substr(begin + 1, last - begin - 1);
    const std::size_t name_end = std::min(inside.find_first_of(" \t\r\n/", 1), inside.size());
    return Tag{begin, last + 1, mime::ascii_lower(inside.substr(0, name_end)), inside.substr(name_end)};
}

// has_class looks for the class of the elements among the attributes of a tag.
bool has_class(std::string_view attributes) {
    const std::string lower = mime::ascii_lower(attributes);
    const std::size_t name = lower.find("class");
    if (name == std::string_view::npos) return false;
    std::string_view value = mime::trim(attributes.substr(name + 5));
    if (!value.starts_with('=')) return false;
    value = mime::trim(value.substr(1));
    const bool quoted = value.starts_with('"') || value.starts_with('\'');
    const std::size_t end = quoted ? value.find(value.front(), 1) : value.find_first_of(" \t\r\n");
    value = quoted ? value.substr(1, end - 1) : value.substr(0, end);
    const std::string names = ' ' + std::string(value) + ' ';
    return names.find(' ' + std::string(kLegacyDisplayClass) + ' ') != std::string_view::npos;
}

std::string without_references(std::string_view text) {
    using Reference = std::pair<std::string_view, char>;
    constexpr std::array<Reference, 8> kReferences{
        Reference{"&amp;", '&'}, Reference{"&lt;", '<'},    Reference{"&gt;", '>'},   Reference{"&quot;", '"'},
        Reference{"&#34;", '"'}, Reference{"&apos;", '\''}, Reference{"&#39;", '\''}, Reference{"&nbsp;", ' '}};
    std::string plain;
    while (!text.empty()) {
        const auto* found = std::find_if(kReferences.begin(), kReferences.end(),
                                         [&](const Reference& each) { return text.starts_with(each.first); });
        plain += found == kReferences.end() ? text.front() : found->second;
        text.remove_prefix(found == kReferences.end() ? 1 : found->first.size());
    }
    return plain;
}

// Div is an element of HTML from its tag to its end tag, and its text; nothing for a text with tags that are not
// about lines, which may show something else.
struct Div {
    std::size_t begin, end;
    std::optional<std::string> text;
};

std::optional<Div> read_div(std::string_view html, const Tag& start) {
    constexpr std::array<std::string_view, 9> kOfLines{"pre", "/pre", "br", "p", "/p", "div", "/div", "b", "/b"};
    std::string text;
    bool only_lines = true;
    std::size_t depth = 1, at = start.end;
    while (const auto tag = next_tag(html, at)) {
        text += without_references(html.substr(at, tag->begin - at));
        if (tag->name == "div") ++depth;
        if (tag->name == "/div") --depth;
        if (depth == 0) return Div{start.begin, tag->end, only_lines ? std::optional(text) : std::nullopt};
        const bool plain = mime::trim(tag->rest).empty() || mime::trim(tag->rest) == "/";
        only_lines = only_lines && plain && std::find(kOfLines.begin(), kOfLines.end(), tag->name) != kOfLines.end();
        if (!tag->name.ends_with('b')) text += '\n';
        at = tag->end;
    }
    return std::nullopt;
}

// with_line_ends takes in the line ends around an element, which are its own.
std::pair<std::size_t, std::size_t> with_line_ends(std::string_view html, std::size_t begin, std::size_t end) {
    if (begin > 0 && html[begin - 1] == '\n') begin -= begin > 1 && html[begin - 2] == '\r' ? 2 : 1;
    if (html.substr(end, 2) == "\r\n")
        end += 2;
    else if (html.substr(end, 1) == "\n")
        ++end;
    return {begin, end};
}

// end_of_lines is where the first empty line ends; 0 where the text starts with it, or has none.
std::size_t end_of_lines(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) return 0;
        if (end == at || text.substr(at, end - at) == "\r") return at == 0 ? 0 : end + 1;
        at = end + 1;
    }
    return 0;
}

}  // namespace

LegacyElements legacy_elements(std::string_view text, std::string_view charset, bool is_html,
                               const std::set<std::string>& fields) {
    LegacyElements found;
    const auto repeats_fields = [&](std::string_view lines) {
        const auto utf8 = mime::to_utf8(charset.empty() ? "us-ascii" : charset, lines);
        return utf8 && repeats(*utf8, fields);
    };
    if (!is_html) {
        const std::size_t end = end_of_lines(text);
        found.others = end == 0 || !repeats_fields(text.substr(0, end));
        if (!found.others) found.repeating.emplace_back(0, end);
        return found;
    }
    std::size_t at = 0;
    while (const auto tag = next_tag(text, at)) {
        at = tag->end;
        if (tag->name != "div" || !has_class(tag->rest)) continue;
        const auto div = read_div(text, *tag);
        found.others = found.others || !div || !div->text || !repeats_fields(*div->text);
        if (found.others) break;
        const auto [begin, end] = with_line_ends(text, div->begin, div->end);
        // Elements side by side share the line ends between them.
        found.repeating.emplace_back(found.repeating.empty() ? begin : std::max(begin, found.repeating.back().second),
                                     end);
        at = div->end;
    }
    found.others = found.others || found.repeating.empty();
    return found;
}

}  // namespace p11mime::cms::smime
