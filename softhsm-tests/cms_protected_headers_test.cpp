// Protected header fields as they are read (RFC 9788).

#include "softhsm-tests/cms_protected_headers.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cms/smime/protected_headers.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("the protected header of RFC 9788's example is the mail's") {
    const ProtectionBench world;
    const ReadMail read = world.open(kOutside, kPayload);
    CHECK(read.report.result == Result::valid);
    CHECK(read.report.subject == "smime-signed-enc-hp-baseline");
    CHECK(read.report.from == Names{"alice@example.gov"});
    CHECK(read.report.date == "2021-02-20T15:09:02Z");
    CHECK(kinds(read.report).empty());
    for (const Layer& layer : read.report.layers)
        CHECK(layer.protected_headers == Names{"subject", "message-id", "from", "to", "date", "user-agent"});
    CHECK(read.report.confidential_headers == Names{"subject"});
    CHECK(field(with_crlf(read.content), "Subject") == "smime-signed-enc-hp-baseline");
    CHECK(field(with_crlf(read.content), "HP-Outer").empty());
    CHECK(field(with_crlf(read.content), "Content-Type") == "text/plain; charset=\"utf-8\"");
    CHECK(with_crlf(body_of(read.content)) == "This is the\r\nsmime-signed-enc-hp-baseline\r\nmessage.\r\n");
}

TEST_CASE("what relays have found out of a mail is not replaced by what the sender put inside") {
    const ProtectionBench world;
    const std::string fields =
        "Authentication-Results: mx.example.gov; dkim=pass\r\nReceived-SPF: pass\r\n"
        "Return-Path: <alice@example.gov>\r\nX-Spam-Flag: NO\r\n";
    const std::string outside = std::string(kOutside),
                      found =
                          "Authentication-Results: mx.example.gov; dkim=fail\r\nReceived-SPF: fail\r\n"
                          "Return-Path: <eve@example.org>\r\nX-Spam-Flag: YES\r\n";
    const ReadMail read = world.open(found + outside, fields + std::string(kPayload));
    CHECK(read.report.result == Result::valid);
    const std::string content = with_crlf(read.content);
    CHECK(field(content, "Authentication-Results") == "mx.example.gov; dkim=fail");
    CHECK(field(content, "Received-SPF") == "fail");
    CHECK(field(content, "Return-Path") == "<eve@example.org>");
    CHECK(field(content, "X-Spam-Flag") == "YES");
    CHECK(content.find("pass") == std::string::npos);
    const std::string unheard = with_crlf(world.open(outside, fields + std::string(kPayload)).content);
    CHECK(field(unheard, "Authentication-Results").empty());
    CHECK(field(unheard, "Subject") == "smime-signed-enc-hp-baseline");
}

// RFC 9788 sections 4.4.2 and 4.4.3, and the attack of section 10.1.
TEST_CASE("without a signature a From inside that differs is not trusted, and is not taken for the sender") {
    const ProtectionBench world;
    const auto open = [&](std::string_view outside, std::string_view payload) {
        return world.open(std::string(outside) + world.bench.openssl({"cms", "-encrypt", "-aes-256-gcm", "-recip",
                                                                      world.bench.certificate_file(world.bob)},
                                                                     payload));
    };
    const ReadMail honest = open(kOutside, kPayload);
    CHECK(honest.report.result == Result::decrypted);
    CHECK(honest.report.warnings.empty());
    CHECK(honest.report.from == Names{"alice@example.gov"});
    const std::string eve = "<eve@example.org>", alice = "<alice@example.gov>";
    const std::string payload = with(kPayload, "HP-Outer: From: Alice " + alice, "HP-Outer: From: Alice " + eve);
    const ReadMail spoof = open(with(kOutside, alice, eve), payload);
    CHECK(spoof.report.result == Result::untrusted);
    CHECK_THAT(spoof.report.reason, Catch::Contains("eve@example.org") && Catch::Contains("alice@example.gov"));
    CHECK(spoof.report.from == Names{"eve@example.org"});
    CHECK(field(with_crlf(spoof.content), "From") == "Alice <eve@example.org>");
    CHECK(spoof.content.find("alice@example.gov") == std::string::npos);
    const Names names = spoof.report.layers.back().protected_headers.value();
    CHECK(std::find(names.begin(), names.end(), "from") == names.end());
    CHECK(field(with_crlf(spoof.content), "Subject") == "smime-signed-enc-hp-baseline");
}

TEST_CASE("a sender named between the layers of a mail counts where fields inside are protected") {
    const ProtectionBench world;
    const std::string text = "\r\n\r\nThe text.\r\n", subject = "Subject: smime-signed-enc-hp-baseline\r\n";
    const std::string no_sender = subject + "Content-Type: text/plain; hp=\"cipher\"" + text;
    const std::string wrapped = "Content-Type: message/rfc822\r\n\r\nFrom: alice@example.gov\r\n" + subject + text;
    for (const std::string& payload : {std::string(kPayload), no_sender, wrapped}) {
        const std::string inside = world.by_openssl("", payload, false);
        const auto open = [&](const std::string& between, std::string_view outside = kOutside) {
            return world.open(world.encrypted_by_openssl(outside, between + inside)).report;
        };
        CAPTURE(payload);
        CHECK(open("").result == Result::valid);
        CHECK(open("From: Alice <ALICE@example.gov>\r\n").result == Result::valid);
        CHECK(open("Sender: alice@example.gov\r\n").result == Result::valid);
        const Report other = open("From: ceo@bank.example\r\n");
        CHECK(other.result == Result::untrusted);
        CHECK_THAT(other.reason, Catch::Contains("ceo@bank.example"));
        CHECK(other.from == Names{"alice@example.gov"});
        CHECK(open("From: ceo@bank.example\r\n", "MIME-Version: 1.0\r\n").result == Result::untrusted);
        CHECK(open("From: Alice <alice@example.gov>, ceo@bank.example\r\n").result == Result::untrusted);
        if (payload != no_sender) CHECK(open("Sender: ceo@bank.example\r\n").result == Result::untrusted);
        const Report subject_between = open("Subject: Wire it\r\n");
        CHECK(subject_between.subject == "smime-signed-enc-hp-baseline");
        CHECK_THAT(kinds(subject_between), Catch::VectorContains(std::string("header-inside")));
    }
}

// RFC 9788 section 4.10.1.
TEST_CASE("a mail inside that protects fields of its own does not protect those of the mail around it") {
    const ProtectionBench world;
    const std::string outside = "From: Alice <alice@example.gov>\r\nSubject: Outside\r\n";
    const auto read = [&](const std::string& type, const std::string& inner_type) {
        return world.open(outside,
                          "Content-Type: message/rfc822" + type +
                              "\r\n\r\nFrom: Carol <carol@example.gov>\r\nSubject: Inside\r\nContent-Type: text/plain" +
                              inner_type + "\r\n\r\nx\r\n",
                          false);
    };
    for (const auto& [type, inner_type] : {std::pair("", "; hp=\"clear\""), std::pair("; hp=\"other\"", "")}) {
        const ReadMail forwarded = read(type, inner_type);
        CHECK(forwarded.report.result == Result::valid);
        CHECK(forwarded.report.subject == "Outside");
        CHECK(forwarded.report.from == Names{"alice@example.gov"});
        CHECK(forwarded.report.layers.back().protected_headers == Names{});
    }
    CHECK(read("", "").report.result == Result::untrusted);
}

TEST_CASE("a mail inside that is signed itself does not speak for the mail around it") {
    const ProtectionBench world;
    const SoftwareKey carol = world.bench.issue({.name = "Carol", .alternative_name = "email:carol@example.gov"});
    const std::string outside = "From: Alice <alice@example.gov>\r\nSubject: Outside\r\n";
    const std::string text = "From: carol@example.gov\r\nSubject: Inside\r\n" + std::string(kText);
    for (const bool opaque : {false, true}) {
        CAPTURE(opaque);
        const std::string inside = world.bench.sign({carol}, text, {.opaque = opaque});
        const Report report = world.open(outside, "Content-Type: message/rfc822\r\n\r\n" + inside, false).report;
        CHECK(report.result == Result::valid);
        CHECK(report.subject == "Outside");
        CHECK(report.from == Names{"alice@example.gov"});
        REQUIRE(report.layers.size() == 2);
        CHECK_FALSE(report.layers[1].covers_whole);
    }
}

TEST_CASE("a mail that is wrapped to protect its header is not valid with another Subject beside") {
    const ProtectionBench world;
    const auto read = [&](const std::string& more) {
        return world
            .open("From: alice@example.gov\r\n",
                  "Content-Type: message/rfc822\r\n\r\nFrom: alice@example.gov\r\nSubject: Pay 10\r\n" + more +
                      "Content-Type: text/plain\r\n\r\nx\r\n",
                  false)
            .report;
    };
    CHECK(read("").result == Result::valid);
    const Report doubted = read("Subject: Pay 1000\r\n");
    CHECK(doubted.result == Result::untrusted);
    CHECK_THAT(doubted.reason, Catch::Contains("the header has 2 Subject fields"));
}

// HeaderFieldProtection of RFC 9788 section 4.3.1.
TEST_CASE("what stood outside is not confidential, nor is what the sender did not encrypt") {
    const ProtectionBench world;
    const auto confidential = [&](std::string_view outside, std::string_view payload, bool encrypted = true) {
        return world.open(outside, payload, encrypted).report.confidential_headers;
    };
    CHECK(confidential(kOutside, with(kPayload, "HP-Outer: Subject: [...]\r\n", "Keywords: urgent\r\n")) ==
          Names{"subject", "keywords"});
    CHECK(confidential(kOutside, with(kPayload, "HP-Outer: To: Bob <bob@example.gov>\r\n", "")) ==
          Names{"subject", "to"});
    CHECK(confidential(kOutside, with(kPayload, "[...]", "smime-signed-enc-hp-baseline")).empty());
    CHECK(confidential(kOutside, with(kPayload, "\"cipher\"", "\"clear\"")).empty());
    CHECK(confidential(with(kOutside, "[...]", "smime-signed-enc-hp-baseline"),
                       with(kPayload, "\"cipher\"", "\"clear\""), false)
              .empty());
    CHECK(confidential(kOutside, kPayload, false).empty());
    // Of the forerunners, what stands outside now tells.
    const std::string v1 = with(kPayload, "hp=\"cipher\"", "protected-headers=\"v1\"");
    CHECK(confidential(kOutside, v1) == Names{"subject"});
    CHECK(confidential("From: Alice <alice@example.gov>\r\n", v1) ==
          Names{"subject", "message-id", "to", "date", "user-agent"});
}

TEST_CASE("a warning of a header field quotes no more of it than a person reads") {
    const ProtectionBench world;
    std::string umlauts;
    for (int i = 0; i < 10'000; ++i)
        umlauts += "\xc3\xbc";
    std::string senders;
    for (int i = 0; i < 50; ++i)
        senders += fmt::format("sender-{}@example.gov, ", i);
    const std::string payload = with(with(kPayload, "Subject: [...]", "Subject: " + std::string(5'000, 's')),
                                     "HP-Outer: To: Bob <bob@example.gov>\r\n", "");
    const std::string outside = with(with(with(kOutside, "Subject: [...]", "Subject: a" + umlauts), "To: Bob <bob@",
                                          "To: " + std::string(5'000, 't') + " <bob@"),
                                     "From: Alice", "From: " + senders + "Alice");
    const ReadMail read = world.open(outside, payload);
    CHECK(kinds(read.report) == Names{"header-differs", "header-added", "header-differs"});
    for (const Warning& warning : read.report.warnings) {
        CAPTURE(warning.message);
        CHECK(warning.message.size() < 600);
        CHECK_THAT(warning.message, Catch::Contains("...") || Catch::EndsWith(" and 42 more"));
    }
    // 199 bytes: half a character is never shown.
    CHECK_THAT(read.report.warnings.at(2).message, Catch::Contains("'a" + umlauts.substr(0, 198) + "...'"));
    CHECK(read.report.result == Result::untrusted);
    CHECK(read.report.reason.size() < 600);
    CHECK_THAT(read.report.reason, Catch::Contains("sender-0@example.gov") && Catch::Contains(" and 42 more, but"));
}

TEST_CASE("an outer From that is not the protected one is a mismatch, whoever signed") {
    const ProtectionBench world;
    for (const bool encrypted : {true, false}) {
        CAPTURE(encrypted);
        const std::string payload = encrypted ? std::string(kPayload) : with(kPayload, "\"cipher\"", "\"clear\"");
        const std::string outside =
            encrypted ? std::string(kOutside) : with(kOutside, "[...]", "smime-signed-enc-hp-baseline");
        CHECK(world.open(outside, payload, encrypted).report.result == Result::valid);
        const ReadMail other =
            world.open(with(outside, "<alice@example.gov>", "<president@example.gov>"), payload, encrypted);
        CHECK(other.report.result == Result::untrusted);
        CHECK(other.report.exit_status() == 3);
        CHECK(other.report.layers.back().signers.at(0).sender == SenderState::mismatch);
        CHECK(other.report.reason.find("president@example.gov") != std::string::npos);
        CHECK(
            world.open(with(outside, "<alice@example.gov>", "<ALICE@Example.Gov>"), payload, encrypted).report.result ==
            Result::valid);
        // Mail programs show the outer field, whatever it holds.
        std::string crowd;
        for (int i = 0; i < 101; ++i)
            crowd += "p" + std::to_string(i) + "@example.gov,\r\n ";
        for (const std::string& shown :
             {std::string("president@example.gov <alice@example.gov>"), std::string("President"),
              std::string("<president@@example.gov>"), crowd + "alice@example.gov"}) {
            CAPTURE(shown);
            const ReadMail spoofed = world.open(with(outside, "Alice <alice@example.gov>", shown), payload, encrypted);
            CHECK(spoofed.report.result == Result::untrusted);
        }
        // An author who is left out is missing.
        const ReadMail fewer = world.open(outside,
                                          with(payload, "\r\nFrom: Alice <alice@example.gov>",
                                               "\r\nFrom: Alice <alice@example.gov>, Bob <bob@example.gov>"),
                                          encrypted);
        CHECK(fewer.report.result == Result::untrusted);
        CHECK_THAT(fewer.report.reason, Catch::StartsWith("the mail shows the sender alice@example.gov, but what is "
                                                          "protected is from the sender alice@example.gov, bob@"));
        // The certificate must be for the protected one.
        const ReadMail inside = world.open(
            with(outside, "<alice@example.gov>", "<eve@example.gov>"),
            with(payload, "\r\nFrom: Alice <alice@example.gov>", "\r\nFrom: Eve <eve@example.gov>"), encrypted);
        CHECK(inside.report.result == Result::untrusted);
    }
}

TEST_CASE("an address of another in the name of an outer Sender field is not let pass") {
    const ProtectionBench world;
    const auto open = [&](const std::string& sender) {
        return world.open("Sender: " + sender + "\r\n" + std::string(kOutside), kPayload).report;
    };
    CHECK(open("Alice <alice@example.gov>").result == Result::valid);
    const Report list = open("\"list@lists.example\" <list@lists.example>");
    CHECK(list.result == Result::valid);
    CHECK(kinds(list) == Names{"header-added"});
    const Report spoof = open("\"ceo@bank.example\" <list@lists.example>");
    CHECK(spoof.result == Result::untrusted);
    CHECK_THAT(spoof.reason, Catch::Contains("the Sender field shows ceo@bank.example"));
    CHECK(open("\"ceo@bank.example\" <alice@example.gov>").result == Result::untrusted);
}

TEST_CASE("other differences outside are warnings, and what was added there is left out") {
    const ProtectionBench world;
    const ReadMail subject = world.open(with(kOutside, "[...]", "Urgent"), kPayload);
    CHECK(subject.report.result == Result::valid);
    CHECK(kinds(subject.report) == Names{"header-differs"});
    CHECK(subject.report.subject == "smime-signed-enc-hp-baseline");
    // Who says what was left outside has hidden nothing otherwise.
    CHECK(kinds(world.open(with(kOutside, "[...]", "..."), kPayload).report) == Names{"header-differs"});
    for (const char* name : {"\r\nFrom:", "\r\nMessage-ID:", "\r\nDate:", "\r\nSubject:", "\r\nUser-Agent:"}) {
        CAPTURE(name);
        const std::string content = "\r\n" + with_crlf(subject.content);
        CHECK(content.find(name) != std::string::npos);
        CHECK(content.find(name) == content.rfind(name));
    }
    const ReadMail added =
        world.open("Cc: eve@example.org\r\nReceived: by relay\r\n" + std::string(kOutside), kPayload);
    CHECK(kinds(added.report) == Names{"header-added"});
    CHECK(field(with_crlf(added.content), "Cc").empty());
    CHECK(field(with_crlf(added.content), "Received") == "by relay");
    // Mail that was made to be encrypted and comes without encryption.
    CHECK(kinds(world.open(with(kOutside, "[...]", "smime-signed-enc-hp-baseline"), kPayload, false).report) ==
          Names{"encryption-missing"});
}

TEST_CASE("the forerunners of protected headers are understood") {
    const ProtectionBench world;
    const std::string plain = with(kPayload.substr(0, kPayload.find("HP-Outer")),
                                   "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n", "");
    const std::string text = "Content-Type: text/plain; charset=\"utf-8\"";
    const std::string body = "\r\n\r\nThe text.\r\n";
    const std::string v1 = plain + text + "; protected-headers=\"v1\"" + body;
    const std::string wrapped = "Content-Type: message/rfc822; forwarded=no\r\n\r\n" + plain + text + body;
    const std::string unmarked_wrapped = "Content-Type: message/rfc822\r\n\r\n" + plain + text + body;
    for (const std::string& payload : {v1, wrapped, unmarked_wrapped}) {
        CAPTURE(payload);
        const ReadMail read = world.open(kOutside, payload);
        CHECK(read.report.result == Result::valid);
        CHECK(read.report.subject == "smime-signed-enc-hp-baseline");
        CHECK(kinds(read.report).empty());
        CHECK(with_crlf(entity_of(read.content)) == text + body);
        CHECK(read.report.layers.back().protected_headers ==
              Names{"subject", "message-id", "from", "to", "date", "user-agent"});
        CHECK(world.open(with(kOutside, "<alice@", "<president@"), payload).report.result == Result::untrusted);
    }
    // A mail that is passed on is what its sender writes about, not the sender's header.
    for (const std::string header : {"Content-Type: message/rfc822; forwarded=yes\r\n",
                                     "Content-Type: message/rfc822\r\nContent-Disposition: Attachment\r\n"}) {
        const std::string forwarded =
            header + "\r\n" + with(plain, "<alice@example.gov>", "<eve@example.org>") + text + body;
        const ReadMail read = world.open(kOutside, forwarded);
        CHECK(read.report.result == Result::valid);
        CHECK(read.report.subject == "[...]");
        CHECK(read.report.layers.back().protected_headers == Names{});
    }
}

TEST_CASE("the same addresses and moment in another notation outside are no difference") {
    const ProtectionBench world;
    const auto opened = [&](const std::string& name, const std::string& inside, const std::string& outside) {
        const auto header = [&](const std::string& value) {
            const std::string from = name == "From" ? value : "Alice <alice@example.gov>";
            return "From: " + from + "\r\n" + (name == "From" ? "" : name + ": " + value + "\r\n");
        };
        return world
            .open(header(outside), header(inside) + "Content-Type: text/plain; hp=clear\r\n\r\nHello\r\n", false)
            .report;
    };
    struct Pair {
        const char *name, *inside, *outside;
    };
    for (const auto& [name, inside, outside] :
         {Pair{"To", "\"Bob Example\" <bob@x.gov>", "Bob Example <bob@x.gov>"},
          Pair{"To", "a@x.gov,b@x.gov", "a@x.gov,\r\n b@x.gov"}, Pair{"Cc", "bob@x.gov", "<bob@x.gov>"},
          Pair{"Reply-To", "Bob <bob@x.gov>", "Bob <bob@X.GOV>"}, Pair{"To", "b@x.gov (Bob)", "Bob <b@x.gov>"},
          Pair{"To", "=?utf-8?Q?M=C3=BCller=2C_Bob?= <b@x.gov>, a@x.gov",
               "\"=?iso-8859-1?Q?M=FCller=2C_Bob?=\" <b@x.gov>, a@x.gov"},
          Pair{"From", "\"Alice\" <alice@example.gov>", "Alice <alice@Example.gov>"},
          Pair{"Date", "Mon, 30 Nov 2026 05:00:00 +0100", "Mon, 30 Nov 2026 04:00:00 +0000"},
          Pair{"Date", "Mon, 30 Nov 2026 04:00:00 GMT", "30 Nov 2026 04:00:00 +0000 (UTC)"}}) {
        CAPTURE(inside, outside);
        const Report report = opened(name, inside, outside);
        CHECK(report.result == Result::valid);
        CHECK(kinds(report).empty());
    }
    for (const auto& [name, inside, outside] :
         {Pair{"To", "Bob <bob@x.gov>", "Rob <bob@x.gov>"}, Pair{"To", "Bob <bob@x.gov>", "bob@x.gov"},
          Pair{"To", "a@x.gov, b@x.gov", "b@x.gov, a@x.gov"}, Pair{"To", "a@x.gov, b@x.gov", "a@x.gov"},
          Pair{"To", "Bob <b@x.gov>, a@x.gov", "b@x.gov, Bob <a@x.gov>"}, Pair{"To", "Bob <b@x.gov>", "Bob <b@x.org>"},
          Pair{"To", "a@x.gov (Al), b@x.gov", "a@x.gov, b@x.gov (Al)"},
          Pair{"To", "Team: a@x.gov, b@x.gov;", "Team: a@x.gov;, b@x.gov"}, Pair{"To", "b@x.gov", "b@x.gov, Eve"},
          Pair{"To", "b@x.gov", "Board: b@x.gov;"},
          Pair{"From", "Alice <alice@example.gov>", "Boss <alice@example.gov>"},
          Pair{"Subject", "\"Bob\" <b@x.gov>", "Bob <b@x.gov>"}, Pair{"Date", "tomorrow", "never"},
          Pair{"Date", "Mon, 30 Nov 2026 05:00:00 +0100", "Mon, 30 Nov 2026 05:00:00 +0000"}}) {
        CAPTURE(inside, outside);
        const Report report = opened(name, inside, outside);
        CHECK(report.result == Result::valid);
        CHECK(kinds(report) == Names{"header-differs"});
    }
    const Report mismatch = opened("From", "Alice <alice@example.gov>", "Alice <eve@example.gov>");
    CHECK(mismatch.result == Result::untrusted);
    CHECK(mismatch.layers.at(0).signers.at(0).sender == SenderState::mismatch);
}

TEST_CASE("what stands outside in another notation is not confidential") {
    const ProtectionBench world;
    const std::string payload =
        "From: Alice <alice@example.gov>\r\nTo: \"Bob\" <bob@example.gov>\r\nSubject: Budget\r\n"
        "Content-Type: text/plain; protected-headers=v1\r\n\r\nHello\r\n";
    const std::string outside = "From: alice@example.gov\r\nTo: Bob <bob@example.gov>\r\nSubject: ...\r\n";
    CHECK(world.open(outside, payload).report.confidential_headers == Names{"from", "subject"});
}

// Mutt and NeoMutt protect the Subject alone.
TEST_CASE("fields that a forerunner of protected headers has not inside are those of an unprotected mail") {
    const ProtectionBench world;
    const std::string outside =
        "From: Alice <alice@example.gov>\r\nTo: bob@example.gov\r\nCc: carol@example.gov\r\n"
        "Reply-To: alice@example.gov\r\nIn-Reply-To: <1@example.gov>\r\nDate: Mon, 30 Nov 2026 04:00:00 +0000\r\n"
        "Subject: ...\r\n";
    const std::string text = "Content-Type: text/plain", body = "\r\n\r\nThe text.\r\n";
    for (const std::string& payload :
         {text + "; protected-headers=\"v1\"\r\nSubject: Budget" + body,
          "Content-Type: message/rfc822; forwarded=no\r\n\r\nSubject: Budget\r\n" + text + body})
        for (const bool encrypted : {true, false}) {
            CAPTURE(payload, encrypted);
            const std::string shown = encrypted ? outside : with(outside, "...", "Budget");
            const ReadMail read = world.open(shown, payload, encrypted);
            CHECK(read.report.result == Result::valid);
            CHECK(kinds(read.report).empty());
            CHECK(read.report.layers.back().protected_headers == Names{"subject"});
            for (const char* name : {"From", "To", "Cc", "Reply-To", "In-Reply-To", "Date"})
                CHECK(field(with_crlf(read.content), name) == field(outside, name));
            CHECK(field(with_crlf(read.content), "Subject") == "Budget");

            const auto opened = [&](std::string_view from, std::string_view to) {
                return world.open(with(shown, from, to), payload, encrypted).report;
            };
            const Report mismatch = opened("<alice@", "<president@");
            CHECK(mismatch.result == Result::untrusted);
            CHECK_THAT(mismatch.reason, Catch::Contains("president@example.gov"));
            for (const char* added : {"Sender: eve@example.org\r\nFrom:", "Reply-To: eve@example.org\r\nFrom:"}) {
                const Report unprotected = world.open(with(shown, "From:", added), text + body, encrypted).report;
                CHECK(opened("From:", added).result == unprotected.result);
                CHECK(opened("From:", added).reason == unprotected.reason);
            }
            CHECK(kinds(opened(encrypted ? "..." : "Budget", "Pay 10")) == Names{"header-differs"});
            CHECK(kinds(opened("To:", "Bcc: eve@example.org\r\nTo:")) == Names{"header-added"});
            const Report marked =
                world.open(shown, with(payload, "Subject: Budget", "Subject: Budget\r\nTo: bob@example.gov"), encrypted)
                    .report;
            CHECK(kinds(marked).empty());
        }
    // Programs that put From inside leave nothing outside alone; nor does one leave the Subject there.
    const std::string from_inside = "From: Alice <alice@example.gov>\r\n";
    for (const std::string& payload :
         {text + "; protected-headers=\"v1\"\r\n" + from_inside + "Subject: Budget" + body,
          "Content-Type: message/rfc822; forwarded=no\r\n\r\n" + from_inside + "Subject: Budget\r\n" + text + body}) {
        const ReadMail read = world.open(with(outside, "...", "Budget"), payload, false);
        CHECK(kinds(read.report) == Names{"header-added", "header-added", "header-added", "header-added"});
        CHECK(field(with_crlf(read.content), "Cc").empty());
    }
    const ReadMail added =
        world.open(outside, text + "; protected-headers=\"v1\"\r\nTo: bob@example.gov" + body, false);
    CHECK(kinds(added.report) == Names{"header-added"});
    CHECK(field(with_crlf(added.content), "Subject") == "...");
    CHECK(
        kinds(world.open(outside, text + "; hp=clear\r\nFrom: Alice <alice@example.gov>\r\nSubject: ..." + body, false)
                  .report) == Names{"header-added", "header-added", "header-added", "header-added"});
}

TEST_CASE("what the forerunners of protected headers hide is no difference, what they do not hide is") {
    const ProtectionBench world;
    const std::string plain = with(kPayload.substr(0, kPayload.find("HP-Outer")),
                                   "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n", "");
    const std::string text = "Content-Type: text/plain", body = "\r\n\r\nThe text.\r\n";
    const std::string date = "Sat, 20 Feb 2021 10:09:02 -0500";
    for (const std::string& payload : {plain + text + "; protected-headers=\"v1\"" + body,
                                       "Content-Type: message/rfc822\r\n\r\n" + plain + text + body}) {
        CAPTURE(payload);
        const auto seen = [&](std::string_view from, std::string_view to, bool encrypted = true) {
            const Report report = world.open(with(kOutside, from, to), payload, encrypted).report;
            CHECK(report.result == Result::valid);
            return kinds(report);
        };
        for (const char* subject : {"...", "[...]", "Encrypted Message", "encrypted message",
                                    "=?utf-8?Q?p=E2=89=A1p?=", "smime-signed-enc-hp-baseline"}) {
            CAPTURE(subject);
            CHECK(seen("[...]", subject).empty());
        }
        for (const char* missing :
             {"Subject: [...]\r\n", "To: Bob <bob@example.gov>\r\n", "Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n",
              "User-Agent: Sample MUA Version 1.0\r\n"}) {
            CAPTURE(missing);
            CHECK(seen(missing, "").empty());
        }
        CHECK(seen(date, "Sat, 20 Feb 2021 15:09:02 +0000").empty());
        CHECK(seen("Bob <bob@example.gov>", "bob@example.gov").empty());
        CHECK(seen("Bob <bob@example.gov>", "undisclosed-recipients:;").empty());
        const Names differs{"header-differs"};
        CHECK(seen("Bob <bob@example.gov>", "Eve") == differs);
        CHECK(seen("[...]", "Pay 10 to Eve") == differs);
        CHECK(seen("[...]", "Re: ...") == differs);
        CHECK(seen(date, "Sat, 20 Feb 2021 15:09:03 +0000") == differs);
        CHECK(seen("Bob <bob@example.gov>", "eve@example.org") == differs);
        CHECK(seen("Bob <bob@example.gov>", "Eve <bob@example.gov>") == differs);
        CHECK(seen("<smime-signed", "<other-signed") == differs);
        CHECK(seen("[...]", "...", false) == differs);
    }
}

TEST_CASE("fields inside that are not marked as the mail's do not count") {
    const ProtectionBench world;
    const std::string outside = "From: alice@example.gov\r\nSubject: Outside\r\n";
    const std::string text = "Content-Type: text/plain\r\n\r\nThe text.\r\n";
    const ReadMail unsigned_mail =
        world.open(world.encrypted_by_openssl(outside, "From: ceo@bank.example\r\nSubject: Inside\r\n" + text));
    CHECK(unsigned_mail.report.result == Result::decrypted);
    CHECK(unsigned_mail.report.from == Names{"alice@example.gov"});
    CHECK_THAT(unsigned_mail.content, Catch::StartsWith(outside) && !Catch::Contains("bank.example"));
    CHECK(kinds(unsigned_mail.report) == Names{"header-inside"});

    const ReadMail signed_mail = world.open(outside, "Subject: Inside\r\n" + text, false);
    CHECK(signed_mail.report.result == Result::valid);
    CHECK(signed_mail.report.subject == "Outside");
    CHECK_THAT(signed_mail.content, Catch::StartsWith(outside) && !Catch::Contains("Inside"));
    CHECK_THAT(signed_mail.content, Catch::EndsWith(text));
    CHECK(kinds(signed_mail.report) == Names{"header-inside"});
    CHECK(kinds(world.open(outside, "Subject: Outside\r\n" + text, false).report).empty());
    CHECK(world.open("MIME-Version: 1.0\r\n", "Subject: Inside\r\n" + text, false).content ==
          "Subject: Inside\r\n" + text);
}

TEST_CASE("an outer From that is not the protected one is a mismatch in a mail without signature too") {
    const ProtectionBench world;
    const auto read = [&](const std::string& outside, ReadOptions options = {}) {
        SoftwareKeys keys({world.bob});
        return read_mail(world.encrypted_by_openssl(outside, kPayload), &keys, nullptr, options);
    };
    const std::string forged = with(kOutside, "<alice@example.gov>", "<president@example.gov>");
    CHECK(read(std::string(kOutside)).report.result == Result::decrypted);
    const ReadMail other = read(forged);
    CHECK(other.report.exit_status() == 3);
    CHECK_THAT(other.report.reason, Catch::Contains("president@example.gov"));
    ReadOptions warn;
    warn.sender_check = SenderCheck::warn;
    const ReadMail warned = read(forged, warn);
    CHECK(warned.report.result == Result::decrypted);
    CHECK(std::any_of(warned.report.warnings.begin(), warned.report.warnings.end(),
                      [](const Warning& warning) { return warning.kind == "sender"; }));
}

TEST_CASE("marks of protection outside signature and encryption mean nothing") {
    const ProtectionBench world;
    const ReadMail read = world.open(std::string(kPayload));
    CHECK(read.report.result == Result::unsigned_);
    CHECK(read.content == kPayload);
}

// RFC 5322 section 3.6.3: whoever sends a mail on sends it to the addresses there.
TEST_CASE("blind copies named inside are not those of the opened mail") {
    const ProtectionBench world;
    const std::string wrapped = "Content-Type: message/rfc822\r\n\r\n" +
                                with(kPayload.substr(0, kPayload.find("HP-Outer")),
                                     "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n", "") +
                                "\r\nThe text.\r\n";
    for (const std::string& payload : {std::string(kPayload), wrapped})
        for (const char* name : {"Bcc", "Resent-Bcc"}) {
            CAPTURE(payload, name);
            const ReadMail plain = world.open(kOutside, payload);
            CHECK(plain.report.result == Result::valid);
            CHECK(kinds(plain.report).empty());
            const ReadMail read =
                world.open(kOutside, with(payload, "Subject: ", std::string(name) + ": eve@example.org\r\nSubject: "));
            CHECK(read.report.result == Result::valid);
            CHECK(kinds(read.report) == Names{"header-inside"});
            CHECK(read.content.find("eve@example.org") == std::string::npos);
            CHECK(read.report.subject == plain.report.subject);
            const Names names = read.report.layers.back().protected_headers.value();
            CHECK(names == plain.report.layers.back().protected_headers.value());
        }
}

TEST_CASE("blind copies named inside are told once where they stand outside too, and not where they name nobody") {
    const ProtectionBench world;
    const auto read = [&](const std::string& outside, const std::string& inside) {
        return world
            .open(outside + std::string(kOutside), with(std::string(kPayload), "Subject: ", inside + "Subject: "))
            .report;
    };
    const std::string eve = "Bcc: eve@example.org\r\n";
    CHECK(kinds(read("", "Bcc:\r\n")).empty());
    CHECK(kinds(read("", "Bcc: \r\n \r\n")).empty());
    CHECK(kinds(read("", "Bcc: undisclosed-recipients:;\r\n")).empty());
    CHECK(kinds(read("", "Bcc: ;\r\n")).empty());
    CHECK(kinds(read("", "Bcc: team: eve@example.org;\r\n")) == Names{"header-inside"});
    CHECK(kinds(read("", "Bcc: eve at work\r\n")) == Names{"header-inside"});
    CHECK_THAT(read("", eve).warnings.at(0).message, Catch::Contains("was left out"));
    CHECK(kinds(read(eve, eve)) == Names{"header-inside"});
    CHECK_THAT(read(eve, eve).warnings.at(0).message, Catch::Contains("was kept there"));
    CHECK_THAT(read(eve, eve + "Resent-Bcc: ann@example.org\r\n").warnings.at(0).message,
               Catch::Contains("was left out"));
    CHECK(kinds(read("Bcc: ann@example.org\r\n", eve)) == Names{"header-added", "header-inside"});
    CHECK(kinds(read(eve, "")) == Names{"header-added"});
}
