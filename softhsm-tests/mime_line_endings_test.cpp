#include "mime/line_endings.h"

#include <catch2/catch.hpp>

#include "mime/line_inspector.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

std::string canonical_form(std::string_view text, std::size_t piece_size) {
    test::PieceSource source(text, piece_size);
    return test::text_from(*canonical(source));
}

std::string pushed_canonical(std::string_view text, std::size_t piece_size) {
    BytesSink sink;
    CanonicalSink canonical_sink(sink);
    test::push_in_pieces(canonical_sink, text, piece_size);
    return std::string(text_of(sink.bytes));
}

std::string pushed_lf(std::string_view text, std::size_t piece_size) {
    BytesSink sink;
    LfSink lf_sink(sink);
    test::push_in_pieces(lf_sink, text, piece_size);
    lf_sink.finish();
    return std::string(text_of(sink.bytes));
}

std::string_view problem(std::string_view text, std::size_t piece_size = 0) {
    LineInspector inspector;
    test::PieceSource source(text, piece_size);
    for (ByteView piece = source.pull(); !piece.empty(); piece = source.pull())
        inspector.push(piece);
    inspector.finish();
    return inspector.problem();
}

}  // namespace

TEST_CASE("every LF without a CR becomes CRLF and nothing else changes") {
    const std::string mixed = "\nlf\ncrlf\r\n\r\n\n\rlone cr\r\r\nend\r";
    const std::string expected = "\r\nlf\r\ncrlf\r\n\r\n\r\n\rlone cr\r\r\nend\r";
    for (const std::size_t size : test::kPieceSizes) {
        CHECK(canonical_form(mixed, size) == expected);
        CHECK(pushed_canonical(mixed, size) == expected);
    }
    std::string large, large_expected;
    for (std::size_t i = 0; i < 5000; ++i) {
        large += mixed + 'x' + std::string(i % 300, '\n');
        large_expected += expected + 'x';
        for (std::size_t line = 0; line < i % 300; ++line)
            large_expected += "\r\n";
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{5000}, std::size_t{64}}) {
        CHECK(canonical_form(large, size) == large_expected);
        CHECK(pushed_canonical(large, size) == large_expected);
        CHECK(canonical_form(large_expected, size) == large_expected);
    }
    CHECK(canonical_form("", 0).empty());
}

TEST_CASE("canonical text passes without a copy") {
    const std::string text = "one\r\ntwo\r\n";
    ViewSource source(bytes_of(text));
    const auto same = canonical(source);
    CHECK(same->pull().data() == bytes_of(text).data());
}

TEST_CASE("CRLF becomes LF and lone characters stay") {
    for (const std::size_t size : test::kPieceSizes)
        CHECK(pushed_lf("a\r\nb\nc\rd\r\r\n\r\n\r", size) == "a\nb\nc\rd\r\n\n\r");
}

TEST_CASE("what mail transport does not carry is found, in pieces of any size") {
    const std::string long_line(998, 'x');
    for (const std::size_t size : test::kPieceSizes) {
        CHECK(problem("plain text\r\n\r\nFrom: x\r\n>From x\r\n.\r\nlast", size).empty());
        CHECK(problem("gr\374n\r\n", size) == "8-bit bytes");
        CHECK(problem("1234567\377", size) == "8-bit bytes");
        CHECK(problem(std::string("a long enough line\0", 19), size) == "NUL bytes");
        CHECK(problem(std::string("\0 a long enough line", 20), size) == "NUL bytes");
        CHECK(problem("a\rb\r\n", size) == "a carriage return that ends no line");
        CHECK(problem("a\r\r\n", size) == "a carriage return that ends no line");
        CHECK(problem("a\r", size) == "a carriage return that ends no line");
        CHECK(problem("a\nb\r\n", size) == "a line feed without a carriage return");
        CHECK(problem(long_line + "\r\n" + long_line, size).empty());
        CHECK(problem(long_line + "x\r\n", size) == "a line over 998 bytes");
        CHECK(problem("a\r\n" + long_line + "x", size) == "a line over 998 bytes");
        CHECK(problem("a \r\n", size) == "white space at the end of a line");
        CHECK(problem("\t\r\nb", size) == "white space at the end of a line");
        CHECK(problem("a\r\nb ", size) == "white space at the end of a line");
        CHECK(problem("From x\r\n", size) == "a line that starts with \"From \"");
        CHECK(problem("a\r\nFrom x", size) == "a line that starts with \"From \"");
    }
}
