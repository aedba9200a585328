#include "mime/codec.h"

#include "mime/base64.h"

namespace p11mime::mime {

namespace {

class Identity final : public Source {
  public:
    explicit Identity(Source& from) : from_(from) {}
    ByteView pull() override { return from_.pull(); }

  private:
    Source& from_;
};

}  // namespace

std::unique_ptr<Source> decode(Source& from, TransferEncoding encoding) {
    if (encoding == TransferEncoding::base64) return base64_source(from);
    if (encoding == TransferEncoding::quoted_printable) return quoted_printable_source(from);
    return std::make_unique<Identity>(from);
}

}  // namespace p11mime::mime
