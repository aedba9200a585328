// Addresses that are shown out of encoded words, and out of charsets that programs read differently.

#include "softhsm-tests/cms_sender.h"

#include <catch2/catch.hpp>

#include "mime/codec.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("an address in an encoded word that RFC 2047 forbids is seen, a name in one is not held against it") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto result = [&](const std::string& word) {
        return world.read(eve, "From: " + word + " <eve@example.org>\r\n").report.result;
    };
    for (const char* honest :
         {"=?utf-8?Q?Eve Smith?=", "=?us-ascii?Q?Ev=E9?=", "=??Q?Eve?=", "=?utf-8?Q?=C3?= =?utf-8?Q?=A9ve?=",
          "=?iso-8859-8-i?Q?=F9=EC=E5=ED?=", "=?utf-8?Q?eve=40example.org=?=", "=?utf-8?Q?Eve", "=?"}) {
        CAPTURE(honest);
        CHECK(result(honest) == Result::valid);
    }
    for (const char* spoof :
         {"=?utf-8?Q?ceo=40bank.example Boss?=", "=?utf-8?Q?ceo=40bank.example=?=", "=?utf-8?Q?ceo=40bank.example=FF?=",
          "=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==*?=", "=?utf-8?B?Y2VvQGJh-bmsuZXhhbXBsZSE=?=", "=??Q?ceo=40bank.example?=",
          "=?unicode-1-1-utf-7?Q?ceo+AEA-bank.example?=", "=?x-foo?Q?ceo=40bank.example?=",
          "=?iso-8859-8-i?Q?ceo=40bank.example?=", "=?us-ascii?Q?ceo=40bank.example=E4?=",
          "=?utf-8?Q?ceo=40bank\r\n .example?=", "=?utf-8?Q?ceo=?= =?utf-8?Q?40bank.example?=",
          "=?windows-874?Q?ceo=40bank.example?=", "\"=\\?utf-8?Q?ceo=40bank.example?=\"",
          "=?x-utf-16?B?AGMAZQBvAEAAYgBhAG4AawAuAGUAeABhAG0AcABsAGU=?=", "=?utf-8?Q?ceo=40bank.example"}) {
        CAPTURE(spoof);
        CHECK(result(spoof) == Result::untrusted);
    }
}

TEST_CASE("an address in an encoded word that another one holds is seen") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto word = [](const std::string& text) { return "=?utf-8?B?" + mime::base64_text(bytes_of(text)) + "?="; };
    const auto reason = [&](const std::string& words) {
        return world.read(eve, "From: " + words + " <eve@example.org>\r\n").report.reason;
    };
    const std::string spoof = "=?utf-8?Q?ceo=40bank.example?=", loose = "=?utf-8?Q?ceo=40bank .example=FF?=";
    for (const std::string& words : {word(spoof), word(loose), word(word(spoof)), "\"" + word(spoof) + "\""}) {
        CAPTURE(words);
        CHECK_THAT(reason(words), Catch::Contains("shows ceo@bank"));
    }
    CHECK_THAT(reason(word("=?x-foo?Q?Eve?=")), Catch::Contains("a charset that not all programs know"));
    CHECK_THAT(reason(word("=?utf-8?Q?Eve=E2=80=AE?=")), Catch::Contains("turns the order"));
    for (const std::string& honest : {word("=?utf-8?Q?J=C3=B6rg_Meier?="), word("=?iso-8859-1?Q?J=F6rg?="),
                                      word("Eve =?"), word("=?utf-8?Q?eve=40example.org?=")}) {
        CAPTURE(honest);
        CHECK(reason(honest).empty());
    }
}

// Bytes of Chinese and Japanese charsets after python's codecs; the first of "=81@" and "=1B$BAL" is half a character.
TEST_CASE("an address is seen in words that are decoded each by itself, and in the bytes of a charset few know") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto report = [&](const std::string& words) {
        return world.read(eve, "From: " + words + " <eve@example.org>\r\n").report;
    };
    for (const char* spoof :
         {"=?iso-2022-jp?Q?=1B$B?= =?iso-2022-jp?Q?ALICE@EXAMPLE.GOV!?=",
          "=?iso-2022-jp?B?GyRC?= =?ISO-2022-JP?Q?ALICE@EXAMPLE.GOV!?=",
          "=?iso-2022-jp?Q?CEO=1B$B?= =?iso-2022-jp?Q?@EXAMPLES.GOV!?=", "=?gbk?Q?ceo=81?= =?gbk?Q?@bank.example?=",
          "\"=?gbk?Q?ceo=81?= =?gbk?Q?@bank.example4?=\"", "=?shift_jis?Q?ceo=81?=\r\n =?shift_jis?Q?@bank.example?=",
          "=?big5?Q?ceo=A4?= =?big5?Q?@bank.example?=", "=?gb18030?Q?ceo=81?= =?gb18030?Q?@bank.example?=",
          "=?cp936?Q?ceo=81@bank.example?=", "=?cp932?Q?ceo=81@bank.example?=", "=?big5hkscs?Q?ceo=A4@bank.example?=",
          "=?windows-936?Q?ceo=81@bank.example?=", "=?johab?Q?ceo=D9@bank.example?=",
          "=?iso-2022-jp-2?B?GyRCISFBTElDRUBFWEFNUExFLkdPViEbKEI=?="}) {
        CAPTURE(spoof);
        CHECK_THAT(report(spoof).reason, Catch::Contains("but the sender is eve@example.org"));
    }
    CHECK_THAT(report("=?gb18030?Q?Eve=81?= =?gb18030?Q?=81=36=A7=31=81=30?=").reason,
               Catch::Contains("turns the order"));
    for (const char* honest :
         {"=?iso-2022-jp?B?GyRCOzNFRA==?= =?iso-2022-jp?B?QkA9dRsoQg==?=", "=?gbk?B?RXZlQMg=?= =?gbk?B?/cHi?=",
          "=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= =?iso-2022-jp?B?GyRCQkA9dRsoQg==?=", "=?cp932?B?jlKTY4FAkb6YWQ==?=",
          "=?cp936?B?1cWBQA==?=", "=?cp50221?B?GyRCOzNFREJAPXUbKEI=?=", "=?big5?B?pP2kQCBKLkx1?=",
          "=?shift_jis?B?jlKTY4FARXhhbXBsZS5jby5qcA==?=", "=?gbk?B?1cWBQChldmVAZXhhbXBsZS5vcmcp?="}) {
        CAPTURE(honest);
        CHECK(report(honest).result == Result::valid);
        CHECK(report(honest).warnings.empty());
    }
    const SoftwareKey inside = world.with_names("email:eve@corp");
    CHECK(world.read(inside, "From: =?gbk?Q?ceo=81?= =?gbk?Q?@corp?= <eve@corp>\r\n").report.result ==
          Result::untrusted);
    const SoftwareKey carol = world.with_names("email:carol@xn--mnchen-3ya.example");
    CHECK(world.read(carol, "From: =?iso-8859-1?Q?carol@m=FCnchen.example?= <carol@xn--mnchen-3ya.example>\r\n")
              .report.result == Result::valid);
}

// As mailparser, postal-mime and PHP's iconv_mime_decode read them.
TEST_CASE("an address is seen through what programs take out before they look at a field") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto report = [&](const std::string& name) {
        return world.read(eve, "From: " + name + " <eve@example.org>\r\n").report;
    };
    for (const std::string spoof :
         {"\"ceo@ba\"()nk.example", "\"ceo@ba\"(c (d))nk.example", "=?us-ascii?q?ceo=40ba?=()nk.example",
          "ceo@ba()nk.example", "\"ceo@ba \"nk.example\"\"",
          "=?utf-8?Q?ceo=()40bank.example?=", "=?utf-8?Q?ce()o=40ban()k.example?=",
          "=?utf-8?\x0b"
          "B?Y2VvQGJhbmsuZXhhbXBsZQ==?=",
          "=\x01?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=", "=()?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=",
          "=?utf-8?b\x7f?Y2VvQGJhbmsuZXhhbXBsZQ==?=", "=?utf-8?Q?ceo?=@ban =?utf-8?b?ay5leGFtcGxl?=",
          "=?utf-8?Q?ceo=40ban?=\xc2\xa0=?utf-8?b?ay5leGFtcGxl?=",
          "=?utf-8?Q?ceo=40ban?=\xe2\x80\x8a\xe3\x80\x80=?utf-8?b?ay5leGFtcGxl?="}) {
        CAPTURE(spoof);
        CHECK_THAT(report(spoof).reason, Catch::Contains("but the sender is eve@example.org"));
    }
    for (const std::string honest :
         {"Doe(IT)", "\xe5\xb1\xb1\xe7\x94\xb0(\xe5\xa4\xaa\xe9\x83\x8e)", "\"Eve \"(at home)", "\"Eve (Sales)\"",
          "Eve@ACME =?utf-8?Q?M=C3=BCnchen?= =?utf-8?Q?_e=2EV=2E?=", "\"Eve@ACME\" \"Inc. Berlin\"",
          "=?utf-8?Q?Eve?= (a) =?utf-8?Q?Smith?=", "\"eve@example.org\"(x)"}) {
        CAPTURE(honest);
        CHECK(report(honest).result == Result::valid);
    }
    CHECK(world.read(eve, "From: \"eve\"@example.org, eve(x)@(y)example.org\r\n").report.result == Result::valid);
}

TEST_CASE("a text in a charset of another name is seen, one in a charset that cannot be converted is not let pass") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto read = [&](const std::string& fields) { return world.read(eve, fields).report; };
    const std::string from = "From: Eve <eve@example.org>\r\n";
    for (const char* word :
         {"=?csUnicode11UTF7?Q?ceo+AEA-bank.example?=", "=?x-unicode-2-0-utf-7?B?Y2VvK0FFQS1iYW5rLmV4YW1wbGU=?=",
          "=?IBM01140?B?g4WWfIKBlZJLhaeBlJeThQ==?=", "=?ibm1047?B?g4WWfIKBlZJLhaeBlJeThQ==?=",
          "=?utf-7?Q?ceo+AEA-bank.example=FF?="}) {
        CAPTURE(word);
        CHECK_THAT(read("From: " + std::string(word) + " <eve@example.org>\r\n").reason,
                   Catch::Contains("shows ceo@bank.example"));
    }
    for (const char* word : {"=?x-foo?Q?Eve?=", "=?x-ebcdic-x?B?g4WWfIKBlZJLhaeBlJeThQ==?=", "\"=\\?x-foo?Q?Eve?=\"",
                             "=?utf-16?B?AGMAZQBvAEAAYgBhAG4AawAuAGUAeABhAG0AcABsAGU=?=", "=?x\\-foo?Q?Eve?="}) {
        CAPTURE(word);
        const std::string value = std::string(word) + " <eve@example.org>\r\n";
        CHECK(read("From: " + value).result == Result::untrusted);
        CHECK_THAT(read("From: " + value).reason, Catch::Contains("a charset that not all programs know"));
        CHECK(read(from + "Sender: " + value).result == Result::untrusted);
        CHECK(read(from + "Reply-To: " + value).result == Result::valid);
        CHECK(has_warning(read(from + "Reply-To: " + value), "reply-to"));
    }
    for (const char* word : {"=?iso646-de?Q?alice@example.gov?=", "=?ibm037?B?YWxpY2VAZXhhbXBsZS5nb3Y=?="})
        CHECK_THAT(read("From: " + std::string(word) + " <eve@example.org>\r\n").reason,
                   Catch::Contains("a charset that not all programs know"));
    for (const char* words :
         {"=?utf-8?B?YW=xpY2VAZXhhbXBsZS5nb3Y=?=", "=?utf-8?B?YWxpY2VA!ZXg?==?utf-8?b?*YW1wbGUuZ292?=",
          "=?utf-8?B?YWw?= =?utf-8?B?aWNlQGV4YW1wbGU ?="}) {
        CAPTURE(words);
        const std::string value = std::string(words) + " <eve@example.org>\r\n";
        CHECK(read("From: " + value).result == Result::untrusted);
        const std::vector<Warning> warnings = read(from + "Reply-To: " + value).warnings;
        REQUIRE(!warnings.empty());
        CHECK_THAT(warnings.back().message, Catch::Contains("an encoded word that programs read differently"));
    }
    // What stands for Japanese letters behind an escape sequence is an address to programs that do not know it.
    const std::string japanese = "?B?GyRCYWNlb0BiYW5rLmV4YW1wbGVYGyhC?= <eve@example.org>\r\n";
    for (const char* charset : {"iso-2022-jp-3", "iso-2022-jp-ms", "cp50221", "cp50220"}) {
        CAPTURE(charset);
        const std::string word = "From: =?" + std::string(charset);
        CHECK_THAT(read(word + japanese).reason, Catch::Contains("aceo@bank.exampleX, but the sender is eve"));
        CHECK(read(word + "?B?GyRCOzNFRBsoQg==?= <eve@example.org>\r\n").result == Result::valid);
    }
    CHECK(read("From: =?iso-2022-jp" + japanese).result == Result::valid);
    CHECK_THAT(read("From: =?csISO2022KR?Q?Eve?= <eve@example.org>\r\n").reason,
               Catch::Contains("a charset that not all programs know"));
    const std::string honest = "=?unknown-8bit?Q?Ev=E9?= <eve@example.org>\r\n";
    CHECK(read("From: " + honest + "Sender: " + honest + "Reply-To: " + honest).result == Result::valid);
    CHECK(read("From: " + honest + "Sender: " + honest + "Reply-To: " + honest).warnings.empty());
}
