#include "mime/hex.h"

#include <fmt/format.h>

namespace p11mime {

std::string hex(ByteView bytes) {
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<Byte> hex_byte(std::string_view text) {
    if (text.size() < 2 || hex_value(text[0]) < 0 || hex_value(text[1]) < 0) return std::nullopt;
    return static_cast<Byte>(hex_value(text[0]) * 16 + hex_value(text[1]));
}

std::optional<Bytes> parse_hex(std::string_view text) {
    Bytes bytes;
    for (; !text.empty(); text.remove_prefix(2)) {
        const auto byte = hex_byte(text);
        if (!byte) return std::nullopt;
        bytes.push_back(*byte);
    }
    return bytes;
}

}  // namespace p11mime
