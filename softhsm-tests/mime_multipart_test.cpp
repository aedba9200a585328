#include "mime/multipart.h"

#include <catch2/catch.hpp>

#include "mime/error.h"
#include "mime/near_delimiters.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

struct Split {
    std::string preamble;
    std::vector<std::string> parts;
    std::string epilogue;
    bool closed = false;
    bool operator==(const Split&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Split& split) {
    out << "preamble [" << split.preamble << "]";
    for (const std::string& part : split.parts)
        out << " part [" << part << "]";
    return out << " epilogue [" << split.epilogue << "]" << (split.closed ? " closed" : "");
}

Split split(std::string_view body, std::string_view boundary, std::size_t piece_size) {
    test::PieceSource source(body, piece_size);
    Window window(source);
    Multipart multipart(window, boundary);
    Split result{test::text_from(multipart.preamble()), {}, {}};
    std::string all = result.preamble;
    while (multipart.next()) {
        result.parts.push_back(test::text_from(multipart.part()));
        CHECK(body.substr(multipart.part_begin(), multipart.part_end() - multipart.part_begin()) ==
              result.parts.back());
        all += std::string(multipart.delimiter()) + result.parts.back();
    }
    result.epilogue = test::text_from(multipart.epilogue());
    result.closed = multipart.closed();
    CHECK(all + std::string(multipart.delimiter()) + result.epilogue == body);
    return result;
}

void check_split(const std::string& body, std::string_view boundary, const Split& expected) {
    for (const std::size_t size : test::kPieceSizes)
        CHECK(split(body, boundary, size) == expected);
}

}  // namespace

TEST_CASE("a multipart is split byte for byte, and the line ending before a delimiter belongs to it") {
    // The example of RFC 2046 section 5.1.1.
    check_split(
        "This is the preamble.\r\n--simple boundary\r\n\r\nThis is implicitly typed plain US-ASCII text.\r\n"
        "It does NOT end with a linebreak.\r\n--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\n"
        "It DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThis is the epilogue.\r\n",
        "simple boundary",
        {"This is the preamble.",
         {"\r\nThis is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.",
          "Content-type: text/plain; charset=us-ascii\r\n\r\nIt DOES end with a linebreak.\r\n"},
         "\r\nThis is the epilogue.\r\n",
         true});
}

TEST_CASE("LF files split as CRLF files do") {
    check_split("pre\n--b\nA: b\n\none\n\n--b\n\ntwo\n--b--\nepilogue\n", "b",
                {"pre", {"A: b\n\none\n", "\ntwo"}, "epilogue\n", true});
}

TEST_CASE("only the line ending that stands before a delimiter is taken from a part") {
    // openssl cms -sign writes its own lines with LF around a part with CRLF.
    check_split(
        "This is an S/MIME signed message\n\n--b\nContent-Type: text/plain\r\n\r\ntext\r\n\n--b\nC: "
        "d\n\nx\n\n--b--\n\n",
        "b",
        {"This is an S/MIME signed message\n",
         {"Content-Type: text/plain\r\n\r\ntext\r\n", "C: d\n\nx\n"},
         "\n",
         true});
    check_split("--b\r\none\r\r\n--b\r\ntwo\r\n--b--", "b", {"", {"one\r", "two"}, "", true});
}

TEST_CASE("empty parts, preambles and epilogues are empty") {
    check_split("--b\r\n--b\r\n\r\n--b--", "b", {"", {"", ""}, "", true});
    check_split("\r\n--b\r\n\r\n\r\n--b--\r\n", "b", {"", {"\r\n"}, "", true});
    check_split("--b--\r\nonly an epilogue", "b", {"", {}, "only an epilogue", true});
    check_split("", "b", {"", {}, "", false});
}

TEST_CASE("a delimiter line carries white space and nothing else") {
    check_split("--b \t\r\none\r\n--b-- \t\nend", "b", {"", {"one"}, "end", true});
    check_split("--b\r\none\r\n--bb\r\n--b-\r\n--b x\r\n--b--x\r\n --b\r\nx--b\r\n--b\rx\r\n--b--", "b",
                {"", {"one\r\n--bb\r\n--b-\r\n--b x\r\n--b--x\r\n --b\r\nx--b\r\n--b\rx"}, "", true});
    const std::string padding(1024, ' ');
    check_split("--b\r\none\r\n--b" + padding + "\r\ntwo\r\n--b--", "b", {"", {"one", "two"}, "", true});
    check_split("--b\r\none\r\n--b " + padding + "\r\ntwo\r\n--b--", "b",
                {"", {"one\r\n--b " + padding + "\r\ntwo"}, "", true});
}

TEST_CASE("boundaries that begin alike are told apart") {
    check_split("--b\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\ninner\r\n--b1--\r\n\r\n--b--\r\n",
                "b",
                {"", {"Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\ninner\r\n--b1--\r\n"}, "", true});
    check_split("--b1--\r\n--b1\r\ninner\r\n--b\r\n", "b1--", {"", {"--b1\r\ninner\r\n--b\r\n"}, "", false});
}

TEST_CASE("a missing close delimiter is told") {
    check_split("--b\r\none\r\n--b\r\ntwo\r\n", "b", {"", {"one", "two\r\n"}, "", false});
    check_split("--b\r\none\r\n--b", "b", {"", {"one", ""}, "", false});
    check_split("--b\r\none\r\n-", "b", {"", {"one\r\n-"}, "", false});
    check_split("no delimiter at all\r\n", "b", {"no delimiter at all\r\n", {}, "", false});
}

TEST_CASE("what is left unread is skipped") {
    for (const std::size_t size : test::kPieceSizes) {
        test::PieceSource source("pre\r\n--b\r\none one one\r\n--b\r\ntwo\r\n--b--\r\nend", size);
        Window window(source);
        Multipart multipart(window, "b");
        REQUIRE(multipart.next());
        multipart.part().pull();
        REQUIRE(multipart.next());
        CHECK(multipart.preamble().pull().empty());
        CHECK(multipart.epilogue().pull().empty());
        CHECK(test::text_from(multipart.part()) == "two");
        CHECK(multipart.part().pull().empty());
        CHECK_FALSE(multipart.next());
        CHECK_FALSE(multipart.next());
        CHECK(multipart.closed());
        CHECK(test::text_from(multipart.epilogue()) == "end");
    }
}

TEST_CASE("large parts pass without a copy") {
    const std::string part(500'000, 'x');
    const std::string body = "--b\r\n" + part + "\r\n--b--\r\n";
    ViewSource source(bytes_of(body));
    Window window(source);
    Multipart multipart(window, "b");
    REQUIRE(multipart.next());
    const ByteView piece = multipart.part().pull();
    CHECK(piece.data() == bytes_of(body).data() + 5);
    CHECK(piece.size() == part.size());
}

TEST_CASE("a part of nothing but line ends passes in large pieces") {
    const std::string part(500'000, '\n');
    const std::string body = "--b\n" + part + "\n--b--\n";
    test::PieceSource source(body, 64 * 1024);
    Window window(source);
    Multipart multipart(window, "b");
    REQUIRE(multipart.next());
    std::size_t pieces = 0, size = 0;
    for (ByteView piece = multipart.part().pull(); !piece.empty(); piece = multipart.part().pull()) {
        ++pieces;
        size += piece.size();
    }
    CHECK(size == part.size());
    CHECK(pieces < 500);
}

TEST_CASE("a boundary is neither empty nor too long") {
    ViewSource source(bytes_of("x"));
    Window window(source);
    CHECK_THROWS_AS(Multipart(window, ""), Error);
    CHECK_THROWS_AS(Multipart(window, std::string(kMaxBoundaryLength + 1, 'b')), Error);
    CHECK_THROWS_AS(Multipart(window, "a\nb"), Error);
    CHECK_NOTHROW(Multipart(window, std::string(kMaxBoundaryLength, 'b')));
}

TEST_CASE("lines near a delimiter are counted, however the part is cut into pieces") {
    const auto count = [](const std::string& part, const char* sooner = "") {
        std::vector<std::uint64_t> all;
        for (const std::size_t size : test::kPieceSizes) {
            test::PieceSource source(part, size);
            NearDelimiters lines(source, "abc", sooner);
            CHECK(test::text_from(lines) == part);
            all.push_back(lines.count());
            CHECK(all.back() == all.front());
        }
        return all.front();
    };
    CHECK(count("--abcd\r\nx") == 1);
    CHECK(count("x\n--abc d \ny\n--abc--e") == 2);
    CHECK(count("x\r--abc\r\ny") == 1);
    CHECK(count("x\r\n--abc\ry") == 1);
    CHECK(count("x\r\r\n--abc--\t\r") == 1);
    CHECK(count("x\r\n--abc" + std::string(kMaxTransportPadding + 1, ' ') + "\r\n") == 1);
    CHECK(count("x\r\n--ab\r\n--a \r\n", "ab") == 1);
    CHECK(count("--ab--\r\n--abx\r\n", "ab") == 1);
    CHECK(count("--abc" + std::string(2 * kMaxBoundaryLength, 'x')) == 1);
    CHECK(count("-\r\n--ab\r\n --abcd\r\n-abcd\r\nabcd\r\n--\r\n") == 0);
    CHECK(count("x--abcd\r\n--Abcd") == 0);
}
