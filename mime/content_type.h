#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mime/header.h"

namespace p11mime::mime {

/// Parameterized is a structured value with parameters: Content-Type or Content-Disposition (RFC 2045 section 5.1, RFC
/// 2183, RFC 2231 continuations and encodings decoded to UTF-8).
struct Parameterized {
    std::string value;                              ///< lower case, e.g. "multipart/signed"
    std::map<std::string, std::string> parameters;  ///< names in lower case, values unquoted, comments dropped
    std::vector<std::string> ambiguous;  ///< parameters there more than once, with different values: readers differ

    std::string parameter(std::string_view name) const;  ///< "" where absent
};

/// parse_parameterized reads leniently: what cannot be parsed is left out, never an error.
Parameterized parse_parameterized(std::string_view field_value);

/// content_type of an entity; text/plain where the field is absent or unusable (RFC 2045 section 5.2).
Parameterized content_type(const Header& header);

/// has_content_type says whether the field is there and usable: a part of a multipart/digest without is a mail (RFC
/// 2046 section 5.1.5).
bool has_content_type(const Header& header);

/// content_disposition of an entity; an empty value where the field is absent.
Parameterized content_disposition(const Header& header);

/// with_parameter and without_parameter give a field of this kind with a parameter added at its end, quoted, or taken
/// out; all else stays as it is written.
Field with_parameter(const Field& field, std::string_view name, std::string_view value);
Field without_parameter(const Field& field, std::string_view name);

enum class TransferEncoding { seven_bit, eight_bit, binary, quoted_printable, base64, unknown };

/// transfer_encoding of an entity; seven_bit where the field is absent (RFC 2045 section 6.1).
TransferEncoding transfer_encoding(const Header& header);

/// transfer_encoding_name is the token that the field carries.
std::string_view transfer_encoding_name(TransferEncoding encoding);

}  // namespace p11mime::mime
