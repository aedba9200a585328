#pragma once

#include <string>
#include <string_view>

#include "mime/hex.h"

namespace p11mime::test {

/// from_hex reads pairs of hexadecimal digits; spaces between them are left out. It throws where they are none.
inline Bytes from_hex(std::string_view hex) {
    std::string digits(hex);
    std::erase(digits, ' ');
    return parse_hex(digits).value();
}

}  // namespace p11mime::test
