#include "mime/window.h"

#include <algorithm>
#include <cassert>

namespace p11mime {

namespace {

// Of a piece this much at least joins bytes held back from the one before: were it only what is asked for, a caller who
// leaves a byte each time would never be done with copying.
constexpr std::size_t kMinJoined = 4096;

}  // namespace

// Windows stand on windows, one for each level of nesting. If each asked the one below for its end more than once, the
// questions would double from level to level.
void Window::refill() {
    if (!piece_.empty() || ended_) return;
    piece_ = from_.pull();
    ended_ = piece_.empty();
}

ByteView Window::peek(std::size_t count) {
    if (held_begin_ == held_.size()) {
        held_.clear();
        held_begin_ = 0;
        refill();
        if (piece_.size() >= count) return piece_;
    }
    if (held_.size() - held_begin_ >= count && held_begin_ < held_.size()) return ByteView(held_).subspan(held_begin_);

    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(held_begin_));
    held_begin_ = 0;
    while (held_.size() < count) {
        refill();
        if (piece_.empty()) break;
        const std::size_t take = std::min(piece_.size(), std::max(count - held_.size(), kMinJoined));
        held_.insert(held_.end(), piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(take));
        piece_ = piece_.subspan(take);
    }
    return held_;
}

void Window::consume(std::size_t count) {
    position_ += count;
    const std::size_t from_held = std::min(count, held_.size() - held_begin_);
    held_begin_ += from_held;
    count -= from_held;
    assert(count <= piece_.size());
    piece_ = piece_.subspan(count);
}

ByteView Window::pull() {
    const ByteView piece = peek(1);
    consume(piece.size());
    return piece;
}

}  // namespace p11mime
