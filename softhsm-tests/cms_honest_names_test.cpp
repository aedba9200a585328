// Names in the From field that look a little like addresses, and are none.

#include "softhsm-tests/cms_sender.h"

#include <catch2/catch.hpp>

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

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
          "\"\u201ceve@example.org\u201d\" <eve@example.org>",
          "\"\u201eEve@ACME\u201c\" <eve@example.org>",
          "\"\u00abEve@ACME\u00bb\" <eve@example.org>",
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
