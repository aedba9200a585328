// What a reader takes for the sender's address in the From field.

#include "softhsm-tests/cms_sender.h"

#include <catch2/catch.hpp>

#include "mime/codec.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("an address beside the sender's own in the From field is not let pass") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    for (const char* honest :
         {"Eve <eve@example.org>", "\"eve@example.org\" <eve@example.org>", "'eve@example.org' <eve@example.org>",
          "eve@example.org (Eve)", "Friends: eve@example.org;", "<@example.org:eve@example.org>",
          "=?utf-8?q?Eve?= <eve@example.org>", "eve (at home) @example.org", "\"Eve @ Work\" <eve@example.org>",
          "\"Eve @ Example Inc. Berlin\" <eve@example.org>"}) {
        CAPTURE(honest);
        const ReadMail read = world.read(eve, "From: " + std::string(honest) + "\r\n");
        CHECK(read.report.result == Result::valid);
        CHECK(read.signer().sender == SenderState::match);
    }
    for (const char* spoof :
         {"\"alice@example.gov\" <eve@example.org>", "alice@example.gov <eve@example.org>",
          "Alice (alice@example.gov) <eve@example.org>", "eve@example.org (alice@example.gov)",
          "=?utf-8?q?alice=40example=2Egov?= <eve@example.org>", "=?utf-8?q?alice=40example.gov=00?= <eve@example.org>",
          "=?utf-8?b?YWxpY2U=?= =?utf-8?b?QGV4YW1wbGUuZ292?= <eve@example.org>",
          "alice\xef\xbc\xa0"
          "example.gov <eve@example.org>",
          "alice@example.gov: eve@example.org;", "<@example.gov:eve@example.org>",
          "<alice@example.gov, eve@example.org", "Alice, eve@example.org", "\"alice @ example.gov\" <eve@example.org>",
          "\"alice @ example . gov\" <eve@example.org>"}) {
        CAPTURE(spoof);
        const ReadMail read = world.read(eve, "From: " + std::string(spoof) + "\r\n");
        CHECK(read.report.result == Result::untrusted);
        CHECK(world.read(eve, "From: " + std::string(spoof) + "\r\n", SenderCheck::off).report.result == Result::valid);
    }
    const ReadMail warned = world.read(eve, "From: alice@example.gov <eve@example.org>\r\n", SenderCheck::warn);
    CHECK(warned.report.result == Result::valid);
    CHECK(has_warning(warned.report, "sender"));
}

TEST_CASE("an address in words, or with what shows nothing between, is seen beside the sender's own") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@mail.example.org");
    const auto result = [&](const std::string& from) { return world.read(eve, "From: " + from + "\r\n").report; };
    for (const char* honest :
         {"Meet me at Example", "Eve at Work", "Eve at 10.30", "Eve at home. Always", "Eve (at) Example",
          "Eve at St. Mary", "Eve (at) mail.example.org", "eve at mail.example.org!", "Help at Example.org",
          "Help at mail.example.org", "eve (at) mail (dot) example (dot) org", "M\xc3\xbcller at Home", "Dot at Dash",
          "eve\\@mail.example.org", "e\xe2\x80\x8bve@mail.example.org", "Look at booking.com",
          "Eve: meet us at bank.example!", "You Are Looking At bank dot example"}) {
        CAPTURE(honest);
        CHECK(result("\"" + std::string(honest) + "\" <eve@mail.example.org>").result == Result::valid);
    }
    for (const char* spoof : {"ceo(at)bank.example",
                              "ceo (at) bank.example",
                              "ceo [at] bank.example",
                              "ceo {AT} bank.example",
                              "ceo ( at ) bank.example",
                              "ceo (@) bank.example",
                              "ceo at bank.example",
                              "Mail from ceo AT bank.example!",
                              "Look at ceo at bank.example",
                              "look@bank.example",
                              "look @ bank.example",
                              "look (at) bank.example",
                              "look.ceo at bank.example",
                              "ceo at bank dot example",
                              "ceo (at) bank (dot) example",
                              "ceo [at] bank[.]example",
                              "ceo at xn--bnk-qla.example",
                              "ceo (at) mail.example.com",
                              "alice (at) mail.example.org",
                              "ceo at b\xc3\xa4nk.example",
                              "ceo\xef\xbc\x88"
                              "at"
                              "\xef\xbc\x89"
                              "bank.example",  // wide brackets
                              "ceo at bank\xe3\x80\x82"
                              "example",  // ideographic full stop
                              "ceo\xc2\xa0"
                              "at\xc2\xa0"
                              "bank.example",                           // no-break spaces
                              "ceo (a\xf3\xa0\x80\xa0t) bank.example",  // a tag character
                              "ceo\xf3\xa0\x81\x81 (\xe2\x80\x8b"
                              "at\xc2\xad) bank.\xe2\x81\xa0"
                              "example",  // several
                              "ceo @\xe2\x80\x8b bank.example",
                              "ceo @ \xf3\xa0\x80\xa0 bank.example",
                              "ceo\\ at bank.example",
                              "alice\\@mail.example.org"}) {
        CAPTURE(spoof);
        const Report report = result("\"" + std::string(spoof) + "\" <eve@mail.example.org>");
        CHECK(report.result == Result::untrusted);
        CHECK(report.reason.find("but the sender is eve@mail.example.org") != std::string::npos);
    }
    CHECK(result("eve@mail.example.org (ceo (at) bank.example)").result == Result::untrusted);
    CHECK(result("=?utf-8?q?ceo_=28at=29_bank=2Eexample?= <eve@mail.example.org>").result == Result::untrusted);
}

// Signs that look alike as Unicode's confusables.txt has them, scripts as its ScriptExtensions.txt.
TEST_CASE("an address is seen whatever its dots and its @ are written with, and whichever way it runs") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto report = [&](const std::string& name) {
        return world.read(eve, "From: \"" + name + "\" <eve@example.org>\r\n").report;
    };
    for (const char* honest :
         {"Gal\xc2\xb7la Col\xc2\xb7lell",
          "Anna @ Col\xc2\xb7legi",
          "\xe5\xb1\xb1\xe7\x94\xb0\xe3\x83\xbb\xe5\xa4\xaa\xe9\x83\x8e",
          "\xe5\xb1\xb1\xe7\x94\xb0@"
          "\xe3\x82\xa2\xe3\x82\xaf\xe3\x83\xa1\xe3\x83\xbc\xe3\x83\xbb\xe3\x82\xb8\xe3\x83\xa3\xe3\x83\x91\xe3\x83"
          "\xb3",
          "\xe5\xb1\xb1\xe7\x94\xb0\xef\xbd\xa5\xe5\xa4\xaa\xe9\x83\x8e",
          "Nguy\xe1\xbb\x85n Th\xe1\xbb\x8b H\xe1\xba\xa1nh",
          "Hi\xe1\xbb\x87n@Vi\xe1\xbb\x87t_Nh\xe1\xba\xadt",
          "Nguye\xcc\xa3\xcc\x82n@Vie\xcc\xa3\xcc\x82t",
          "Ab\xc5\xab \xe1\xb8\xa4\xc4\x81mid al-\xc4\xa0"
          "az\xc4\x81l\xc4\xab at \xe1\xb8\xa4"
          "aif\xc4\x81",
          "\xe2\x81\xa8\xd8\xa3\xd8\xad\xd9\x85\xd8\xaf \xd8\xb9\xd9\x84\xd9\x8a\xe2\x81\xa9",
          "\xe2\x81\xa7\xd7\x93\xd7\x95\xd7\x93 \xd7\x9b\xd7\x94\xd7\x9f\xe2\x81\xa9",
          "\xe2\x80\x8f\xd7\x93\xd7\x95\xd7\x93 (Eve)\xe2\x80\x8e",
          "\xd7\x93\xd7\x95\xd7\x93 (eve@example.org)",
          "\xd7\x93\xd7\x95\xd7\x93 @acme",
          "\xea\x93\xa1\xea\x93\xb2\xea\x93\xa2\xea\x93\xb4@\xea\x93\xac\xea\x93\xb4\xea\x93\xb8\xea\x93\xa0",
          "Eve @ ACME \xe2\x80\xa2 Berlin",
          "Eve @ ACME \xc2\xb7 Berlin",
          "Eve @ \xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa4",
          "\xe2\x92\xba\xe2\x93\x95\xe2\x93\x90 \xe2\x93\x88\xe2\x93\x90\xe2\x93\xa2\xe2\x93\x90",
          "Eve \xe2\x92\xb6",
          "Eve\xe2\x80\xa6",
          "Eve \xe2\x80\x94 at \xe6\x9d\xb1\xe4\xba\xac\xe3\x83\xbb\xe6\xb8\x8b\xe8\xb0\xb7"}) {
        CAPTURE(honest);
        CHECK(report(honest).result == Result::valid);
        CHECK(report(honest).warnings.empty());
    }
    for (const char* spoof : {"ceo@bank\xea\x93\xb8"
                              "example",
                              "ceo@bank\xcb\x99"
                              "example",
                              "ceo\xe2\x8a\x9a"
                              "bank.example",
                              "ceo@bank\xcc\xa3"
                              "example",
                              "ceo@ban\xe1\xb8\xb3"
                              "example",
                              "ceo@bank\xe3\x83\xbb"
                              "example",
                              "ceo@bank\xef\xbd\xa5"
                              "example",
                              "ceo@bank\xe3\x80\x82"
                              "example",
                              "ceo@bank\xef\xbc\x8e"
                              "example",
                              "ceo@bank\xe2\x80\xa4"
                              "example",
                              "ceo@bank\xc2\xb7"
                              "example",
                              "ceo@bank\xce\x87"
                              "example",
                              "ceo@bank\xe2\x80\xa7"
                              "example",
                              "ceo@bank\xe2\x8b\x85"
                              "example",
                              "ceo@bank\xea\x9e\x8f"
                              "example",
                              "ceo@bank\xf0\x9d\x85\xad"
                              "example",
                              "ceo@bank\xe1\x90\xa7"
                              "example",
                              "ceo@bank\xe2\x97\x8f"
                              "example",
                              "ceo@bank\xd9\xa0"
                              "example",
                              "ceo@ban\xd0\xba\xea\x93\xb8\xd0\xb5xample",
                              "ceo@bank\xe3\x83\xbb\xe3\x82\xb3\xe3\x83\xa0",
                              "ceo@mail\xc2\xb7live",
                              "ceo @ bank\xea\x93\xb8"
                              "example",
                              "ceo @ bank\xe3\x83\xbb"
                              "example",
                              "ceo @ bank\xc2\xb7"
                              "example",
                              "ceo at bank\xe2\x80\xa2"
                              "example",
                              "ceo (at) bank\xe2\x8b\x85"
                              "example",
                              "ceo at bank\xd9\xa0"
                              "example",
                              "ceo\xef\xb9\xab"
                              "bank.example",
                              "ceo\xef\xbc\xa0"
                              "bank.example",
                              "ceo\xe2\x93\x90"
                              "bank.example",
                              "ceo\xe2\x92\xb6"
                              "bank.example",
                              "ceo \xe2\x93\x90 bank.example",
                              "ceoa\xe2\x83\x9d"
                              "bank.example",
                              "ceo\xf0\x9f\x85\x90"
                              "bank.example",
                              "ceo\xe3\x85\xa4"
                              "at\xe3\x85\xa4"
                              "bank.example",
                              "ceo \xd0\xb0t bank.example",
                              "ceo (\xce\xb1t) bank.example",
                              "ceo \xd0\x90\xd0\xa2 bank d\xd0\xbet example",
                              "ceo\xe2\xa0\x80"
                              "at\xe2\xa0\x80"
                              "bank.example",
                              "ce\xe2\x81\xa6o@b\xe2\x81\xa9"
                              "ank.example",
                              "c\xe2\x80\x8e"
                              "eo @\xe2\x80\x8f bank.exam\xe2\x81\xa7ple",
                              "ceo\xe2\x80\x8f@bank\xea\x93\xb8"
                              "exa\xe2\x81\xa8mple",
                              "\xe2\x81\xa7\xe2\x81\xa6"
                              "example\xe2\x81\xa9.\xe2\x81\xa6"
                              "bank\xe2\x81\xa9@\xe2\x81\xa6"
                              "ceo\xe2\x81\xa9\xe2\x81\xa9",
                              "\xe2\x80\x8f"
                              "example\xe2\x80\x8f.\xe2\x80\x8f"
                              "bank\xe2\x80\x8f@\xe2\x80\x8f"
                              "ceo",
                              "\xd8\x9c"
                              "example\xd8\x9c.\xd8\x9c"
                              "bank\xd8\x9c@\xd8\x9c"
                              "ceo"}) {
        CAPTURE(spoof);
        CHECK(report(spoof).result == Result::untrusted);
        CHECK_THAT(report(spoof).reason, Catch::Contains("but the sender is eve@example.org"));
    }
}

// Blanks after Unicode's chart of general punctuation, and the fillers of Hangul.
TEST_CASE("an address is seen through blanks that hardly show and line ends that programs leave out") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto report = [&](const std::string& name) {
        return world.read(eve, "From: " + name + " <eve@example.org>\r\n").report;
    };
    for (const char* spoof : {"=?utf-8?Q?ceo@ba=09nk.example?=",
                              "=?utf-8?Q?ceo@ba=0Ank.example?=",
                              "=?utf-8?Q?ceo@ba=0Dnk.example?=",
                              "=?utf-8?Q?ceo@ba=E1=85=9Fnk.example?=",
                              "=?utf-8?Q?ceo@ba=E1=85=A0nk.example?=",
                              "=?utf-8?Q?ceo@ba=E2=80=86nk.example?=",
                              "=?utf-8?Q?ceo@ba=E2=80=88nk.example?=",
                              "=?utf-8?Q?ceo@ba=E2=80=89nk.example?=",
                              "=?utf-8?Q?ceo@ba=E2=80=8Ank.example?=",
                              "=?utf-8?Q?ceo@ba=E2=80=AFnk.example?=",
                              "=?utf-8?Q?ceo@ba=E2=81=9Fnk.example?=",
                              "=?utf-8?Q?ceo@ba=E3=85=A4nk.example?=",
                              "=?utf-8?Q?ceo@ba=EF=BE=A0nk.example?=",
                              "=?utf-8?Q?ceo@ba=0D=0Ank.example?=",
                              "=?utf-8?Q?c=0Aeo@ba=0Ank.example?=",
                              "=?utf-8?Q?ceo=20@=20ba=E2=80=8Ank.example?=",
                              "=?utf-8?Q?ceo=20=28at=29=20ba=E2=80=8Ank.example?=",
                              "=?utf-8?Q?ceo=EF=BC=A0ba=E2=80=8Ank.example?=",
                              "=?utf-8?Q?ceo@ba=0Ank.example=E2=80=894ever?=",
                              "=?utf-8?Q?ceo@ba=0Ank.example.4?=",
                              "=?utf-8?Q?ceo@ba=0Ank.example..Boss?=",
                              "=?utf-8?Q?ali=0Aeve@example.org?=",
                              "=?utf-8?Q?=E2=81=A7=E2=81=A6example=E2=81=A9.=E2=81=A6nk=E2=80=8Aba=E2=81=A9@=E2=81="
                              "A6ceo=E2=81=A9=E2=81=A9?="}) {
        CAPTURE(spoof);
        CHECK_THAT(report(spoof).reason, Catch::Contains("but the sender is eve@example.org"));
    }
    for (const char* honest :
         {"=?utf-8?Q?=E5=B1=B1=E7=94=B0=E3=80=80=E5=A4=AA=E9=83=8E=EF=BC=A0=EF=BC=A1=EF=BC=A2=EF=BC=A3=E3=80=80=EF=BC="
          "A9=EF=BD=8E=EF=BD=83=EF=BC=8E=E3=80=80=E6=9D=B1=E4=BA=AC?=",
          "=?utf-8?Q?Eve=20@=20Example=C2=A0Inc.=20Berlin?=", "=?utf-8?Q?Eve=20@=E2=80=AFB.=E2=80=AFBraun?=",
          "=?utf-8?Q?Eve=E2=80=AF=21=20Caf=C3=A9=20=C2=AB=E2=80=AFChez=20Eve=E2=80=AF=C2=BB?=",
          "=?utf-8?Q?Eve=E3=85=A4Kim@ACME?=", "=?utf-8?Q?Eve=09=28eve@example.org=29=0A?=",
          "=?utf-8?Q?Eve@ACME=0ABerlin?=", "=?utf-8?Q?A.=E2=80=89B.=E2=80=89Eve=20@=2010=E2=80=AF000=20Caf=C3=A9s?=",
          "\"Eve @ Example\r\n\tInc. Berlin\""}) {
        CAPTURE(honest);
        CHECK(report(honest).result == Result::valid);
        CHECK(report(honest).warnings.empty());
    }
}

TEST_CASE("the sender's own address in letters from right to left is the sender's") {
    const SenderBench world;
    const std::string own = "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d@example.org";  // in Hebrew letters
    const SoftwareKey key = world.with_utf8_mailbox(own);
    const auto result = [&](const std::string& name) {
        return world.read(key, "From: \"" + name + "\" <" + own + ">\r\n").report.result;
    };
    CHECK(result(own) == Result::valid);
    CHECK(result("Eve (" + own + ")") == Result::valid);
    CHECK(result("\xd7\x95" + own) == Result::untrusted);
}

TEST_CASE("an address of the sender's own house is seen however it is broken up") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto result = [&](const std::string& from) {
        return world.read(eve, "From: " + from + "\r\n").report.result;
    };
    for (const char* honest :
         {"Eve(x)<eve@example.org>", "eve(x)@example.org", "eve (at home) @example.org (Eve)", "\"eve\"@example.org",
          "\"eve\\@example.org\" <eve@example.org>", "\"Eve (@example.org)\" <eve@example.org>",
          "=?utf-8?q?eve=40example.org?= <eve@example.org>", "eve(x)@example.org <eve@example.org>",
          "Eve: eve@example.org;", "eve@example.org (eve@example.org)"}) {
        CAPTURE(honest);
        CHECK(result(honest) == Result::valid);
    }
    for (const char* spoof :
         {"\"alice\\@example.org\" <eve@example.org>", "alice(x)@example.org <eve@example.org>",
          "\"alice\"@example.org <eve@example.org>", "=?utf-8?q?alice=01=40example.org?= <eve@example.org>",
          "=?utf-8?q?alice=00=40example.org?= <eve@example.org>",
          "=?utf-8?q?alice=7f=40example.org?= <eve@example.org>",
          "=?utf-8?q?alice=22=40example.org?= <eve@example.org>",
          "=?utf-8?q?alice=3E=40example.org?= <eve@example.org>",
          "=?utf-8?q?alice=5C=40example.org?= <eve@example.org>",
          "=?utf-8?q?alice=2C=40example.org?= <eve@example.org>", "\"alice\\@example.org\": eve@example.org;",
          "alice(x)@example.org: eve@example.org;", "eve@example.org (alice\\@example.org)",
          "eve@example.org (alice(x)@example.org)", "\"alice\\\"@example.org\" <eve@example.org>"}) {
        CAPTURE(spoof);
        CHECK(result(spoof) == Result::untrusted);
    }
}

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

TEST_CASE("ordinary names in the From field raise no alarm") {
    const SenderBench world;
    const auto view = [&](const SoftwareKey& key, const char* from) {
        return world.read(key, "From: " + std::string(from) + "\r\n").report;
    };
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    for (const char* from :
         {"=?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <eve@example.org>",
          "J\xc3\xbcrgen M\xc3\xbcller <eve@example.org>",
          "\"Doe, John (Sales)\" <eve@example.org>",
          "\"Alice (@alice_x)\" <eve@example.org>",
          "Alice@ACME <eve@example.org>",
          "\"Alice@ACME\" <eve@example.org>",
          "\"Team @ ACME\" <eve@example.org>",
          "\"Team @ ACME Inc.\" <eve@example.org>",
          "\"@acme\" <eve@example.org>",
          "\"Jane | @jane-doe\" <eve@example.org>",
          "\"Jane @jane_doe\" <eve@example.org>",
          "\"EVE@Example.ORG\" <eve@example.org>",
          "eve@example.org",
          "eve@example.org (Eve Smith)",
          "\"O'Brien, Pat (R&D)\" <eve@example.org>",
          "\xe5\xb1\xb1\xe7\x94\xb0\xe5\xa4\xaa\xe9\x83\x8e <eve@example.org>",
          "\"\xe5\xb1\xb1\xe7\x94\xb0@\xe5\x96\xb6\xe6\xa5\xad\xe9\x83\xa8\" <eve@example.org>",
          "\"\xe5\xb1\xb1\xe7\x94\xb0\xef\xbc\xa0\xe3\x82\xa2\xe3\x82\xaf\xe3\x83\xa1\xe3\x83\xbb\xe3\x82\xb8\xe3\x83"
          "\xa3\xe3\x83\x91\xe3\x83\xb3\" <eve@example.org>",
          "=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <eve@example.org>",
          "\"\xd8\xa3\xd8\xad\xd9\x85\xd8\xaf \xd8\xb9\xd9\x84\xd9\x8a\" <eve@example.org>",
          "\"\xd7\x93\xd7\x95\xd7\x93@\xd7\xaa\xd7\x9c_\xd7\x90\xd7\x91\xd7\x99\xd7\x91\" <eve@example.org>",
          "\"Eve \xf0\x9f\x9a\x80\" <eve@example.org>",
          "\"Eve@ACME\xf0\x9f\x9a\x80\" <eve@example.org>",
          "\"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb Eve \xe2\x9d\xa4\xef\xb8\x8f\" <eve@example.org>",
          "\"Eve at Example\" <eve@example.org>",
          "\"AT&T, Service\" <eve@example.org>",
          "\"C. at St. Mary's\" <eve@example.org>",
          "\"Dr. Eve Smith, Ph.D.\" <eve@example.org>",
          "\"Eve via GitHub.com\" <eve@example.org>",
          "\"\xd0\xaf\xd1\x80\xd0\xbe\xd1\x81\xd0\xbb\xd0\xb0\xd0\xb2 "
          "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\xd0\xbe\xd0\xb2\" <eve@example.org>",
          "\"\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87@"
          "\xe0\xa4\xa6\xe0\xa4\xbf\xe0\xa4\xb2\xe0\xa5\x8d\xe0\xa4\xb2\xe0\xa5\x80\" <eve@example.org>",
          "\"Eve \\\"Evie\\\" Smith\" <eve@example.org>",
          "\"Smith\\\\Eve\" <eve@example.org>",
          "\"Eve@B\xc3\xbcro\" <eve@example.org>",
          "\"Eve@\" <eve@example.org>"}) {
        CAPTURE(from);
        CHECK(view(eve, from).result == Result::valid);
        CHECK(view(eve, from).warnings.empty());
    }
    const SoftwareKey carol = world.with_names("email:carol@xn--mnchen-3ya.example");
    for (const char* from :
         {"carol@xn--mnchen-3ya.example", "\"carol@m\xc3\xbcnchen.example\" <carol@xn--mnchen-3ya.example>",
          "\"carol@xn--mnchen-3ya.example\" <carol@m\xc3\xbcnchen.example>",
          "\"Carol (M\xc3\x9cNCHEN)\" <carol@m\xc3\xbcnchen.example>"}) {
        CAPTURE(from);
        CHECK(view(carol, from).result == Result::valid);
        CHECK(view(carol, from).warnings.empty());
    }
}

TEST_CASE("houses with initials and handles without a mailbox are no addresses, what could be one is") {
    const SenderBench world;
    const SoftwareKey list = world.with_names("email:list@lists.example");
    const auto result = [&](const std::string& name) {
        return world.read(list, "From: \"" + name + "\" <list@lists.example>\r\n").report.result;
    };
    for (const char* honest :
         {"Alice @ B.Braun", "Alice at B.Braun", "Alice (at) A.B.Lange", "Alice @ B.Braun Melsungen",
          "@alice.bsky.social", "Alice (@alice.bsky.social)", "Alice @Alice-1.bsky.social", "CEO via List",
          "CEO via list@lists.example", "'CEO' via list@lists.example", "CEO (list@lists.example)"}) {
        CAPTURE(honest);
        CHECK(result(honest) == Result::valid);
    }
    for (const char* spoof :
         {"ceo @ Bank.Example", "ceo @ B.Com", "ceo @ B.braun", "ceo @ b.Braun", "ceo @ BB.Braun", "ceo @ B.Braun.Com",
          "ceo @ B.BRAUN", "ceo@B.Braun", "ceo@alice.bsky.social", "@ceo@alice.bsky.social", "@ceo@bank.example",
          "Alice (@alice@mastodon.example)", "@ceo.bank.example.bsky.social", "@bank.example", "ceo @bank.example",
          "@ceo@bank.bsky.social", "x\\\"@alice.bsky.social", "CEO via ceo@lists.example",
          "CEO via list@lists.example.org"}) {
        CAPTURE(spoof);
        CHECK(result(spoof) == Result::untrusted);
    }
}

TEST_CASE("what goes on behind a name at a house is an address all the same") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    for (const char* from :
         {"\"ceo@bank.example/Boss\" <eve@example.org>", "\"ceo@bank.example-Boss\" <eve@example.org>",
          "\"ceo@bank.example@\" <eve@example.org>", "\"ceo@bank.example@home\" <eve@example.org>",
          "\"ceo@bank..example\" <eve@example.org>", "\"ceo @ bank.example/Boss\" <eve@example.org>",
          "\"ceo @ bank.example-Boss\" <eve@example.org>", "\"ceo (at) bank.example*\" <eve@example.org>",
          "\"ceo@bank\xc2\xb7"
          "example\" <eve@example.org>",
          "\"ceo@bank\xd9\xa0"
          "example\" <eve@example.org>",
          "\"ceo@bank\xe2\x8b\x85"
          "example\" <eve@example.org>",
          "\"ceo@192.0.2.1\" <eve@example.org>", "\"Alice (@bank.example)\" <eve@example.org>",
          "=?utf-8?B?4oCuZWxwbWF4ZS5rbmFiQG9lY+KArA==?= <eve@example.org>", "\"ceo@bank.example.\" <eve@example.org>",
          "\"ceo@b.io\" <eve@example.org>",
          "\"ceo@bank\xe3\x80\x82"
          "example\" <eve@example.org>",
          "\"ceo@xn--bnk-qla.xn--p1ai\" <eve@example.org>"}) {
        CAPTURE(from);
        CHECK(world.read(eve, "From: " + std::string(from) + "\r\n").report.result == Result::untrusted);
    }
    const SoftwareKey inside = world.with_names("email:eve@corp");
    CHECK(world.read(inside, "From: \"eve@corp\" <eve@corp>\r\n").report.result == Result::valid);
    CHECK(world.read(inside, "From: \"alice@corp\" <eve@corp>\r\n").report.result == Result::untrusted);
}

TEST_CASE("the sender's own address may be shown in letters that have others to stand for them") {
    const SenderBench world;
    CertificateSpec spec;
    spec.alternative_name = "email:carol@xn--strae-oqa.example";
    const SoftwareKey carol = world.bench.issue(spec);
    const auto result = [&](const std::string& from) {
        return world.read(carol, "From: " + from + "\r\n").report.result;
    };
    const std::string own =
        "carol@stra\xc3\x9f"
        "e.example";
    CHECK(result(own) == Result::valid);
    CHECK(result("\"" + own + "\" <" + own + ">") == Result::valid);
    CHECK(result("\"carol@strasse.example\" <" + own + ">") == Result::untrusted);
}

TEST_CASE("an address is seen that has something else for the last of its dots") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto report = [&](const std::string& name) {
        return world.read(eve, "From: \"" + name + "\" <eve@example.org>\r\n").report;
    };
    for (const char* spoof : {"ceo@bank,example",
                              "ceo@mail.bank,example",
                              "CEO @ bank,example",
                              "ceo (at) bank,example",
                              "ceo@Bank,Gov",
                              "ceo@bank;gov",
                              "ceo@bank:com",
                              "ceo@bank\xef\xbc\x8c"
                              "example",
                              "ceo@bank gov",
                              "Pay to ceo@bank com",
                              "ceo@bank\xc2\xa0gov",
                              "ceo@bank\xe2\x80\x82gov",
                              "ceo@bank\xe3\x80\x80gov (CEO)",
                              "ceo@exampl\xe1\xba\xb9gov",
                              "ceo@example\xcc\xa3gov",
                              "ceo@example\xcc\xa6gov",
                              "ceo@example\xe0\xa2\x87gov",
                              "ceo@example\xe0\xa2\x88gov",
                              "ceo@example\xd9\x9cgov",
                              "ceo@example\xd6\xb4gov",
                              "ceo@example\xe3\x86\x8dgov"}) {
        CAPTURE(spoof);
        CHECK(report(spoof).result == Result::untrusted);
        CHECK_THAT(report(spoof).reason, Catch::Contains("but the sender is eve@example.org"));
    }
    for (const char* honest :
         {"M\xc3\xbcller, Hans", "Alice @ Work", "Alice Example (Gov)", "meet @ 5.30 p.m.", "meet @ 5:30",
          "Eve@Work, Berlin", "Eve@ACME,Inc", "Eve@acme,Berlin", "Doe,John@ACME", "Team @ ACME Net",
          "Eve@ACME com amigos", "Eve @ Example Inc. Berlin", "Nam@Vi\xe1\xbb\x87t",
          "Eve@Nestl\xc3\xa9"
          "com",
          "\xea\xb9\x80@\xed\x9a\x8c\xec\x82\xac\xe3\x86\x8d\xeb\xb6\x80\xec\x84\x9c", "eve@example,org",
          "eve@example org",
          "\xe5\xb1\xb1\xe7\x94\xb0@A\xe3\x81\xa8"
          "B"}) {
        CAPTURE(honest);
        CHECK(report(honest).result == Result::valid);
        CHECK(report(honest).warnings.empty());
    }
}

TEST_CASE("an address is seen that has a raised or framed letter, or one in brackets, for its @") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto result = [&](const std::string& name) {
        return world.read(eve, "From: \"" + name + "\" <eve@example.org>\r\n").report.result;
    };
    for (const char* spoof : {"ceo\xe1\xb5\x83"
                              "bank.example",
                              "ceo \xe1\xb5\x83 bank.example",
                              "ceo\xc2\xaa"
                              "bank.example",
                              "ceo\xe2\x82\x90"
                              "bank.example",
                              "ceo\xd0\xb0\xe2\x83\x9d"
                              "bank.example",
                              "ceo\xc9\x91\xe2\x83\x9d"
                              "bank.example",
                              "ceoa\xcc\x81\xe2\x83\x9d"
                              "bank.example",
                              "ceo\xf0\x9f\x85\xb0"
                              "bank.example",
                              "ceo\xf0\x9f\x84\xb0"
                              "bank.example",
                              "ceo(a)bank.example", "ceo (a) bank.example",
                              "ceo\xe2\x92\x9c"
                              "bank.example"}) {
        CAPTURE(spoof);
        CHECK(result(spoof) == Result::untrusted);
    }
    for (const char* honest :
         {"M\xc2\xaa Jos\xc3\xa9 P\xc3\xa9rez", "D\xc2\xaa M.Jos\xc3\xa9", "1\xc2\xaa Divisi\xc3\xb3n",
          "N\xc2\xaa.S\xc2\xaa da Luz", "Eve \xf0\x9f\x85\xb0", "\xf0\x9f\x85\xb0\xf0\x9f\x85\xb1 Radio", "Smith (a)",
          "Eve (a) Smith", "Eve (A) Team B", "Hotel Post (A) St.Anton"}) {
        CAPTURE(honest);
        CHECK(result(honest) == Result::valid);
    }
}

TEST_CASE("an address that the reader knows is seen whatever stands between its letters") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto read = [&](const std::string& name, std::vector<std::string> known = {"ceo@bank.example"}) {
        return world.read_knowing(std::move(known), eve, "\"" + name + "\" <eve@example.org>");
    };
    for (const char* spoof : {"ceo@ba nk.example", "ceo@ba\xc2\xa0nk.example", "ceo@ba\xe2\x80\x83nk.example",
                              "ceo@bank example", "c e o @ b a n k . e x a m p l e", "ceo@bank-example",
                              "CEO@Bank Example", "The ceo@bank, example", "ceo at bank example",
                              "ceo@ban\xe1\xb8\xb3 example", "ceo@b\xc3\xa4nk example", "ceo@bank\xcc\xa3 example"}) {
        CAPTURE(spoof);
        const Report report = read(spoof);
        CHECK(report.result == Result::untrusted);
        CHECK(report.reason == "the From field shows ceo@bank.example, but the sender is eve@example.org");
        CHECK(read(spoof, {"alice@bank.example"}).result == Result::valid);
    }
    for (const char* honest :
         {"CEO, Bank Example", "Eve @ Bank Example", "ceo@bank examples", "aceo@bank example", "CEO @ Work"}) {
        CAPTURE(honest);
        CHECK(read(honest).result == Result::valid);
    }
    CHECK(read("eve @ example org", {"e.ve@example.org", "eve@example.org"}).result == Result::valid);
    CHECK(world
              .read_knowing({"ceo@bank.example"}, world.with_names("email:ceo@bank.example"),
                            "\"ceo@bank example\" <ceo@bank.example>")
              .result == Result::valid);
}
