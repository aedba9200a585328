#include "mime/line_inspector.h"

#include <algorithm>
#include <array>
#include <bit>

namespace p11mime::mime {

namespace {

constexpr std::uint64_t kMaxLine = 998;
constexpr std::string_view kFrom = "From ";

// What quoted-printable escapes is looked up: a branch for each byte would be most of a small mail's time.
constexpr std::array<std::uint8_t, 256> kEscaped = [] {
    std::array<std::uint8_t, 256> table{};
    for (std::size_t b = 0; b < table.size(); ++b)
        table[b] = b >= 127 || b == '=' || (b < 32 && b != '\t' && b != '\r' && b != '\n') ? 1 : 0;
    return table;
}();

std::uint64_t escapes_in(ByteView bytes) {
    std::uint64_t escapes = 0;
    for (const Byte byte : bytes)
        escapes += kEscaped[byte];
    return escapes;
}

}  // namespace

void LineInspector::push(ByteView bytes) {
    if (count_escapes_) escapes_ += escapes_in(bytes);
    if (from_seen_ > 0) see_from(text_of(bytes));
    const ByteKinds kinds = for_each_block(bytes, [this](ByteView rest, const LineMasks& block) {
        inspect(rest, block);
        return true;
    });
    eight_bit_ = eight_bit_ || kinds.eight_bit;
    nul_ = nul_ || kinds.nul;
}

// Takes the block at the front of `rest`.
void LineInspector::inspect(ByteView rest, const LineMasks& block) {
    const std::size_t count = std::min(rest.size(), kMaskedBytes);
    const std::uint64_t after_cr = block.cr << 1 | cr_before_;
    const std::uint64_t crlf = block.lf & after_cr;
    lone_lf_ = lone_lf_ || crlf != block.lf;
    lone_cr_ = lone_cr_ || (after_cr & ~block.lf & ~std::uint64_t{0} >> (kMaskedBytes - count)) != 0;

    const std::uint64_t after_white = block.white << 1 | white_before_ >> 1;
    const std::uint64_t two_after_white = block.white << 2 | white_before_;
    trailing_space_ = trailing_space_ || ((block.lf & after_white) | (crlf & two_after_white)) != 0;

    const std::uint64_t line_starts = block.lf << 1 | (size_ == line_begin_ ? 1 : 0);
    for (std::uint64_t left = block.f & line_starts; left != 0; left &= left - 1)
        see_from(text_of(rest.subspan(static_cast<std::size_t>(std::countr_zero(left)))));

    if (block.lf != 0) {
        const int first = std::countr_zero(block.lf);
        end_line(size_ + static_cast<unsigned>(first) - (crlf >> first & 1));
        line_begin_ = size_ + kMaskedBytes - static_cast<unsigned>(std::countl_zero(block.lf));
    }
    cr_before_ = block.cr >> (count - 1) & 1;
    white_before_ = count > 1 ? block.white >> (count - 2) & 3 : block.white << 1 | white_before_ >> 1;
    size_ += count;
}

// Looks at the start of a line, or at what follows the start that was seen.
void LineInspector::see_from(std::string_view text) {
    const std::string_view wanted = kFrom.substr(from_seen_);
    const std::string_view seen = text.substr(0, wanted.size());
    from_line_ = from_line_ || seen == wanted;
    from_seen_ = seen != wanted && wanted.starts_with(seen) ? from_seen_ + seen.size() : 0;
}

void LineInspector::end_line(std::uint64_t end) {
    long_line_ = long_line_ || end - line_begin_ > kMaxLine;
}

void LineInspector::finish() {
    lone_cr_ = lone_cr_ || cr_before_ != 0;
    trailing_space_ = trailing_space_ || (white_before_ & 2) != 0;
    end_line(size_);
}

std::string_view LineInspector::problem() const {
    if (eight_bit_) return "8-bit bytes";
    if (nul_) return "NUL bytes";
    if (lone_cr_) return "a carriage return that ends no line";
    if (lone_lf_) return "a line feed without a carriage return";
    if (long_line_) return "a line over 998 bytes";
    if (trailing_space_) return "white space at the end of a line";
    if (from_line_) return "a line that starts with \"From \"";
    return {};
}

}  // namespace p11mime::mime
