#pragma once

#include <zlib.h>

#include <cstdint>

#include "mime/stream.h"

namespace p11mime::cms {

/// What compressed content of a mail may come to, in all its layers together: kFreeExpansion bytes and kMaxExpansion
/// times what was read of the input. More is a decompression bomb, Error(malformed). Text shrinks to a tenth; zlib gets
/// no further than a thousandth.
inline constexpr std::uint64_t kFreeExpansion = 32 * 1024 * 1024;
inline constexpr std::uint64_t kMaxExpansion = 100;

/// ExpansionLimit holds what has come out against what has gone in.
class ExpansionLimit {
  public:
    void add_input(std::uint64_t bytes) { input_ += bytes; }
    void add_output(std::uint64_t bytes) { output_ += bytes; }
    bool exceeded() const { return output_ > kFreeExpansion && (output_ - kFreeExpansion) / kMaxExpansion > input_; }

  private:
    std::uint64_t input_ = 0;
    std::uint64_t output_ = 0;
};

/// MeasuredSource counts a source as input, against a limit that has add_input().
template <class Limit>
class MeasuredSource final : public Source {
  public:
    MeasuredSource(Source& from, Limit& limit) : from_(from), limit_(limit) {}
    ByteView pull() override {
        const ByteView piece = from_.pull();
        limit_.add_input(piece.size());
        return piece;
    }

  private:
    Source& from_;
    Limit& limit_;
};

/// Inflation decompresses zlib data (RFC 1950) as it is pulled. pull() throws Error(malformed) for data that is broken
/// or cut off, for more after its end, and where the limit is exceeded.
class Inflation final : public Source {
  public:
    Inflation(Source& compressed, ExpansionLimit& limit);
    ~Inflation() override;
    Inflation(const Inflation&) = delete;
    Inflation& operator=(const Inflation&) = delete;

    ByteView pull() override;

  private:
    Source& compressed_;
    ExpansionLimit& limit_;
    z_stream stream_{};
    ByteView piece_;  // of the source, not yet lent to zlib
    Bytes plain_;
    bool ended_ = false;
};

/// Deflation compresses what it is pushed into another sink. Throws Error(malformed) for content that shrinks so far
/// that Inflation would refuse it.
class Deflation final : public Sink {
  public:
    explicit Deflation(Sink& to);
    ~Deflation() override;
    Deflation(const Deflation&) = delete;
    Deflation& operator=(const Deflation&) = delete;

    void push(ByteView plain) override;
    void finish();  ///< writes the end; once, at the end

  private:
    void deflate_all(int flush);

    Sink& to_;
    ExpansionLimit limit_;
    z_stream stream_{};
    Bytes compressed_;
};

}  // namespace p11mime::cms
