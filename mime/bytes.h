#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace p11mime {

using Byte = unsigned char;
using Bytes = std::vector<Byte>;
using ByteView = std::span<const Byte>;

/// bytes_of views text as bytes; the text must outlive the view.
inline ByteView bytes_of(std::string_view text) {
    return {reinterpret_cast<const Byte*>(text.data()), text.size()};
}

/// text_of views bytes as text, in whatever encoding they are; the bytes must outlive the view.
inline std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// to_bytes copies a view into bytes of one's own.
inline Bytes to_bytes(ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace p11mime
