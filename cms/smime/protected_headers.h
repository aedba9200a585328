#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cms/smime/report.h"
#include "mime/header.h"

namespace p11mime::cms::smime {

/// ProtectedHeader is the header fields of a mail that stand inside its signature or encryption.
struct ProtectedHeader {
    /// Form is how they came there.
    enum class Form {
        clear,    ///< hp="clear" (RFC 9788)
        cipher,   ///< hp="cipher": some of them are confidential
        v1,       ///< protected-headers="v1", the forerunner of RFC 9788
        wrapped,  ///< a whole mail as message/rfc822 (RFC 8551 section 3.1)
    };
    Form form{};
    std::vector<mime::Field> fields;        ///< of the mail, in order; neither Content-* nor MIME-Version
    std::vector<mime::Field> left_outside;  ///< as the sender left them outside (HP-Outer)
    std::vector<mime::Field> blind_copies;  ///< Bcc and Resent-Bcc that name anybody, which are left out of the fields
    mime::Header entity;                    ///< what remains of the payload's header, marks of the protection taken out

    std::vector<std::string> names() const;  ///< in lower case, each once
    bool has(std::string_view name) const;
};

/// readable is the value of a field as it is compared: encoded words decoded, in UTF-8 (mime::in_utf8), white space as
/// one blank each. comparable is a field as "name: value" of that, with the name in lower case.
std::string readable(std::string_view value);
std::string comparable(std::string_view name, std::string_view value);

/// protected_header takes the header of the cryptographic payload apart (RFC 9788 section 4.1); nothing where it does
/// not protect the mail's fields.
std::optional<ProtectedHeader> protected_header(const mime::Header& payload);

/// is_marked says whether an entity has the parameter of RFC 9788, whatever its value.
bool is_marked(const mime::Header& entity);

/// without_marks is a Content-Type field without any mark of protected header fields, RFC 9788's and its forerunner's.
/// take_stray_marks_off does so where an entity has no such fields: readers would take it that the mail has none, and
/// leave out those that stand outside.
mime::Field without_marks(const mime::Field& content_type);
void take_stray_marks_off(mime::Header& entity);

/// wraps_mail says whether a payload is a whole mail put inside to protect its header: message/rfc822 that is no
/// attachment and without forwarded=yes. wrapped_header takes the header of that mail apart.
bool wraps_mail(const mime::Header& payload);
ProtectedHeader wrapped_header(const mime::Header& mail);

/// mark_forwarded marks a mail that is the whole body of another, so that no reader takes it for that one put inside.
/// It leaves what says whether it is (forwarded=no) alone.
void mark_forwarded(mime::Header& entity);

/// confidential_names is the names, in lower case, of the protected fields that did not stand outside as they are
/// (RFC 9788 section 4.3.1): by the HP-Outer fields, or with the forerunners' forms by what stands outside now.
/// `encrypted` as in hold_against; what the sender did not encrypt is not confidential.
std::vector<std::string> confidential_names(const ProtectedHeader& inner, const std::vector<mime::Field>& outer,
                                            bool encrypted);

/// OuterHeader is what becomes of the unprotected fields beside the protected ones.
struct OuterHeader {
    std::vector<mime::Field> kept;  ///< what relays write, which nobody takes for the sender's words
    std::vector<Warning> warnings;  ///< of fields that are not what the sender left there
    std::string from_differs;       ///< why the senders are not the same; empty where they are
};

/// hold_against compares the unprotected fields with the protected ones (RFC 9788 section 4.4): addresses and dates by
/// what they tell, others as they are `readable`. `encrypted` says whether the payload came encrypted, so that its
/// sender may have hidden some.
OuterHeader hold_against(const ProtectedHeader& inner, const std::vector<mime::Field>& outer, bool encrypted);

/// from_differs says why the senders that unprotected fields show are not the protected ones; empty where they are, or
/// where one of both names none. Where there is no From field among `fields`, mail programs show who is in the Sender
/// field.
std::string from_differs(const ProtectedHeader& inner, const std::vector<mime::Field>& fields);

/// kHiddenSubject stands for a Subject that is confidential (RFC 9788 section 3.2.1).
inline constexpr std::string_view kHiddenSubject = "[...]";

/// is_of_relays says whether it is relays and mail stores that write a field of this name, and no program shows it as
/// the sender's.
bool is_of_relays(std::string_view name);

}  // namespace p11mime::cms::smime
