#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mime/bytes.h"

namespace p11mime {

/// hex is bytes in lower-case hexadecimal digits.
std::string hex(ByteView bytes);

/// hex_value is the value of a hexadecimal digit of either case, or -1.
int hex_value(char c);

/// hex_byte is the byte that the first two characters of a text stand for; nothing where they are no two digits.
std::optional<Byte> hex_byte(std::string_view text);

/// parse_hex reads pairs of digits; nothing where a text is anything else. The empty text gives no bytes.
std::optional<Bytes> parse_hex(std::string_view text);

}  // namespace p11mime
