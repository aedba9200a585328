// Whom a mail says that it is from, against the signers' certificates.

#include "softhsm-tests/cms_sender.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("the sender must be in the signer's certificate") {
    const SenderBench world;
    struct Case {
        const char* names;
        const char* headers;
        SenderState state;
    };
    const Case cases[]{
        {"email:alice@example.gov", "From: alice@example.gov\r\n", SenderState::match},
        {"email:alice@example.gov", "From: Alice <alice@example.gov>\r\n", SenderState::match},
        {"email:Alice@Example.GOV", "From: aLICE@eXAMPLE.gov\r\n", SenderState::match},
        {"email:carol@example.gov,email:alice@example.gov", "From: alice@example.gov\r\n", SenderState::match},
        {"email:alice@example.gov,email:bob@example.gov", "From: alice@example.gov, bob@example.gov\r\n",
         SenderState::match},
        {"email:alice@example.gov", "From: alice@example.org\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: alice@example.gov.example.org\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: \"alice@example.gov\" <eve@example.org>\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: alice@example.gov, eve@example.org\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: alice@example.gov\r\nFrom: eve@example.org\r\n", SenderState::mismatch},
        {"", "From: alice@example.gov\r\n", SenderState::absent},
        {"DNS:example.gov", "From: alice@example.gov\r\n", SenderState::absent},
    };
    for (const Case& each : cases) {
        CAPTURE(each.names, each.headers);
        const ReadMail read = world.read(world.with_names(each.names), each.headers);
        CHECK(read.signer().sender == each.state);
        CHECK(read.report.result == (each.state == SenderState::match ? Result::valid : Result::untrusted));
    }
}

TEST_CASE("an address in a certificate is not read like a From field") {
    const SenderBench world;
    CertificateSpec limited = authority_spec("Limited");
    limited.more_extensions = "nameConstraints=critical,permitted;email:evil.example";
    const SoftwareKey authority = certify(limited, &world.bench.root);
    const auto result_of = [&](const std::string& from, const std::string& address, bool international) {
        CertificateSpec spec;
        spec.alternative_name = international ? "" : rfc822_name(address);
        if (international) spec.more_extensions = smtp_utf8_mailbox(address);
        const std::string mail = world.bench.sign({certify(spec, &authority)}, from + std::string(kText));
        return world.bench.verify(mail, trust_in({world.bench.root.certificate}, {authority.certificate}))
            .report.result;
    };
    for (const bool international : {false, true}) {
        for (const char* address : {"\"x\"<alice@example.gov>@evil.example", "\"x\"<alice@example.gov>(c@evil.example",
                                    "alice@example.gov(\"@evil.example", "\"alice\"@example.gov;@evil.example",
                                    "g:\"alice\"@example.gov;@evil.example", "\"alice\"@example.gov(@evil.example"}) {
            CAPTURE(address, international);
            CHECK(result_of("From: alice@example.gov\r\n", address, international) == Result::untrusted);
        }
        // Honest ones; the quotes say nothing.
        for (const char* address : {"eve@evil.example", "\"eve\"@evil.example", "\"e\\ve\"@evil.example"})
            CHECK(result_of("From: eve@evil.example\r\n", address, international) == Result::valid);
    }
}

TEST_CASE("the sender check can warn or be off") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const std::string from_eve = "From: eve@example.org\r\n";
    const ReadMail warned = world.read(alice, from_eve, SenderCheck::warn);
    CHECK(warned.report.result == Result::valid);
    CHECK(warned.signer().sender == SenderState::mismatch);
    REQUIRE(warned.report.warnings.size() == 1);
    CHECK(warned.report.warnings[0].kind == "sender");
    const ReadMail off = world.read(alice, from_eve, SenderCheck::off);
    CHECK(off.report.result == Result::valid);
    CHECK(off.signer().sender == SenderState::not_checked);
    CHECK(off.report.warnings.empty());
}

TEST_CASE("who is told that the sender does not match is told to ask the sender before anything else") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    for (const char* headers : {"From: eve@example.org\r\n", "From: \r\n", "From: alice@example.gov, Alice\r\n"}) {
        CAPTURE(headers);
        const Report report = world.read(alice, headers).report;
        CHECK(report.result == Result::untrusted);
        CHECK(report.hint.find("ask the sender in another way") == 0);
        CHECK(report.hint.find("--sender-check warn") != std::string::npos);
    }
}

TEST_CASE("a mail without a From field needs no sender unless that is required") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    for (const char* headers : {"", "Subject: no sender\r\n"}) {
        CHECK(world.read(alice, headers).report.result == Result::valid);
        CHECK(world.read(alice, headers).signer().sender == SenderState::not_checked);
        const ReadMail required = world.read(alice, headers, SenderCheck::require);
        CHECK(required.report.result == Result::untrusted);
        CHECK(required.signer().sender == SenderState::absent);
        CHECK(required.report.reason == "the mail names no sender");
    }
}

TEST_CASE("a mail that names its sender in the Sender field alone is from nobody that can be checked") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    for (const char* sender : {"Sender: bob@example.org\r\n", "Sender: alice@example.gov\r\n"}) {
        const ReadMail read = world.read(alice, sender);
        CHECK(read.report.result == Result::untrusted);
        CHECK(read.report.reason == "the mail names no sender");
    }
}

TEST_CASE("a From field without an address that can be read is not let off the check") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const auto [from, reason] = GENERATE(table<const char*, const char*>(
        {{"From: \r\n", "the mail names no sender"},
         {"From: Alice\r\n", "the From field has an entry that is no address: 'Alice'"},
         {"From: \"Alice\" alice@example.gov\r\n", "the From field has an entry that is no address"},
         {"From: undisclosed:;\r\n", "the mail names no sender"}}));
    CAPTURE(from);
    const Report report = world.read(alice, from).report;
    CHECK(report.result == Result::untrusted);
    CHECK_THAT(report.reason, Catch::StartsWith(reason));
}

TEST_CASE("one of several signers may be the sender") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov"),
                      carol = world.with_names("email:carol@example.gov");
    const auto read = [&](const std::string& from) {
        return world.bench.verify(world.bench.sign({alice, carol}, from + std::string(kText)));
    };
    const ReadMail good = read("From: carol@example.gov\r\n");
    CHECK(good.report.result == Result::valid);
    int matches = 0;
    for (const SignerVerdict& each : good.report.layers.at(0).signers)
        matches += each.sender == SenderState::match;
    CHECK(matches == 1);
    CHECK(read("From: bob@example.gov\r\n").report.result == Result::untrusted);
}

TEST_CASE("several senders who each signed are the senders together, and a missing one is named") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const SoftwareKey bob = world.with_names("email:bob@example.gov");
    const auto read = [&](const std::string& from, const std::vector<SoftwareKey>& signers) {
        return world.bench.verify(world.bench.sign(signers, "From: " + from + "\r\n" + std::string(kText)));
    };
    const ReadMail both = read("alice@example.gov, bob@example.gov", {alice, bob});
    INFO(both.report.reason);
    CHECK(both.report.result == Result::valid);
    for (const SignerVerdict& signer : both.report.layers.at(0).signers)
        CHECK(signer.sender == SenderState::match);

    const ReadMail one = read("alice@example.gov, bob@example.gov", {alice});
    CHECK(one.report.result == Result::untrusted);
    CHECK(one.report.reason ==
          "no signer's certificate is for the sender bob@example.gov: that of CN=Alice,O=Example is for "
          "alice@example.gov");
    CHECK(one.signer().sender == SenderState::mismatch);

    const ReadMail three = read("alice@example.gov, bob@example.gov, eve@example.org", {alice, bob});
    CHECK(three.report.result == Result::untrusted);
    CHECK_THAT(three.report.reason,
               Catch::StartsWith("no signer's certificate is for the sender eve@example.org: that of ") &&
                   Catch::Contains(", and that of ") && Catch::Contains(" is for bob@example.gov"));
    // Who signed besides and is no sender stays one who does not match.
    const ReadMail beside = read("alice@example.gov", {alice, bob});
    CHECK(beside.report.result == Result::valid);
    CHECK(std::ranges::count(beside.report.layers.at(0).signers, SenderState::mismatch, &SignerVerdict::sender) == 1);
}

TEST_CASE("a signed mail that names no sender is said") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const auto warned = [&](const std::string& fields, std::optional<SenderCheck> check = std::nullopt) {
        const Report report = world.read(alice, fields, check).report;
        CHECK(report.result == Result::valid);
        return has_warning(report, "no-sender");
    };
    const std::string answers = "Reply-To: alice@example.gov\r\n";
    for (const std::string& fields :
         {std::string("Subject: Hello\r\n"), std::string("Fr:om: ceo@bank.example\r\n"),
          std::string("Author: ceo@bank.example\r\n"), "Author: ceo@bank.example\r\n" + answers,
          "Resent-From: ceo@bank.example\r\n" + answers}) {
        CAPTURE(fields);
        CHECK(warned(fields));
        CHECK(!warned(fields, SenderCheck::off));
        CHECK(!warned(fields + "From: alice@example.gov\r\n"));
    }
    for (const std::string& fields : {std::string(), answers, std::string("MIME-Version: 1.0\r\n")})
        CHECK(!warned(fields));
}

TEST_CASE("domains beyond ASCII are the same as A-labels and as letters") {
    const SenderBench world;
    const SoftwareKey alice = world.with_utf8_mailbox("\xc3\xa4lice@xn--mnchen-3ya.example");
    const auto sender = [&](std::string_view from) {
        return world.read(alice, "From: " + std::string(from) + "\r\n").signer().sender;
    };
    CHECK(sender("\xc3\xa4lice@xn--mnchen-3ya.example") == SenderState::match);
    CHECK(sender("\xc3\xa4lice@m\xc3\xbcnchen.example") == SenderState::match);
    CHECK(sender("\xc3\xa4lice@M\xc3\x9cNCHEN.example") == SenderState::match);
    CHECK(sender("\xc3\xa4lice@munchen.example") == SenderState::mismatch);
    CHECK(sender("\xc3\x84lice@m\xc3\xbcnchen.example") == SenderState::mismatch);
    const SoftwareKey ascii = world.with_names("email:bob@xn--mnchen-3ya.example");
    CHECK(world.read(ascii, "From: bob@m\xc3\xbcnchen.example\r\n").signer().sender == SenderState::match);
}

TEST_CASE("other senders, and answers that go elsewhere, are said") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov,email:carol@example.gov");
    const std::string from = "From: alice@example.gov\r\n";
    const auto read = [&](const std::string& headers) { return world.read(alice, headers); };
    const ReadMail plain = read(from + "Sender: Alice <ALICE@example.gov>\r\nReply-To: alice@example.gov\r\n");
    CHECK(plain.report.result == Result::valid);
    CHECK(plain.report.warnings.empty());
    const ReadMail other = read(from + "Sender: eve@example.org\r\nReply-To: eve@example.org\r\n");
    CHECK(other.report.result == Result::valid);
    CHECK(has_warning(other.report, "sender-field"));
    CHECK(has_warning(other.report, "reply-to"));
    for (const char* entry : {"=?utf-8?q?eve=40example.org?=", "Alice", "alice@example.gov, eve", "<eve@example.org"}) {
        CAPTURE(entry);
        const std::string value = std::string(entry) + "\r\n";
        CHECK(has_warning(read(from + "Reply-To: " + value).report, "reply-to"));
        CHECK(has_warning(read(from + "Sender: " + value).report, "sender-field"));
        CHECK(read(from + "Reply-To: " + value).report.result == Result::valid);
    }
    CHECK(read(from + "Reply-To:\r\nSender: undisclosed:;\r\n").report.warnings.empty());
    CHECK(has_warning(read("From: alice@example.gov, carol@example.gov\r\n").report, "several-senders"));
    CHECK(has_warning(read("From: p\xd0\xb0ypal@example.gov\r\n").report, "mixed-scripts"));
}

TEST_CASE("an address of another in the name of a Sender field is not let pass") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const auto read = [&](const std::string& sender, std::optional<SenderCheck> check = std::nullopt) {
        return world.read(alice, "From: Alice <alice@example.gov>\r\nSender: " + sender + "\r\n", check).report;
    };
    for (const char* honest :
         {"Alice <alice@example.gov>", "\"alice@example.gov\" <alice@example.gov>", "list@lists.example",
          "\"list@lists.example\" <list@lists.example>", "\"Alice via List\" <list@lists.example>",
          "\"alice@example.gov via List\" <list@lists.example>"})
        CHECK(read(honest).result == Result::valid);
    for (const char* spoof : {"\"ceo@bank.example\" <alice@example.gov>", "\"ceo@bank.example\" <list@lists.example>",
                              "\"ceo (at) bank.example\" <list@lists.example>", "list@lists.example (ceo@bank.example)",
                              "=?utf-8?B?4oCuZWxwbWF4ZS5rbmFi?= <alice@example.gov>"}) {
        CAPTURE(spoof);
        CHECK(read(spoof).result == Result::untrusted);
        CHECK_THAT(read(spoof).reason, Catch::StartsWith("the Sender field"));
        CHECK(has_warning(read(spoof, SenderCheck::warn), "sender"));
    }
    std::string many = "\"ceo@bank.example\" <list@lists.example>";
    for (int i = 0; i < 200; ++i)
        many += ", a" + std::to_string(i) + "@lists.example";
    CHECK(read(many).result == Result::untrusted);
}

TEST_CASE("another address in the name of whoever answers go to is said") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const auto read = [&](const std::string& reply_to) {
        return world.read(alice, "From: Alice <alice@example.gov>\r\nReply-To: " + reply_to + "\r\n").report;
    };
    for (const char* honest : {"Alice <alice@example.gov>", "\"alice@example.gov\" <alice@example.gov>",
                               "\"Alice @ Work\" <ALICE@example.gov>"}) {
        CAPTURE(honest);
        CHECK(read(honest).warnings.empty());
    }
    for (const char* spoof :
         {"\"ceo@bank.example\" <alice@example.gov>", "alice@example.gov (ceo (at) bank.example)"}) {
        CAPTURE(spoof);
        CHECK(read(spoof).result == Result::valid);
        CHECK(read(spoof).warnings ==
              std::vector<Warning>{{"reply-to", "the Reply-To field shows ceo@bank.example, but no answers go there"}});
    }
    const Report elsewhere = read("\"list@lists.example\" <list@lists.example>");
    CHECK(elsewhere.warnings ==
          std::vector<Warning>{{"reply-to", "answers go to list@lists.example, not to the sender"}});
    CHECK(has_warning(read("=?utf-8?B?4oCuZWxwbWF4ZS5rbmFi?= <alice@example.gov>"), "reply-to"));
}

TEST_CASE("answers to others are said of a mail without a From field too") {
    const SenderBench world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const auto read = [&](const std::string& reply_to, std::optional<SenderCheck> check = std::nullopt) {
        return world.read(alice, "Subject: Hello\r\nReply-To: " + reply_to + "\r\n", check).report;
    };
    CHECK(read("alice@example.gov").warnings.empty());
    CHECK(read("Alice <ALICE@example.gov>").warnings.empty());
    CHECK(read("eve@example.org").result == Result::valid);
    CHECK(has_warning(read("eve@example.org"), "reply-to"));
    CHECK(has_warning(read("Alice <alice@example.gov>, eve@example.org"), "reply-to"));
    CHECK(has_warning(read("\"alice@example.gov\""), "reply-to"));
    CHECK(read("eve@example.org", SenderCheck::off).warnings.empty());
}

TEST_CASE("an address that looks like a known one is not let pass, and an honest one loads no ICU") {
    const SenderBench world;
    const auto icu_is_loaded = [] {
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);)
            if (line.find("libicui18n") != std::string::npos) return true;
        return false;
    };
    const auto read = [&](const std::string& address, const std::vector<std::string>& known) {
        return world.read_knowing(known, world.with_names("email:" + address), address);
    };
    const bool loaded_before = icu_is_loaded();
    CHECK(read("alice@example.gov", {}).result == Result::valid);
    CHECK(read("alice@example.gov", {"bob@example.gov", "alice@example.gov"}).result == Result::valid);
    CHECK(read("carol@example.gov", {"bob@example.gov", "alice@example.gov"}).result == Result::valid);
    CHECK(read("a1ice@example.gov", {"alice@example.gov"}).result == Result::untrusted);
    CHECK(icu_is_loaded() == loaded_before);
    for (const char* twin : {"a1ice@example.gov", "aIice@example.gov", "alice@examp1e.gov", "alice@exarnple.gov"}) {
        CAPTURE(twin);
        const Report report = read(twin, {"bob@example.gov", "alice@example.gov", "alice@exampie.gov"});
        CHECK(report.result == Result::untrusted);
        CHECK(report.reason.find("alice@example.gov") != std::string::npos);
        CHECK(read(twin, {twin, "alice@example.gov"}).result == Result::valid);
    }
    for (const char* known : {"\xd0\xb0lice@example.gov", "alice@xn--exmple-4nf.gov"}) {
        CAPTURE(known);
        CHECK(read("alice@example.gov", {"bob@example.gov", known, "carol@example.gov"}).result == Result::untrusted);
        CHECK(read("eve@example.org", {"bob@example.gov", known, "carol@example.gov"}).result == Result::valid);
    }
}

TEST_CASE("an address in capitals that looks like a known one in capitals is not let pass") {
    const SenderBench world;
    const auto read = [&](const std::string& address, const std::string& known) {
        return world.read_knowing({known}, world.with_names("email:" + address), address).result;
    };
    CHECK(read("INFO@ClTlBANK.EXAMPLE", "info@citibank.example") == Result::untrusted);
    CHECK(read("1NF0@CITIBANK.EXAMPLE", "info@citibank.example") == Result::untrusted);
    CHECK(read("info@ClTlBANK.example", "info@citibank.example") == Result::untrusted);
    CHECK(read("INFO@CITIBANK.EXAMPLE", "info@citibank.example") == Result::valid);
    CHECK(read("all@acme.example", "ali@acme.example") == Result::valid);
    CHECK(read("ALL@ACME.EXAMPLE", "ali@acme.example") == Result::valid);
}

TEST_CASE("a domain that looks like a known one is said, unless it is known too") {
    const SenderBench world;
    const auto warned = [&](const std::string& address, const std::vector<std::string>& known) {
        const Report report = world.read_knowing(known, world.with_names("email:" + address), address);
        CHECK(report.result == Result::valid);
        return has_warning(report, "look-alike");
    };
    CHECK(warned("OFFICE@ClTlBANK.EXAMPLE", {"info@citibank.example"}));
    CHECK(warned("office@citibank.examp1e", {"info@citibank.example"}));
    CHECK_FALSE(warned("OFFICE@CITIBANK.EXAMPLE", {"info@citibank.example"}));
    CHECK(warned("eva@modem.example", {"bob@modern.example"}));
    CHECK_FALSE(warned("eva@modem.example", {"bob@modern.example", "hans@modem.example"}));
}

TEST_CASE("an address that is a known one but for marks on its letters is said") {
    const SenderBench world;
    const auto read = [&](const std::string& address, const std::string& known) {
        return world.read_knowing({known}, world.with_utf8_mailbox(address), address);
    };
    // "a" with a dot below; M\u00fcller and Muller may be two honest people.
    for (const char* twin : {"j\u1ea1ne@example.gov", "j\u00e4ne@example.gov"}) {
        CAPTURE(twin);
        const Report report = read(twin, "jane@example.gov");
        INFO(report.reason);
        CHECK(report.result == Result::valid);
        CHECK(has_warning(report, "look-alike"));
        CHECK_FALSE(has_warning(read(twin, "june@example.gov"), "look-alike"));
    }
    CHECK_FALSE(has_warning(read("\ud55c@example.gov", "\ud558@example.gov"), "look-alike"));
}

TEST_CASE("an address with invisible letters looks like a known one") {
    const SenderBench world;
    const auto read = [&](const std::string& address, const std::string& known) {
        return world.read_knowing({known}, world.with_utf8_mailbox(address), address);
    };
    for (const char* twin : {"ali\xe2\x80\x8d"
                             "ce@example.gov",
                             "ali\xcc\x87"
                             "ce@example.gov"}) {
        CAPTURE(twin);
        const Report report = read(twin, "alice@example.gov");
        CHECK(report.result == Result::untrusted);
        CHECK(report.reason.find("alice@example.gov") != std::string::npos);
    }
    CHECK(read("ali\xcc\x87"
               "ce@example.gov",
               "bob@example.gov")
              .result == Result::valid);
    CHECK(read("al\xc3\xad"
               "ce@example.gov",
               "alice@example.gov")
              .result == Result::valid);
}

TEST_CASE("fields of a sender that are too long to be looked at are not let pass, and messages stay short") {
    const SenderBench world;
    const SoftwareKey eve = world.with_names("email:eve@example.org");
    const auto repeated = [](const std::string& text, std::size_t size) {
        std::string all;
        while (all.size() < size)
            all += text;
        return all;
    };
    const std::string own = " <eve@example.org>\r\n";
    CHECK(world.read(eve, "From: " + repeated("Eve ", kMaxViewedBytes / 2) + own).report.result == Result::valid);
    const Report longer = world.read(eve, "From: " + repeated("Eve ", kMaxViewedBytes) + own).report;
    CHECK(longer.result == Result::untrusted);
    CHECK(longer.reason.find("bytes") != std::string::npos);
    const ReadMail answers =
        world.read(eve, "From:" + own + "Reply-To: " + repeated("eve@example.org, ", kMaxViewedBytes) + "\r\n");
    CHECK(answers.report.result == Result::valid);
    CHECK(has_warning(answers.report, "reply-to"));
    for (const std::string& from :
         {repeated("\xc3\xa4", 5000) + "@bank.example" + own, repeated("e ", 5000) + ", eve@example.org\r\n"})
        CHECK(world.read(eve, "From: " + from).report.reason.size() < 400);
}

TEST_CASE("more senders than anybody needs match nobody") {
    const SenderBench world;
    std::string from = "From: alice@example.gov";
    for (int i = 0; i < 200; ++i)
        from += ",\r\n a" + std::to_string(i) + "@example.gov";
    const Report report = world.read(world.with_names("email:alice@example.gov"), from + "\r\n").report;
    CHECK(report.result == Result::untrusted);
    CHECK(report.reason == "the mail names more than 100 senders");
}

TEST_CASE("however many senders and addresses there are, the cause says whose certificate it is about") {
    const SenderBench world;
    std::string senders = "alice@example.gov", names = "email:alice@example.gov";
    for (int i = 0; i < 60; ++i) {
        senders += fmt::format(", u{}@example.org", i);
        names += fmt::format(",email:a{}@example.gov", i);
    }
    const ReadMail many = world.read(world.with_names("email:alice@example.gov"), "From: " + senders + "\r\n");
    CHECK_THAT(many.report.reason,
               Catch::StartsWith("no signer's certificate is for the sender u0@example.org, u1@example.org, ") &&
                   Catch::EndsWith(" more: that of CN=Alice,O=Example is for alice@example.gov"));
    CHECK(many.report.reason.size() < 400);
    const ReadMail both = world.read(world.with_names(names), "From: " + senders + "\r\n");
    CHECK_THAT(both.report.reason, Catch::Contains(" and 48 more: that of CN=Alice,O=Example is for "));
    CHECK(both.report.reason.size() < 600);
    const ReadMail few = world.read(world.with_names("email:alice@example.gov"),
                                    "From: alice@example.gov, bob@example.org, carol@example.org\r\n");
    CHECK_THAT(few.report.reason, Catch::Contains("the sender bob@example.org, carol@example.org: that of"));
}
