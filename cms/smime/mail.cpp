#include "cms/smime/mail.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/smime/classify.h"
#include "mime/address.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr Byte kSequence = 0x30;

bool is_space(Byte byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool is_base64(Byte byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '+' || byte == '/' || byte == '=';
}

// looks_like_ber: a SEQUENCE whose first value is an object identifier, as ContentInfo has it.
bool looks_like_ber(ByteView front) {
    if (front.size() < 4 || front[0] != kSequence) return false;
    const std::size_t length_octets = front[1] > 0x80 ? front[1] & 0x7f : 0;
    return length_octets > 8 || front.size() <= 2 + length_octets || front[2 + length_octets] == 0x06;
}

// looks_like_base64: base64 of something that starts with a SEQUENCE, and nothing else.
bool looks_like_base64(ByteView front) {
    const auto* first = std::find_if_not(front.data(), front.data() + front.size(), is_space);
    return first != front.data() + front.size() && *first == 'M' &&
           std::all_of(front.begin(), front.end(), [](Byte byte) { return is_base64(byte) || is_space(byte); });
}

}  // namespace

InputForm recognise(Window& input) {
    const ByteView front = input.peek(kFront);
    if (looks_like_ber(front)) return InputForm::der;
    const std::string_view text = text_of(front);
    if (const auto start = text.find_first_not_of(" \t\r\n");
        start != std::string_view::npos && text.substr(start).starts_with(kPemBegin))
        return InputForm::pem;
    if (mime::looks_like_header(front, false)) return InputForm::entity;
    if (looks_like_base64(front)) return InputForm::base64;
    return InputForm::other;
}

std::string before_header_hint(Window& input) {
    const std::string before = mime::before_header(input.peek(kFront));
    return before.empty() ? "" : fmt::format("{} stands before the header of a mail: take it out", before);
}

bool is_mime_entity(ByteView front) {
    return mime::looks_like_header(front, true);
}

namespace {

const mime::Field* find(const std::vector<mime::Field>& fields, std::string_view name) {
    const auto match = std::find_if(fields.begin(), fields.end(), [&](const mime::Field& each) {
        return mime::equal_ignoring_case(each.name, name);
    });
    return match == fields.end() ? nullptr : &*match;
}

}  // namespace

bool Mail::names_sender() const {
    return find(transport, "From") != nullptr || find(transport, "Sender") != nullptr;
}

std::optional<std::string> Mail::subject() const {
    const mime::Field* field = find(transport, "Subject");
    return field == nullptr ? std::nullopt : std::optional(mime::decode_words(field->value()));
}

std::optional<std::string> Mail::date() const {
    const mime::Field* field = find(transport, "Date");
    const std::string date = field == nullptr ? "" : mime::parse_date(field->value());
    return date.empty() ? std::nullopt : std::optional(date);
}

std::string Mail::recipients() const {
    std::string text;
    if (const mime::Field* field = find(transport, "To"))
        for (const mime::Address& address : mime::parse_addresses(field->value()))
            text += (text.empty() ? "" : ", ") + address.mailbox;
    return text;
}

Mail read_mail(Window& input, bool entity) {
    mime::Header header = mime::read_header(input, true);
    Mail mail;
    mail.raw = header.raw();
    mail.ending = header.ending();
    mail.entity.end = std::string(mime::line_end(mail.ending));
    for (mime::Field& field : header.fields) {
        const bool inside = entity || mime::is_mime_field(field.name);
        if (!inside && mime::equal_ignoring_case(field.name, "MIME-Version")) continue;
        if (!inside) mail.is_mail = true;
        (inside ? mail.entity.fields : mail.transport).push_back(std::move(field));
    }
    return mail;
}

bool state_type(Mail& mail) {
    if (mail.entity.find("Content-Type") != nullptr) return false;
    mail.entity.fields.push_back(mime::make_field("Content-Type", "text/plain", mail.ending));
    return true;
}

std::string transport_header(const Mail& mail, const std::vector<std::string>& drop_fields) {
    std::string text;
    if (!mail.is_mail) return text;
    for (const mime::Field& field : mail.transport) {
        const bool dropped = std::any_of(drop_fields.begin(), drop_fields.end(), [&](const std::string& name) {
            return mime::equal_ignoring_case(name, field.name);
        });
        if (!dropped) text += field.raw;
    }
    return text + "MIME-Version: 1.0" + std::string(mime::line_end(mail.ending));
}

std::string content_header(const Mail& mail, const mime::Header& content) {
    if (!mail.is_mail) return content.raw();
    std::string text = transport_header(mail, {});
    for (const mime::Field& field : content.fields)
        if (mime::is_mime_field(field.name)) text += field.raw;
    const bool none = content.fields.empty() && content.end.empty();  // the content is body from its start
    return text + (none ? std::string(mime::line_end(mail.ending)) : content.end);
}

}  // namespace p11mime::cms::smime
