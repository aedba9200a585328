#include "mime/line_endings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "mime/line_masks.h"

namespace p11mime::mime {

namespace {

// A conversion copies whole blocks, of which the next copy overwrites the rest: so much is written beyond its end.
constexpr std::size_t kSlack = 2 * kMaskedBytes;

// Bytes that a source converts at once, and a sink.
constexpr std::size_t kSourceStep = kPieceSize / 2;
constexpr std::size_t kSinkStep = 8 * 1024;

// Readable is a block and the one after it, in memory of their own where there are fewer bytes.
class Readable {
  public:
    explicit Readable(ByteView rest) : at_(rest.data()) {
        if (rest.size() >= copy_.size()) return;
        std::fill(std::copy(rest.begin(), rest.end(), copy_.begin()), copy_.end(), Byte{0});
        at_ = copy_.data();
    }
    const Byte* at(std::size_t i) const { return at_ + i; }

  private:
    std::array<Byte, 2 * kMaskedBytes> copy_;
    const Byte* at_;
};

// The LFs in a block that no CR precedes; `cr_before` says whether one precedes the block.
std::uint64_t lone_lfs(const LineMasks& block, std::uint64_t cr_before) {
    return block.lf & ~(block.cr << 1 | cr_before);
}

bool is_canonical(ByteView bytes, bool after_cr) {
    bool canonical = true;
    std::uint64_t cr_before = after_cr ? 1 : 0;
    for_each_block(bytes, [&](ByteView, const LineMasks& block) {
        canonical = lone_lfs(block, cr_before) == 0;
        cr_before = block.cr >> (kMaskedBytes - 1);
        return canonical;
    });
    return canonical;
}

// Writes the canonical form of bytes, at most twice as many, and returns how many.
std::size_t make_canonical(ByteView bytes, bool after_cr, Byte* out) {
    Byte* const begin = out;
    std::uint64_t cr_before = after_cr ? 1 : 0;
    for_each_block(bytes, [&](ByteView rest, const LineMasks& block) {
        const Readable from(rest);
        std::memcpy(out, from.at(0), kMaskedBytes);
        std::size_t added = 0;
        for (std::uint64_t left = lone_lfs(block, cr_before); left != 0; left &= left - 1, ++added) {
            const auto lf = static_cast<std::size_t>(std::countr_zero(left));
            out[lf + added] = '\r';
            std::memcpy(out + lf + added + 1, from.at(lf), kMaskedBytes);
        }
        out += std::min(rest.size(), kMaskedBytes) + added;
        cr_before = block.cr >> (kMaskedBytes - 1);
        return true;
    });
    return static_cast<std::size_t>(out - begin);
}

// Writes bytes without the CRs that an LF follows, and returns how many.
std::size_t drop_crs(ByteView bytes, Byte* out) {
    Byte* const begin = out;
    for_each_block(bytes, [&](ByteView rest, const LineMasks& block) {
        const std::uint64_t lf_after = rest.size() > kMaskedBytes && rest[kMaskedBytes] == '\n' ? 1 : 0;
        const Readable from(rest);
        std::memcpy(out, from.at(0), kMaskedBytes);
        std::size_t dropped = 0;
        for (std::uint64_t left = block.cr & (block.lf >> 1 | lf_after << (kMaskedBytes - 1)); left != 0;
             left &= left - 1, ++dropped) {
            const auto cr = static_cast<std::size_t>(std::countr_zero(left));
            std::memcpy(out + cr - dropped, from.at(cr + 1), kMaskedBytes);
        }
        out += std::min(rest.size(), kMaskedBytes) - dropped;
        return true;
    });
    return static_cast<std::size_t>(out - begin);
}

class CanonicalSource final : public Source {
  public:
    explicit CanonicalSource(Source& from) : from_(from) {}

    ByteView pull() override {
        if (rest_.empty()) rest_ = from_.pull();
        if (rest_.empty()) return {};
        if (is_canonical(rest_, after_cr_)) return take(rest_.size());
        const bool after_cr = after_cr_;
        const ByteView step = take(std::min(rest_.size(), kSourceStep));
        if (buffer_.size() < 2 * step.size() + kSlack) buffer_.resize(2 * step.size() + kSlack);
        return ByteView(buffer_).first(make_canonical(step, after_cr, buffer_.data()));
    }

  private:
    ByteView take(std::size_t count) {
        const ByteView taken = rest_.first(count);
        after_cr_ = taken.back() == '\r';
        rest_ = rest_.subspan(count);
        return taken;
    }

    Source& from_;
    ByteView rest_;
    bool after_cr_ = false;
    Bytes buffer_;
};

}  // namespace

std::unique_ptr<Source> canonical(Source& from) {
    return std::make_unique<CanonicalSource>(from);
}

void CanonicalSink::push(ByteView bytes) {
    if (is_canonical(bytes, after_cr_)) {
        if (!bytes.empty()) after_cr_ = bytes.back() == '\r';
        return to_.push(bytes);
    }
    std::array<Byte, 2 * kSinkStep + kSlack> buffer;
    while (!bytes.empty()) {
        const ByteView step = bytes.first(std::min(bytes.size(), kSinkStep));
        to_.push(ByteView(buffer).first(make_canonical(step, after_cr_, buffer.data())));
        after_cr_ = step.back() == '\r';
        bytes = bytes.subspan(step.size());
    }
}

void LfSink::push(ByteView bytes) {
    std::array<Byte, kSinkStep + kSlack> buffer;
    while (!bytes.empty()) {
        ByteView step = bytes.first(std::min(bytes.size(), kSinkStep));
        bytes = bytes.subspan(step.size());
        // What comes of a CR at the end the next byte decides.
        if (held_cr_ && step.front() != '\n') to_.push(bytes_of("\r"));
        held_cr_ = step.back() == '\r';
        if (held_cr_) step = step.first(step.size() - 1);
        if (!step.empty()) to_.push(ByteView(buffer).first(drop_crs(step, buffer.data())));
    }
}

void LfSink::finish() {
    if (held_cr_) to_.push(bytes_of("\r"));
    held_cr_ = false;
}

}  // namespace p11mime::mime
