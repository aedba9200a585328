#include "mime/transport_stages.h"

#include <algorithm>

#include "mime/line_endings.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

constexpr std::string_view kEncodingField = "Content-Transfer-Encoding";

// quoted-printable can take three bytes for one, and what is given out should stay near kPieceSize.
constexpr std::size_t kEncodedAtOnce = kPieceSize / 4;

}  // namespace

ByteView InspectedSource::pull() {
    const ByteView piece = from_.pull();
    inspector_.push(piece);
    return piece;
}

EncodedSource::EncodedSource(Source& from, TransferEncoding encoding)
    : from_(from),
      encoder_(encoding == TransferEncoding::base64 ? base64_encoder(encoded_, LineEnding::crlf)
                                                    : quoted_printable_encoder(encoded_)) {}

ByteView EncodedSource::pull() {
    encoded_.bytes.clear();
    while (encoded_.bytes.empty() && !finished_) {
        if (rest_.empty()) rest_ = from_.pull();
        if (rest_.empty()) {
            encoder_->finish();
            finished_ = true;
        } else {
            const ByteView piece = rest_.first(std::min(rest_.size(), kEncodedAtOnce));
            encoder_->push(piece);
            rest_ = rest_.subspan(piece.size());
        }
    }
    return encoded_.bytes;
}

std::string canonical_text(std::string_view text) {
    BytesSink sink;
    CanonicalSink(sink).push(bytes_of(text));
    return std::string(text_of(sink.bytes));
}

void set_transfer_encoding(Header& header, TransferEncoding encoding) {
    if (header.end.empty()) return;
    const Field changed = make_field(kEncodingField, transfer_encoding_name(encoding), LineEnding::crlf);
    const auto is_encoding = [](const Field& field) { return equal_ignoring_case(field.name, kEncodingField); };
    const auto first = std::find_if(header.fields.begin(), header.fields.end(), is_encoding);
    if (first == header.fields.end()) {
        header.fields.push_back(changed);
        return;
    }
    *first = changed;
    header.fields.erase(std::remove_if(first + 1, header.fields.end(), is_encoding), header.fields.end());
}

Field without_trailing_space(const Field& field) {
    Field stripped{field.name, {}};
    for (std::string_view rest = field.raw; !rest.empty();) {
        const std::size_t lf = std::min(rest.find('\n'), rest.size() - 1);
        std::string_view line = rest.substr(0, lf + 1);
        rest.remove_prefix(lf + 1);
        const std::string_view line_end = line.ends_with("\r\n") ? "\r\n" : "";
        line.remove_suffix(line_end.size());
        while (!line.empty() && is_wsp(line.back()))
            line.remove_suffix(1);
        // An empty line would end the header.
        if (line.empty()) continue;
        stripped.raw += line;
        stripped.raw += line_end;
    }
    const Parameterized before = parse_parameterized(field.value()), after = parse_parameterized(stripped.value());
    return before.value == after.value && before.parameters == after.parameters ? stripped : field;
}

}  // namespace p11mime::mime
