#pragma once

#include <memory>

#include "mime/content_type.h"

namespace p11mime::mime {

/// decode gives the decoded bytes of a body. base64 ignores line ends and white space and ends at padding; other
/// characters, a truncated last group or data after the padding end in Error(malformed). quoted-printable follows RFC
/// 2045 section 6.7 leniently (an invalid escape stays as it is). Identity encodings pass the source through. `from`
/// must outlive the result.
std::unique_ptr<Source> decode(Source& from, TransferEncoding encoding);

/// Encoder is a sink that encodes into another; finish() writes what is left. It must be called once, at the end.
class Encoder : public Sink {
  public:
    virtual void finish() = 0;
};

/// base64_encoder writes lines of 64 characters, each ended by `ending`, the last one too (RFC 7468 width; RFC 2045
/// allows 76).
std::unique_ptr<Encoder> base64_encoder(Sink& to, LineEnding ending);

/// quoted_printable_encoder writes soft-broken lines of at most 76 characters. In text mode CRLF in the input is a line
/// break; every other CR or LF, trailing white space, '=' and non-printing bytes are escaped, and a line that starts
/// with "From " or is "." too.
std::unique_ptr<Encoder> quoted_printable_encoder(Sink& to);

/// base64_text is the whole base64 form of a short value, without line breaks.
std::string base64_text(ByteView bytes);

}  // namespace p11mime::mime
