#pragma once

#include <cstdint>

#include "mime/stream.h"

namespace p11mime {

/// Window looks ahead into a source and counts what was consumed. Views are into the source's own pieces wherever
/// possible; only a look-ahead that straddles two pieces is copied.
class Window final : public Source {
  public:
    explicit Window(Source& from) : from_(from) {}
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    /// peek returns at least `count` bytes without consuming them, fewer only if the source ends first; it may return
    /// more. The view is valid until the next call of any member.
    ByteView peek(std::size_t count);

    /// consume drops bytes that peek has shown.
    void consume(std::size_t count);

    /// pull consumes and returns whatever is at hand, at least one byte unless the source has ended.
    ByteView pull() override;

    /// position is the count of bytes consumed so far.
    std::uint64_t position() const { return position_; }

  private:
    void refill();

    Source& from_;
    bool ended_ = false;
    Bytes held_;  // bytes that straddle pieces; live part is held_[held_begin_..)
    std::size_t held_begin_ = 0;
    ByteView piece_;  // unread rest of the source's last piece; follows held_
    std::uint64_t position_ = 0;
};

}  // namespace p11mime
