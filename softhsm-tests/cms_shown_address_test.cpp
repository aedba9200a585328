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
         {"=?utf-8?Q?Eve Smith?=", "=?x-foo?Q?Eve?=", "=?us-ascii?Q?Ev=E9?=", "=??Q?Eve?=", "=?utf-8?B?RXZl*?=",
          "=?utf-8?Q?=C3?= =?utf-8?Q?=A9ve?=", "=?iso-8859-8-i?Q?=F9=EC=E5=ED?=", "=?utf-8?Q?eve=40example.org=?=",
          "=?utf-8?Q?Eve", "=?"}) {
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
