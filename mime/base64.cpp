#include "mime/base64.h"

#include <algorithm>

#include "mime/base64_groups.h"
#include "mime/error.h"

namespace p11mime::mime {

namespace {

// What a character is: its value, or one of these.
constexpr Byte kSpace = 64, kPadding = 65, kOther = 66;

constexpr std::array<Byte, 256> make_classes() {
    std::array<Byte, 256> classes{};
    classes.fill(kOther);
    for (std::size_t value = 0; value < kBase64Alphabet.size(); ++value)
        classes[static_cast<Byte>(kBase64Alphabet[value])] = static_cast<Byte>(value);
    for (const char space : {' ', '\t', '\r', '\n'})
        classes[static_cast<Byte>(space)] = kSpace;
    classes['='] = kPadding;
    return classes;
}
constexpr std::array<Byte, 256> kClasses = make_classes();

// Whole groups, then what is left with padding.
char* encode(ByteView in, char* out) {
    const std::size_t left = in.size() % 3;
    out = encode_base64_groups(in.first(in.size() - left), out);
    if (left == 0) return out;
    std::array<Byte, 3> last{};
    std::copy(in.end() - static_cast<std::ptrdiff_t>(left), in.end(), last.begin());
    encode_base64_groups(last, out);
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
            put_lines(held_);
            held_size_ = 0;
        }
        const std::size_t whole = bytes.size() / kBase64LineBytes * kBase64LineBytes;
        put_lines(bytes.first(whole));
        hold(bytes.subspan(whole));
        flush();
    }

    void finish() override {
        if (held_size_ == 0) return;
        make_room();
        char* const end = encode(ByteView(held_).first(held_size_), out_.get() + out_size_);
        out_size_ = size_to(std::copy(line_end_.begin(), line_end_.end(), end));
        held_size_ = 0;
        flush();
    }

  private:
    static constexpr std::size_t kLineRoom = kBase64LineBytes / 3 * 4 + 2;

    std::size_t hold(ByteView bytes) {
        const std::size_t count = std::min(bytes.size(), held_.size() - held_size_);
        std::copy_n(bytes.begin(), count, held_.begin() + static_cast<std::ptrdiff_t>(held_size_));
        held_size_ += count;
        return count;
    }

    void put_lines(ByteView bytes) {
        while (!bytes.empty()) {
            make_room();
            const std::size_t lines = std::min(bytes.size() / kBase64LineBytes, (kPieceSize - out_size_) / kLineRoom);
            const ByteView now = bytes.first(lines * kBase64LineBytes);
            out_size_ = size_to(encode_lines_(now, line_end_, out_.get() + out_size_));
            bytes = bytes.subspan(now.size());
        }
    }

    // Room for one line at least.
    void make_room() {
        if (kPieceSize - out_size_ < kLineRoom) flush();
    }

    std::size_t size_to(const char* end) const { return static_cast<std::size_t>(end - out_.get()); }

    void flush() {
        if (out_size_ > 0) to_.push(bytes_of(std::string_view(out_.get(), out_size_)));
        out_size_ = 0;
    }

    Sink& to_;
    std::string_view line_end_;
    EncodeBase64Lines* encode_lines_ = encode_base64_lines_versions().front();
    std::array<Byte, kBase64LineBytes> held_;
    std::size_t held_size_ = 0;
    // Not filled with zeros first, since a small mail touches few of its pages.
    std::unique_ptr<char[]> out_ = std::make_unique_for_overwrite<char[]>(kPieceSize);
    std::size_t out_size_ = 0;
};

}  // namespace

std::size_t Base64Decoder::decode(ByteView in, Byte* out) {
    Byte* const begin = out;
    for (;;) {
        if (held_ == 0 && !ended_) {
            const DecodedGroups groups = lines_(in, out);
            in = in.subspan(groups.read);
            out += groups.written;
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
