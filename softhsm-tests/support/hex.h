#pragma once

#include <string>
#include <string_view>

#include "mime/bytes.h"

namespace p11mime::test {

/// from_hex reads pairs of hexadecimal digits; spaces between them are left out.
inline Bytes from_hex(std::string_view hex) {
    std::string digits;
    for (const char c : hex)
        if (c != ' ') digits += c;
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<Byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

}  // namespace p11mime::test
