// OpenPGP messages in text, after what Thunderbird, FairEmail and Mailvelope decrypt: what stands before a message's
// lines goes for their indentation.

#include <catch2/catch.hpp>

#include "cms/smime/openpgp_text.h"
#include "cms/smime/read.h"
#include "cms/smime/visible_html.h"
#include "mime/codec.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

const std::string kData = "hQEMA1vZ0kq7CwXpAQf9Hs2Tn4LbYxW8uQd6RmFjK3oVtE5ciPzN0aBgU7yrJ1eM";
const std::string kBegin = "-----BEGIN PGP MESSAGE-----\r\n", kEnd = "-----END PGP MESSAGE-----\r\n";
const std::string kMessage = kBegin + "\r\n" + kData + "\r\n" + kEnd;
const std::string kBehindTags = "MESSAGE-----<br><br>" + kData + "<br>-----END PGP MESSAGE-----</p>\r\n";

std::string indented(const std::string& with, std::string text) {
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
        text.insert(at, with);
    return text;
}

std::string in_utf16(const std::string& text) {
    std::string wide = "\xff\xfe";
    for (const char c : text)
        wide += {c, '\0'};
    return wide;
}

Ciphertext found_in(const std::string& text, bool is_html = false) {
    ViewSource source(bytes_of(text));
    return openpgp_in(source, is_html);
}

std::string visible(const std::string& html) {
    VisibleHtml reader;
    std::string text;
    for (const char c : html)
        text += reader.take(c);
    return text;
}

}  // namespace

TEST_CASE("an OpenPGP message in a text is found whatever stands before its lines") {
    for (const std::string& text :
         {indented(" ", kMessage), "Hi\n\n" + indented("\t", kMessage), indented("\xc2\xa0", kMessage),
          "Hi\n\xe2\x80\x8b" + kMessage, "\xef\xbb\xbf" + kMessage, indented("foo: ", kMessage),
          indented("> ", kMessage) + kMessage, "> " + kMessage, in_utf16("Hi\n" + kMessage),
          "Hi\n----------BEGIN PGP \x1b(BMESSAGE-----\n" + kData + "\n" + kEnd,
          indented(" ", kBegin + "Version: 1\n\n" + kData + "\n" + kEnd), "Hi\n" + kBegin}) {
        CAPTURE(text);
        CHECK(found_in(text) == Ciphertext::there);
    }
}

TEST_CASE("an OpenPGP message in HTML is found whatever its marks are written with") {
    for (const std::string& text :
         {"&#45;----BEGIN PGP " + kBehindTags, "-----BEGIN&#32;PGP&#X0020;" + kBehindTags,
          "&#x2d&#0045---BEGIN&nbsp;PGP " + kBehindTags, "<pre> -----BEGIN PGP " + kBehindTags,
          "x -----BEGIN <!-- > -->PGP <!--><a b=\">\" c = '\"'>" + kBehindTags,
          "1 < 2 &c -----BEGIN PGP " + kBehindTags, "<a =\"><!x=\"></ y=\">x-----BEGIN PGP " + kBehindTags,
          in_utf16("<p>x -----BEGIN <b>PGP</b> " + kBehindTags), "<p>" + kBegin}) {
        CAPTURE(text);
        CHECK(found_in(text, true) == Ciphertext::there);
    }
    CHECK(found_in("<!-- x -----BEGIN PGP " + kBehindTags + " -->", true) == Ciphertext::none);
}

TEST_CASE("text that talks of OpenPGP messages has none") {
    const std::string talk =
        "It starts with -----BEGIN PGP MESSAGE-----, goes on with lines of base64, 64 characters "
        "each, and ends with -----END PGP MESSAGE-----.\r\n";
    for (const std::string& text :
         {talk, indented("    ", kBegin + "(64 characters a line)\r\n" + kEnd),
          indented("    ", kBegin + "Version: GnuPG v2.2.27 (GNU/Linux)\r\n\r\n[...]\r\n" + kEnd),
          " -----BEGIN PGP SIGNATURE-----\n" + kData + "\n " + kEnd, " " + kBegin + kData, kData + "\n " + kEnd,
          "Hi " + kBegin, std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n") + kData}) {
        CAPTURE(text);
        CHECK(found_in(text) == Ciphertext::none);
    }
    CHECK(found_in("<p>" + talk, true) == Ciphertext::none);
}

TEST_CASE("an OpenPGP message that is quoted is told from one that is there") {
    CHECK(found_in("Hi\n" + indented("> ", kMessage)) == Ciphertext::quoted);
    CHECK(found_in(indented(">> ", kMessage) + indented("> ", "Hi\n")) == Ciphertext::quoted);
    CHECK(found_in("Hi<br>&gt; -----BEGIN PGP MESSAGE-----<br>&gt; " + kData + "<br>&gt; -----END PGP MESSAGE-----<br>",
                   true) == Ciphertext::quoted);
    CHECK(found_in("> " + kBegin + kData + "\n" + kEnd) == Ciphertext::there);
    for (const char* prefix : {"| ", " | ", "AB> ", "AB>> ", "JD > "}) {
        CAPTURE(prefix);
        CHECK(found_in(indented(prefix, kMessage)) == Ciphertext::quoted);
    }
    for (const char* prefix : {"a> ", "AB: ", "ABCDE> ", "-> ", "AB "}) {
        CAPTURE(prefix);
        CHECK(found_in(indented(prefix, kMessage)) == Ciphertext::there);
    }
}

// As browsers do, after the HTML Standard, section 13.2.5.
TEST_CASE("the text of HTML is seen") {
    CHECK(visible("a<b>c</b>d<br/>e") == "a\nc\nd\ne");
    CHECK(visible("a<!-->b<!--->c<!-- > - -- x -->d<!---!>e-->f<!-- --!>g") == "abcdfg");
    CHECK(visible("1 < 2<3 <>") == "1 < 2<3 <>");
    CHECK(visible("<a b=\">\" c='>' d = \">\" e=x\"y>z") == "\nz");
    CHECK(visible("<a =\">x</ y=\">z<?p=\">u<!d=\">v") == "\nx\nz\nu\nv");
    CHECK(visible("<a b/=\">x<a b=\"\"=\">y") == "\nx\ny");
    CHECK(visible("&#45;&#x2d;&#45-&#0045;&gt;&GT&plus;&nbsp;&#8226;&#x;&") == std::string("----->>+\0", 9));
}

TEST_CASE("a signed text with an OpenPGP message is not valid, an answer that quotes one has a warning") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const auto report = [&](const std::string& type, const std::string& text) {
        return bench.verify(bench.sign({alice}, "Content-Type: " + type + "\r\n\r\n" + text)).report;
    };
    for (const Report& read :
         {report("text/plain", "Hi\r\n" + indented(" ", kMessage)), report("text/html", "<p> " + kMessage),
          report("application/pgp; x-action=encrypted", "Hi\r\n" + kMessage),
          report("text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64",
                 mime::base64_text(bytes_of(in_utf16("Hi\n" + kMessage))) + "\r\n")}) {
        CHECK(read.result == Result::untrusted);
        CHECK_THAT(read.reason, Catch::Contains("is itself encrypted"));
    }
    const Report quotes = report("text/plain", "What is that?\r\n" + indented("> ", kMessage));
    CHECK(quotes.result == Result::valid);
    REQUIRE(quotes.warnings.size() == 1);
    CHECK(quotes.warnings[0].kind == "encrypted-part");
    CHECK(report("text/plain", "See -----BEGIN PGP MESSAGE-----\r\n").warnings.empty());
}
