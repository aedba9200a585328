#pragma once

#include <array>
#include <memory>

#include "mime/base64_groups.h"
#include "mime/codec.h"

namespace p11mime::mime {

/// Base64Decoder decodes base64 in pieces of any size; see decode() for what it accepts.
class Base64Decoder {
  public:
    /// All versions of `lines` do the same.
    explicit Base64Decoder(DecodeBase64Lines& lines = *decode_base64_lines_versions().front()) : lines_(lines) {}

    /// decode writes the bytes of all groups that `in` completes to `out`, which has room for decoded_size(in.size()),
    /// and returns how many. Throws Error(malformed).
    std::size_t decode(ByteView in, Byte* out);

    /// finish throws Error(malformed) where the last group is incomplete.
    void finish() const;

    /// decoded_size is the most that `size` characters can decode to, whatever was held before, in bytes.
    static constexpr std::size_t decoded_size(std::size_t size) { return (size + 3) / 4 * 3 + 3; }

  private:
    std::size_t end_group(Byte* out);

    DecodeBase64Lines& lines_;
    std::uint32_t group_ = 0;  // the characters held, 6 bits each
    unsigned held_ = 0;
    unsigned padding_wanted_ = 0;
    bool ended_ = false;
};

/// base64_source and quoted_printable_source are the two halves of decode().
std::unique_ptr<Source> base64_source(Source& from);
std::unique_ptr<Source> quoted_printable_source(Source& from);

}  // namespace p11mime::mime
