#include "mime/delimiter_watch.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;
using namespace p11mime::test;

namespace {

bool has_delimiter(const std::string& text, const std::string& boundary) {
    std::size_t found = 0;
    for (const std::size_t piece_size : kPieceSizes) {
        PieceSource source(text, piece_size);
        DelimiterWatch watch(source, boundary);
        CHECK(text_from(watch) == text);
        found += watch.found();
    }
    CAPTURE(text);
    CHECK((found == 0 || found == std::size(kPieceSizes)));
    return found != 0;
}

}  // namespace

TEST_CASE("a line that starts with a boundary would delimit parts, others would not") {
    for (const char* text : {"--bound", "--bound\r\n", "a\n--bound--", "a\r--boundary", "\r\n\r\n--bound \r\n"})
        CHECK(has_delimiter(text, "bound"));
    for (const char* text :
         {"", "--", "--boun", "-- bound", "x--bound", " --bound", "--bou\r\nnd", "----bound", "--BOUND"})
        CHECK_FALSE(has_delimiter(text, "bound"));
    CHECK_FALSE(has_delimiter("--\r\n-- \r\nAlice", ""));
}
