#include "cms/smime/protected_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cms/smime/classify.h"
#include "cms/smime/field_names.h"
#include "cms/smime/sender.h"
#include "mime/address.h"
#include "mime/brief_list.h"
#include "mime/content_type.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

using mime::Field;

// Fields that submission servers add where they are missing (RFC 6409 section 8).
constexpr std::array<std::string_view, 2> kAdded{"Date", "Message-ID"};

constexpr std::array<std::string_view, 15> kOfRelays{"Received",
                                                     "Return-Path",
                                                     "Delivered-To",
                                                     "DKIM-Signature",
                                                     "Authentication-Results",
                                                     "Received-SPF",
                                                     "X-Received",
                                                     "Envelope-To",
                                                     "X-Envelope-To",
                                                     "X-Envelope-From",
                                                     "X-Original-To",
                                                     "X-Authentication-Results",
                                                     "Status",
                                                     "X-Status",
                                                     "X-Virus-Scanned"};

bool of_entity(const Field& field) {
    return mime::is_mime_field(field.name) || mime::equal_ignoring_case(field.name, "MIME-Version");
}

// outer_field reads "Name: value" out of an HP-Outer field.
std::optional<Field> outer_field(const Field& field) {
    const std::string value = field.value();
    const std::size_t colon = value.find(':');
    const std::string_view name = mime::trim(std::string_view(value).substr(0, colon));
    if (colon == std::string_view::npos || name.empty()) return std::nullopt;
    return mime::make_field(name, std::string_view(value).substr(colon + 1), mime::LineEnding::crlf);
}

// names_anybody says so of an address field: "undisclosed-recipients:;" does not.
bool names_anybody(const std::string& value) {
    return !mime::parse_addresses(value).empty() || !mime::unreadable_addresses(value).empty();
}

// taken_apart leaves out what relays write: the sender cannot know it, and what they did find out is outside. So it
// does blind copies: whoever hands the opened mail on to a relay would send it there, and no reader need know of them.
ProtectedHeader taken_apart(const mime::Header& header, ProtectedHeader::Form form) {
    ProtectedHeader result;
    result.form = form;
    result.entity.end = header.end;
    for (const Field& field : header.fields) {
        if (mime::equal_ignoring_case(field.name, kOuterField)) {
            if (const auto outer = outer_field(field); outer && form == ProtectedHeader::Form::cipher)
                result.left_outside.push_back(*outer);
        } else if (mime::equal_ignoring_case(field.name, "Content-Type")) {
            result.entity.fields.push_back(without_marks(field));
        } else if (mime::is_mime_field(field.name)) {
            result.entity.fields.push_back(field);
        } else if (is_one_of(kBlind, field.name)) {
            if (names_anybody(field.value())) result.blind_copies.push_back(field);
        } else if (!of_entity(field) && !is_of_relays(field.name)) {
            result.fields.push_back(field);
        }
    }
    return result;
}

std::vector<std::string> values_of(const std::vector<Field>& fields, std::string_view name) {
    std::vector<std::string> values;
    for (const Field& field : fields)
        if (mime::equal_ignoring_case(field.name, name)) values.push_back(field.value());
    return values;
}

Sender senders_of(const std::vector<Field>& fields, std::string_view name) {
    Sender sender;
    for (const Field& field : fields)
        if (mime::equal_ignoring_case(field.name, name)) add_senders(sender, field.value());
    return sender;
}

std::string named(const Sender& sender, std::string_view nobody) {
    if (sender.mailboxes.empty()) return std::string(nobody);
    return fmt::format("the sender {}", mime::brief_list(sender.mailboxes));
}

// is_forerunner says whether header fields came inside as before RFC 9788.
bool is_forerunner(const ProtectedHeader& inner) {
    return inner.form == ProtectedHeader::Form::v1 || inner.form == ProtectedHeader::Form::wrapped;
}

// protects_some says whether the sender's program may have protected some fields alone, as Mutt does the Subject. One
// that puts From inside protects all that it has.
bool protects_some(const ProtectedHeader& inner) {
    return is_forerunner(inner) && !inner.has("From");
}

// may_be_added says whether a field that is not inside is nothing to tell of: the sender may have left it outside
// alone, or a server may have added it.
bool may_be_added(const ProtectedHeader& inner, std::string_view name) {
    return is_one_of(kAdded, name) ||
           (protects_some(inner) && !is_one_of(kBlind, name) && !mime::equal_ignoring_case(name, "Subject"));
}

// stays_outside says whether a field that is not inside is kept as it is outside: nothing speaks against it, it names
// no other sender there, or is one that senders leave there (protect).
bool stays_outside(const ProtectedHeader& inner, std::string_view name) {
    return may_be_added(inner, name) || mime::equal_ignoring_case(name, "From") ||
           mime::equal_ignoring_case(name, "Bcc") ||
           (protects_some(inner) && mime::equal_ignoring_case(name, "Subject"));
}

bool same_senders(const Sender& a, const Sender& b) {
    const auto within = [](const Sender& some, const Sender& all) {
        return std::all_of(some.mailboxes.begin(), some.mailboxes.end(), [&](const std::string& mailbox) {
            return std::any_of(all.mailboxes.begin(), all.mailboxes.end(),
                               [&](const std::string& other) { return mime::same_mailbox(mailbox, other); });
        });
    };
    return within(a, b) && within(b, a);
}

std::vector<std::string> readable_names(const std::string& address_list) {
    std::vector<std::string> names = mime::names_beside_addresses(address_list);
    std::ranges::transform(names, names.begin(), readable);
    std::erase(names, "");
    return names;
}

// same_addresses says whether two address lists have the same mailboxes under the same names. Where there is but one, a
// comment is as good as a name; where there are more, whose it is, or which belong to a group, is for readers to guess.
bool same_addresses(const std::string& a, const std::string& b) {
    if (!mime::unreadable_addresses(a).empty() || !mime::unreadable_addresses(b).empty()) return false;
    const std::vector<mime::Address> one = mime::parse_addresses(a), other = mime::parse_addresses(b);
    const std::vector<std::string> names = readable_names(a);
    if (one.size() > 1 &&
        static_cast<std::ptrdiff_t>(names.size()) !=
            std::ranges::count_if(one, [](const mime::Address& each) { return !readable(each.display_name).empty(); }))
        return false;
    return names == readable_names(b) &&
           std::ranges::equal(one, other, [&](const mime::Address& x, const mime::Address& y) {
               const bool same_name = one.size() == 1 || readable(x.display_name) == readable(y.display_name);
               return same_name && mime::same_mailbox(x.mailbox, y.mailbox);
           });
}

// says_the_same says whether two values of a field differ in their notation at most: relays write addresses and dates
// anew.
bool says_the_same(std::string_view name, const std::string& a, const std::string& b) {
    if (readable(a) == readable(b)) return true;
    if (!mime::equal_ignoring_case(name, "Date")) return is_one_of(kAddressFields, name) && same_addresses(a, b);
    const std::string date = mime::parse_date(a);
    return !date.empty() && date == mime::parse_date(b);
}

bool say_the_same(std::string_view name, const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::ranges::equal(
        a, b, [&](const std::string& one, const std::string& other) { return says_the_same(name, one, other); });
}

// bare_list is the mailboxes of address fields; nothing where one has a name.
std::optional<std::vector<std::string>> bare_list(const std::vector<std::string>& values, bool drop_names) {
    std::vector<std::string> mailboxes;
    for (const std::string& value : values)
        for (mime::Address& address : mime::parse_addresses(value)) {
            if (!drop_names && !address.display_name.empty()) return std::nullopt;
            mailboxes.push_back(std::move(address.mailbox));
        }
    return mailboxes;
}

// hidden says whether a sender who names no policy may have hidden a field behind what stands outside: the forerunners
// of RFC 9788 write a Subject that says nothing, and its policies mailboxes without names (section 3.2.2).
bool hidden(const ProtectedHeader& inner, std::string_view name, const std::vector<std::string>& outside,
            const std::vector<std::string>& inside) {
    constexpr std::array<std::string_view, 4> kSubjects{"...", kHiddenSubject, "Encrypted Message", "p\xe2\x89\xa1p"};
    if (!is_forerunner(inner) || outside.size() != 1 || inside.size() != 1) return false;
    if (name == "Subject") return is_one_of(kSubjects, readable(outside[0]));
    if (!is_one_of(kAddressFields, name) || !mime::unreadable_addresses(outside[0]).empty()) return false;
    const auto mailboxes = bare_list(outside, false);
    return mailboxes && (mailboxes->empty() || mailboxes == bare_list(inside, true));
}

// quoted is the values of a field as a warning has them.
std::string quoted(std::vector<std::string> values) {
    std::ranges::transform(values, values.begin(), readable);
    return fmt::format("'{}'", mime::brief(fmt::to_string(fmt::join(values, "', '"))));
}

}  // namespace

std::vector<std::string> ProtectedHeader::names() const {
    std::vector<std::string> all;
    for (const Field& field : fields) {
        std::string name = mime::ascii_lower(field.name);
        if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(std::move(name));
    }
    return all;
}

bool ProtectedHeader::has(std::string_view name) const {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const Field& field) { return mime::equal_ignoring_case(field.name, name); });
}

std::string readable(std::string_view value) {
    std::string text;
    for (const char c : mime::in_utf8(mime::decode_words(value))) {
        const bool space = mime::is_space(c);
        if (!space || (!text.empty() && text.back() != ' ')) text += space ? ' ' : c;
    }
    return std::string(mime::trim(text));
}

std::string comparable(std::string_view name, std::string_view value) {
    return fmt::format("{}: {}", mime::ascii_lower(name), readable(value));
}

std::optional<ProtectedHeader> protected_header(const mime::Header& payload) {
    const mime::Parameterized type = mime::content_type(payload);
    const std::string mark = mime::ascii_lower(type.parameter(kProtectionMark));
    if (mark == "cipher") return taken_apart(payload, ProtectedHeader::Form::cipher);
    if (mark == "clear") return taken_apart(payload, ProtectedHeader::Form::clear);
    if (mime::ascii_lower(type.parameter(kForerunnerMark)) == "v1")
        return taken_apart(payload, ProtectedHeader::Form::v1);
    return std::nullopt;
}

bool is_marked(const mime::Header& entity) {
    return !mime::content_type(entity).parameter(kProtectionMark).empty();
}

Field without_marks(const Field& content_type) {
    return mime::without_parameter(mime::without_parameter(content_type, kForerunnerMark), kProtectionMark);
}

void take_stray_marks_off(mime::Header& entity) {
    if (!std::ranges::all_of(entity.fields, of_entity)) return;
    for (Field& field : entity.fields)
        if (mime::equal_ignoring_case(field.name, "Content-Type")) field = without_marks(field);
}

bool wraps_mail(const mime::Header& payload) {
    const mime::Parameterized type = mime::content_type(payload);
    return is_mail_type(type.value) && mime::ascii_lower(type.parameter("forwarded")) != "yes" &&
           mime::content_disposition(payload).value != "attachment";
}

void mark_forwarded(mime::Header& entity) {
    for (Field& field : entity.fields) {
        if (!mime::equal_ignoring_case(field.name, "Content-Type")) continue;
        if (mime::parse_parameterized(field.value()).parameter("forwarded").empty())
            field = mime::with_parameter(field, "forwarded", "yes");
    }
}

ProtectedHeader wrapped_header(const mime::Header& mail) {
    return taken_apart(mail, ProtectedHeader::Form::wrapped);
}

std::vector<std::string> confidential_names(const ProtectedHeader& inner, const std::vector<Field>& outer,
                                            bool encrypted) {
    if (!encrypted || inner.form == ProtectedHeader::Form::clear) return {};
    const std::vector<Field>& readable_fields =
        inner.form == ProtectedHeader::Form::cipher ? inner.left_outside : outer;
    std::vector<std::string> names = inner.names();
    std::erase_if(names, [&](const std::string& name) {
        const std::vector<std::string> inside = values_of(inner.fields, name),
                                       outside = values_of(readable_fields, name);
        return std::any_of(inside.begin(), inside.end(), [&](const std::string& value) {
            return std::ranges::any_of(outside,
                                       [&](const std::string& other) { return says_the_same(name, value, other); });
        });
    });
    return names;
}

OuterHeader hold_against(const ProtectedHeader& inner, const std::vector<Field>& outer, bool encrypted) {
    OuterHeader result;
    const bool policy = inner.form == ProtectedHeader::Form::cipher && encrypted;
    const std::vector<Field>& expected_fields = policy ? inner.left_outside : inner.fields;
    for (const std::string_view name : kSeen) {
        const std::vector<std::string> found = values_of(outer, name), expected = values_of(expected_fields, name);
        if (found.empty() || say_the_same(name, found, expected)) continue;
        if ((encrypted && hidden(inner, name, found, expected)) ||
            say_the_same(name, found, values_of(inner.blind_copies, name)))
            continue;
        if (!expected.empty())
            result.warnings.push_back({"header-differs", fmt::format("the {} field outside, {}, is not what the sender "
                                                                     "left there, {}",
                                                                     name, quoted(found), quoted(expected))});
        else if (!may_be_added(inner, name))
            result.warnings.push_back(
                {"header-added", fmt::format("the {} field outside, {}, is none of those that are protected and was {}",
                                             name, quoted(found), stays_outside(inner, name) ? "kept" : "left out")});
    }
    result.from_differs = from_differs(inner, outer);
    for (const Field& field : outer) {
        if (inner.has(field.name)) continue;
        if (stays_outside(inner, field.name) || !is_one_of(kSeen, field.name)) result.kept.push_back(field);
    }
    return result;
}

std::string from_differs(const ProtectedHeader& inner, const std::vector<Field>& fields) {
    const bool has_from = !values_of(fields, "From").empty();
    const Sender within = senders_of(inner.fields, "From"), without = senders_of(fields, has_from ? "From" : "Sender");
    if (!without.contradiction.empty()) return without.contradiction;
    if (!within.contradiction.empty()) return within.contradiction;
    const bool shows_sender = has_from || !values_of(fields, "Sender").empty();
    if (!inner.has("From") || !shows_sender || same_senders(within, without)) return "";
    return fmt::format("the mail shows {}, but what is protected is from {}",
                       named(without, "no sender that can be read"), named(within, "nobody that can be read"));
}

bool is_of_relays(std::string_view name) {
    const std::string lower = mime::ascii_lower(name);
    return is_one_of(kOfRelays, name) || lower.starts_with("arc-") || lower.starts_with("x-spam-");
}

}  // namespace p11mime::cms::smime
