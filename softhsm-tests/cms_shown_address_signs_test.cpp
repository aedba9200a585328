// Addresses that are written with other signs than "@" and ".", or are broken up.

#include "softhsm-tests/cms_sender.h"

#include <catch2/catch.hpp>

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

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
                              "ceo@example\xe3\x86\x8dgov",
                              "\u201cceo@bank com\u201d",
                              "\u2018ceo@bank com\u2019",
                              "\u201cceo@bank,example\u201d",
                              "\u201cceo@bank,com\u201d",
                              "ceo@bank com \u2713",
                              "ceo@bank com \u2014 CEO"}) {
        CAPTURE(spoof);
        CHECK(report(spoof).result == Result::untrusted);
        CHECK_THAT(report(spoof).reason, Catch::Contains("but the sender is eve@example.org"));
    }
    for (const char* honest : {"M\xc3\xbcller, Hans",
                               "Alice @ Work",
                               "Alice Example (Gov)",
                               "meet @ 5.30 p.m.",
                               "meet @ 5:30",
                               "Eve@Work, Berlin",
                               "Eve@ACME,Inc",
                               "Eve@acme,Berlin",
                               "Doe,John@ACME",
                               "Team @ ACME Net",
                               "Eve@ACME com amigos",
                               "Eve @ Example Inc. Berlin",
                               "Nam@Vi\xe1\xbb\x87t",
                               "Eve@Nestl\xc3\xa9"
                               "com",
                               "\xea\xb9\x80@\xed\x9a\x8c\xec\x82\xac\xe3\x86\x8d\xeb\xb6\x80\xec\x84\x9c",
                               "eve@example,org",
                               "\u201ceve@example org\u201d",
                               "\u201cEve@Work\u201d, Berlin",
                               "Eve@ACME \u2014 com amigos",
                               "Eve@ACME\u2122 Net",
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
                              "ceo(a)bank.gov",
                              "ceo\u00aabank.gov",
                              "ceo(a)bank.gov. Boss",
                              "ceo\u00aabank\u201agov",
                              "ceo(at)bank\u2014gov",
                              "ceo (a) bank. example",
                              "ceo(a)bank.example",
                              "ceo (a) bank.example",
                              "alice75\u00aagmail.example",
                              "alice\u00aa7bank.example",
                              "ceo\u1d45"
                              "bank.example",
                              "ceo(\u0430)bank.example",
                              "ceo(\u0251)bank.example",
                              "ceo (\u03b1) bank.example",
                              "ceo\u2768"
                              "at\u2769"
                              "bank.example",
                              "ceo\u3014"
                              "at\u3015"
                              "bank.example",
                              "ceo\u27e8\u0430\u27e9"
                              "bank.example",
                              "ceo\uff5f"
                              "a\uff60"
                              "bank\u3014"
                              "dot\u3015"
                              "example",
                              "ceo(\u24d0)bank.gov",
                              "ceo[\u24d0]bank.gov",
                              "ceo(\U0001f170)bank.gov",
                              "ceo(\u229a)bank.gov",
                              "ceo(a\u20dd)bank.gov",
                              "ceo((a))bank.gov",
                              "ceo ( [ (at) ] ) bank.gov",
                              "ceo(a)bank. \u0441om",
                              "ceo(a)bank. \u03bfrg",
                              "ceo(a). bank.gov",
                              "\u2039ceo@bank.example\u203a",
                              "\u3010ceo@bank.example\u3011",
                              "\u2039ceo@bank com\u203a",
                              "ceo\xe2\x92\x9c"
                              "bank.example"}) {
        CAPTURE(spoof);
        CHECK(result(spoof) == Result::untrusted);
    }
    for (const char* honest : {"M\xc2\xaa Jos\xc3\xa9 P\xc3\xa9rez",
                               "D\xc2\xaa M.Jos\xc3\xa9",
                               "1\xc2\xaa Divisi\xc3\xb3n",
                               "N\xc2\xaa.S\xc2\xaa da Luz",
                               "Eve \xf0\x9f\x85\xb0",
                               "\xf0\x9f\x85\xb0\xf0\x9f\x85\xb1 Radio",
                               "Smith (a)",
                               "Eve (a) Smith",
                               "Eve (A) Team B",
                               "Hotel Post (A) St.Anton",
                               "M\u00aaJ. P\u00e9rez",
                               "Ana M\u00aaJ. P\u00e9rez",
                               "M\u00aaC. N\u00fa\u00f1ez S\u00e1ez",
                               "AnaM\u00aaL.J. N\u00fa\u00f1ez",
                               "Director(a) P. Gil",
                               "Director(a) I.E.S. Cervantes",
                               "Aluno(a) M. S\u00e1",
                               "Sr.(a) J. Gil",
                               "Director(a) J. \u00c1lvarez",
                               "Eve ((a)) Smith",
                               "Sr(a). Dr. Silva",
                               "Exmo(a). Sr. Juiz",
                               "Prof(a). Dr. Ana",
                               "\u2039eve@example.org\u203a",
                               "\u300ceve@example.org\u300d",
                               "\u300eeve@example.org\u300f",
                               "\u3010eve@example.org\u3011",
                               "\u275deve@example.org\u275e",
                               "\u275beve@example.org\u275c",
                               "Kanzlei [a] Dr. Huber",
                               "Kanzlei (a) Dr. \u00d6zg\u00fcr",
                               "R\u24d0"
                               "dio.ch",
                               "R(a)dio.ch",
                               "1\u00aa"
                               "Divisi\u00f3n.es",
                               "3\u00aa"
                               "B. Gil",
                               "\u0418\u0432\u0430\u043d (\u0410) \u0411.\u041f\u0435\u0442\u0440\u043e\u0432",
                               "Eve\u3010Sales\u3011",
                               "\u201cProfesor(a)Lima\u201d",
                               "Director(a)\u2013General"}) {
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
    for (const char* blank : {"\u2006", "\u2008", "\u2009", "\u200a", "\u202f", "\u205f", "\u3164", "\u115f"}) {
        CAPTURE(blank);
        const std::string name = "office@m" + std::string(blank) + "ueller example";
        const auto named = [&](const std::string& known) {
            return world
                .read_knowing({known}, world.with_names("email:office@m.ueller.example"),
                              "\"" + name + "\" <office@m.ueller.example>")
                .result;
        };
        CHECK(named("office@mueller.example") == Result::untrusted);
        CHECK(named("office@miller.example") == Result::valid);
    }
    CHECK(read("eve @ example org", {"e.ve@example.org", "eve@example.org"}).result == Result::valid);
    CHECK(world
              .read_knowing({"ceo@bank.example"}, world.with_names("email:ceo@bank.example"),
                            "\"ceo@bank example\" <ceo@bank.example>")
              .result == Result::valid);
}

TEST_CASE("an address that the reader knows is seen in a field with nothing but an @ in a comment") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto result = [&](const std::string& from) {
        return world.read_knowing({"office@mueller.example"}, eve, from + " <eve@example.org>").result;
    };
    for (const char* spoof :
         {"office (@) mueller example", "office ( @ ) mueller example", "office ((@)) mueller example",
          "office (=?utf-8?Q?=40?=) mueller example", "office (@ mueller example)", "office (at) mueller example"}) {
        CAPTURE(spoof);
        CHECK(result(spoof) == Result::untrusted);
    }
    for (const char* honest : {"office (Berlin) mueller example", "Office (@) Berlin", "office (@ Berlin) mueller",
                               "office mueller example", "office mueller (eve@example.org)"}) {
        CAPTURE(honest);
        CHECK(result(honest) == Result::valid);
    }
    const Report answers = world.read_knowing({"office@mueller.example"}, eve,
                                              "Eve <eve@example.org>\r\nReply-To: office (@) mueller example "
                                              "<eve@example.org>");
    CHECK(has_warning(answers, "reply-to"));
}
