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
    std::vector<HiddenField> hidden;
};

/// protect takes the transport fields of a mail. With `encrypted`, the baseline confidentiality policy holds (section
/// 3.2.1): the Subject outside is "[...]", Comments and Keywords are left out. Bcc, what relays write, and what does
/// not fit the header of a part that is signed stay outside.
Protection protect(const std::vector<mime::Field>& transport, bool encrypted);

/// mark_protected puts hp="cipher" or hp="clear" on a Content-Type field, in place of any mark that it had.
mime::Field mark_protected(const mime::Field& content_type, bool encrypted);

}  // namespace p11mime::cms::smime
