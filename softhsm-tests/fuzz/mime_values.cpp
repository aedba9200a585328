// Field values: parameters, addresses, encoded words, dates.
#include <cstdlib>

#include "mime/address.h"
#include "mime/content_type.h"
#include "mime/stream.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text = text_of({data, size});
    mime::parse_parameterized(text);
    mime::decode_words(text);
    for (const mime::Address& address : mime::parse_addresses(text)) {
        if (!mime::is_mailbox(address.mailbox) || !mime::same_mailbox(address.mailbox, address.mailbox)) std::abort();
    }
    const std::string date = mime::parse_date(text);
    if (!date.empty() && date.size() != 20) std::abort();
    return 0;
}
