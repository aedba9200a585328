#pragma once

#include <string>
#include <vector>

#include "cms/smime/protected_headers.h"
#include "mime/header.h"

namespace p11mime::cms::smime {

/// HiddenField is a field that the outside does not show as it is.
struct HiddenField {
    std::string name;
    std::string text;   ///< its value, UTF-8 in one line; for old readers
    std::string ascii;  ///< likewise, as the field has it
};

/// Protection is how a mail's header fields go inside on the way out (RFC 9788 section 5.2).
struct Protection {
    std::vector<mime::Field> inside;   ///< the fields, and of mail that will be encrypted HP-Outer fields
    std::vector<mime::Field> outside;  ///< what remains of the transport fields
    std::vector<HiddenField> hidden;   ///< Subject, Comments and Keywords
};

/// protect takes the transport fields of a mail. With `encrypted`, the baseline confidentiality policy holds (section
/// 3.2.1): the Subject outside is "[...]", Comments and Keywords are left out; so are Summary, Resent-Comments and what
/// is a copy of the Subject (Outlook's Thread-Topic, Conversation-Topic, X-Subject, Title, X-Evolution-Note and
/// others), or has its text in it under whatever name, while Thread-Index stays: it tells what References do. A field
/// that has letters beyond ASCII, lines that programs may tell apart differently, or lines over 998 bytes, is written
/// anew, inside and outside alike: text and display names as encoded words (RFC 2047, bytes that are no UTF-8 as
/// mime::in_utf8 has them), so that no hidden one is left in the clear. What has no other form, such as a mailbox
/// beyond ASCII or an identifier of more than 998 bytes, goes inside as it is.
///
/// Outside stay what relays write, Bcc, which not all who get the mail are to read (RFC 5322 section 3.6.3), and fields
/// that nobody is shown and that do not fit in lines of 998 bytes.
Protection protect(const std::vector<mime::Field>& transport, bool encrypted);

/// mark_protected puts hp="cipher" or hp="clear" on a Content-Type field, in place of any mark that it had.
mime::Field mark_protected(const mime::Field& content_type, bool encrypted);

}  // namespace p11mime::cms::smime
