#pragma once

#include "mime/stream.h"

namespace p11mime::cms::smime {

/// TracedSource passes a source on and knows whether an error came out of it: then what is around is at fault, and not
/// what is made of its bytes.
class TracedSource final : public Source {
  public:
    explicit TracedSource(Source& from) : from_(from) {}
    ByteView pull() override {
        failed_ = true;
        const ByteView piece = from_.pull();
        failed_ = false;
        return piece;
    }
    bool failed() const { return failed_; }

  private:
    Source& from_;
    bool failed_ = false;
};

}  // namespace p11mime::cms::smime
