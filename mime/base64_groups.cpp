#include "mime/base64_groups.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace p11mime::mime {

namespace {

// kGroupTables hold, for each of the four places in a group, a character's bits where they belong in the three bytes,
// first byte lowest; kNoValue marks a character that has none.
constexpr std::uint32_t kNoValue = 0x0100'0000;
using GroupTable = std::array<std::uint32_t, 256>;

constexpr std::array<GroupTable, 4> make_group_tables() {
    std::array<GroupTable, 4> tables{};
    for (GroupTable& table : tables)
        table.fill(kNoValue);
    for (std::uint32_t v = 0; v < kBase64Alphabet.size(); ++v) {
        const auto c = static_cast<Byte>(kBase64Alphabet[v]);
        tables[0][c] = v << 2;
        tables[1][c] = v >> 4 | (v & 0x0f) << 12;
        tables[2][c] = v >> 2 << 8 | (v & 0x03) << 22;
        tables[3][c] = v << 16;
    }
    return tables;
}
constexpr std::array<GroupTable, 4> kGroupTables = make_group_tables();

constexpr std::array<std::array<char, 2>, 4096> make_pairs() {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = {kBase64Alphabet[i >> 6], kBase64Alphabet[i & 63]};
    return pairs;
}
constexpr std::array<std::array<char, 2>, 4096> kPairs = make_pairs();

}  // namespace

DecodedGroups decode_base64_groups(ByteView in, Byte* out) {
    DecodedGroups done;
    for (; in.size() - done.read >= 4; done.read += 4, done.written += 3) {
        const Byte* const at = in.data() + done.read;
        const std::uint32_t bits =
            kGroupTables[0][at[0]] | kGroupTables[1][at[1]] | kGroupTables[2][at[2]] | kGroupTables[3][at[3]];
        if ((bits & kNoValue) != 0) break;
        out[done.written] = static_cast<Byte>(bits);
        out[done.written + 1] = static_cast<Byte>(bits >> 8);
        out[done.written + 2] = static_cast<Byte>(bits >> 16);
    }
    return done;
}

char* encode_base64_groups(ByteView in, char* out) {
    for (; !in.empty(); in = in.subspan(3), out += 4) {
        const unsigned bits = static_cast<unsigned>(in[0]) << 16 | static_cast<unsigned>(in[1]) << 8 | in[2];
        std::memcpy(out, kPairs[bits >> 12].data(), 2);
        std::memcpy(out + 2, kPairs[bits & 0xfff].data(), 2);
    }
    return out;
}

}  // namespace p11mime::mime
