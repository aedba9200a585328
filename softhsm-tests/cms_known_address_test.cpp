// Addresses that the reader knows, in names of mail from another or from an address that has one in it.

#include "softhsm-tests/cms_sender.h"

#include <catch2/catch.hpp>

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("the sender's own address may be shown where one that the reader knows is a part of it") {
    const SenderBench world;
    struct Honest {
        std::string own, known, from;
    };
    const std::vector<Honest> honest{
        {"it-info@acme.example", "info@acme.example", "\"it-info@acme.example\""},
        {"it-info@acme.example", "info@acme.example", "\"IT-Info@ACME.example via Desk\""},
        {"it-info@acme.example", "info@acme.example", "\"Desk (it-info @ acme.example)\""},
        {"it-info@acme.example", "info@acme.example", "\"it-info (at) acme.example\""},
        {"mary.alice@acme.example", "alice@acme.example", "'mary.alice@acme.example'"},
        {"alice@acme.com.au", "alice@acme.com", "\"alice@acme.com.au\""},
        {"no-reply+bob@example.org", "bob@example.org", "\"no-reply+bob@example.org\""},
        {"sales.info@acme.example", "info@acme.example", "=?utf-8?Q?sales=2Einfo=40acme=2Eexample?="},
        {"mary.alice@acme.example", "alice@acme.example", "\"M\xc3\xa4ry (mary.alice@acme.example)\""}};
    for (const auto& [own, known, name] : honest) {
        CAPTURE(own, name);
        const SoftwareKey key = world.with_names("email:" + own);
        const std::string from = name + " <" + own + ">";
        CHECK(world.read_knowing({known}, key, from).result == Result::valid);
        CHECK(world.read_knowing({known}, key, from + "\r\nReply-To: " + from).warnings.empty());
        const std::string spoof = "\"" + known + "\" <" + own + ">";
        CHECK(world.read_knowing({known}, key, spoof).result == Result::untrusted);
        const Report beside = world.read_knowing({known}, key, "\"" + own + " " + known + "\" <" + own + ">");
        CHECK(beside.result == Result::untrusted);
    }
}

TEST_CASE("an address that the reader knows is seen in the end or the front of the sender's own, broken up") {
    const SenderBench world;
    const SoftwareKey ana = world.with_names("email:alice@acme.com.au");
    for (const char* spoof :
         {"alice@acme com", "alice@acme com .au", "alice@acme.com - au", "alice@acme.com au", "alice@ac me.com.au"}) {
        CAPTURE(spoof);
        CHECK(world.read_knowing({"alice@acme.com"}, ana, "\"" + std::string(spoof) + "\" <alice@acme.com.au>")
                  .reason.find("shows alice@acme.com") != std::string::npos);
    }
}

TEST_CASE("an address that the reader knows is seen though the sender's own has the same letters") {
    const SenderBench world;
    const auto read = [&](const std::string& own, const std::string& name) {
        return world.read_knowing({"office@mueller.example"}, world.with_names("email:" + own),
                                  "\"" + name + "\" <" + own + ">");
    };
    for (const std::string own :
         {"office@muell-er.example", "off.ice@mueller.example", "office@mueller.ex-ample", "off_ice@mueller.example"}) {
        for (const char* spoof : {"office@mueller example", "office@mueller_example", "office @ mueller - example"}) {
            CAPTURE(own, spoof);
            const Report report = read(own, spoof);
            CHECK(report.result == Result::untrusted);
            CHECK_THAT(report.reason, Catch::Contains("shows office@mueller.example"));
        }
        for (const std::string& honest : {own, "Office (" + own + ")", std::string("Office")}) {
            CAPTURE(own, honest);
            CHECK(read(own, honest).result == Result::valid);
        }
    }
    CHECK(read("office@muell-er.example", "office @ muell-er example").result == Result::valid);
    CHECK(read("office@mueller.example", "office@mueller example").result == Result::valid);
}

TEST_CASE("an address that the reader knows is seen beside signs that are no letters, and in their place") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto read = [&](const std::string& from) {
        return world.read_knowing({"office@mueller.example"}, eve, from + " <eve@example.org>");
    };
    for (const char* spoof : {"\u201coffice@mueller example\u201d", "\u00aboffice@mueller example\u00bb",
                              "\u2713office@mueller example", "office@mueller example\u2713",
                              "office@mueller\u2764"
                              "example",
                              "office\u2013@mueller example"}) {
        CAPTURE(spoof);
        CHECK_THAT(read("\"" + std::string(spoof) + "\"").reason, Catch::Contains("shows office@mueller.example"));
    }
    for (const char* honest : {"\u201cOffice\u201d Mueller", "\u00e9office@mueller example",
                               "office@mueller examp\u0142", "\u201cOffice@Mueller\u201d"}) {
        CAPTURE(honest);
        CHECK(read("\"" + std::string(honest) + "\"").result == Result::valid);
    }
}

TEST_CASE("an address that the reader knows is seen in a field that has a comment for its @") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto read = [&](std::vector<std::string> known, const std::string& from) {
        return world.read_knowing(std::move(known), eve, from);
    };
    for (const char* spoof :
         {"office (at) mueller example <eve@example.org>", "office(at)mueller example <eve@example.org>",
          "office (a) mueller example <eve@example.org>"}) {
        CAPTURE(spoof);
        CHECK_THAT(read({"office@mueller.example"}, spoof).reason, Catch::Contains("shows office@mueller.example"));
        CHECK(read({"office@muller.example"}, spoof).result == Result::valid);
    }
    CHECK(read({"mary.eve@example.org", "x@example.org"}, "Mary <eve@example.org>").result == Result::valid);
    CHECK(read({"x@example.org"}, "eve(x)@example.org").result == Result::valid);
    CHECK(read({"e.ve@example.org"}, "eve (at) example.org <eve@example.org>").result == Result::valid);
}
