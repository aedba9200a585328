#pragma once

#include <memory>

#include "mime/stream.h"

namespace p11mime {

/// ConcurrentSink pushes into another sink from a thread of its own once there is much to push, so that what makes the
/// bytes and what takes them work at once. Small amounts, and all where too many such threads run already, are pushed
/// by the caller's thread. The other sink must outlive this.
class ConcurrentSink final : public Sink {
  public:
    explicit ConcurrentSink(Sink& to);

    /// The destructor drops what the other sink has not taken yet.
    ~ConcurrentSink() override;
    ConcurrentSink(const ConcurrentSink&) = delete;
    ConcurrentSink& operator=(const ConcurrentSink&) = delete;

    /// push throws what the other sink threw, now or at an earlier piece.
    void push(ByteView bytes) override;

    /// wait returns once the other sink has taken everything, and throws what it threw.
    void wait() const;

  private:
    class Pipe;

    Sink& to_;
    std::size_t pushed_ = 0;  // by the caller's thread, until one was to be started
    std::unique_ptr<Pipe> pipe_;
};

}  // namespace p11mime
