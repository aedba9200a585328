#pragma once

#include <memory>

#include "mime/header.h"

namespace p11mime::mime {

/// canonical gives the canonical form of text (RFC 8551 section 3.1.1): every LF that no CR precedes becomes CRLF;
/// everything else, lone CR included, passes. Pieces that are canonical already pass without a copy. `from` must
/// outlive the result.
std::unique_ptr<Source> canonical(Source& from);

/// CanonicalSink does to what it is pushed what canonical() does to a source.
class CanonicalSink final : public Sink {
  public:
    explicit CanonicalSink(Sink& to) : to_(to) {}
    void push(ByteView bytes) override;

  private:
    Sink& to_;
    bool after_cr_ = false;
};

/// LfSink turns CRLF into LF, for outputs that follow an LF input; lone CR and LF pass. finish() writes a CR held back
/// at the end.
class LfSink final : public Sink {
  public:
    explicit LfSink(Sink& to) : to_(to) {}
    void push(ByteView bytes) override;
    void finish();

  private:
    Sink& to_;
    bool held_cr_ = false;
};

}  // namespace p11mime::mime
