#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mime/header.h"

namespace p11mime::cms::smime {

/// InputForm is what an input was recognised as.
enum class InputForm {
    entity,  ///< an RFC 5322 mail or a MIME entity
    der,     ///< bare CMS in BER
    pem,     ///< bare CMS in PEM
    base64,  ///< bare CMS in base64
    other,   ///< none of these
};

/// recognise looks at the front of an input; nothing is consumed.
InputForm recognise(Window& input);

/// before_header_hint says what to take out of an input that is no mail for something before its header; "" for
/// nothing.
std::string before_header_hint(Window& input);

/// is_mime_entity says whether content starts like a MIME entity: with a header field, or with the empty line of an
/// empty header.
bool is_mime_entity(ByteView front);

/// Mail is the header of a mail or entity, split into what stays outside and what belongs to the MIME entity.
struct Mail {
    bool is_mail = false;                ///< has transport fields
    std::string raw;                     ///< the whole header as it stood
    std::vector<mime::Field> transport;  ///< stays outside, MIME-Version left out
    mime::Header entity;                 ///< Content-* fields; or all fields where an entity is forced
    mime::LineEnding ending = mime::LineEnding::crlf;

    bool names_sender() const;  ///< a From or Sender field is there, whatever is in it
    std::optional<std::string> subject() const;
    std::optional<std::string> date() const;  ///< RFC 3339
    std::string recipients() const;           ///< mailboxes of To, for people
};

/// read_mail consumes the header of a mail or entity (and an mbox "From " line). With `entity` all fields belong to the
/// entity.
Mail read_mail(Window& input, bool entity);

/// state_type states the type of an entity that has none in its header, text/plain (RFC 2045 section 5.2), as is done
/// before it is signed or encrypted: else that would start with an empty line. It says whether there was none.
bool state_type(Mail& mail);

/// transport_header is the outside of a mail on the way out: its transport fields without the dropped ones, and
/// MIME-Version; nothing for a bare entity. The header of the entity inside follows it directly.
std::string transport_header(const Mail& mail, const std::vector<std::string>& drop_fields);

/// content_header is the header of a mail whose layers were taken off: the transport fields and the Content-* fields of
/// the content. Other fields of the content are of no meaning (RFC 2045 section 3), unless they have become transport
/// fields. A bare entity has the content's own header.
std::string content_header(const Mail& mail, const mime::Header& content);

}  // namespace p11mime::cms::smime
