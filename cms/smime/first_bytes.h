#pragma once

#include <algorithm>

#include "cms/signer_info.h"
#include "mime/stream.h"

namespace p11mime::cms::smime {

/// FirstBytes passes content on and keeps the front of it, for signatures over the content itself and the check
/// against signed attributes passed off as content.
class FirstBytes final : public Sink {
  public:
    explicit FirstBytes(Sink& to) : to_(to) {}
    void push(ByteView piece) override {
        const ByteView front = piece.first(std::min(piece.size(), kContentPeek - bytes.size()));
        bytes.insert(bytes.end(), front.begin(), front.end());
        to_.push(piece);
    }
    Bytes bytes;

  private:
    Sink& to_;
};

}  // namespace p11mime::cms::smime
