#pragma once

#include <string>
#include <string_view>

namespace p11mime::test {

/// kText is a text/plain entity, canonical and safe for transport: signing leaves it as it is.
inline constexpr std::string_view kText =
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Gr=C3=BC=C3=9Fe aus K=C3=B6ln!\r\n"
    "\r\n"
    "The second paragraph.\r\n";

/// mail puts transport header fields before an entity.
std::string mail(std::string_view from, std::string_view to, std::string_view entity = kText);

/// entity_of is what remains of a mail or entity without its transport header: the Content-* fields, the empty line and
/// the body, byte for byte.
std::string entity_of(std::string_view mail);

/// field is the value of a header field, unfolded; "" where it is absent.
std::string field(std::string_view mail, std::string_view name);

/// body_of is what follows the header's empty line.
std::string body_of(std::string_view mail);

/// with_crlf and with_lf change all line ends of a text.
std::string with_crlf(std::string_view text);
std::string with_lf(std::string_view text);

/// replaced replaces the first occurrence of `from`, which must be there (std::runtime_error).
std::string replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace p11mime::test
