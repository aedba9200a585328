// The base64 kernels for vectors, compiled for each set of instructions that Highway knows on the machine's
// architecture; the best is chosen at run time.
#include <algorithm>
#include <array>

#include "mime/base64_groups.h"
#include "mime/text.h"
#include "mime/vectors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mime/base64_lines.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace p11mime::mime {
namespace {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

DecodedGroups decode_lines(ByteView in, Byte* out) {
    return decode_base64_groups(in, out);
}

char* encode_lines(ByteView in, std::string_view line_end, char* out) {
    for (; !in.empty(); in = in.subspan(kBase64LineBytes)) {
        out = encode_base64_groups(in.first(kBase64LineBytes), out);
        out = std::copy(line_end.begin(), line_end.end(), out);
    }
    return out;
}

#else

namespace hn = hwy::HWY_NAMESPACE;

// A vector is at most a written line, and consists of blocks of four groups.
using Chars = hn::CappedTag<std::uint8_t, 64>;
constexpr Chars chars_tag;
constexpr hn::RebindToSigned<Chars> signed_tag;
constexpr hn::Repartition<std::uint16_t, Chars> pairs_tag;
constexpr hn::Repartition<std::uint32_t, Chars> groups_tag;
constexpr std::size_t kMaxGroups = 16;
using CharVector = hn::Vec<Chars>;
using GroupIndices = std::array<std::int32_t, kMaxGroups>;

// What the characters with the same high four bits are: those from lowest to highest, which `offset` turns into values.
// '/' shares its high bits with '+' and is seen to by itself.
constexpr std::int8_t kNone = 127;
HWY_ALIGN constexpr std::int8_t kLowest[16] = {kNone, kNone, '+',   '0',   'A',   'P',   'a',   'p',
                                               kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone};
HWY_ALIGN constexpr std::int8_t kHighest[16] = {0, 0, '+', '9', 'O', 'Z', 'o', 'z', 0, 0, 0, 0, 0, 0, 0, 0};
HWY_ALIGN constexpr std::int8_t kOffset[16] = {0, 0, 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a',
                                               0, 0, 0,        0,        0,    0,    0,        0};

// Places of bytes in a block; 0x80 gives 0.
HWY_ALIGN constexpr std::uint8_t kLastThree[16] = {2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0x80, 0x80, 0x80, 0x80};
HWY_ALIGN constexpr std::uint8_t kThreeToFour[16] = {2, 1, 0, 0x80, 5, 4, 3, 0x80, 8, 7, 6, 0x80, 11, 10, 9, 0x80};

// Where each four bytes of a vector come from when blocks of twelve bytes close up, and when they are spread again.
constexpr GroupIndices closing_up() {
    GroupIndices indices{};
    for (std::size_t i = 0; i < kMaxGroups * 3 / 4; ++i)
        indices[i] = static_cast<std::int32_t>(i / 3 * 4 + i % 3);
    return indices;
}
constexpr GroupIndices spreading() {
    GroupIndices indices{};
    for (std::size_t i = 0; i < kMaxGroups; ++i)
        indices[i] = static_cast<std::int32_t>(i / 4 * 3 + std::min<std::size_t>(i % 4, 2));
    return indices;
}

DecodedGroups decode_lines(ByteView in, Byte* out) {
    const std::size_t size = hn::Lanes(chars_tag);
    const auto lowest = hn::LoadDup128(signed_tag, kLowest);
    const auto highest = hn::LoadDup128(signed_tag, kHighest);
    const auto offset = hn::LoadDup128(signed_tag, kOffset);
    const auto last_three = hn::LoadDup128(chars_tag, kLastThree);
    const auto close_up = hn::SetTableIndices(groups_tag, closing_up().data());

    DecodedGroups done;
    // A whole vector is stored, of which a quarter is overwritten next time: the room for two vectors has room for
    // that.
    while (in.size() - done.read >= 2 * size) {
        const Byte* const at = in.data() + done.read;
        if (is_space(static_cast<char>(*at))) {
            ++done.read;
            continue;
        }
        const auto chars = hn::LoadU(chars_tag, at);
        const auto signed_chars = hn::BitCast(signed_tag, chars);
        const auto high_bits = hn::BitCast(signed_tag, hn::ShiftRight<4>(chars));
        const auto slash = hn::Eq(signed_chars, hn::Set(signed_tag, '/'));
        const auto invalid = hn::AndNot(slash, hn::Or(hn::Lt(signed_chars, hn::TableLookupBytes(lowest, high_bits)),
                                                      hn::Gt(signed_chars, hn::TableLookupBytes(highest, high_bits))));
        const auto sum = hn::Add(signed_chars, hn::TableLookupBytes(offset, high_bits));
        const auto values = hn::Sub(sum, hn::IfThenElseZero(slash, hn::Set(signed_tag, '/' - '+' - 1)));

        // 4 × 6 bits become 2 × 12 bits and then 24 bits.
        const auto sixes = hn::BitCast(pairs_tag, values);
        const auto twelves =
            hn::Or(hn::ShiftLeft<6>(hn::And(sixes, hn::Set(pairs_tag, 0xff))), hn::ShiftRight<8>(sixes));
        const auto halves = hn::BitCast(groups_tag, twelves);
        const auto groups =
            hn::Or(hn::ShiftLeft<12>(hn::And(halves, hn::Set(groups_tag, 0xffff))), hn::ShiftRight<16>(halves));
        const auto blocks = hn::TableLookupBytesOr0(hn::BitCast(chars_tag, groups), last_three);
        const auto bytes = hn::TableLookupLanes(hn::BitCast(groups_tag, blocks), close_up);
        hn::StoreU(hn::BitCast(chars_tag, bytes), chars_tag, out + done.written);

        const std::intptr_t found = hn::FindFirstTrue(signed_tag, invalid);
        const std::size_t valid = found < 0 ? size : static_cast<std::size_t>(found);
        done.read += valid / 4 * 4;
        done.written += valid / 4 * 3;
        if (valid < size && (valid % 4 != 0 || !is_space(static_cast<char>(at[valid])))) break;
    }
    const DecodedGroups rest = decode_base64_groups(in.subspan(done.read), out + done.written);
    return {done.read + rest.read, done.written + rest.written};
}

CharVector characters(CharVector values) {
    const auto v = hn::BitCast(signed_tag, values);
    const auto above = [&](std::int8_t limit, std::int8_t step) {
        return hn::IfThenElseZero(hn::Gt(v, hn::Set(signed_tag, limit)), hn::Set(signed_tag, step));
    };
    // From each range of the alphabet to the next its characters jump by so much.
    const auto letters = hn::Add(hn::Set(signed_tag, 'A'), above(25, 'a' - 'Z' - 1));
    const auto others = hn::Add(hn::Add(above(51, '0' - 'z' - 1), above(61, '+' - '9' - 1)), above(62, '/' - '+' - 1));
    return hn::BitCast(chars_tag, hn::Add(v, hn::Add(letters, others)));
}

char* encode_lines(ByteView in, std::string_view line_end, char* out) {
    const std::size_t size = hn::Lanes(chars_tag);
    const auto spread = hn::SetTableIndices(groups_tag, spreading().data());
    const auto three_to_four = hn::LoadDup128(chars_tag, kThreeToFour);
    const auto field = [](auto groups, std::uint32_t mask) { return hn::And(groups, hn::Set(groups_tag, mask)); };

    // A whole vector is loaded, a quarter of it beyond what is used: in the last line that may not be there.
    while (in.size() > kBase64LineBytes) {
        for (std::size_t at = 0; at < kBase64LineBytes; at += size / 4 * 3, out += size) {
            const auto bytes = hn::BitCast(groups_tag, hn::LoadU(chars_tag, in.data() + at));
            const auto blocks = hn::BitCast(chars_tag, hn::TableLookupLanes(bytes, spread));
            const auto groups = hn::BitCast(groups_tag, hn::TableLookupBytesOr0(blocks, three_to_four));
            const auto values = hn::Or(
                hn::Or(hn::ShiftRight<18>(groups), field(hn::ShiftRight<4>(groups), 0x3f00)),
                hn::Or(field(hn::ShiftLeft<10>(groups), 0x3f'0000), field(hn::ShiftLeft<24>(groups), 0x3f00'0000)));
            hn::StoreU(characters(hn::BitCast(chars_tag, values)), chars_tag, reinterpret_cast<Byte*>(out));
        }
        for (const char c : line_end)
            *out++ = c;
        in = in.subspan(kBase64LineBytes);
    }
    if (in.empty()) return out;
    return std::copy(line_end.begin(), line_end.end(), encode_base64_groups(in, out));
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace
}  // namespace p11mime::mime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace p11mime::mime {

const std::vector<DecodeBase64Lines*>& decode_base64_lines_versions() {
    static const auto versions = runnable<DecodeBase64Lines>(P11MIME_VERSIONS(decode_lines));
    return versions;
}

const std::vector<EncodeBase64Lines*>& encode_base64_lines_versions() {
    static const auto versions = runnable<EncodeBase64Lines>(P11MIME_VERSIONS(encode_lines));
    return versions;
}

}  // namespace p11mime::mime

#endif
