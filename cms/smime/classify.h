#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mime/content_type.h"
#include "mime/header.h"

namespace p11mime::cms::smime {

/// kFront is how many bytes of a content are looked at to tell what it is.
inline constexpr std::size_t kFront = 4096;

/// EntityKind is what a MIME entity is to the walk through layers.
enum class EntityKind {
    clear_signed,  ///< multipart/signed with a CMS signature
    cms,           ///< application/pkcs7-mime or what goes for it
    multipart,     ///< any other multipart
    message,       ///< a mail (is_mail_type), unencoded
    leaf,
};
EntityKind classify(const mime::Header& header);

/// is_mail_type knows the types of a mail inside a mail: message/rfc822, message/global (RFC 6532) and message/news
/// (RFC 5537), which programs show as the first.
bool is_mail_type(std::string_view type);

/// file_names is the names of an entity, those that are there, as programs read them: words of RFC 2047 decoded, and
/// as file_name is: without blanks around and dots behind (file systems drop these), in lower case.
std::vector<std::string> file_names(const mime::Header& header);
std::string file_name(std::string_view name);

/// is_cms_name says whether such a name ends as those of S/MIME do: in .p7m, .p7c or .p7z (RFC 8551 section 3.2.1).
bool is_cms_name(const std::string& name);

/// is_signature_part says whether the second part of a multipart/signed is labelled as a CMS signature, so that no
/// program shows it: by its type, where a name, if there is one, ends as that of a signature or has no ending, or as an
/// octet-stream by its name, which ends in .p7s (RFC 8551 section 3.2.1).
bool is_signature_part(const mime::Header& header);

/// is_named_as_cms says whether no name of a CMS entity is one that programs would open as something else: each ends in
/// .p7m, .p7c or .p7z (RFC 8551 section 3.2.1), or, where the type tells, as other data do or in nothing.
bool is_named_as_cms(const mime::Header& header);

/// sniff_content_type looks at the front of an encoded ContentInfo without consuming it and gives its type, a dotted
/// OID; "" where it is none.
std::string sniff_content_type(Window& body, const mime::Header& header);

/// is_cms_content_type knows the content types (RFC 5652 section 4) that the walk goes into; is_encrypted_content_type
/// those that are encrypted.
bool is_cms_content_type(std::string_view type);
bool is_encrypted_content_type(std::string_view type);

/// content_type_name names a content type for people: OpenSSL's name and the dotted OID, or the OID alone.
std::string content_type_name(const std::string& type);

/// cms_encoding is the transfer encoding of a CMS body: the header's, or base64 where the header says nothing and the
/// body is.
mime::TransferEncoding cms_encoding(Window& body, const mime::Header& header);

/// EntityStart is the header of content. Content that starts with no header, or with one that cannot be read, has an
/// empty one and is body from its start.
struct EntityStart {
    mime::Header header;
    std::string fault = {};  ///< why the header cannot be read
    bool exceeds = false;    ///< that is, a limit

    /// refuse throws the fault.
    [[noreturn]] void refuse() const;
    /// is_none says that there is no header, not even an empty one with its end.
    bool is_none() const { return header.fields.empty() && header.end.empty(); }
};

/// read_entity_start consumes the header of content, if there is one that can be read. read_entity_header gives the
/// header alone and throws Error(malformed) where it cannot be read.
EntityStart read_entity_start(Window& content);
mime::Header read_entity_header(Window& content);

}  // namespace p11mime::cms::smime
