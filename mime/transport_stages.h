#pragma once

#include <memory>
#include <optional>

#include "mime/codec.h"
#include "mime/line_inspector.h"
#include "mime/transport.h"

namespace p11mime::mime {

/// InspectedSource passes a source on and shows an inspector what passes.
class InspectedSource final : public Source {
  public:
    InspectedSource(Source& from, LineInspector& inspector) : from_(from), inspector_(inspector) {}
    ByteView pull() override;

  private:
    Source& from_;
    LineInspector& inspector_;
};

/// EncodedSource is a source in quoted-printable or base64 with CRLF line ends.
class EncodedSource final : public Source {
  public:
    EncodedSource(Source& from, TransferEncoding encoding);
    ByteView pull() override;

  private:
    Source& from_;
    ByteView rest_;
    BytesSink encoded_;
    std::unique_ptr<Encoder> encoder_;
    bool finished_ = false;
};

/// canonical_text is the canonical form of a short text.
std::string canonical_text(std::string_view text);

/// set_transfer_encoding replaces the Content-Transfer-Encoding field, or adds one at the end.
void set_transfer_encoding(Header& header, TransferEncoding encoding);

/// without_trailing_space is a field without white space at the end of its lines; as it is where that would change a
/// parameter. The field must be in canonical form.
Field without_trailing_space(const Field& field);

}  // namespace p11mime::mime
