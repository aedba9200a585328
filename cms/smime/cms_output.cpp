#include <fmt/format.h>

#include "cms/smime/writers.h"

namespace p11mime::cms::smime {

CmsOutput::CmsOutput(Sink& to, Form form, const char* smime_type, const char* name) : to_(to), form_(form) {
    if (form == Form::smime)
        to_.push(
            bytes_of(fmt::format("Content-Type: application/pkcs7-mime; smime-type={}; name={}\r\n"
                                 "Content-Transfer-Encoding: base64\r\n"
                                 "Content-Disposition: attachment; filename={}\r\n\r\n",
                                 smime_type, name, name)));
    if (form == Form::pem) to_.push(bytes_of("-----BEGIN CMS-----\n"));
    if (form != Form::der)
        base64_ = mime::base64_encoder(to_, form == Form::pem ? mime::LineEnding::lf : mime::LineEnding::crlf);
}

void CmsOutput::push(ByteView bytes) {
    (base64_ ? static_cast<Sink&>(*base64_) : to_).push(bytes);
}

void CmsOutput::finish() {
    if (base64_) base64_->finish();
    if (form_ == Form::pem) to_.push(bytes_of("-----END CMS-----\n"));
}

}  // namespace p11mime::cms::smime
