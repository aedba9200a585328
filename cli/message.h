#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mime/stream.h"

namespace p11mime::cli {

/// UnreadableEntry is an entry of an address field that is no address.
struct UnreadableEntry {
    std::string field;  ///< "To", "Cc", "Bcc" or "Resent-Bcc"
    std::string text;   ///< as it stands there
};

/// Message is what the header of the input tells; empty for anything but a mail.
struct Message {
    std::vector<std::string> from, to, cc, bcc;  ///< mailboxes; `bcc` of Bcc and Resent-Bcc
    std::vector<UnreadableEntry> unreadable;     ///< of To, Cc, Bcc and Resent-Bcc
    bool has_bcc = false;                        ///< a Bcc or Resent-Bcc field is there, even without an address
    std::optional<std::string> subject;          ///< UTF-8
    std::optional<std::string> date;             ///< RFC 3339
};

/// read_message reads the header of an input. A malformed header is left for the job to refuse; an empty
/// input, which has no sender or recipients to go by, is Error(malformed) here.
Message read_message(const Input& input);

}  // namespace p11mime::cli
