#include "mime/base64.h"

#include <algorithm>
#include <cstring>

#include "mime/error.h"

namespace p11mime::mime {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// What a character is: its value, or one of these.
constexpr Byte kSpace = 64, kPadding = 65, kOther = 66;

constexpr std::array<Byte, 256> make_classes() {
    std::array<Byte, 256> classes{};
    classes.fill(kOther);
    for (std::size_t value = 0; value < kAlphabet.size(); ++value)
        classes[static_cast<Byte>(kAlphabet[value])] = static_cast<Byte>(value);
    for (const char space : {' ', '\t', '\r', '\n'})
        classes[static_cast<Byte>(space)] = kSpace;
    classes['='] = kPadding;
    return classes;
}
constexpr std::array<Byte, 256> kClasses = make_classes();

// kGroupTables hold, for each of the four places in a group, a character's bits where they belong in the three bytes,
// first byte lowest; kNoValue marks a character that has none.
constexpr std::uint32_t kNoValue = 0x0100'0000;
using GroupTable = std::array<std::uint32_t, 256>;

constexpr std::array<GroupTable, 4> make_group_tables() {
    std::array<GroupTable, 4> tables{};
    for (std::size_t c = 0; c < 256; ++c) {
        const std::uint32_t v = kClasses[c];
        const bool has_value = v < 64;
        tables[0][c] = has_value ? v << 2 : kNoValue;
        tables[1][c] = has_value ? v >> 4 | (v & 0x0f) << 12 : kNoValue;
        tables[2][c] = has_value ? v >> 2 << 8 | (v & 0x03) << 22 : kNoValue;
        tables[3][c] = has_value ? v << 16 : kNoValue;
    }
    return tables;
}
constexpr std::array<GroupTable, 4> kGroupTables = make_group_tables();

constexpr std::array<std::array<char, 2>, 4096> make_pairs() {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = {kAlphabet[i >> 6], kAlphabet[i & 63]};
    return pairs;
}
constexpr std::array<std::array<char, 2>, 4096> kPairs = make_pairs();

std::uint32_t group_bits(const Byte* in) {
    return kGroupTables[0][in[0]] | kGroupTables[1][in[1]] | kGroupTables[2][in[2]] | kGroupTables[3][in[3]];
}

void put_group(std::uint32_t bits, Byte* out) {
    out[0] = static_cast<Byte>(bits);
    out[1] = static_cast<Byte>(bits >> 8);
    out[2] = static_cast<Byte>(bits >> 16);
}

// The decoding kernel: whole groups from the front of `in`, up to the first that has a character without a value.
// Returns how many groups.
std::size_t decode_groups(ByteView in, Byte* out) {
    const std::size_t count = in.size() / 4;
    const Byte* at = in.data();
    std::size_t done = 0;
    for (; done + 4 <= count; done += 4, at += 16, out += 12) {
        const std::uint32_t a = group_bits(at), b = group_bits(at + 4), c = group_bits(at + 8), d = group_bits(at + 12);
        if (((a | b | c | d) & kNoValue) != 0) break;
        put_group(a, out);
        put_group(b, out + 3);
        put_group(c, out + 6);
        put_group(d, out + 9);
    }
    for (; done < count; ++done, at += 4, out += 3) {
        const std::uint32_t bits = group_bits(at);
        if ((bits & kNoValue) != 0) break;
        put_group(bits, out);
    }
    return done;
}

// The encoding kernel: `count` whole groups of three bytes.
char* encode_groups(const Byte* in, std::size_t count, char* out) {
    for (; count > 0; --count, in += 3, out += 4) {
        const unsigned bits = static_cast<unsigned>(in[0]) << 16 | static_cast<unsigned>(in[1]) << 8 | in[2];
        std::memcpy(out, kPairs[bits >> 12].data(), 2);
        std::memcpy(out + 2, kPairs[bits & 0xfff].data(), 2);
    }
    return out;
}

// Whole groups, then what is left with padding.
char* encode(ByteView in, char* out) {
    const std::size_t left = in.size() % 3;
    out = encode_groups(in.data(), in.size() / 3, out);
    if (left == 0) return out;
    std::array<Byte, 3> last{};
    std::copy(in.end() - static_cast<std::ptrdiff_t>(left), in.end(), last.begin());
    encode_groups(last.data(), 1, out);
    std::fill(out + left + 1, out + 4, '=');
    return out + 4;
}

class Base64Source final : public Source {
  public:
    explicit Base64Source(Source& from) : from_(from) {}

    ByteView pull() override {
        for (;;) {
            if (rest_.empty()) rest_ = from_.pull();
            if (rest_.empty()) break;
            const ByteView piece = rest_.first(std::min(rest_.size(), kPieceSize));
            rest_ = rest_.subspan(piece.size());
            const std::size_t most = Base64Decoder::decoded_size(piece.size());
            if (buffer_.size() < most) buffer_.resize(most);
            const std::size_t size = decoder_.decode(piece, buffer_.data());
            if (size > 0) return ByteView(buffer_).first(size);
        }
        decoder_.finish();
        return {};
    }

  private:
    Source& from_;
    ByteView rest_;
    Base64Decoder decoder_;
    Bytes buffer_;
};

class Base64Encoder final : public Encoder {
  public:
    Base64Encoder(Sink& to, LineEnding ending) : to_(to), line_end_(line_end(ending)) {}

    void push(ByteView bytes) override {
        if (held_size_ > 0) {
            bytes = bytes.subspan(hold(bytes));
            if (held_size_ < held_.size()) return;
            put_line(held_);
            held_size_ = 0;
        }
        for (; bytes.size() >= kLineBytes; bytes = bytes.subspan(kLineBytes))
            put_line(bytes.first(kLineBytes));
        hold(bytes);
        flush();
    }

    void finish() override {
        if (held_size_ > 0) put_line(ByteView(held_).first(held_size_));
        held_size_ = 0;
        flush();
    }

  private:
    static constexpr std::size_t kLineBytes = 48;
    static constexpr std::size_t kLineRoom = kLineBytes / 3 * 4 + 2;

    std::size_t hold(ByteView bytes) {
        const std::size_t count = std::min(bytes.size(), held_.size() - held_size_);
        std::copy_n(bytes.begin(), count, held_.begin() + static_cast<std::ptrdiff_t>(held_size_));
        held_size_ += count;
        return count;
    }

    void put_line(ByteView bytes) {
        if (out_.size() - out_size_ < kLineRoom) flush();
        out_.resize(kPieceSize);
        char* const end = std::copy(line_end_.begin(), line_end_.end(), encode(bytes, &out_[out_size_]));
        out_size_ = static_cast<std::size_t>(end - out_.data());
    }

    void flush() {
        if (out_size_ > 0) to_.push(bytes_of(std::string_view(out_).substr(0, out_size_)));
        out_size_ = 0;
    }

    Sink& to_;
    std::string_view line_end_;
    std::array<Byte, kLineBytes> held_;
    std::size_t held_size_ = 0;
    std::string out_;
    std::size_t out_size_ = 0;
};

}  // namespace

std::size_t Base64Decoder::decode(ByteView in, Byte* out) {
    Byte* const begin = out;
    for (;;) {
        if (held_ == 0 && !ended_) {
            const std::size_t groups = decode_groups(in, out);
            in = in.subspan(groups * 4);
            out += groups * 3;
        }
        if (in.empty()) return static_cast<std::size_t>(out - begin);
        const Byte value = kClasses[in.front()];
        in = in.subspan(1);
        if (value == kSpace) continue;
        if (value == kPadding) {
            out += end_group(out);
            continue;
        }
        if (value == kOther)
            throw Error(ErrorKind::malformed, "the base64 data has a character that is none of base64");
        if (ended_) throw Error(ErrorKind::malformed, "the base64 data goes on after its padding");
        group_ = group_ << 6 | value;
        if (++held_ < 4) continue;
        *out++ = static_cast<Byte>(group_ >> 16);
        *out++ = static_cast<Byte>(group_ >> 8);
        *out++ = static_cast<Byte>(group_);
        group_ = held_ = 0;
    }
}

// Takes one '='; the first one of a group completes it.
std::size_t Base64Decoder::end_group(Byte* out) {
    if (ended_) {
        if (padding_wanted_ == 0) throw Error(ErrorKind::malformed, "the base64 data has too much padding");
        --padding_wanted_;
        return 0;
    }
    if (held_ < 2) throw Error(ErrorKind::malformed, "the base64 data has padding where none belongs");
    ended_ = true;
    padding_wanted_ = 3 - held_;
    const std::size_t size = held_ - 1;
    group_ <<= 6 * (4 - held_);
    out[0] = static_cast<Byte>(group_ >> 16);
    if (size == 2) out[1] = static_cast<Byte>(group_ >> 8);
    group_ = held_ = 0;
    return size;
}

void Base64Decoder::finish() const {
    if (held_ > 0 || padding_wanted_ > 0)
        throw Error(ErrorKind::malformed, "the base64 data ends in the middle of a group", "the mail may be truncated");
}

std::unique_ptr<Source> base64_source(Source& from) {
    return std::make_unique<Base64Source>(from);
}

std::unique_ptr<Encoder> base64_encoder(Sink& to, LineEnding ending) {
    return std::make_unique<Base64Encoder>(to, ending);
}

std::string base64_text(ByteView bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    encode(bytes, text.data());
    return text;
}

}  // namespace p11mime::mime
