#include "cli/message.h"

#include <algorithm>
#include <iterator>

#include "cms/smime/field_names.h"
#include "mime/address.h"
#include "mime/error.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kFront = 4096;

std::vector<std::string> mailboxes(const mime::Header& header, std::string_view name) {
    std::vector<std::string> found;
    for (const mime::Field* field : header.all(name))
        for (const mime::Address& address : mime::parse_addresses(field->value()))
            found.push_back(address.mailbox);
    return found;
}

void add_unreadable(std::vector<UnreadableEntry>& to, const mime::Header& header, std::string_view name) {
    for (const mime::Field* field : header.all(name))
        for (std::string& entry : mime::unreadable_addresses(field->value()))
            to.push_back({std::string(name), std::move(entry)});
}

}  // namespace

Message read_message(const Input& input) {
    const auto source = input.open();
    Window window(*source);
    if (window.peek(1).empty()) throw Error(ErrorKind::malformed, "the input is empty");
    if (!mime::looks_like_header(window.peek(kFront), false)) return {};
    mime::Header header;
    try {
        header = mime::read_header(window, true);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        return {};
    }
    Message message;
    message.from = mailboxes(header, "From");
    message.to = mailboxes(header, "To");
    message.cc = mailboxes(header, "Cc");
    for (const char* name : {"To", "Cc"})
        add_unreadable(message.unreadable, header, name);
    for (const std::string_view name : cms::smime::kBlind) {
        std::ranges::move(mailboxes(header, name), std::back_inserter(message.bcc));
        add_unreadable(message.unreadable, header, name);
        message.has_bcc = message.has_bcc || header.find(name) != nullptr;
    }
    if (const auto* subject = header.find("Subject")) message.subject = mime::decode_words(subject->value());
    if (const std::string date = mime::parse_date(header.value_or_empty("Date")); !date.empty()) message.date = date;
    return message;
}

}  // namespace p11mime::cli
