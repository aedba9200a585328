#pragma once

#include <string_view>

#include "mime/stream.h"

namespace p11mime::cms::smime {

/// kOpenPgpLine is how the armour of an OpenPGP message starts (RFC 9580 section 6.2).
inline constexpr std::string_view kOpenPgpLine = "-----BEGIN PGP MESSAGE";

enum class Ciphertext { none, quoted, there };

/// openpgp_in looks for OpenPGP messages in a text: some mail programs decrypt them wherever they stand. One is there
/// where a line behind the first starts with kOpenPgpLine (in HTML, what follows a tag does too), or where a whole one
/// stands, whatever is before its lines and between the letters of its marks: blanks, what shows nothing, tags and
/// comments of HTML. It is quoted where both its marks are, behind ">", "|" or "AB>". Marks that are talked of, with
/// less between them than the shortest message has, are none. It reads no more than it needs.
Ciphertext openpgp_in(Source& text, bool is_html);

}  // namespace p11mime::cms::smime
