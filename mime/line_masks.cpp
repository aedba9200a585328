// The masks, and the search for delimiters, compiled for each set of instructions that Highway knows on the machine's
// architecture.
#include "mime/line_masks.h"

#include <endian.h>

#include "mime/vectors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mime/line_masks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace p11mime::mime {
namespace {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

ByteKinds fill(ByteView blocks, std::span<LineMasks> masks) {
    const hn::CappedTag<Byte, kMaskedBytes> tag;
    const std::size_t size = hn::Lanes(tag);
    const auto lf = hn::Set(tag, '\n'), cr = hn::Set(tag, '\r');
    const auto space = hn::Set(tag, ' '), tab = hn::Set(tag, '\t'), f = hn::Set(tag, 'F');
    auto all = hn::Zero(tag);
    auto least = hn::Set(tag, 0xff);
    const auto bits = [&tag](auto mask) {
        std::uint64_t stored = 0;
        hn::StoreMaskBits(tag, mask, reinterpret_cast<Byte*>(&stored));
        return le64toh(stored);
    };
    for (LineMasks& block : masks) {
        block = {};
        for (std::size_t at = 0; at < kMaskedBytes; at += size) {
            const auto bytes = hn::LoadU(tag, blocks.data() + at);
            all = hn::Or(all, bytes);
            least = hn::Min(least, bytes);
            block.lf |= bits(hn::Eq(bytes, lf)) << at;
            block.cr |= bits(hn::Eq(bytes, cr)) << at;
            block.white |= bits(hn::Or(hn::Eq(bytes, space), hn::Eq(bytes, tab))) << at;
            block.f |= bits(hn::Eq(bytes, f)) << at;
        }
        blocks = blocks.subspan(kMaskedBytes);
    }
    return {.eight_bit = !hn::AllTrue(tag, hn::Eq(hn::And(all, hn::Set(tag, 0x80)), hn::Zero(tag))),
            .nul = !hn::AllFalse(tag, hn::Eq(least, hn::Zero(tag)))};
}

std::size_t find(ByteView text) {
    const hn::CappedTag<Byte, kMaskedBytes> tag;
    const std::size_t size = hn::Lanes(tag);
    const auto lf = hn::Set(tag, '\n'), dash = hn::Set(tag, '-');
    std::size_t at = 0;
    for (; text.size() - at >= size + 2; at += size) {
        const Byte* const bytes = text.data() + at;
        const auto lfs = hn::Eq(hn::LoadU(tag, bytes), lf);
        const auto dashes = hn::And(hn::Eq(hn::LoadU(tag, bytes + 1), dash), hn::Eq(hn::LoadU(tag, bytes + 2), dash));
        const std::intptr_t found = hn::FindFirstTrue(tag, hn::And(lfs, dashes));
        if (found >= 0) return at + static_cast<std::size_t>(found);
    }
    const std::size_t found = text_of(text).find("\n--", at);
    return std::min(found, text.size());
}

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace p11mime::mime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace p11mime::mime {

const std::vector<FillMasks*>& fill_masks_versions() {
    static const auto versions = runnable<FillMasks>(P11MIME_VERSIONS(fill));
    return versions;
}

const std::vector<FindDashedLine*>& find_dashed_line_versions() {
    static const auto versions = runnable<FindDashedLine>(P11MIME_VERSIONS(find));
    return versions;
}

std::size_t find_dashed_line(ByteView text) {
    static FindDashedLine& fastest = *find_dashed_line_versions().front();
    return fastest(text);
}

ByteKinds fill_masks(ByteView bytes, std::span<LineMasks> masks) {
    static FillMasks& fastest = *fill_masks_versions().front();
    const std::size_t whole = bytes.size() / kMaskedBytes;
    const ByteKinds kinds = fastest(bytes.first(whole * kMaskedBytes), masks.first(whole));
    if (bytes.size() % kMaskedBytes == 0) return kinds;
    std::array<Byte, kMaskedBytes> last;
    last.fill('.');
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(whole * kMaskedBytes), bytes.end(), last.begin());
    const ByteKinds rest = fastest(last, masks.subspan(whole));
    return {kinds.eight_bit || rest.eight_bit, kinds.nul || rest.nul};
}

}  // namespace p11mime::mime

#endif
