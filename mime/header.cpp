#include "mime/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mime/error.h"
#include "mime/limit.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

constexpr std::size_t kFoldColumn = 78;

// The name of the field that a line starts, or nothing. White space before the colon is obsolete but met (RFC 5322
// section 4.5).
std::optional<std::string_view> field_name(std::string_view line) {
    std::size_t size = 0;
    while (size < line.size() && line[size] > 32 && line[size] < 127 && line[size] != ':')
        ++size;
    std::size_t colon = size;
    while (colon < line.size() && is_wsp(line[colon]))
        ++colon;
    if (size == 0 || colon == line.size() || line[colon] != ':') return std::nullopt;
    return line.substr(0, size);
}

std::string read_line(Window& from, std::size_t limit) {
    std::string line;
    for (ByteView at_hand = from.peek(1); !at_hand.empty(); at_hand = from.peek(1)) {
        const std::string_view text = text_of(at_hand);
        const std::size_t lf = text.find('\n');
        const std::string_view piece = text.substr(0, lf == std::string_view::npos ? lf : lf + 1);
        if (piece.size() > limit - line.size())
            throw LimitExceeded(fmt::format("the header is longer than the limit of {} bytes", kMaxHeaderBytes));
        line += piece;
        from.consume(piece.size());
        if (lf != std::string_view::npos) break;
    }
    return line;
}

// Whether there is a CR without an LF behind it.
bool has_bare_cr(std::string_view text) {
    for (std::size_t cr = text.find('\r'); cr != std::string_view::npos; cr = text.find('\r', cr + 1)) {
        if (!text.substr(cr + 1).starts_with('\n')) return true;
    }
    return false;
}

// Whether one of the lines has white space and nothing else.
bool has_blank_line(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (!line.empty() && is_wsp(line.front()) && trim(line).empty()) return true;
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return false;
}

// Whether a field has white space between its name and the colon: some programs take its line for text.
bool has_blank_before_colon(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const auto name = field_name(line);
        if (name && line[name->size()] != ':') return true;
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return false;
}

// Whether a program knows a field of this name for one of a header, and no reader takes it for text of the sender's.
bool is_usual(std::string_view name) {
    constexpr std::array<std::string_view, 25> kUsual{
        "From",       "Sender",       "Reply-To",     "To",          "Cc",
        "Subject",    "Date",         "Message-ID",   "References",  "In-Reply-To",
        "Importance", "MIME-Version", "Received",     "Return-Path", "DKIM-Signature",
        "Status",     "User-Agent",   "Organization", "Precedence",  "Errors-To",
        "Autocrypt",  "Feedback-ID",  "Sensitivity",  "Priority",    "Accept-Language"};
    constexpr std::array<std::string_view, 11> kPrefixes{
        "x-",        "content-", "list-",      "arc-",  "authentication-",          "thread-",
        "received-", "resent-",  "delivered-", "auto-", "disposition-notification-"};
    const std::string lower = ascii_lower(name);
    return std::any_of(kUsual.begin(), kUsual.end(), [&](auto usual) { return equal_ignoring_case(usual, name); }) ||
           std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto prefix) { return lower.starts_with(prefix); });
}

// Whether a line is a field whose value leaves no room for words.
bool is_wordless(std::string_view line) {
    using Row = std::pair<std::string_view, std::string_view>;
    constexpr std::array<Row, 6> kFields{Row{"MIME-Version", "1.0"},
                                         {"Content-Transfer-Encoding", "7bit"},
                                         {"Content-Transfer-Encoding", "8bit"},
                                         {"Content-Transfer-Encoding", "binary"},
                                         {"Content-Transfer-Encoding", "quoted-printable"},
                                         {"Content-Transfer-Encoding", "base64"}};
    const std::string_view name = field_name(line).value_or("");
    const std::string_view value = trim(line.substr(std::min(line.find(':'), line.size() - 1) + 1));
    const bool is_id = equal_ignoring_case(name, "Message-ID") && value.starts_with('<') && value.ends_with('>') &&
                       value.find_first_of(" \t()") == std::string_view::npos;
    return is_id || std::any_of(kFields.begin(), kFields.end(), [&](const Row& row) {
               return equal_ignoring_case(row.first, name) && equal_ignoring_case(row.second, value);
           });
}

// The lines of a text, each with its end.
std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t lf = text.find('\n');
        lines.push_back(text.substr(0, lf == std::string_view::npos ? lf : lf + 1));
        text.remove_prefix(lines.back().size());
    }
    return lines;
}

bool is_from_line(std::string_view line) {
    return line.starts_with("From ") && !field_name(line);
}

}  // namespace

std::string_view line_end(LineEnding ending) {
    return ending == LineEnding::crlf ? "\r\n" : "\n";
}

std::string Field::value() const {
    std::string unfolded;
    const std::string_view body = trim(std::string_view(raw).substr(std::min(raw.find(':'), raw.size() - 1) + 1));
    for (std::size_t i = 0; i < body.size(); ++i) {
        const bool line_break = body[i] == '\n' || body.substr(i, 2) == "\r\n";
        if (!line_break) unfolded += body[i];
    }
    return unfolded;
}

const Field* Header::find(std::string_view name) const {
    for (const Field& field : fields) {
        if (equal_ignoring_case(field.name, name)) return &field;
    }
    return nullptr;
}

std::vector<const Field*> Header::all(std::string_view name) const {
    std::vector<const Field*> found;
    for (const Field& field : fields) {
        if (equal_ignoring_case(field.name, name)) found.push_back(&field);
    }
    return found;
}

std::string Header::value_or_empty(std::string_view name) const {
    const Field* field = find(name);
    return field == nullptr ? std::string() : field->value();
}

std::string Header::raw() const {
    std::string all;
    for (const Field& field : fields)
        all += field.raw;
    return all + end;
}

LineEnding Header::ending() const {
    const std::string_view first = fields.empty() ? std::string_view(end) : fields.front().raw;
    const std::size_t lf = first.find('\n');
    if (lf == std::string_view::npos || (lf > 0 && first[lf - 1] == '\r')) return LineEnding::crlf;
    return LineEnding::lf;
}

Header read_header(Window& from, bool skip_from_line) {
    Header header;
    std::size_t size = 0;
    for (std::size_t number = 1;; ++number) {
        std::string line = read_line(from, kMaxHeaderBytes - size);
        if (line.empty()) return header;
        size += line.size();
        if (line.find('\0') != std::string_view::npos)
            throw Error(ErrorKind::malformed, fmt::format("line {} of the header has a NUL byte", number));
        if (line == "\n" || line == "\r\n") {
            header.end = std::move(line);
            return header;
        }
        if (number == 1 && skip_from_line && is_from_line(line) && !has_bare_cr(line)) continue;
        if (is_wsp(line.front()) && !header.fields.empty()) {
            header.fields.back().raw += line;
            continue;
        }
        const std::optional<std::string_view> name = field_name(line);
        if (!name) throw Error(ErrorKind::malformed, fmt::format("line {} of the header is no header field", number));
        if (header.fields.size() == kMaxHeaderFields)
            throw LimitExceeded(fmt::format("the header has more than the limit of {} fields", kMaxHeaderFields));
        header.fields.push_back({std::string(*name), std::move(line)});
    }
}

std::string_view header_oddity(std::string_view raw) {
    if (has_bare_cr(raw)) return "a CR that ends no line";
    if (has_blank_line(raw)) return "a line of blanks alone";
    if (has_blank_before_colon(raw)) return "a field with white space before its colon";
    return "";
}

std::string without_blank_ends(std::string_view raw) {
    constexpr std::string_view kTwoEnds = "\r\r\n";
    const std::vector<std::string_view> lines = lines_of(raw);
    std::string result;
    bool found_blank = false, found_two_ends = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string_view line = lines[i], next = i + 1 < lines.size() ? lines[i + 1] : "";
        const bool starts_field = !is_wsp(line.front()) && !trim(line).empty();
        if (found_two_ends && !trim(line).empty() && !is_wordless(line)) return std::string(raw);
        if (found_blank && starts_field && !is_usual(field_name(line).value_or(""))) return std::string(raw);
        const bool ends_field = line.ends_with('\n') && (next.empty() || !is_wsp(next.front()));
        const bool is_blank = is_wsp(line.front()) && trim(line).empty() && !line.ends_with(kTwoEnds);
        const bool has_two_ends = !trim(line).empty() && line.ends_with(kTwoEnds);
        if (!ends_field || !(has_two_ends || (is_blank && i > 0))) {
            result += line;
            continue;
        }
        (has_two_ends ? found_two_ends : found_blank) = true;
        if (has_two_ends) result += std::string(line.substr(0, line.size() - kTwoEnds.size())) + "\r\n";
    }
    return result;
}

bool looks_like_header(ByteView front, bool allow_empty) {
    std::string_view text = text_of(front);
    if (is_from_line(text)) {
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
        return field_name(text).has_value();
    }
    if (allow_empty && (text.starts_with("\n") || text.starts_with("\r\n"))) return true;
    return field_name(text).has_value();
}

std::string before_header(ByteView front) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    std::string_view text = text_of(front);
    std::string found;
    for (;;) {
        const bool mark = text.starts_with(kMark), empty = text.starts_with('\n') || text.starts_with("\r\n");
        if (!mark && !empty && !text.starts_with(">From ")) break;
        if (found.empty()) found = mark ? "a byte order mark" : empty ? "an empty line" : "a line '>From '";
        const std::size_t end = mark ? kMark.size() : text.find('\n') + 1;
        if (end == 0) return {};
        text.remove_prefix(end);
    }
    return looks_like_header(bytes_of(text), false) ? found : "";
}

Field make_field(std::string_view name, std::string_view value, LineEnding ending) {
    std::string raw = std::string(name) + ":";
    std::size_t column = raw.size();
    std::string_view rest = trim(value);
    for (bool first = true; !rest.empty(); first = false) {
        const std::size_t space_size = std::min(rest.find_first_not_of(" \t\r\n"), rest.size());
        // A line break in the value would end the field, so it counts as a blank.
        std::string space(rest.substr(0, space_size));
        if (first || space.find_first_of("\r\n") != std::string_view::npos) space = " ";
        rest.remove_prefix(space_size);
        const std::string_view word = rest.substr(0, rest.find_first_of(" \t\r\n"));
        rest.remove_prefix(word.size());
        if (!first && column + space.size() + word.size() > kFoldColumn) {
            raw += line_end(ending);
            column = 0;
        }
        raw += space;
        raw += word;
        column += space.size() + word.size();
    }
    raw += line_end(ending);
    return {std::string(name), std::move(raw)};
}

bool is_mime_field(std::string_view name) {
    constexpr std::string_view kPrefix = "content-";
    return name.size() > kPrefix.size() && equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char ascii_upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string ascii_lower(std::string_view text) {
    std::string lowered(text);
    std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) { return ascii_lower(c); });
    return lowered;
}

}  // namespace p11mime::mime
