#include "mime/header.h"

#include <catch2/catch.hpp>

#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

Header header_of(std::string_view text, bool skip_from_line = false) {
    ViewSource source(bytes_of(text));
    Window window(source);
    return read_header(window, skip_from_line);
}

}  // namespace

TEST_CASE("a CR alone and a line of blanks are odd in a header") {
    for (const char* usual : {"", "A: b\r\n\r\n", "A: b\n\n", "A: b\r\n c\r\n\td \r\n\r\n", "A:\r\n b\r\n", "A: b\r\n"})
        CHECK(header_oddity(usual).empty());
    for (const char* odd : {"A: b\rC: d\r\n", "A: b\r\r\n", "A: b\r", "A: b\r\rtext\n", "\rA: b\n"})
        CHECK(header_oddity(odd) == "a CR that ends no line");
    for (const char* odd : {"A: b\r\n \r\nC: d\r\n", "A: b\n\t\n\n", "A:\n \t\n c\n", "A: b\n "})
        CHECK(header_oddity(odd) == "a line of blanks alone");
    for (const char* odd : {"A: b\r\nAttention :pay\r\n", "A\t: b\n", "A: b\n>From : c\nD: e\n"})
        CHECK(header_oddity(odd) == "a field with white space before its colon");
    // An mbox line that hides a field is no mbox line.
    CHECK(header_of("From alice\nA: b\n\n", true).fields.size() == 1);
    CHECK_THROWS_AS(header_of("From alice\rFrom: eve\nA: b\n\n", true), Error);
}

TEST_CASE("an odd end of a field is no doubt by what follows it") {
    const auto left = [](std::string_view raw) { return header_oddity(without_blank_ends(raw)); };
    for (const char* usual :
         {"A: b\r\n", "A: b\r\n \r\n\r\n", "A:\r\n\t\r\nFrom: c\r\n",
          "A: b\n c\n \nContent-Type: d\n\t \nX-Spam-Report: e\n\n",
          "A: b\n \nUser-Agent: d\nAccept-Language: e\nAutocrypt: f\nDelivered-To: g\nReceived-SPF: h\nAuto-Submitted: "
          "i\n\n",
          "A: b\r\r\nMessage-ID: <1@c>\r\nMime-version:1.0\r\n\r\n",
          "A: b\n c\n \nContent-Transfer-Encoding: BASE64\n\t \nMessage-Id:\t<1@c> \n\n", "A: b\r\r\n\r\n"}) {
        CAPTURE(usual);
        CHECK(left(usual).empty());
    }
    for (const char* behind : {"Hello: c",
                               "To: c",
                               "Subject: Pay",
                               "X-Note: Pay",
                               "X-: Pay",
                               "Content-Description: Pay",
                               "List-Id: Pay",
                               "Thread-Topic: Pay",
                               "Received: (pay)",
                               "DKIM-Signature: n=pay",
                               "Authentication-Results: x; reason=\"pay\"",
                               "Content-Type: text/plain",
                               "Content-Transfer-Encoding: 7bit (pay)",
                               "Content-Transfer-Encoding: pay",
                               "MIME-Version: 1.0 (pay)",
                               "Message-ID: <pay 1@c>",
                               "Message-ID: <1@c> (pay)",
                               "Message-ID: pay",
                               "Message-ID: <1@c>\r\n pay",
                               "MIME-Version: 1.0\r\nHello: c",
                               "--x:"}) {
        CAPTURE(behind);
        CHECK(!left("A: b\r\r\n" + std::string(behind) + "\r\n\r\n").empty());
    }
    for (const char* behind : {"Hello: c", "To: c\r\nDear-Bob: d", "MIME-Version: 1.0\r\nHello: c", "--x:"}) {
        CAPTURE(behind);
        for (const char* end : {"\r\n \r\n", "\r\n\t\r\n"})
            CHECK(!left("A: b" + std::string(end) + behind + "\r\n\r\n").empty());
    }
    for (const char* odd : {"A: b\r\n \r\n c\r\n", "A: b\r\r\n c\r\n", "A: b\n \n \n", " \n"}) {
        CAPTURE(odd);
        CHECK(!left(odd).empty());
    }
    for (const char* odd : {"A: b\rC: d\r\nTo: e\r\n", "A: b\r\r\r\nTo: c\r\n", "A: b\r\r\rTo: c\r\n",
                            "A: b\r \r\nTo: c\n", "A: b\r\n \r\r\nTo: c\r\n", "A: b\r\n \rB: c\r\nTo: d\r\n"}) {
        CAPTURE(odd);
        CHECK(left(odd) == "a CR that ends no line");
    }
}

TEST_CASE("a header is read byte for byte, whatever its line endings and in pieces of any size") {
    const std::string block =
        "From: alice@example.gov\r\nSubject: folded\n  twice\r\n\there\r\nX-Latin: gr\374n\r\nSpaced  : "
        "x\r\nEmpty:\r\n\r\n";
    for (const std::size_t size : test::kPieceSizes) {
        const std::string input = block + "body\r\n\r\n";
        test::PieceSource source(input, size);
        Window window(source);
        const Header header = read_header(window);
        CHECK(header.raw() == block);
        CHECK(header.end == "\r\n");
        CHECK(window.position() == block.size());
        CHECK(test::text_from(window) == "body\r\n\r\n");
        REQUIRE(header.fields.size() == 5);
        CHECK(header.value_or_empty("subject") == "folded  twice\there");
        CHECK(header.value_or_empty("X-LATIN") == "gr\374n");
        CHECK(header.value_or_empty("Spaced") == "x");
        CHECK(header.fields[3].name == "Spaced");
        CHECK(header.value_or_empty("Empty").empty());
        CHECK(header.find("Absent") == nullptr);
    }
}

TEST_CASE("fields of one name are all found, in order") {
    const Header header = header_of("Received: one\nTo: x\nRECEIVED: two\n\n");
    const auto all = header.all("received");
    REQUIRE(all.size() == 2);
    CHECK(all[0]->value() == "one");
    CHECK(all[1]->value() == "two");
    CHECK(header.find("received") == all[0]);
}

TEST_CASE("a header that the input ends in has no end") {
    CHECK(header_of("A: b\r\n").end.empty());
    CHECK(header_of("A: b").raw() == "A: b");
    CHECK(header_of("").fields.empty());
    CHECK(header_of("\nbody").end == "\n");
    CHECK(header_of("\r\nbody").end == "\r\n");
}

TEST_CASE("the line ending of a header is that of its first line") {
    CHECK(header_of("A: b\nC: d\r\n\r\n").ending() == LineEnding::lf);
    CHECK(header_of("A: b\r\nC: d\n\n").ending() == LineEnding::crlf);
    CHECK(header_of("\n").ending() == LineEnding::lf);
    CHECK(header_of("").ending() == LineEnding::crlf);
}

TEST_CASE("an mbox From line is dropped where that is asked for") {
    const std::string mbox = "From alice@example.gov Mon Mar  2 10:11:12 2026\nSubject: x\n\n";
    CHECK(header_of(mbox, true).raw() == "Subject: x\n\n");
    CHECK_THROWS_AS(header_of(mbox), Error);
    CHECK(header_of("From : alice@example.gov\n\n", true).value_or_empty("from") == "alice@example.gov");
    CHECK_THROWS_AS(header_of("Subject: x\nFrom alice Mon Mar  2 10:11:12 2026\n\n", true), Error);
}

TEST_CASE("lines that are no header fields are malformed, and the message says which") {
    using Catch::Contains;
    CHECK_THROWS_WITH(header_of("A: b\nno colon here\n\n"), Contains("line 2"));
    CHECK_THROWS_WITH(header_of(" starts with a fold\n\n"), Contains("line 1"));
    CHECK_THROWS_WITH(header_of(": no name\n\n"), Contains("line 1"));
    CHECK_THROWS_WITH(header_of("gr\374n: 8-bit name\n\n"), Contains("line 1"));
    CHECK_THROWS_WITH(header_of(std::string("A: b\nC: \0d\n\n", 11)), Contains("line 2") && Contains("NUL"));
}

TEST_CASE("a header has limits in bytes and in fields") {
    const std::string longest = "A: " + std::string(kMaxHeaderBytes - 5, 'x') + "\n\n";
    CHECK(header_of(longest).fields.size() == 1);
    CHECK_THROWS_AS(header_of("A" + longest), Error);

    std::string most;
    for (std::size_t i = 0; i < kMaxHeaderFields; ++i)
        most += "A: b\n";
    CHECK(header_of(most + "\n").fields.size() == kMaxHeaderFields);
    CHECK_THROWS_AS(header_of(most + "A: b\n\n"), Error);
}

TEST_CASE("the front of an input is recognised as a header") {
    const auto looks = [](std::string_view front, bool allow_empty = false) {
        return looks_like_header(bytes_of(front), allow_empty);
    };
    CHECK(looks("Content-Type: text/plain"));
    CHECK(looks("Subject : x"));
    CHECK(looks("From alice Mon Mar  2 10:11:12 2026\nSubject: x"));
    CHECK_FALSE(looks("From alice Mon Mar  2 10:11:12 2026\nno field"));
    CHECK_FALSE(looks("From alice Mon Mar  2 10:11:12 2026"));
    CHECK_FALSE(looks("MIIFtwYJKoZIhvcNAQcCoIIFqDCCBaQCAQExDTALBglghkgBZQMEAgE="));
    CHECK_FALSE(looks("-----BEGIN CMS-----\n"));
    CHECK_FALSE(looks("\x30\x80\x06\x09"));
    CHECK_FALSE(looks(""));
    CHECK_FALSE(looks("\r\nbody"));
    CHECK(looks("\r\nbody", true));
    CHECK(looks("\nbody", true));
}

TEST_CASE("what stands before a header is named") {
    const auto before = [](std::string_view front) { return before_header(bytes_of(front)); };
    const std::string header = "From: alice@example.gov\r\n";
    CHECK(before("\xef\xbb\xbf" + header) == "a byte order mark");
    CHECK(before("\r\n" + header) == "an empty line");
    CHECK(before("\n\r\n\n" + header) == "an empty line");
    CHECK(before(">From alice Mon Mar  2 10:11:12 2026\n" + header) == "a line '>From '");
    CHECK(before("\xef\xbb\xbf\r\n" + header) == "a byte order mark");
    CHECK(before("\nFrom alice Mon Mar  2 10:11:12 2026\n" + header) == "an empty line");
    for (const std::string& other : {header, std::string(), std::string("\n"), std::string(">From "),
                                     std::string("\r\nno field"), std::string("\xef\xbb\xbf")})
        CHECK(before(other).empty());
}

TEST_CASE("a made field is folded at white space within 78 columns and unfolds to its value") {
    std::string value = "multipart/signed;";
    for (int i = 0; i < 30; ++i)
        value += " parameter" + std::to_string(i) + "=\"a  value\";";
    const Field field = make_field("Content-Type", value, LineEnding::crlf);
    CHECK(field.value() == value);
    CHECK(field.raw.starts_with("Content-Type: multipart/signed; parameter0="));
    for (std::string_view rest = field.raw; !rest.empty();) {
        const std::size_t end = rest.find("\r\n");
        REQUIRE(end != std::string_view::npos);
        CHECK(end <= 78);
        CHECK(rest.substr(0, end).find_first_not_of(" \t") != std::string_view::npos);
        rest.remove_prefix(end + 2);
    }
    CHECK(make_field("A", "b", LineEnding::lf).raw == "A: b\n");
    CHECK(make_field("A", "", LineEnding::crlf).raw == "A:\r\n");
    CHECK(make_field("A", std::string(100, 'x'), LineEnding::crlf).raw == "A: " + std::string(100, 'x') + "\r\n");
}

TEST_CASE("a line break in a value cannot start another field") {
    CHECK(make_field("Subject", "x\r\nBcc: carol@example.org", LineEnding::crlf).raw ==
          "Subject: x Bcc: carol@example.org\r\n");
}

TEST_CASE("names are compared without case in ASCII only") {
    CHECK(equal_ignoring_case("Content-TYPE", "content-type"));
    CHECK_FALSE(equal_ignoring_case("a", "ab"));
    CHECK_FALSE(equal_ignoring_case("\304", "\344"));
    CHECK(ascii_lower("ABCxyz\304[") == "abcxyz\304[");
    CHECK(is_mime_field("CONTENT-Type"));
    CHECK_FALSE(is_mime_field("MIME-Version"));
    CHECK_FALSE(is_mime_field("Contents"));
}
