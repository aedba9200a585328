// The first line is the boundary, the rest a body. Sections and delimiters together are the body, in pieces of any
// size.
#include <cstdlib>
#include <vector>

#include "mime/multipart.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

std::vector<std::string> split(std::string_view body, std::string_view boundary, std::size_t piece_size) {
    test::PieceSource source(body, piece_size);
    Window window(source);
    mime::Multipart multipart(window, boundary);
    std::vector<std::string> pieces{test::text_from(multipart.preamble())};
    while (multipart.next()) {
        pieces.emplace_back(multipart.delimiter());
        pieces.push_back(test::text_from(multipart.part()));
        check(body.substr(multipart.part_begin(), multipart.part_end() - multipart.part_begin()) == pieces.back());
    }
    pieces.emplace_back(multipart.delimiter());
    check(pieces.back().empty() == !multipart.closed());
    pieces.push_back(test::text_from(multipart.epilogue()));
    return pieces;
}

std::size_t skip(std::string_view body, std::string_view boundary) {
    test::PieceSource source(body, 5);
    Window window(source);
    mime::Multipart multipart(window, boundary);
    std::size_t parts = 0;
    while (multipart.next())
        ++parts;
    return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text = text_of({data, size});
    const std::size_t lf = text.find('\n');
    if (lf == std::string_view::npos || !mime::is_boundary(text.substr(0, lf))) return 0;
    const std::string_view boundary = text.substr(0, lf), body = text.substr(lf + 1);
    const std::vector<std::string> pieces = split(body, boundary, 0);
    std::string all;
    for (const std::string& piece : pieces)
        all += piece;
    check(all == body);
    check(split(body, boundary, 1) == pieces && split(body, boundary, 7) == pieces);
    check(skip(body, boundary) * 2 + 3 == pieces.size());
    return 0;
}
