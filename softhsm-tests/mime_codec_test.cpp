#include "mime/codec.h"

#include <catch2/catch.hpp>

#include "mime/error.h"
#include "mime/line_inspector.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

std::string decoded(std::string_view text, TransferEncoding encoding, std::size_t piece_size = 0) {
    test::PieceSource source(text, piece_size);
    return test::text_from(*decode(source, encoding));
}

template <class Make>
std::string encoded(std::string_view text, std::size_t piece_size, Make make) {
    BytesSink sink;
    const std::unique_ptr<Encoder> encoder = make(sink);
    test::push_in_pieces(*encoder, text, piece_size);
    encoder->finish();
    return std::string(text_of(sink.bytes));
}

std::string base64(std::string_view text, LineEnding ending, std::size_t piece_size = 0) {
    return encoded(text, piece_size, [ending](Sink& sink) { return base64_encoder(sink, ending); });
}

std::string quoted_printable(std::string_view text, std::size_t piece_size = 0) {
    return encoded(text, piece_size, [](Sink& sink) { return quoted_printable_encoder(sink); });
}

// Every byte value, as base64(1) writes it with -w 64.
std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    return bytes;
}
constexpr std::string_view kAllBytes64 =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
    "MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f\n"
    "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6P\n"
    "kJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/\n"
    "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v\n"
    "8PHy8/T19vf4+fr7/P3+/w==\n";

// As python's binascii.a2b_qp and b2a_qp (istext) have it.
constexpr std::string_view kText =
    "Gr\303\274\303\237e aus K\303\266ln = sch\303\266n. Gr\303\274\303\237e aus K\303\266ln = sch\303\266n. "
    "Gr\303\274\303\237e aus K\303\266ln = sch\303\266n. \r\nshort\r\n\r\ntab\t\r\nlast";
constexpr std::string_view kTextQp =
    "Gr=C3=BC=C3=9Fe aus K=C3=B6ln =3D sch=C3=B6n. Gr=C3=BC=C3=9Fe aus K=C3=B6ln=\r\n"
    " =3D sch=C3=B6n. Gr=C3=BC=C3=9Fe aus K=C3=B6ln =3D sch=C3=B6n.=20\r\n"
    "short\r\n\r\ntab=09\r\nlast";

}  // namespace

TEST_CASE("base64 decodes alike in pieces of any size and in lines of any length") {
    std::string packed(kAllBytes64);
    packed.erase(std::remove(packed.begin(), packed.end(), '\n'), packed.end());
    for (const std::size_t line : {1, 5, 64, 70, 76, 1000}) {
        std::string text;
        for (std::size_t at = 0; at < packed.size(); at += line)
            text += packed.substr(at, line) + " \t\r\n";
        for (const std::size_t size : test::kPieceSizes)
            CHECK(decoded(text, TransferEncoding::base64, size) == all_bytes());
    }
}

TEST_CASE("base64 ends with its padding") {
    const auto decode64 = [](std::string_view text) { return decoded(text, TransferEncoding::base64); };
    CHECK(decode64("TWFu") == "Man");
    CHECK(decode64("TWE=\r\n") == "Ma");
    CHECK(decode64("TQ=\r\n=") == "M");
    CHECK(decode64("").empty());
    CHECK(decode64(" \r\n\t").empty());
}

TEST_CASE("base64 that is none is malformed") {
    using Catch::Contains;
    const auto message = [](const std::string& text) -> std::string {
        for (const std::size_t size : test::kPieceSizes) {
            try {
                decoded(text, TransferEncoding::base64, size);
                return "accepted";
            } catch (const Error& error) {
                CHECK(error.kind() == ErrorKind::malformed);
                if (size == 64) return error.what();
            }
        }
        return {};
    };
    for (const char* text : {"TWFuTQ", "TWFuT", "TWFuTWE", "TWFuTQ="})
        CHECK_THAT(message(text), Contains("in the middle of a group"));
    for (const char* text : {"TWFu!WFu", "TW-_", "TWF\xfc", "----"})
        CHECK_THAT(message(text), Contains("none of base64"));
    CHECK_THAT(message(std::string("TW\0u", 4)), Contains("none of base64"));
    CHECK_THAT(message("TQ==TWFu"), Contains("after its padding"));
    CHECK_THAT(message("TWE=="), Contains("too much padding"));
    for (const char* text : {"=", "T===", "TWFu="})
        CHECK_THAT(message(text), Contains("where none belongs"));
}

TEST_CASE("base64 is written in lines of 64 characters") {
    std::string crlf(kAllBytes64);
    for (std::size_t at = crlf.find('\n'); at != std::string::npos; at = crlf.find('\n', at + 2))
        crlf.insert(at, "\r");
    for (const std::size_t size : test::kPieceSizes) {
        CHECK(base64(all_bytes(), LineEnding::lf, size) == kAllBytes64);
        CHECK(base64(all_bytes(), LineEnding::crlf, size) == crlf);
        CHECK(base64(all_bytes().substr(0, 48), LineEnding::lf, size) == kAllBytes64.substr(0, 65));
    }
    CHECK(base64("", LineEnding::crlf).empty());
    CHECK(base64("M", LineEnding::crlf) == "TQ==\r\n");
    CHECK(base64_text(bytes_of("Ma")) == "TWE=");
    CHECK(base64_text(bytes_of("Man")) == "TWFu");
    CHECK(base64_text({}).empty());
}

TEST_CASE("base64 of several megabytes survives a round trip in pieces of bounded size") {
    std::string large;
    while (large.size() < 3'000'000)
        large += all_bytes() + std::to_string(large.size());
    const std::string text = base64(large, LineEnding::crlf);
    ViewSource source(bytes_of(text));
    const auto decoder = decode(source, TransferEncoding::base64);
    std::string back;
    for (ByteView piece = decoder->pull(); !piece.empty(); piece = decoder->pull()) {
        CHECK(piece.size() <= kPieceSize);
        back += text_of(piece);
    }
    CHECK(back == large);
}

TEST_CASE("quoted-printable decodes alike in pieces of any size") {
    for (const std::size_t size : test::kPieceSizes) {
        const auto decode_qp = [size](std::string_view text) {
            return decoded(text, TransferEncoding::quoted_printable, size);
        };
        CHECK(decode_qp(kTextQp) == kText);
        CHECK(decode_qp("a=3Db=3dc=\r\nd=ZZe=\n") == "a=b=cd=ZZe");
        // RFC 2045 section 6.7, rule 3: white space at the end of a line was added on the way.
        CHECK(decode_qp("abc=20\r\nxyz \t \r\nend \n \r\n") == "abc \r\nxyz\r\nend\n\r\n");
        CHECK(decode_qp("end of all \t") == "end of all");
        CHECK(decode_qp("soft= \t\r\nbreak= \nagain=") == "softbreakagain");
        CHECK(decode_qp("a =\r\n b") == "a  b");
        CHECK(decode_qp("=4") == "=4");
        CHECK(decode_qp("x=\rx = x=\r") == "x=\rx = x=\r");
        CHECK(decode_qp("=3D=0D=0A==41") == "=\r\n=A");
        CHECK(decode_qp("lone \r cr\r") == "lone \r cr\r");
        CHECK(decode_qp("\xff\x80") == "\xff\x80");
    }
}

TEST_CASE("white space at the end of a line is dropped up to a limit, whatever the pieces") {
    for (const std::size_t size : test::kPieceSizes) {
        const std::string longest(1024, ' '), longer(1025, ' ');
        CHECK(decoded("a" + longest + "\r\nb", TransferEncoding::quoted_printable, size) == "a\r\nb");
        CHECK(decoded("a" + longer + "\r\nb", TransferEncoding::quoted_printable, size) == "a" + longer + "\r\nb");
        CHECK(decoded("a=" + longest + "\r\nb", TransferEncoding::quoted_printable, size) == "ab");
    }
}

TEST_CASE("quoted-printable is written in lines of at most 76 characters") {
    for (const std::size_t size : test::kPieceSizes) {
        CHECK(quoted_printable(kText, size) == kTextQp);
        const std::string digits(
            "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
            "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789");
        CHECK(quoted_printable(digits + "\r\n", size) ==
              "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n"
              "567890123456789012345678901234567890123456789012345678901234567890123456789=\r\n"
              "01234567890123456789012345678901234567890123456789\r\n");
    }
}

TEST_CASE("quoted-printable hides what mail transport would change") {
    CHECK(quoted_printable("From here\r\nFrom there") == "=46rom here\r\n=46rom there");
    CHECK(quoted_printable("From: x\r\n>From x") == "From: x\r\n>From x");
    CHECK(quoted_printable(".\r\n..\r\n.") == "=2E\r\n..\r\n=2E");
    CHECK(quoted_printable("a\rb\nc\r\n\r") == "a=0Db=0Ac\r\n=0D");
    CHECK(quoted_printable(" \r\n\t") == "=20\r\n=09");
    CHECK(quoted_printable("--boundary\r\n- x") == "=2D-boundary\r\n- x");
    CHECK(quoted_printable(std::string("\0\x7f\xff", 3)) == "=00=7F=FF");
    CHECK(quoted_printable("").empty());
}

TEST_CASE("no text makes quoted-printable unsafe, and all of it comes back") {
    std::string text;
    for (std::size_t length = 60; length < 90; ++length) {
        for (const char* tail : {" ", "\t", ".", "From x", "--x", "=", "\r", "\xff", " \r\n", "\r\n"})
            text += std::string(length, 'x') + tail + "\r\n" + tail + std::string(length, ' ') + tail;
    }
    for (const std::size_t size : test::kPieceSizes) {
        const std::string code = quoted_printable(text, size);
        CHECK(decoded(code, TransferEncoding::quoted_printable, size) == text);
        LineInspector inspector;
        inspector.push(bytes_of(code));
        inspector.finish();
        CHECK(inspector.problem().empty());
        for (std::string_view rest = code; !rest.empty();) {
            const std::size_t end = std::min(rest.find("\r\n"), rest.size());
            REQUIRE(end <= 76);
            rest.remove_prefix(std::min(end + 2, rest.size()));
        }
    }
}

TEST_CASE("identity encodings pass as they are") {
    for (const TransferEncoding encoding : {TransferEncoding::seven_bit, TransferEncoding::eight_bit,
                                            TransferEncoding::binary, TransferEncoding::unknown})
        CHECK(decoded(all_bytes(), encoding, 7) == all_bytes());
}
