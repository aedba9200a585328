#include "mime/hidden_fields.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;
using namespace p11mime::test;

namespace {

bool hides_field(const std::string& text) {
    std::size_t found = 0;
    for (const std::size_t piece_size : kPieceSizes) {
        PieceSource source(text, piece_size);
        HiddenFields fields(source);
        CHECK(text_from(fields) == text);
        found += fields.found();
    }
    CAPTURE(text.substr(0, 100));
    CHECK((found == 0 || found == std::size(kPieceSizes)));
    return found != 0;
}

}  // namespace

TEST_CASE("a field behind lines that are no fields is hidden, text is none") {
    for (const char* hidden : {"bad line\r\nFrom: eve\r\n\r\n", "A: b\nbad\nSENDER : eve\n", "text\rFrom: eve\n\n",
                               ": a\nContent-Type: text/plain", " \nMIME-Version: 1.0\n\n", " a\nFrom: eve",
                               "\xef\xbb\xbf\x01"
                               "From: eve\n\n",
                               "a\r\rFrom: eve\n\n", "From x\nFrom: eve\n"})
        CHECK(hides_field(hidden));
    for (const char* text :
         {"", "Title: abc\r\nplain text\r\n", "text\n\nFrom: eve\n", "text\r\n\r\nFrom: eve\r\n", "text\n From: eve\n",
          "text\n> From: eve\n", "Subject: a\nno field\n", "Content-: a\nFrom eve\nFromage: a\n"})
        CHECK_FALSE(hides_field(text));
    const std::string far(100'000, 'x');
    CHECK(hides_field(far + "\nContent-" + far + " \t : a"));
    CHECK(hides_field(far + "\rFrom" + std::string(100'000, ' ') + ": a"));
    CHECK_FALSE(hides_field(far + "\n\r\nFrom: eve\n"));
    CHECK_FALSE(hides_field("Mime-Version-" + far + ": a\nFrom" + far + ": a\nFro\xc3\xb6m: a\n"));
}
