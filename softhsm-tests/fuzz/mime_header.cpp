// A header block is read byte-exactly and alike in pieces of any size.
#include <cstdlib>
#include <optional>

#include "mime/error.h"
#include "mime/header.h"
#include "mime/hidden_fields.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

std::optional<mime::Header> read(std::string_view text, std::size_t piece_size, std::string& rest) {
    test::PieceSource source(text, piece_size);
    Window window(source);
    try {
        mime::Header header = mime::read_header(window);
        rest = test::text_from(window);
        return header;
    } catch (const Error&) {
        return std::nullopt;
    }
}

bool hides_field(std::string_view text, std::size_t piece_size) {
    test::PieceSource source(text, piece_size);
    mime::HiddenFields fields(source);
    drain(fields);
    return fields.found();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text = text_of({data, size});
    std::string rest;
    const auto whole = read(text, 0, rest);
    if (whole && whole->raw() + rest != text) std::abort();
    for (const std::size_t piece_size : {1, 7}) {
        std::string piece_rest;
        const auto header = read(text, piece_size, piece_rest);
        if (header.has_value() != whole.has_value()) std::abort();
        if (header && (header->raw() != whole->raw() || piece_rest != rest)) std::abort();
    }
    if (hides_field(text, 0) != hides_field(text, 1)) std::abort();
    mime::looks_like_header({data, size}, true);
    const std::string left = mime::without_blank_ends(text);
    if (mime::header_oddity(text).empty() && left != text) std::abort();
    mime::header_oddity(left);
    if (!whole) return 0;
    for (const mime::Field& field : whole->fields) {
        const std::string value = field.value();
        if (value.find('\r') != std::string::npos) continue;
        const mime::Field folded = mime::make_field(field.name, value, mime::LineEnding::crlf);
        if (folded.value() != value) std::abort();
    }
    whole->ending();
    return 0;
}
