#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cms/smime/protection.h"
#include "mime/header.h"
#include "mime/stream.h"

namespace p11mime::cms::smime {

/// Legacy display elements repeat hidden header fields in the text of a mail, for readers that know nothing of
/// protected ones (RFC 9788 sections 4.5.3 and 5.2.2): lines before a plain text, a div in an HTML one, in each main
/// body part, which hp-legacy-display="1" marks. Main body parts are the first part of a multipart, and each part of a
/// multipart/alternative; attachments, and what is signed or encrypted by itself, are none.

/// EditedEntity is an entity whose main body parts are edited on the way: header() first, then what it gives out.
class EditedEntity : public Source {
  public:
    virtual const mime::Header& header() const = 0;
};

/// with_legacy_display adds the elements for the fields that a protection hides. HTML in base64 and text in charsets
/// that cannot be added to stay without. `body` must outlive the result.
std::unique_ptr<EditedEntity> with_legacy_display(mime::Header header, Source& body, const Protection& protection);

/// without_legacy_display leaves those out that repeat the protected `fields`. A marked text without such an element,
/// or with another, keeps that, and `left_in` is called. `body` must outlive the result.
std::unique_ptr<EditedEntity> without_legacy_display(mime::Header header, Source& body,
                                                     const std::vector<mime::Field>& fields,
                                                     std::function<void()> left_in);

}  // namespace p11mime::cms::smime
