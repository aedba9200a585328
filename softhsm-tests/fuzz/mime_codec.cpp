// Decoders work alike in pieces of any size; what an encoder writes decodes to what it was given and is safe in mail,
// and what is uuencoded is found.
#include <cstdlib>
#include <optional>

#include "mime/codec.h"
#include "mime/error.h"
#include "mime/line_endings.h"
#include "mime/line_inspector.h"
#include "mime/uuencoded_files.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using mime::TransferEncoding;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

std::optional<std::string> decoded(std::string_view text, TransferEncoding encoding, std::size_t piece_size) {
    test::PieceSource source(text, piece_size);
    try {
        return test::text_from(*mime::decode(source, encoding));
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string encoded(std::string_view text, TransferEncoding encoding, std::size_t piece_size) {
    BytesSink sink;
    const auto encoder = encoding == TransferEncoding::base64 ? mime::base64_encoder(sink, mime::LineEnding::crlf)
                                                              : mime::quoted_printable_encoder(sink);
    test::push_in_pieces(*encoder, text, piece_size);
    encoder->finish();
    return std::string(text_of(sink.bytes));
}

std::string canonical(std::string_view text, std::size_t piece_size) {
    test::PieceSource source(text, piece_size);
    const std::string pulled = test::text_from(*mime::canonical(source));
    BytesSink pushed;
    mime::CanonicalSink sink(pushed);
    test::push_in_pieces(sink, text, piece_size);
    check(text_of(pushed.bytes) == pulled);
    return pulled;
}

std::string with_lf(std::string_view text, std::size_t piece_size) {
    BytesSink pushed;
    mime::LfSink sink(pushed);
    test::push_in_pieces(sink, text, piece_size);
    sink.finish();
    return std::string(text_of(pushed.bytes));
}

std::string_view problem(std::string_view text, std::size_t piece_size) {
    mime::LineInspector inspector;
    test::PieceSource source(text, piece_size);
    for (ByteView piece = source.pull(); !piece.empty(); piece = source.pull())
        inspector.push(piece);
    inspector.finish();
    return inspector.problem();
}

using Files = std::vector<std::pair<std::string, std::string>>;

Files uuencoded_files(std::string_view text, std::size_t piece_size) {
    constexpr std::size_t kMost = 100;
    Files all;
    test::PieceSource source(text, piece_size);
    mime::UuencodedFiles files(source, kMost, [&](std::string_view label, ByteView front) {
        check(!front.empty() && front.size() <= kMost);
        all.emplace_back(label, text_of(front));
    });
    check(test::text_from(files) == text);
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text = text_of({data, size});
    for (const TransferEncoding encoding : {TransferEncoding::base64, TransferEncoding::quoted_printable}) {
        const auto plain = decoded(text, encoding, 0);
        check(decoded(text, encoding, 1) == plain && decoded(text, encoding, 5) == plain);
        const std::string code = encoded(text, encoding, 0);
        check(encoded(text, encoding, 3) == code);
        check(decoded(code, encoding, 0) == text);
        check(problem(code, 0).empty());
    }
    const Files files = uuencoded_files(text, 0);
    check(uuencoded_files(text, 1) == files && uuencoded_files(text, 5) == files);
    const Files whole = uuencoded_files(test::uuencoded(text), 7);
    check(text.empty() ? whole.empty() : whole == Files{{"644 file", std::string(text.substr(0, 100))}});
    const std::string crlf = canonical(text, 0);
    check(canonical(text, 1) == crlf && canonical(text, 5) == crlf && canonical(crlf, 0) == crlf);
    const std::string lf = with_lf(text, 0);
    check(with_lf(text, 1) == lf && with_lf(text, 5) == lf);
    check(problem(text, 1) == problem(text, 0) && problem(text, 5) == problem(text, 0));
    return 0;
}
