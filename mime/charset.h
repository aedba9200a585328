#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace p11mime::mime {

/// to_utf8 converts text out of a charset by its IANA name; nothing where the charset is unknown or the bytes are not
/// valid in it.
std::optional<std::string> to_utf8(std::string_view charset, std::string_view bytes);

/// to_utf8_loosely converts likewise, with U+FFFD for each byte that is not valid, as programs show it; nothing where
/// the charset is unknown.
std::optional<std::string> to_utf8_loosely(std::string_view charset, std::string_view bytes);

/// is_shared says whether programs that do not know a charset see the addresses in its text too: it is known here, and
/// letters, digits and the signs of addresses stand in it as in ASCII. Of charsets that shift, that holds until they
/// do; ISO-2022-JP, which all mail programs know, and its kin are shared all the same.
bool is_shared(std::string_view charset);

/// hides_ascii says whether characters of a charset that is shared hold a byte that is an "@" by itself, and not all
/// programs know the charset by this name: those show the "@".
bool hides_ascii(std::string_view charset);

}  // namespace p11mime::mime
