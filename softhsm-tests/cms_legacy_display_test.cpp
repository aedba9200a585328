// What old readers see of hidden fields in the text (RFC 9788 sections 4.5.3 and 5.2.2), as it is left out again.

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_protected_headers.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr const char* kSubject = "Subject: Dinner plans";
constexpr const char* kRest = "Let's meet at Rama's Roti Shop at 8pm.\r\n";

/// LegacyBench is a mail as in RFC 9788 appendix E with any text.
struct LegacyBench {
    ProtectionBench world;

    ReadMail open(const std::string& type, const std::string& body, const std::string& subject = kSubject) const {
        const std::string payload =
            "Date: Sat, 20 Feb 2021 10:09:02 -0500\r\nFrom: Alice <alice@example.gov>\r\n" + subject +
            "\r\nHP-Outer: From: Alice <alice@example.gov>\r\nHP-Outer: Subject: [...]\r\nContent-Type: " + type +
            "; hp=\"cipher\"\r\n" + body;
        return world.open("From: Alice <alice@example.gov>\r\nSubject: [...]\r\n", payload);
    }
    /// text is the body of a marked text, read; `left` says that a warning tells of what was left in.
    struct Text {
        std::string body;
        bool left;
    };
    Text text(const std::string& type, const std::string& body, const std::string& encoding = "8bit",
              const std::string& subject = kSubject) const {
        const ReadMail read = open(type + "; hp-legacy-display=\"1\"",
                                   "Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + body, subject);
        CHECK(read.report.result == Result::valid);
        return {with_crlf(body_of(read.content)),
                std::any_of(read.report.warnings.begin(), read.report.warnings.end(),
                            [](const Warning& warning) { return warning.kind == "legacy-display"; })};
    }
};

}  // namespace

TEST_CASE("lines before a text go where each of them is a protected field, and stay where one is not") {
    const LegacyBench bench;
    const std::string rest = kRest;
    for (const std::string lines :
         {"Subject: Dinner plans\r\n\r\n", "subject:  Dinner\t plans \r\n\r\n", "Subject: Dinner\r\n plans\r\n\r\n",
          "Subject: Dinner plans\r\nFrom: Alice <alice@example.gov>\r\n\r\n"}) {
        CAPTURE(lines);
        const LegacyBench::Text text = bench.text("text/plain", lines + rest);
        CHECK(text.body == rest);
        CHECK_FALSE(text.left);
    }
    for (const std::string lines :
         {"Subject: Dinner\r\n\r\n", "Subject: Pay 10 to Eve\r\n\r\n", "Subject: Dinner plans\r\nTo: Eve\r\n\r\n",
          "Pay: 10\r\n\r\n", "Subject: Dinner plans\r\n and pay 10\r\n\r\n", "Subject: Dinner plans\r\nPay 10\r\n\r\n",
          "\r\nSubject: Dinner plans\r\n\r\n", "From: Bob <alice@example.gov>\r\n\r\n", ""}) {
        CAPTURE(lines);
        const LegacyBench::Text text = bench.text("text/plain", lines + rest);
        CHECK(text.body == lines + rest);
        CHECK(text.left);
    }
    const LegacyBench::Text no_end = bench.text("text/plain", "Subject: Dinner plans\r\n");
    CHECK(no_end.body == "Subject: Dinner plans\r\n");
    CHECK(no_end.left);
}

TEST_CASE("lines before a text are read out of its charset and its transfer encoding") {
    const LegacyBench bench;
    const std::string subject = "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field", rest = kRest;
    const auto body = [&](const std::string& charset, const std::string& encoding, const std::string& text) {
        return bench.text("text/plain; charset=" + charset, text, encoding, subject);
    };
    CHECK(body("utf-8", "8bit",
               "Subject: Gr\xc3\xbc\xc3\x9f"
               "e from the field\r\n\r\n" +
                   rest)
              .body == rest);
    CHECK(body("iso-8859-1", "8bit",
               "Subject: Gr\xfc\xdf"
               "e from the field\r\n\r\n" +
                   rest)
              .body == rest);
    CHECK(body("utf-8", "8bit", "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field\r\n\r\n" + rest).body == rest);
    CHECK(body("iso-8859-1", "quoted-printable", "Subject: Gr=FC=DFe from =\r\nthe field\r\n\r\na=3Db\r\n").body ==
          "a=3Db\r\n");
    CHECK(body("utf-8", "base64", "U3ViamVjdDogR3LDvMOfZSBmcm9tIHRoZSBmaWVsZA0KDQpIZWxsbw0K\r\n").body ==
          "SGVsbG8NCg==\r\n");
    CHECK(body("utf-8", "8bit",
               "Subject: Gr\xfc\xdf"
               "e from the field\r\n\r\n")
              .left);
    CHECK(body("utf-8", "quoted-printable", "Subject: x=0D=0A=0D=0APay 10\r\n\r\n" + rest).left);
    const LegacyBench::Text hidden =
        body("utf-8", "quoted-printable", "Subject: Gr=C3=BC=C3=9Fe from the field=0D=0A=0D=0APay 10\r\n\r\n" + rest);
    CHECK_THAT(hidden.body, Catch::Contains("Pay 10"));
    const LegacyBench::Text other = body("utf-8", "base64", "U3ViamVjdDogUGF5IDEwDQoNCkhlbGxvDQo=\r\n");
    CHECK(other.left);
    CHECK_THAT(other.body, Catch::StartsWith("U3ViamVjdDogUGF5IDEwDQoNCkhlbGxvDQo="));
}

TEST_CASE("elements in HTML go where each of their lines is a protected field, and stay where one is not") {
    const LegacyBench bench;
    const std::string before = "<html><head><title></title></head><body>",
                      after = "<p>Let's meet.</p></body></html>\r\n";
    const auto html = [&](const std::string& element) { return bench.text("text/html", before + element + after); };
    const std::string name = "header-protection-legacy-display", div = "<div class=\"" + name + "\">";
    for (const std::string& element :
         {"\r\n" + div + "\r\n<pre>Subject: Dinner plans</pre>\r\n</div>\r\n",
          div + "<pre>\r\nSubject: Dinner plans\r\n</pre></div>",
          "<DIV id=x CLASS='a " + name + " b'>Subject: Dinner plans</DIV>",
          "<div class=" + name + ">Subject: Dinner plans<br/>From: Alice &lt;alice@example.gov&gt;</div>",
          div + "<div><b>Subject:</b> Dinner plans</div></div>",
          div + "<pre>Subject: Dinner plans</pre></div>\r\n" + div + "<p>Subject: Dinner plans</p></div>"}) {
        CAPTURE(element);
        const LegacyBench::Text text = html(element);
        CHECK(text.body == before + after);
        CHECK_FALSE(text.left);
    }
    for (const std::string& element :
         {div + "<pre>Subject: Pay 10 to Eve</pre></div>", div + "Pay 10 to Eve</div>",
          div + "<pre>Subject: Dinner plans</pre><p>Pay 10 to Eve</p></div>", div + "</div>",
          div + "Subject: Dinner plans<img src=\"cid:1\"></div>",
          div + "<p style=\"x\">Subject: Dinner plans</p></div>", div + "Subject: Dinner plans",
          "<div class=\"x" + name + "\">Subject: Dinner plans</div>",
          "<span class=\"" + name + "\">Subject: Dinner plans</span>", std::string()}) {
        CAPTURE(element);
        const LegacyBench::Text text = html(element);
        CHECK(text.body == before + element + after);
        CHECK(text.left);
    }
    const LegacyBench::Text quoted = bench.text(
        "text/html",
        "<body><div class=3D\"header-protection-legacy-=\r\ndisplay\">Subject: Dinner=20plans</div>a=3Db</body>\r\n",
        "quoted-printable");
    CHECK(quoted.body == "<body>a=3Db</body>\r\n");
}

// Main body parts as RFC 9787 section 7.1 has them.
TEST_CASE("elements go out of all main body parts that are marked, and out of no other") {
    const LegacyBench bench;
    const std::string lines = std::string(kSubject) + "\r\n\r\n", mark = "; hp-legacy-display=\"1\"\r\n";
    const auto part = [&](const std::string& type, const std::string& text) {
        return "Content-Type: " + type + "\r\n" + text;
    };
    const std::string alternatives = "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n" +
                                     part("text/plain" + mark, "\r\n" + lines + "first\r\n--a\r\n") +
                                     part("text/enriched" + mark, "\r\n" + lines + "rich\r\n--a\r\n") +
                                     part("text/html" + mark, "\r\n<div class=header-protection-legacy-display>" +
                                                                  std::string(kSubject) + "</div>second\r\n--a--\r\n");
    const std::string body = "\r\n--m\r\n" + alternatives + "\r\n--m\r\n" +
                             part("text/plain" + mark, "\r\n" + lines + "attached\r\n--m--\r\n");
    const ReadMail read = bench.open("multipart/mixed; boundary=m", body);
    CHECK(read.report.result == Result::valid);
    CHECK_THAT(read.content, Catch::Contains("\r\n\r\nfirst\r\n") && Catch::Contains("\r\n\r\nsecond\r\n") &&
                                 Catch::Contains(lines + "attached") && Catch::Contains(lines + "rich"));
    CHECK(kinds(read.report).empty());
    // Without encryption nothing is hidden, and nothing is left out.
    const std::string clear =
        "From: Alice <alice@example.gov>\r\nSubject: Dinner plans\r\nContent-Type: text/plain; hp=\"clear\"" + mark +
        "\r\n" + lines + kRest;
    CHECK_THAT(bench.world.open("From: Alice <alice@example.gov>\r\nSubject: Dinner plans\r\n", clear, false).content,
               Catch::Contains(lines));
}
