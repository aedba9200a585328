// What a reader takes for the sender's address in the From field.

#include "softhsm-tests/cms_sender.h"

#include <catch2/catch.hpp>

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
