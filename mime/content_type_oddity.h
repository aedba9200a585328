#pragma once

#include <string>
#include <string_view>

#include "mime/header.h"

namespace p11mime::mime {

/// content_type_oddity says what in a Content-Type field lets programs differ in what they read from it, as in "it has
/// a comment"; "" where it is a type and parameters as RFC 2045 section 5.1 has them, without quoted pairs. White space
/// may stand around "=", and comments of words alone anywhere but in the boundary and the protocol. Names and titles
/// may have the forms of RFC 2231. A name that is no token counts as odd where it stands unquoted, and so does a
/// boundary with anything else than "=", "/", "?" and ":" added; of other values any may. micalg alone may be empty.
std::string_view content_type_oddity(const Field& field);

/// content_disposition_oddity says likewise what is odd in a Content-Disposition field; a comment is, wherever it
/// stands.
std::string_view content_disposition_oddity(const Field& field);

/// has_two_forms says whether a field has a parameter both as it is and in a form of RFC 2231, whatever the values:
/// programs that do not know that form read another.
bool has_two_forms(const Field& field, std::string_view parameter);

/// boundary_cut_short is what programs read as the boundary of a Content-Type field that end it at the first character
/// that had to be quoted (RFC 2045 section 5.1); "" where it is quoted, or they read the same, or none.
std::string boundary_cut_short(const Field& field);

}  // namespace p11mime::mime
