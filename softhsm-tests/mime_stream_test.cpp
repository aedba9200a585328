#include <catch2/catch.hpp>

#include "mime/error.h"
#include "mime/window.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using test::PieceSource;

TEST_CASE("a window shows what lies ahead without consuming it, across pieces") {
    for (const std::size_t size : test::kPieceSizes) {
        PieceSource source("0123456789", size);
        Window window(source);
        CHECK(text_of(window.peek(4)).substr(0, 4) == "0123");
        CHECK(text_of(window.peek(6)).substr(0, 6) == "012345");
        window.consume(3);
        CHECK(window.position() == 3);
        CHECK(text_of(window.peek(2)).substr(0, 2) == "34");
        CHECK(text_of(window.peek(100)) == "3456789");
        window.consume(1);
        CHECK(test::text_from(window) == "456789");
        CHECK(window.position() == 10);
        CHECK(window.peek(1).empty());
        CHECK(window.pull().empty());
    }
}

TEST_CASE("a window gives whole pieces out without a copy") {
    const std::string text(1000, 'x');
    ViewSource source(bytes_of(text));
    Window window(source);
    window.consume(window.peek(10).size() - 990);
    CHECK(window.pull().data() == bytes_of(text).data() + 10);
}

TEST_CASE("reading all of a source ends at its limit") {
    ViewSource fitting(bytes_of("12345"));
    CHECK(text_of(read_all(fitting, 5, "the value")) == "12345");
    PieceSource too_long("123456", 2);
    CHECK_THROWS_WITH(read_all(too_long, 5, "the value"), "the value is longer than the limit of 5 bytes");
}

TEST_CASE("copying and teeing pass everything on") {
    for (const std::size_t size : test::kPieceSizes) {
        PieceSource source("0123456789", size);
        BytesSink seen, copied;
        TeeSource tee(source, seen);
        CHECK(copy(tee, copied) == 10);
        CHECK(text_of(seen.bytes) == "0123456789");
        CHECK(text_of(copied.bytes) == "0123456789");
    }
}
