#pragma once

#include <memory>

#include "mime/content_type.h"
#include "mime/stream.h"

namespace p11mime::cms::smime {

/// LooselyDecoded is a body without its transfer encoding, as mail programs read it that pass over what is no letter of
/// base64: that never fails.
class LooselyDecoded final : public Source {
  public:
    LooselyDecoded(Source& body, mime::TransferEncoding encoding);
    ByteView pull() override { return decoded_->pull(); }

  private:
    std::unique_ptr<Source> letters_;
    std::unique_ptr<Source> decoded_;
};

}  // namespace p11mime::cms::smime
