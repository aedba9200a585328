#include "mime/content_type.h"
#include "mime/content_type_oddity.h"

#include <catch2/catch.hpp>

using namespace p11mime;
using namespace p11mime::mime;

namespace {

Header header_with(std::string_view text) {
    ViewSource source(bytes_of(text));
    Window window(source);
    return read_header(window);
}

}  // namespace

TEST_CASE("parameters are read with quotes, comments and folds") {
    // As python's email package reads it.
    const auto type =
        content_type(header_with("Content-Type: Multipart/Signed; protocol=\"application/pkcs7-signature\";\r\n"
                                 " MICALG=sha-256; boundary=\"----=_Part \\\"1\\\"\"\r\n\r\n"));
    CHECK(type.value == "multipart/signed");
    CHECK(type.parameter("protocol") == "application/pkcs7-signature");
    CHECK(type.parameter("micalg") == "sha-256");
    CHECK(type.parameter("boundary") == "----=_Part \"1\"");
    CHECK(type.parameter("charset").empty());

    // RFC 2045 section 5.1: the same value three ways.
    for (const char* text : {"text/plain; charset=us-ascii (Plain text)", "text/plain; charset=\"us-ascii\"",
                             "text / plain(a(nested\\) one)) ; charset = us-ascii"}) {
        const auto plain = parse_parameterized(text);
        CHECK(plain.value == "text/plain");
        CHECK(plain.parameter("charset") == "us-ascii");
        CHECK(plain.parameters.size() == 1);
    }
}

TEST_CASE("extended parameters are joined and decoded") {
    // The example of RFC 2231 section 4.1.
    const auto stuff = parse_parameterized(
        "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; "
        "title*2=\"isn't it!\"");
    CHECK(stuff.parameter("title") == "This is even more ***fun*** isn't it!");
    // Sections in another order, and one that is missing.
    CHECK(parse_parameterized("x/y; a*1=two; a*0=one; a*3=four").parameter("a") == "onetwo");
    CHECK(parse_parameterized("x/y; url*0=\"ftp://\"; url*1=\"cs.example/\"").parameter("url") == "ftp://cs.example/");
    CHECK(content_disposition(header_with("Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.txt\n\n"))
              .parameter("filename") == "Gr\303\274\303\237e.txt");
    CHECK(parse_parameterized("attachment; filename=plain; filename*=iso-8859-1''gr%FCn").parameter("filename") ==
          "gr\303\274n");
    // A charset that does not exist leaves the text as it stood.
    CHECK(parse_parameterized("attachment; filename*=x-none''a%20b").parameter("filename") == "x-none''a%20b");
}

TEST_CASE("what cannot be parsed in a structured field is left out") {
    const auto odd = parse_parameterized("text/plain;; =x; name; a*b=c; d=e;");
    CHECK(odd.value == "text/plain");
    CHECK(odd.parameters == std::map<std::string, std::string>{{"d", "e"}});
    CHECK(parse_parameterized("text/plain; a=\"unclosed").parameter("a") == "unclosed");
    CHECK(parse_parameterized("text/plain; a=b (unclosed; c=d").parameter("a") == "b");
    CHECK(parse_parameterized("text/plain; a=1; A=2").parameter("a") == "1");
    CHECK(parse_parameterized("x/y; name=two words ; z=1").parameter("name") == "two words");
    CHECK(parse_parameterized("").value.empty());
}

TEST_CASE("an unquoted boundary is cut short where some programs end it") {
    // As Python's email.policy.default reads it.
    const auto cut_short = [](const std::string& boundary) {
        return boundary_cut_short({"Content-Type", "Content-Type: a/b; x=y;\r\n Boundary = " + boundary + "; c=d\r\n"});
    };
    CHECK(cut_short("abc=def") == "abc");
    CHECK(cut_short("abc/def") == "abc");
    CHECK(cut_short("abc?x") == "abc");
    CHECK(cut_short("abc:x") == "abc");
    CHECK(cut_short("=abc").empty());
    CHECK(cut_short("abc.def").empty());
    CHECK(cut_short("\"abc=def\"").empty());
    CHECK(boundary_cut_short({"Content-Type", "Content-Type: text/plain\r\n"}).empty());
}

TEST_CASE("a Content-Disposition field that programs may read differently is odd") {
    const auto oddity = [](const std::string& value) {
        return content_disposition_oddity({"Content-Disposition", "Content-Disposition: " + value + "\r\n"});
    };
    for (const char* usual : {"attachment", "attachment; filename=smime.p7s", "Attachment;\r\n\tfilename=\"smime.p7s\"",
                              "inline; filename*=utf-8''smime.p7s", "attachment; filename*0=smime; filename*1=.p7s",
                              "attachment; filename=\"a (1).p7s\"; size=100"}) {
        CAPTURE(usual);
        CHECK(oddity(usual).empty());
    }
    CHECK(oddity("attachment (x); filename=smime.p7s") == "has a comment");
    CHECK(oddity("attachment; filename=smime.p7s (a.html)") == "has a comment");
    CHECK(oddity("attachment; filename=\"a.html\\\";x=\".p7s\"") == "has a backslash");
    CHECK(oddity(std::string("attachment; filename=\"a.html\0.p7s\"", 34)) == "has a control character");
    CHECK(oddity("attachment filename=smime.p7s") == "has text where a semicolon should be");
    CHECK(oddity("\"attachment\"; filename=smime.p7s") == "has no plain value");
    CHECK(oddity("; filename=smime.p7s") == "has no plain value");
    CHECK(oddity("attachment; filename=invoice.html .p7s") == "has text where a semicolon should be");
    CHECK(oddity("attachment; filename=a.html,.p7s") == "has text where a parameter should be");
}

TEST_CASE("a Content-Type field that programs may read differently is odd") {
    const auto oddity = [](const std::string& value) {
        return content_type_oddity({"Content-Type", "Content-Type: " + value + "\r\n"});
    };
    for (const char* usual :
         {"multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"a(1)'+_,-./:=? b\"",
          "multipart/signed;\r\n\tprotocol=\"application/x-pkcs7-signature\";\r\n\tmicalg=SHA1;\r\n\tboundary=b;",
          "Multipart/Signed ; boundary=b ;; protocol=application/pkcs7-signature", "application/pkcs7-mime",
          "application/pkcs7-mime; smime-type=signed-data; name*0=smi; name*1*=utf-8''me.p7m",
          "application/pkcs7-mime; name=\"gr\303\274n;boundary=x.p7m\"",
          "multipart/signed; boundary = \"b\" ; protocol =application/pkcs7-signature; micalg= sha-256",
          "multipart/signed; boundary=\r\n \"b\"; x-a\r\n =c", "a/b; boundary=----=_Part_1_2.3; c=d",
          "a/b; boundary=Apple-Mail=_AB-CD", "a/b; boundary=a/b:c?d", "a/b; micalg=; boundary=b", "a/b; micalg=",
          "a/b; title*=utf-8''b; filename*0*=us-ascii''c; X-d*=utf-8''e", "multipart/signed (signed); boundary=b",
          "a/b; charset=us-ascii (Plain text); c=\"d\" (e. f)\r\n ; boundary=b"}) {
        CAPTURE(usual);
        CHECK(oddity(usual).empty());
    }
    const auto odd = [&](const char* what, std::initializer_list<const char*> values) {
        for (const char* value : values) {
            CAPTURE(value);
            CHECK(oddity(value) == what);
        }
    };
    odd("has a comment",
        {"multipart/signed (text/plain); boundary=b", "a/b; boundary=(x)b", "a/b; boundary=\"b\"(", "(text/plain) a/b",
         "a/b; boundary=b(x)", "a/b; boundary=b (x)", "a/b; boundary (x)=b", "a/b; protocol=c (x)", "a/b(x)",
         "a/b; c=d (x", "a/b (x;y)", "a/b (boundary=b)", "a/b (--b)", "a/b (c(d))", "a/b (x) text/plain; boundary=b"});
    odd("has a backslash", {"a/b; boundary=\"b\\c\"", "a/b; boundary=b\\c", "a/b; x=\"\\\"\"; boundary=b"});
    odd("has a quotation mark that is never closed", {"a/b; boundary=\"b", "a/b; c=\"d\"; boundary=\"b; e=f"});
    odd("has text where a semicolon should be",
        {"a/b text/plain; boundary=b", "a/b boundary=b", "a/b; boundary=b c", "a/b; boundary=\"b\"c",
         "a/b; boundary=\"b\" \"c\"", "a/b; c=d boundary=b"});
    odd("has text where a parameter should be", {"a/b; boundary",
                                                 "a/b; boundary=",
                                                 "a/b; boundary= ",
                                                 "a/b; =b",
                                                 "a/b; boundary= b=c",
                                                 "a/b; c= boundary=b",
                                                 "a/b; micalg= boundary=b",
                                                 "a/b; c d=e",
                                                 "a/b; boundary *=b",
                                                 "a/b; protocol=; boundary=b",
                                                 "a/b; boundary==",
                                                 "a/b; boundary=b\"c\"",
                                                 "a/b; c=d\"; boundary=b\"",
                                                 "a/b; boundary=b,c",
                                                 "a/b; boundary=us-ascii''b",
                                                 "a/b; boundary=b%20",
                                                 "a/b; boundary==?utf-8?q?b?=",
                                                 "a/b; \"boundary\"=b",
                                                 "a/b; name=c.html,.p7s",
                                                 "a/b; Name=c/d",
                                                 "a/b; name=c:d",
                                                 "a/b; name=c=d",
                                                 "a/b; name=c?d",
                                                 "a/b; name=c[d",
                                                 "a/b; name=c<d",
                                                 "a/b; name=c@d",
                                                 "a/b; name=gr\303\274n",
                                                 "a/b; filename=c,d",
                                                 "a/b; name*0=c,d",
                                                 "a/b; name*=utf-8''c,d"});
    odd("has a parameter in the form of RFC 2231",
        {"a/b; boundary*=utf-8''b", "a/b; boundary*0=b; boundary*1=c", "a/b; Boundary*0*=b", "a/b; protocol*=x",
         "a/b; charset*=x", "a/b; micalg*=x", "a/b; boundary*0 =b"});
    odd("has a boundary with odd characters",
        {"a/b; boundary=\"<b>\"", "a/b; boundary=\"=?utf-8?q?b?=\"", "a/b; boundary=\"\"", "a/b; boundary=\" b\"",
         "a/b; boundary=\"b \"", "a/b; boundary=\"gr\303\274n\""});
    odd("has no plain type", {"", "a", "a/", "/b", "a / b", "a/b/c", "a,b", "\"a/b\"", "a/b,c/d", "; boundary=b"});
    odd("has a control character", {"a/b; boundary=b\rc", "a/b;\vboundary=b", "a/b; boundary=\"\177\""});
    CHECK(content_type_oddity({"Content-Type", "Content-Type : a/b\r\n"}) == "has white space in its name");
}

TEST_CASE("an entity without a usable content type is plain text") {
    CHECK(content_type(header_with("A: b\n\n")).value == "text/plain");
    for (const char* value : {"", "text", "text/", "/plain", "a/b/c"})
        CHECK(content_type(header_with("Content-Type: " + std::string(value) + "\n\n")).value == "text/plain");
    CHECK(content_disposition(header_with("A: b\n\n")).value.empty());
}

TEST_CASE("transfer encodings are read without case and comments") {
    const auto encoding = [](const std::string& value) {
        return transfer_encoding(header_with("Content-Transfer-Encoding: " + value + "\n\n"));
    };
    CHECK(encoding("BASE64") == TransferEncoding::base64);
    CHECK(encoding("quoted-printable (a comment)") == TransferEncoding::quoted_printable);
    CHECK(encoding("8bit") == TransferEncoding::eight_bit);
    CHECK(encoding("binary") == TransferEncoding::binary);
    CHECK(encoding("7bit") == TransferEncoding::seven_bit);
    CHECK(encoding("x-uuencode") == TransferEncoding::unknown);
    CHECK(transfer_encoding(header_with("A: b\n\n")) == TransferEncoding::seven_bit);
}

TEST_CASE("a megabyte of nested comments is read in a moment") {
    const std::string open(1'000'000, '('), mixed(500'000, '(');
    CHECK(parse_parameterized("text/plain" + open).value == "text/plain");
    CHECK(parse_parameterized("text/plain" + mixed + std::string(500'000, ')') + "; a=b").parameter("a") == "b");
}

namespace {

std::string added(const std::string& raw, const char* name, const char* value) {
    return with_parameter({"Content-Type", raw}, name, value).raw;
}
std::string taken(const std::string& raw, const char* name) {
    return without_parameter({"Content-Type", raw}, name).raw;
}

}  // namespace

TEST_CASE("a parameter is added and taken out, and all else stays as it was") {
    CHECK(added("Content-Type: text/plain\r\n", "hp", "clear") == "Content-Type: text/plain;\r\n hp=\"clear\"\r\n");
    CHECK(added("Content-Type: text/plain;\n", "hp", "clear") == "Content-Type: text/plain;\n hp=\"clear\"\n");
    for (const char* mark : {"hp (x)=\"clear\"", "(x) hp=clear", "(a=b) hp*0=\"clear\"", "hp*=utf-8''clear (c)"}) {
        const std::string raw = std::string("Content-Type: text/plain; ") + mark + "; (hp=c) a=b\n";
        CHECK(parse_parameterized(Field{"Content-Type", raw}.value()).parameter("hp") == "clear");
        CHECK(taken(raw, "hp") == "Content-Type: text/plain; (hp=c) a=b\n");
    }
    CHECK(added("Content-Type: text/plain; HP=x; a=b\n", "hp", "y") == "Content-Type: text/plain; a=b;\n hp=\"y\"\n");
    for (const char* raw : {"Content-Type: text/plain; charset=utf-8\r\n", "content-type:text/plain\n",
                            "Content-Type: text/plain;\r\n\tname=\"a;hp=b\\\"\"; x=y (z; hp=c)\r\n"}) {
        CAPTURE(raw);
        CHECK(taken(raw, "hp") == raw);
        CHECK(taken(added(raw, "hp", "cipher"), "hp") == raw);
        CHECK(parse_parameterized(Field{"Content-Type", added(raw, "hp", "cipher")}.value()).parameter("hp") ==
              "cipher");
    }
}

TEST_CASE("a parameter with two values is noticed") {
    const auto ambiguous = [](const char* value) { return parse_parameterized(value).ambiguous; };
    CHECK(ambiguous("a/b; c=d; e=f").empty());
    CHECK(ambiguous("a/b; c=d; C=d").empty());
    CHECK(ambiguous("a/b; c=d; C=e") == std::vector<std::string>{"c"});
    CHECK(ambiguous("a/b; c=d; c*=utf-8''e") == std::vector<std::string>{"c"});
    CHECK(ambiguous("a/b; c*0=d; c*1=e; c*0=d").empty());
    CHECK(ambiguous("a/b; c*0=d; c*0=e") == std::vector<std::string>{"c"});
    CHECK(ambiguous("a/b; c*0=d; c*00*=e") == std::vector<std::string>{"c"});
}
