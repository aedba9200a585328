#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mime/stream.h"

namespace p11mime::cli {

inline constexpr std::size_t kMaxShownText = 256 * 1024;  ///< bytes of UTF-8 of a mail, all parts together
inline constexpr std::size_t kMaxShownParts = 500;        ///< of a mail, with those of mails attached to it
inline constexpr std::size_t kMaxShownMails = 3;          ///< attached one to the other
inline constexpr std::size_t kMaxShownField = 4'000;      ///< characters of the value of one header field

/// MailField is a header field that a person looks at. Strings of others are not yet made safe.
struct MailField {
    struct Person {
        std::string name;     ///< display name, may be empty
        std::string mailbox;  ///< address
    };
    std::string name;             ///< "From"
    std::vector<Person> persons;  ///< of an address field
    std::string text;             ///< UTF-8, of other fields and of addresses that are none
};

/// MailPart is one leaf part of a mail, or a mail attached to it.
struct MailPart {
    enum class Kind {
        text,        ///< text/plain to be shown
        html,        ///< never rendered
        attachment,  ///< anything else
        closed,      ///< what could be opened, and was left closed
        mail         ///< a whole mail, in `fields` and `parts`
    };
    Kind kind = Kind::attachment;
    std::string type;         ///< media type
    std::string name;         ///< file name, UTF-8; may be empty
    std::uint64_t bytes = 0;  ///< decoded
    std::string text;         ///< UTF-8, or where the charset is not known whatever bytes there are
    bool cut = false;         ///< there is more of the text
    std::string closed;       ///< what it is that was left closed
    std::string remark;       ///< what is unusual about it; may be empty
    /// The multipart/signed around it whose signature is over it, each as a path below the content: "" is the content
    /// itself, ".2" its second part.
    std::vector<std::string> signed_in;
    std::vector<MailField> fields;  ///< From, Date and Subject of a mail, as it has them
    std::vector<MailPart> parts;    ///< of a mail
};

/// MailText is what a page shows of a mail.
struct MailText {
    std::vector<MailField> fields;  ///< in the order of the page
    std::vector<MailPart> parts;
    std::vector<std::string> signed_paths;  ///< of every multipart/signed
    std::size_t more_parts = 0;             ///< that were too many to be kept
    bool broken = false;                    ///< it could not be read to its end
};

/// read_mail_text reads the content of a mail, in memory that does not depend on its size.
MailText read_mail_text(Source& content);

}  // namespace p11mime::cli
