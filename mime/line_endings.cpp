#include "mime/line_endings.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace p11mime::mime {

namespace {

// A clean run of this size is worth a piece of its own; shorter ones are copied together.
constexpr std::size_t kWorthPassing = 4096;

// How many bytes at the front are canonical as they stand.
std::size_t canonical_prefix(ByteView bytes, bool after_cr) {
    const Byte* const begin = bytes.data();
    const Byte* const end = begin + bytes.size();
    for (const Byte* at = begin; at < end; ++at) {
        at = static_cast<const Byte*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
        if (at == nullptr) break;
        if (at == begin ? !after_cr : at[-1] != '\r') return static_cast<std::size_t>(at - begin);
    }
    return bytes.size();
}

struct Filled {
    std::size_t read;
    std::size_t written;
};

// Writes the canonical form of the front of `bytes`, as much as fits.
Filled fill_canonical(ByteView bytes, bool after_cr, std::span<Byte> out) {
    Filled done{0, 0};
    while (done.read < bytes.size() && out.size() - done.written >= 2) {
        const ByteView rest = bytes.subspan(done.read, std::min(bytes.size() - done.read, out.size() - done.written));
        const void* const lf = std::memchr(rest.data(), '\n', rest.size());
        const std::size_t run =
            lf == nullptr ? rest.size() : static_cast<std::size_t>(static_cast<const Byte*>(lf) - rest.data());
        if (run > 0) {
            std::memcpy(&out[done.written], rest.data(), run);
            after_cr = rest[run - 1] == '\r';
            done = {done.read + run, done.written + run};
        }
        if (lf == nullptr) continue;
        if (out.size() - done.written < 2) break;
        if (!after_cr) out[done.written++] = '\r';
        out[done.written++] = '\n';
        ++done.read;
        after_cr = false;
    }
    return done;
}

class CanonicalSource final : public Source {
  public:
    explicit CanonicalSource(Source& from) : from_(from) {}

    ByteView pull() override {
        if (rest_.empty()) rest_ = from_.pull();
        if (rest_.empty()) return {};
        const std::size_t clean = canonical_prefix(rest_, after_cr_);
        if (clean == rest_.size() || clean >= kWorthPassing) return take(clean);
        if (const std::size_t most = std::min(2 * rest_.size(), kPieceSize); buffer_.size() < most)
            buffer_.resize(most);
        const Filled filled = fill_canonical(rest_, after_cr_, buffer_);
        take(filled.read);
        return ByteView(buffer_).first(filled.written);
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
    while (!bytes.empty()) {
        const std::size_t clean = canonical_prefix(bytes, after_cr_);
        std::size_t read = clean;
        if (clean == bytes.size() || clean >= kWorthPassing) {
            to_.push(bytes.first(clean));
        } else {
            std::array<Byte, 16 * 1024> buffer;
            const Filled filled = fill_canonical(bytes, after_cr_, buffer);
            to_.push(ByteView(buffer).first(filled.written));
            read = filled.read;
        }
        after_cr_ = bytes[read - 1] == '\r';
        bytes = bytes.subspan(read);
    }
}

void LfSink::push(ByteView bytes) {
    if (bytes.empty()) return;
    if (held_cr_ && bytes.front() != '\n') to_.push(bytes_of("\r"));
    held_cr_ = bytes.back() == '\r';
    if (held_cr_) bytes = bytes.first(bytes.size() - 1);
    if (std::memchr(bytes.data(), '\r', bytes.size()) == nullptr) {
        if (!bytes.empty()) to_.push(bytes);
        return;
    }
    std::array<Byte, 16 * 1024> buffer;
    std::size_t written = 0;
    while (!bytes.empty()) {
        if (written == buffer.size()) {
            to_.push(buffer);
            written = 0;
        }
        const ByteView part = bytes.first(std::min(bytes.size(), buffer.size() - written));
        const void* const cr = std::memchr(part.data(), '\r', part.size());
        std::size_t run =
            cr == nullptr ? part.size() : static_cast<std::size_t>(static_cast<const Byte*>(cr) - part.data());
        const bool drop = cr != nullptr && bytes.size() > run + 1 && bytes[run + 1] == '\n';
        if (cr != nullptr && !drop) ++run;
        std::memcpy(&buffer[written], part.data(), run);
        written += run;
        bytes = bytes.subspan(run + (drop ? 1 : 0));
    }
    if (written > 0) to_.push(ByteView(buffer).first(written));
}

void LfSink::finish() {
    if (held_cr_) to_.push(bytes_of("\r"));
    held_cr_ = false;
}

}  // namespace p11mime::mime
