#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "mime/bytes.h"

namespace p11mime::mime {

/// LineMasks says of 64 bytes where the characters are that make and spoil lines: bit i is byte i, the lowest the
/// first.
struct LineMasks {
    std::uint64_t lf = 0;
    std::uint64_t cr = 0;
    std::uint64_t white = 0;  ///< space and tab
    std::uint64_t f = 0;      ///< 'F', as in "From "
};
inline constexpr std::size_t kMaskedBytes = 64;

/// ByteKinds says which bytes occur.
struct ByteKinds {
    bool eight_bit = false;
    bool nul = false;
};

/// A FillMasks fills in the masks of whole blocks, one each. Its versions are for the vectors that this machine has,
/// the fastest first. All do the same.
using FillMasks = ByteKinds(ByteView blocks, std::span<LineMasks> masks);
const std::vector<FillMasks*>& fill_masks_versions();

/// fill_masks looks at bytes with the processor's vectors. There is a mask for each block of kMaskedBytes; what a last,
/// shorter block lacks has no bits.
ByteKinds fill_masks(ByteView bytes, std::span<LineMasks> masks);

/// find_dashed_line finds the first line feed that "--" follows, as a delimiter has it, and returns its place, or the
/// size of the text where there is none. It has versions likewise.
using FindDashedLine = std::size_t(ByteView text);
const std::vector<FindDashedLine*>& find_dashed_line_versions();
std::size_t find_dashed_line(ByteView text);

/// for_each_block calls `look` for each block of bytes, with everything from the block on and its masks, until it
/// returns false, and says what it looked at.
template <class Look>
ByteKinds for_each_block(ByteView bytes, Look look) {
    std::array<LineMasks, 64> masks;
    ByteKinds kinds;
    while (!bytes.empty()) {
        const ByteView now = bytes.first(std::min(bytes.size(), masks.size() * kMaskedBytes));
        const std::size_t count = (now.size() + kMaskedBytes - 1) / kMaskedBytes;
        const ByteKinds found = fill_masks(now, std::span(masks).first(count));
        kinds = {kinds.eight_bit || found.eight_bit, kinds.nul || found.nul};
        for (std::size_t i = 0; i < count; ++i)
            if (!look(bytes.subspan(i * kMaskedBytes), masks[i])) return kinds;
        bytes = bytes.subspan(now.size());
    }
    return kinds;
}

}  // namespace p11mime::mime
