#pragma once

#include <string_view>

#include "mime/bytes.h"

namespace p11mime::mime {

inline constexpr std::string_view kBase64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::size_t kBase64LineBytes = 48;  ///< in a written line, which has 64 characters

/// DecodedGroups is how much of a text was read and how many bytes were written for it.
struct DecodedGroups {
    std::size_t read = 0;
    std::size_t written = 0;
};

/// decode_base64_groups decodes whole groups of four characters at the front of a text, up to the first that is
/// interrupted or cut off. `out` has room for three bytes for each of them.
DecodedGroups decode_base64_groups(ByteView in, Byte* out);

/// encode_base64_groups writes the characters of whole groups of three bytes and returns the end of what was written.
char* encode_base64_groups(ByteView in, char* out);

/// A DecodeBase64Lines decodes as decode_base64_groups does and passes over white space between groups. An
/// EncodeBase64Lines encodes whole lines of kBase64LineBytes and writes `line_end` after each.
using DecodeBase64Lines = DecodedGroups(ByteView in, Byte* out);
using EncodeBase64Lines = char*(ByteView in, std::string_view line_end, char* out);

/// Their versions are for the vectors that this machine has, the fastest first. All do the same.
const std::vector<DecodeBase64Lines*>& decode_base64_lines_versions();
const std::vector<EncodeBase64Lines*>& encode_base64_lines_versions();

}  // namespace p11mime::mime
