#include "cms/smime/protection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cms/smime/field_names.h"
#include "mime/address.h"
#include "mime/content_type.h"
#include "mime/text.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

using mime::Field;

constexpr std::size_t kMaxLine = 998;  // RFC 5322 section 2.1.1

// Fields of free text that are left out outside besides copies of the Subject: what tells of the text, or whose it is.
constexpr std::array<std::string_view, 18> kRemoved{
    "Comments",        "Keywords",  "Summary",          "Abstract",       "Description",      "X-Description",
    "Resent-Comments", "X-Summary", "X-Keywords",       "X-Gmail-Labels", "X-Label",          "Fcc",
    "Title",           "X-Title",   "X-Original-Title", "Event-Title",    "X-Evolution-Note", "X-Reply-Subj"};

// Fields that old readers are told of; nobody needs to read a copy of them.
constexpr std::array<std::string_view, 3> kTold{"Subject", "Comments", "Keywords"};

bool is_subject(std::string_view name) {
    return mime::equal_ignoring_case(name, "Subject");
}

// is_removed knows fields that are left out outside. Programs, gateways and whoever resends a mail keep copies of the
// Subject, under many names ("X-Subject", Outlook's "Thread-Topic"); filters quote the text.
bool is_removed(std::string_view name) {
    const std::string lower = mime::ascii_lower(name);
    const bool is_copy = !is_subject(name) && (lower.find("subject") != std::string::npos || lower.ends_with("topic"));
    return is_copy || is_one_of(kRemoved, name) || lower.starts_with("x-spam-");
}

// is_text knows fields of free text; an encoded word in another would be no word.
bool is_text(std::string_view name) {
    return is_subject(name) || is_removed(name);
}

// prefix_size is how many bytes answers, gateways and lists may have put before a subject: up to a colon or a dash
// ("Re:", "EXTERNAL - "), in brackets ("(EXT)") or among asterisks ("*****SPAM*****"); npos for none.
std::size_t prefix_size(std::string_view text) {
    constexpr std::array<std::string_view, 3> kBrackets{"[]", "()", "{}"};
    constexpr std::string_view kDash = " - ";
    const auto behind = [](std::size_t at, std::size_t size) { return at == std::string_view::npos ? at : at + size; };
    for (const std::string_view brackets : kBrackets)
        if (text.starts_with(brackets[0])) return behind(text.find(brackets[1]), 1);
    if (text.starts_with('*'))
        return text.find_first_not_of('*', std::min(text.find('*', text.find_first_not_of('*')), text.size()));
    return std::min(behind(text.find(':'), 1), behind(text.find(kDash), kDash.size()));
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

// subject_texts is the text of the Subject as it is compared, and what remains of it behind each of what answers,
// gateways and lists put before it ("Re:", "Antwort:", "[list]"); none so short that other fields may have it by
// chance.
std::vector<std::string> subject_texts(const std::vector<Field>& transport) {
    constexpr std::size_t kLongestPrefix = 64, kShortest = 8, kMostTexts = 16;
    std::vector<std::string> texts;
    const auto subject = std::ranges::find_if(transport, [](const Field& field) { return is_subject(field.name); });
    if (subject == transport.end()) return texts;
    const std::string whole = mime::without_case(readable(subject->value()));
    for (std::string_view text = whole; text.size() >= kShortest && texts.size() < kMostTexts;) {
        texts.emplace_back(text);
        const std::size_t size = prefix_size(text);
        if (size == std::string_view::npos || characters(text.substr(0, size)) > kLongestPrefix) break;
        text = mime::trim(text.substr(size));
    }
    return texts;
}

// repeats says whether a field that no program needs outside has the text of the Subject.
bool repeats(const Field& field, const std::vector<std::string>& subject) {
    if (subject.empty() || is_subject(field.name) || is_one_of(kSeen, field.name) ||
        mime::ascii_lower(field.name).starts_with("resent-"))
        return false;
    const std::string value = mime::without_case(readable(field.value()));
    return std::ranges::any_of(subject, [&](const std::string& text) { return value.find(text) != std::string::npos; });
}

bool fits_line(const Field& field) {
    std::size_t begin = 0;
    for (std::size_t end = field.raw.find('\n'); end != std::string_view::npos; end = field.raw.find('\n', begin)) {
        if (end - begin > kMaxLine) return false;
        begin = end + 1;
    }
    return true;
}

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t' || c == '\r' || c == '\n'; });
}

// apart puts a blank between identifiers, where they can be folded.
std::string apart(const std::string& identifiers) {
    std::string result;
    for (const char c : identifiers)
        result += c == '<' && result.ends_with('>') ? " <" : std::string(1, c);
    return result;
}

// for_inside is a field as the header of a part carries it: as it stands, or written anew where it has letters beyond
// ASCII, lines that programs may tell apart differently, or too long ones. Nothing where it stays outside: what nobody
// is shown and does not fit, unless that `removes` it.
std::optional<Field> for_inside(const Field& field, mime::LineEnding ending, bool removes) {
    const bool plain = is_plain(field.raw);
    if (plain && fits_line(field) && mime::header_oddity(field.raw).empty()) return field;
    const bool text = is_text(field.name) || removes, seen = text || is_one_of(kSeen, field.name);
    std::string value = field.value();
    if (text || (!plain && !seen))
        value = mime::encode_words(mime::decode_words(value));
    else if (is_one_of(kAddressFields, field.name))
        value = mime::encode_names(value);
    else
        value = apart(mime::in_utf8(value));
    Field anew = mime::make_field(field.name, value, ending);
    return seen || fits_line(anew) ? std::optional(std::move(anew)) : std::nullopt;
}

std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, ' ');
    return text;
}

}  // namespace

Protection protect(const std::vector<Field>& transport, bool encrypted) {
    Protection result;
    std::vector<Field> outer;
    const std::vector<std::string> subject = subject_texts(transport);
    for (const Field& field : transport) {
        if (mime::equal_ignoring_case(field.name, kOuterField)) continue;
        const mime::LineEnding ending = field.raw.ends_with("\r\n") ? mime::LineEnding::crlf : mime::LineEnding::lf;
        const bool of_relay = is_of_relays(field.name) || is_one_of(kBlind, field.name);
        const bool removes = encrypted && (is_removed(field.name) || (!of_relay && repeats(field, subject)));
        if (of_relay && removes) continue;
        const auto inside = of_relay ? std::nullopt : for_inside(field, ending, removes);
        if (!inside) {
            result.outside.push_back(field);
            continue;
        }
        result.inside.push_back(*inside);
        const bool hides = encrypted && is_subject(field.name) && inside->value() != kHiddenSubject;
        if ((hides || removes) && is_one_of(kTold, field.name))
            result.hidden.push_back(
                {field.name, one_line(mime::decode_words(inside->value())), one_line(inside->value())});
        if (removes) continue;
        result.outside.push_back(hides ? mime::make_field(field.name, kHiddenSubject, ending) : *inside);
        const std::string value = hides ? std::string(kHiddenSubject) : inside->value();
        if (encrypted) outer.push_back(mime::make_field(kOuterField, fmt::format("{}: {}", field.name, value), ending));
    }
    result.inside.insert(result.inside.end(), outer.begin(), outer.end());
    return result;
}

Field mark_protected(const Field& content_type, bool encrypted) {
    return mime::with_parameter(without_marks(content_type), kProtectionMark, encrypted ? "cipher" : "clear");
}

}  // namespace p11mime::cms::smime
