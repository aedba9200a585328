#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/visible_sink.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

/// shown is a text as a terminal gets it that is pushed in pieces of a size.
std::string shown(std::string_view text, std::size_t piece) {
    BytesSink terminal;
    VisibleSink sink(terminal);
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
        sink.push(bytes_of(text.substr(0, piece)));
    sink.finish();
    return std::string(text_of(terminal.bytes));
}

}  // namespace

TEST_CASE("content is shown as it is but for what drives a terminal or disguises text", "[cli]") {
    const std::string override = "\xe2\x80\xae", euro = "\xe2\x82\xac", accent = "\xcc\x81",
                      couple = "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x92\xbb";
    for (const std::size_t piece : {1, 2, 3, 5, 1000}) {
        CAPTURE(piece);
        CHECK(shown("", piece).empty());
        CHECK(shown("a\tb\r\n\r\nc\n\n", piece) == "a\tb\r\n\r\nc\n\n");
        CHECK(shown(euro + couple + "\te" + accent + "\r\n", piece) == euro + couple + "\te" + accent + "\r\n");
        CHECK(shown("\x1b[2J\r\n\x1b[Hb\n", piece) == "\\x1b[2J\r\n\\x1b[Hb\n");
        CHECK(shown("a" + override + "b\n", piece) == "a\\u{202e}b\n");
        CHECK(shown("bad\rgood\r\r\n\v\f\b\n", piece) == "bad\\x0dgood\\x0d\r\n\\x0b\\x0c\\x08\n");
        CHECK(shown(std::string("\0\xfc\x9b\xc2\x9b\n", 6), piece) == "\\x00\\xfc\\x9b\\u{9b}\n");
        CHECK(shown(accent + "\t" + accent + "\n", piece) == "\\u{301}\t\\u{301}\n");
    }
}

TEST_CASE("content that ends within a line has it ended, and nothing is kept back", "[cli]") {
    CHECK(shown("a", 9) == "a\n");
    CHECK(shown("a\t", 9) == "a\t\n");
    CHECK(shown("a\r", 9) == "a\\x0d\n");
    CHECK(shown("\xe2\x82", 9) == "\\xe2\\x82\n");
}

TEST_CASE("a line of any length is passed on as it comes, no character cut in two", "[cli]") {
    const std::string euro = "\xe2\x82\xac";
    std::string line;
    while (line.size() < 1'000'000)
        line += euro;
    for (const std::size_t piece : {4096, 65'536, 131'072})
        CHECK((shown(line, piece) == line + "\n"));  // told without the megabyte

    BytesSink terminal;
    VisibleSink sink(terminal);
    sink.push(bytes_of(line));
    CHECK(terminal.bytes.size() > line.size() - 4);
    CHECK(shown(std::string(100'000, '\x9b'), 50'000).size() == 400'001);
}
