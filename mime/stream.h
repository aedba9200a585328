#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "mime/bytes.h"

namespace p11mime {

/// Source is pulled for bytes. No stage of the program holds a whole message; pieces are of bounded size (kPieceSize
/// for sources that read files), so memory does not depend on the size of a mail.
class Source {
  public:
    virtual ~Source() = default;

    /// pull returns the next piece, valid until the next call; an empty piece is the end, and stays the end.
    virtual ByteView pull() = 0;
};

/// Sink is pushed bytes.
class Sink {
  public:
    virtual ~Sink() = default;

    /// push takes all of the bytes; the view need not live on after the call.
    virtual void push(ByteView bytes) = 0;
};

/// Input is what a command works on. It can be opened more than once, each time from the start; pipes are spooled by
/// whoever implements it.
class Input {
  public:
    virtual ~Input() = default;
    virtual std::unique_ptr<Source> open() const = 0;
};

/// kPieceSize is the usual size of a piece in bytes: large enough that per-piece work vanishes, small enough for the L2
/// cache.
inline constexpr std::size_t kPieceSize = 128 * 1024;

/// copy pulls everything from a source into a sink and returns the count of bytes.
std::uint64_t copy(Source& from, Sink& to);

/// drain pulls a source to its end and drops what comes.
void drain(Source& from);

/// read_all collects a source whose size is bounded by the caller's knowledge. Throws Error(malformed), naming `what`,
/// once it is longer than `limit` bytes.
Bytes read_all(Source& from, std::size_t limit, const char* what);

/// NullSink takes everything and keeps nothing.
class NullSink final : public Sink {
  public:
    void push(ByteView) override {}
};

/// BytesSink collects what it is pushed.
class BytesSink final : public Sink {
  public:
    void push(ByteView piece) override { bytes.insert(bytes.end(), piece.begin(), piece.end()); }
    Bytes bytes;
};

/// ViewSource gives out one view of memory that outlives it.
class ViewSource final : public Source {
  public:
    explicit ViewSource(ByteView bytes) : bytes_(bytes) {}
    ByteView pull() override { return std::exchange(bytes_, ByteView{}); }

  private:
    ByteView bytes_;
};

/// TeeSource passes a source on and pushes a copy of each piece to a sink.
class TeeSource final : public Source {
  public:
    TeeSource(Source& from, Sink& copy_to) : from_(from), copy_to_(copy_to) {}
    ByteView pull() override;

  private:
    Source& from_;
    Sink& copy_to_;
};

}  // namespace p11mime
