#pragma once

#include <cstdint>
#include <string_view>

#include "mime/line_masks.h"

namespace p11mime::mime {

/// LineInspector looks, while content passes, for what 7-bit mail transport does not carry unharmed (RFC 8551 section
/// 3.1.2 and RFC 5322 section 2.1.1).
class LineInspector {
  public:
    /// count_escapes makes mostly_escapes() work, which costs a look at each byte.
    explicit LineInspector(bool count_escapes = false) : count_escapes_(count_escapes) {}

    void push(ByteView bytes);

    /// finish ends the last line, which may lack its line ending.
    void finish();

    /// problem names what was found first in the order of severity ("8-bit bytes"), or is empty.
    std::string_view problem() const;

    std::uint64_t size() const { return size_; }

    /// mostly_escapes says whether quoted-printable would escape more than one byte in six.
    bool mostly_escapes() const { return escapes_ * 6 > size_; }

  private:
    void inspect(ByteView rest, const LineMasks& block);
    void see_from(std::string_view text);
    void end_line(std::uint64_t end);

    bool count_escapes_;
    std::uint64_t size_ = 0;
    std::uint64_t escapes_ = 0;

    std::uint64_t line_begin_ = 0;  // of the current line, as a count of bytes
    std::size_t from_seen_ = 0;     // how much of "From " the current line starts with; more may follow
    std::uint64_t cr_before_ = 0, white_before_ = 0;  // the last two bytes, as the bits before bit 0 of a mask

    bool eight_bit_ = false, nul_ = false, lone_cr_ = false, lone_lf_ = false;
    bool long_line_ = false, trailing_space_ = false, from_line_ = false;
};

}  // namespace p11mime::mime
