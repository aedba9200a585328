// Field values: parameters, addresses, encoded words, dates.
#include <cstdlib>

#include "mime/address.h"
#include "mime/content_type.h"
#include "mime/content_type_oddity.h"
#include "mime/stream.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text = text_of({data, size});
    const auto type = mime::parse_parameterized(text);
    // What is not odd is read as it stands, but for what only describes.
    const auto describes = [](const std::string& name) {
        return name == "name" || name == "filename" || name == "title" || name.starts_with("x-");
    };
    if (mime::content_type_oddity({"Content-Type", "Content-Type:" + std::string(text)}).empty())
        for (const auto& [name, value] : type.parameters)
            if (text.find(value) == std::string_view::npos && !describes(name)) std::abort();
    mime::decode_words(text);
    mime::decode_words_loosely(text);
    mime::decode_words_apart(text);
    mime::unreadable_charset(text);
    mime::has_odd_word(text);
    for (const mime::Address& address : mime::parse_addresses(text)) {
        if (!mime::is_mailbox(address.mailbox) || !mime::same_mailbox(address.mailbox, address.mailbox)) std::abort();
    }
    // What is written anew names the same mailboxes.
    const auto before = mime::parse_addresses(mime::in_utf8(text)),
               after = mime::parse_addresses(mime::encode_names(text));
    if (before.size() != after.size()) std::abort();
    for (std::size_t i = 0; i < before.size(); ++i)
        if (before[i].mailbox != after[i].mailbox) std::abort();
    const std::string date = mime::parse_date(text);
    if (!date.empty() && date.size() != 20) std::abort();
    return 0;
}
