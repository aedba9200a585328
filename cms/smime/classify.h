#pragma once

#include <string>

#include "mime/content_type.h"
#include "mime/header.h"

namespace p11mime::cms::smime {

/// EntityKind is what a MIME entity is to the walk through layers.
enum class EntityKind {
    clear_signed,  ///< multipart/signed with a CMS signature
    cms,           ///< application/pkcs7-mime or what goes for it
    multipart,     ///< any other multipart
    message,       ///< message/rfc822 or message/global, unencoded
    leaf,
};
EntityKind classify(const mime::Header& header);

/// CmsKind is the type of a CMS structure, as far as the front of it tells.
enum class CmsKind { signed_data, encrypted, other };

/// sniff_cms looks at the front of an encoded CMS structure without consuming it.
CmsKind sniff_cms(Window& body, const mime::Header& header);

/// cms_encoding is the transfer encoding of a CMS body: the header's, or base64 where the header says nothing and the
/// body is.
mime::TransferEncoding cms_encoding(Window& body, const mime::Header& header);

/// read_entity_header reads the header of content; content that starts with no header has an empty one and is body from
/// its start.
mime::Header read_entity_header(Window& content);

}  // namespace p11mime::cms::smime
