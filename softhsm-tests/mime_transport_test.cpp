#include "mime/transport.h"

#include <catch2/catch.hpp>

#include "mime/error.h"
#include "mime/line_endings.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

constexpr auto kClear = Canonicalisation::clear_signed;
constexpr auto kEnclosed = Canonicalisation::enclosed;
constexpr auto kQp = TransferEncoding::quoted_printable;
constexpr auto kBase64 = TransferEncoding::base64;

struct Made {
    std::string text;
    TransportPlan needed;
    std::string refusal;
};

Made pass(std::string_view entity, Canonicalisation form, const TransportPlan& plan, std::size_t piece_size) {
    test::PieceSource source(entity, piece_size);
    TransportSafe safe(source, form, plan);
    std::string text = test::text_from(safe);
    return {std::move(text), safe.needed(), safe.refusal()};
}

// What a caller does: the plan that the first pass finds is followed in the second. In pieces of any size, the result
// is the same, and nothing more is to be done to it.
Made make_safe(const std::string& entity, Canonicalisation form = kClear) {
    Made made;
    for (const std::size_t size : test::kPieceSizes) {
        const Made first = pass(entity, form, {}, size);
        const Made second = pass(entity, form, first.needed, size);
        CHECK(second.needed == first.needed);
        CHECK(second.refusal == first.refusal);
        if (size == 0) made = second;
        CHECK(second.text == made.text);
    }
    if (made.refusal.empty()) {
        const Made again = pass(made.text, form, {}, 0);
        CHECK(again.text == made.text);
        CHECK(again.needed == TransportPlan{});
        CHECK(again.refusal.empty());
    }
    return made;
}

std::string crlf(std::string_view text) {
    BytesSink sink;
    CanonicalSink(sink).push(bytes_of(text));
    return std::string(text_of(sink.bytes));
}

std::string text_entity(const std::string& body, const std::string& encoding = "8bit") {
    return "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: " + encoding + "\n\n" + body;
}

TransportPlan plan(std::vector<TransportPlan::Change> changes) {
    return {std::move(changes)};
}

}  // namespace

TEST_CASE("what is safe already becomes canonical and nothing else") {
    const std::string entity =
        "Content-Type: multipart/mixed; boundary=x\nX-Other: kept  as\n\tit is\n\npreamble\n--x\n\nplain text\n\n--x\n"
        "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--x--\nepilogue\n";
    for (const Canonicalisation form : {kClear, kEnclosed}) {
        const Made made = make_safe(entity, form);
        CHECK(made.text == crlf(entity));
        CHECK(made.needed == TransportPlan{});
        CHECK(make_safe(crlf(entity), form).text == crlf(entity));
    }
}

TEST_CASE("each kind of unsafe text is encoded as quoted-printable") {
    const auto body_of = [](const std::string& body) {
        const Made made = make_safe(text_entity(body));
        CHECK(made.needed == plan({{0, kQp}}));
        const std::string header =
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
        REQUIRE(made.text.starts_with(header));
        return made.text.substr(header.size());
    };
    CHECK(body_of("Gr\303\274\303\237e aus dem schoenen K\303\266ln am Rhein\n") ==
          "Gr=C3=BC=C3=9Fe aus dem schoenen K=C3=B6ln am Rhein\r\n");
    CHECK(body_of(std::string("one \0 NUL\n", 10)) == "one =00 NUL\r\n");
    CHECK(body_of("a lone\rCR\n") == "a lone=0DCR\r\n");
    CHECK(body_of("trailing \nlast") == "trailing=20\r\nlast");
    CHECK(body_of("trailing at the end\t") == "trailing at the end=09");
    CHECK(body_of("one\nFrom here\n") == "one\r\n=46rom here\r\n");
    CHECK(body_of(std::string(999, 'x') + "\n").starts_with(std::string(75, 'x') + "=\r\n"));
}

TEST_CASE("text that is mostly escapes and what is no text is encoded as base64") {
    // As base64(1) writes it.
    CHECK(make_safe(text_entity("\346\227\245\346\234\254\n")).text ==
          "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5pel5pysDQo=\r\n");
    const Made json =
        make_safe("Content-Type: application/json\nContent-Transfer-Encoding: 8bit\n\n{\"a\": \"\303\266\"}\n");
    CHECK(json.needed == plan({{0, kBase64}}));
    CHECK(json.text ==
          "Content-Type: application/json\r\nContent-Transfer-Encoding: base64\r\n\r\neyJhIjogIsO2In0NCg==\r\n");
}

TEST_CASE("one escape in six bytes is still quoted-printable") {
    CHECK(make_safe(text_entity("\377abcde")).needed == plan({{0, kQp}}));
    CHECK(make_safe(text_entity("\377abcd")).needed == plan({{0, kBase64}}));
}

TEST_CASE("the encoding field is added at the end where there is none, and is never there twice") {
    CHECK(make_safe("Content-Type: text/plain\nX-Last: x\n\nhello From\nFrom here\n").text ==
          "Content-Type: text/plain\r\nX-Last: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
          "hello From\r\n=46rom here\r\n");
    CHECK(make_safe("\ntrailing space \n").text ==
          "Content-Transfer-Encoding: quoted-printable\r\n\r\ntrailing space=20\r\n");
    CHECK(make_safe("Content-Transfer-Encoding: 8bit\nContent-Type: text/plain\ncontent-transfer-encoding: base64\n\n"
                    "trailing space \n")
              .text ==
          "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain\r\n\r\ntrailing space=20\r\n");
}

TEST_CASE("parts that are encoded unsafely are decoded and encoded again") {
    const Made qp = make_safe(text_entity("Gr=C3=BC=C3=9Fe \nFrom =3D here, =\ncontinued=0A\n", "quoted-printable"));
    CHECK(qp.needed == plan({{0, kQp}}));
    CHECK(qp.text == crlf(text_entity("Gr=C3=BC=C3=9Fe\n=46rom =3D here, continued=0A\n", "quoted-printable")));
    const Made base64 = make_safe("Content-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0K \nGgo=\n");
    CHECK(base64.needed == plan({{0, kBase64}}));
    CHECK(base64.text == "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n");
    const Made text = make_safe(text_entity("SGVsbG8K \n", "base64"));
    CHECK(text.text == crlf(text_entity("SGVsbG8K\n", "base64")));
}

TEST_CASE("leaf parts are counted alike in both passes") {
    const std::string entity =
        "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nsafe\n--o\nContent-Type: multipart/alternative; "
        "boundary=i\n\n--i\n\ntrailing \n--i\nContent-Type: text/html\n\nsafe\n--i--\n--o\n"
        "Content-Type: application/pdf\nContent-Transfer-Encoding: 8bit\n\n%PDF\303\n--o--\n";
    const Made made = make_safe(entity);
    CHECK(made.needed == plan({{1, kQp}, {3, kBase64}}));
    CHECK(made.text ==
          "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nsafe\r\n--o\r\nContent-Type: "
          "multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
          "trailing=20\r\n--i\r\nContent-Type: text/html\r\n\r\nsafe\r\n--i--\r\n--o\r\n"
          "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERsM=\r\n\r\n--o--\r\n");
}

TEST_CASE("binary parts are encoded from their exact bytes, or left alone where they are enclosed") {
    const std::string header = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: image/png\r\n";
    const std::string binary("\211PNG\r\n\032\n\0\r", 10);
    const std::string entity =
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: image/png\n"
        "Content-Transfer-Encoding: binary\n\n" +
        binary + "\n--x--\n";
    const Made clear = make_safe(entity);
    CHECK(clear.needed == plan({{0, kBase64}}));
    // The part's last CR and the LF are one line ending.
    CHECK(clear.text == header + "Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoA\r\n\r\n--x--\r\n");

    const Made enclosed = make_safe(entity, kEnclosed);
    CHECK(enclosed.needed == TransportPlan{});
    CHECK(enclosed.text ==
          header + "Content-Transfer-Encoding: binary\r\n\r\n" + binary.substr(0, 9) + "\r\n--x--\r\n");
    // Whatever they hold, binary parts are no 7-bit text.
    CHECK(make_safe(text_entity("plain\n", "binary")).text == crlf(text_entity("cGxhaW4K\n", "base64")));
}

TEST_CASE("a binary part in a signed part stays as it is when it is enclosed") {
    const std::string entity =
        "Content-Type: multipart/signed; boundary=x\n\n--x\nContent-Transfer-Encoding: binary\n\nraw\nLF\n--x\n"
        "Content-Type: application/pkcs7-signature\n\nsig\n--x--\n";
    CHECK(make_safe(entity, kEnclosed).text ==
          "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: binary\r\n\r\nraw\nLF"
          "\r\n--x\r\nContent-Type: application/pkcs7-signature\r\n\r\nsig\r\n--x--\r\n");
}

TEST_CASE("8-bit content is enclosed as it is") {
    const std::string entity = text_entity("Gr\303\274n \nFrom here\n");
    CHECK(make_safe(entity, kEnclosed).text == crlf(entity));
}

TEST_CASE("signed, encrypted and message parts are never encoded again") {
    const auto refusal = [](const std::string& type, const std::string& body) {
        const std::string part = "--x\nContent-Type: " + type + "\n\n" + body + "\n";
        const Made made = make_safe("Content-Type: multipart/mixed; boundary=x\n\n--x\n\nok\n" + part + "--x--\n");
        CHECK(made.needed == TransportPlan{});
        return made.refusal;
    };
    CHECK(refusal("message/rfc822", "Subject: x\n\nsafe").empty());
    CHECK(refusal("message/rfc822", "Subject: x\n\ngr\303\274n") ==
          "part 2 (message/rfc822) has 8-bit bytes and may not be re-encoded");
    CHECK(refusal("message/delivery-status", "A: b ") ==
          "part 2 (message/delivery-status) has white space at the end of a line and may not be re-encoded");
    CHECK(refusal("multipart/signed; boundary=i", "--i\n\nFrom x\n--i--\n") ==
          "part 2 (multipart/signed) has a line that starts with \"From \" and may not be re-encoded");
    CHECK(refusal("multipart/signed; boundary=i", "--i\n\nsafe\n--i--\n").empty());
    for (const char* type : {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}) {
        CHECK(refusal(type, "QUJD").empty());
        CHECK(refusal(type, "QUJD ") != "");
    }
}

TEST_CASE("the parts of a digest are messages") {
    for (const std::string type : {"", "Content-Type:\n", "Content-Type: x\n"})
        CHECK(make_safe("Content-Type: multipart/digest; boundary=x\n\n--x\n" + type +
                        "\nSubject: x\n\ntrailing \n--x--\n")
                  .refusal == "part 1 (message/rfc822) has white space at the end of a line and may not be re-encoded");
}

TEST_CASE("a part in an unknown encoding cannot be encoded again") {
    CHECK(make_safe(text_entity("begin 644 x \n", "x-uuencode")).refusal ==
          "the content (text/plain) has white space at the end of a line and a transfer encoding that is unknown");
    CHECK(make_safe(text_entity("begin 644 x\n", "x-uuencode")).refusal.empty());
}

TEST_CASE("unsafe headers, preambles and epilogues are refused") {
    const auto mixed = [](const std::string& field, const std::string& preamble, const std::string& epilogue) {
        return make_safe("Content-Type: multipart/mixed; boundary=x\n\n" + preamble + "--x\n" + field +
                         "\n\nok\n--x--\n" + epilogue)
            .refusal;
    };
    CHECK(mixed("A: b", "", "").empty());
    CHECK(mixed("A: gr\303\274n", "", "") == "the header of part 1 has 8-bit bytes");
    CHECK(mixed("A: " + std::string(1000, 'x'), "", "") == "the header of part 1 has a line over 998 bytes");
    CHECK(mixed("A: b", "gr\303\274n\n", "") == "the preamble of the content has 8-bit bytes");
    CHECK(mixed("A: b", "", "trailing ") == "the epilogue of the content has white space at the end of a line");
}

TEST_CASE("the header of the whole may be UTF-8 in UTF-8 mail, and anything where encryption carries it") {
    const auto refusal = [](const std::string& field, TopHeader top) {
        const std::string entity =
            field + "\nContent-Type: multipart/mixed; boundary=x\n\n--x\n" + field + "\n\nok\n--x--\n";
        ViewSource source(bytes_of(entity));
        TransportSafe safe(source, kClear, {}, top);
        test::text_from(safe);
        return safe.refusal();
    };
    const std::string utf8 = "A: gr\303\274n", latin1 = "A: gr\374n", long_line = "A: " + std::string(1000, 'x');
    CHECK(refusal(utf8, TopHeader::seven_bit) == "the header of the content has 8-bit bytes");
    CHECK(refusal(utf8, TopHeader::utf8) == "the header of part 1 has 8-bit bytes");
    CHECK(refusal(latin1, TopHeader::utf8) == "the header of the content has 8-bit bytes");
    CHECK(refusal(long_line, TopHeader::utf8) == "the header of the content has a line over 998 bytes");
    CHECK(refusal(latin1, TopHeader::any) == "the header of part 1 has 8-bit bytes");
    CHECK(refusal(long_line, TopHeader::any) == "the header of part 1 has a line over 998 bytes");
}

TEST_CASE("white space at the end of header and delimiter lines goes, unless a parameter would change") {
    const Made made = make_safe("Content-Type: multipart/mixed; \n boundary=x \nA: b\n \n\n--x \n\nok\n--x--\t\n");
    CHECK(made.text == "Content-Type: multipart/mixed;\r\n boundary=x\r\nA: b\r\n\r\n--x\r\n\r\nok\r\n--x--\r\n");
    CHECK(make_safe("Content-Type: multipart/mixed; boundary=\"x \n y\"\n\n--x  y\n\nok\n--x  y--\n").refusal ==
          "the header of the content has white space at the end of a line");
    const std::string padded = "Content-Type: multipart/mixed; boundary=x \n\n--x \n\nok\n--x--\n";
    CHECK(make_safe(padded, kEnclosed).text == crlf(padded));
}

TEST_CASE("what leaves as 7-bit text is not labelled 8bit") {
    const std::string body = "--x\nContent-Transfer-Encoding: 8bit\n\nplain\n--x--\n";
    const std::string type = "Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: ";
    const Made made = make_safe(type + "8bit\n\n" + body);
    CHECK(made.needed == TransportPlan{});
    CHECK(made.text == crlf(type + "7bit\n\n--x\nContent-Transfer-Encoding: 7bit\n\nplain\n--x--\n"));
    CHECK(make_safe(type + "8bit\n\n" + body, kEnclosed).text == crlf(type + "8bit\n\n" + body));
}

TEST_CASE("entities without a body, an end or a usable boundary pass") {
    for (const std::string entity :
         {"", "\n", "A: b\n", "A: b", "A: b\n\n", "Content-Type: multipart/mixed; boundary=x\n",
          "Content-Type: multipart/mixed; boundary=x\n\nno parts\n", "Content-Type: multipart/mixed\n\n--\nx\n",
          "Content-Type: multipart/mixed; boundary=x\n\n--x\nA: b\n--x\n\nunclosed\n",
          "Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: base64\n\nQUJD\n"}) {
        CHECK(make_safe(entity).text == crlf(entity));
        CHECK(make_safe(entity, kEnclosed).text == crlf(entity));
    }
}

TEST_CASE("a multipart in base64 is a leaf") {
    const Made made =
        make_safe("Content-Type: multipart/mixed; boundary=x\nContent-Transfer-Encoding: base64\n\nQUJD \n");
    CHECK(made.needed == plan({{0, kBase64}}));
    CHECK(made.text ==
          "Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n");
}

TEST_CASE("encoding cannot make a delimiter") {
    const std::string line(75, 'x');
    const Made made = make_safe(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Transfer-Encoding: quoted-printable\n\n=2D-b--\n" +
        line + "=2D-b \n--b--\n");
    CHECK(made.text ==
          "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=2D-b--\r\n" +
              line + "=\r\n=2D-b\r\n--b--\r\n");
}

TEST_CASE("nesting has a limit") {
    const auto nested = [](std::size_t depth) {
        std::string entity;
        for (std::size_t i = 0; i < depth; ++i)
            entity +=
                "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" + std::to_string(i) + "\n";
        return entity + "\ntext\n";
    };
    CHECK(pass(nested(kMaxNesting), kClear, {}, 0).text == crlf(nested(kMaxNesting)));
    CHECK_THROWS_WITH(pass(nested(kMaxNesting + 1), kClear, {}, 0), "parts are nested more than 100 deep");
}

TEST_CASE("a part that is broken base64 cannot be encoded again") {
    const std::string entity = text_entity("QUJ! \n", "base64");
    CHECK_THROWS_AS(pass(entity, kClear, plan({{0, kBase64}}), 0), Error);
}

TEST_CASE("large parts pass in pieces of bounded size") {
    std::string text;
    while (text.size() < 2'000'000)
        text += "line " + std::to_string(text.size()) + " caf\303\251 \n";
    for (const TransportPlan& followed : {TransportPlan{}, plan({{0, kQp}}), plan({{0, kBase64}})}) {
        const std::string entity = text_entity(text);
        ViewSource source(bytes_of(entity));
        TransportSafe safe(source, kClear, followed);
        std::size_t largest = 0;
        for (ByteView piece = safe.pull(); !piece.empty(); piece = safe.pull())
            largest = std::max(largest, piece.size());
        CHECK(largest <= kPieceSize);
    }
}
