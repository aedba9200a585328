#include "cms/smime/protected_headers.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

using Names = std::vector<std::string>;

// The payload of RFC 9788 appendix C.3.1.2, of a mail under the baseline policy.
constexpr std::string_view kPayload =
    "MIME-Version: 1.0\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "Subject: smime-signed-enc-hp-baseline\r\n"
    "Message-ID: <smime-signed-enc-hp-baseline@example>\r\n"
    "From: Alice <alice@example.gov>\r\n"
    "To: Bob <bob@example.gov>\r\n"
    "Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n"
    "User-Agent: Sample MUA Version 1.0\r\n"
    "HP-Outer: Subject: [...]\r\n"
    "HP-Outer: Message-ID: <smime-signed-enc-hp-baseline@example>\r\n"
    "HP-Outer: From: Alice <alice@example.gov>\r\n"
    "HP-Outer: To: Bob <bob@example.gov>\r\n"
    "HP-Outer: Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n"
    "HP-Outer: User-Agent: Sample MUA Version 1.0\r\n"
    "Content-Type: text/plain; charset=\"utf-8\"; hp=\"cipher\"\r\n"
    "\r\n"
    "This is the\r\nsmime-signed-enc-hp-baseline\r\nmessage.\r\n";
constexpr std::string_view kOutside =
    "Subject: [...]\r\n"
    "Message-ID: <smime-signed-enc-hp-baseline@example>\r\n"
    "From: Alice <alice@example.gov>\r\n"
    "To: Bob <bob@example.gov>\r\n"
    "Date: Sat, 20 Feb 2021 10:09:02 -0500\r\n"
    "User-Agent: Sample MUA Version 1.0\r\n";

struct World {
    CmsBench bench;
    SoftwareKey alice = bench.issue();
    SoftwareKey bob = bench.bob(KeyKind::rsa2048);

    // by_openssl signs and encrypts a payload, and puts header fields outside.
    std::string by_openssl(std::string_view outside, std::string_view payload, bool encrypted) const {
        const std::string entity = bench.file(payload);
        std::vector<std::string> sign{
            "cms", "-sign", "-binary", "-in", entity, "-certfile", bench.certificate_file(bench.intermediate)};
        for (const std::string& option : bench.signer_options(alice))
            sign.push_back(option);
        std::string mail = bench.openssl(sign);
        if (encrypted)
            mail = bench.openssl({"cms", "-encrypt", "-aes-256-gcm", "-recip", bench.certificate_file(bob)}, mail);
        return std::string(outside) + mail;
    }
    std::string encrypted_by_openssl(std::string_view outside, std::string_view payload) const {
        return std::string(outside) + bench.openssl({"cms", "-encrypt", "-binary", "-aes-256-gcm", "-in",
                                                     bench.file(payload), "-recip", bench.certificate_file(bob)});
    }
    ReadMail open(const std::string& mail) const { return bench.open(mail, {bob}); }
    ReadMail open(std::string_view outside, std::string_view payload, bool encrypted = true) const {
        return open(by_openssl(outside, payload, encrypted));
    }
    std::string seal(std::string_view mail, bool triple = false) const {
        SoftwareSigner signer(alice);
        const SystemClock clock;
        EncryptOptions options;
        options.protect_headers = true;
        return run(*seal_job({&signer}, clock, {}, {{bob.certificate}}, options, triple), mail);
    }
};

Names kinds(const Report& report) {
    Names all;
    for (const Warning& warning : report.warnings)
        if (warning.kind.starts_with("header-") || warning.kind.starts_with("encryption-")) all.push_back(warning.kind);
    return all;
}

std::string with(std::string_view text, std::string_view from, std::string_view to) {
    return replaced(std::string(text), from, to);
}

}  // namespace

TEST_CASE("the protected header of RFC 9788's example is the mail's") {
    const World world;
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

// RFC 9788 sections 4.4.2 and 4.4.3, and the attack of section 10.1.
TEST_CASE("without a signature a From inside that differs is not trusted, and is not taken for the sender") {
    const World world;
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
    const World world;
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
    const World world;
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

// HeaderFieldProtection of RFC 9788 section 4.3.1.
TEST_CASE("what stood outside is not confidential, nor is what the sender did not encrypt") {
    const World world;
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
    const World world;
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
        CHECK(warning.message.find("...") != std::string::npos);
    }
    // 199 bytes: half a character is never shown.
    CHECK_THAT(read.report.warnings.at(2).message, Catch::Contains("'a" + umlauts.substr(0, 198) + "...'"));
    CHECK(read.report.result == Result::untrusted);
    CHECK(read.report.reason.size() < 600);
    CHECK_THAT(read.report.reason, Catch::Contains("sender-0@example.gov") && Catch::Contains("..."));
}

TEST_CASE("an outer From that is not the protected one is a mismatch, whoever signed") {
    const World world;
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
        // The certificate must be for the protected one.
        const ReadMail inside = world.open(
            with(outside, "<alice@example.gov>", "<eve@example.gov>"),
            with(payload, "\r\nFrom: Alice <alice@example.gov>", "\r\nFrom: Eve <eve@example.gov>"), encrypted);
        CHECK(inside.report.result == Result::untrusted);
    }
}

TEST_CASE("other differences outside are warnings, and what was added there is left out") {
    const World world;
    const ReadMail subject = world.open(with(kOutside, "[...]", "Urgent"), kPayload);
    CHECK(subject.report.result == Result::valid);
    CHECK(kinds(subject.report) == Names{"header-differs"});
    CHECK(subject.report.subject == "smime-signed-enc-hp-baseline");
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
    const World world;
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
        CHECK(with_crlf(body_of(read.content)) == "The text.\r\n");
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

TEST_CASE("fields inside that are not marked as the mail's do not count") {
    const World world;
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
    const World world;
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
    const World world;
    const ReadMail read = world.open(std::string(kPayload));
    CHECK(read.report.result == Result::unsigned_);
    CHECK(read.content == kPayload);
}

TEST_CASE("seal hides the subject, and opening gives the mail back as it was") {
    const World world;
    const std::string kinds_of_body[]{
        std::string(kText),
        "Content-Type: text/plain\r\n\r\nHello\r\n",
        "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdf"
        "e\r\n",
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8sCg==\r\n",
        "Content-Type: text/html; charset=utf-8\r\n\r\n<html><head></head><body>\r\n<p>Hello</p></body></html>\r\n",
        "Content-Type: multipart/mixed; boundary=m\r\n\r\nnothing\r\n--m\r\nContent-Type: multipart/alternative; "
        "boundary=a\r\n\r\n--a\r\n\r\nHello\r\n--a\r\nContent-Type: "
        "text/html\r\n\r\n<p>Hello</p>\r\n--a--\r\n\r\n--m\r\n"
        "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nleave me\r\n--m--\r\n",
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8sCg==\r\n"};
    for (const std::string& entity : kinds_of_body)
        for (const bool triple : {false, true}) {
            CAPTURE(entity, triple);
            std::string text = with(mail("Alice <alice@example.gov>", "bob@example.gov", entity), "X-Folded",
                                    "Keywords: secret\r\nX-Folded");
            text = with(text, "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from", "Greetings from");
            const std::string sealed = world.seal(text, triple);
            CHECK(field(sealed, "Subject") == "[...]");
            CHECK(field(sealed, "Keywords").empty());
            CHECK(field(sealed, "From") == "Alice <alice@example.gov>");
            const ReadMail read = world.open(sealed);
            CHECK(read.report.result == Result::valid);
            CHECK(kinds(read.report).empty());
            CHECK(read.report.subject == "Greetings from the field");
            CHECK(field(read.content, "Keywords") == "secret");
            CHECK(field(read.content, "Subject") == field(text, "Subject"));
            CHECK(read.content.find("hp") == std::string::npos);
            // Text in 8 bits was made safe for transport, and a part without a header field has one now.
            if (entity.find("8859") == std::string::npos && entity.find("--a\r\n\r\n") == std::string::npos)
                CHECK(entity_of(read.content) == entity);
            CHECK(read.content.find("header-protection") == std::string::npos);
            CHECK(with_crlf(world.open(world.seal(with_lf(text), triple)).content) == read.content);
        }
}

TEST_CASE("old readers find the hidden subject in the text") {
    const World world;
    const auto inside = [&](const std::string& entity) {
        const std::string sealed = world.seal(mail("alice@example.gov", "bob@example.gov", entity));
        const std::string decrypted =
            world.bench.openssl({"cms", "-decrypt", "-recip", world.bench.certificate_file(world.bob), "-inkey",
                                 world.bench.key_file(world.bob)},
                                sealed);
        return world.bench.openssl({"cms", "-verify", "-CAfile", world.bench.trusted_file()}, decrypted);
    };
    const std::string plain = inside("Content-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n");
    CHECK(field(plain, "Content-Type") == "text/plain; charset=utf-8; hp-legacy-display=\"1\"; hp=\"cipher\"");
    CHECK(field(plain, "HP-Outer") == "From: alice@example.gov");
    CHECK(plain.find("HP-Outer: Subject: [...]\r\n") != std::string::npos);
    // The subject is beyond ASCII, so the text that it stands in was made safe for transport.
    CHECK_THAT(body_of(plain), Catch::StartsWith("Subject: Gr=C3=BC=C3=9Fe from the field\r\n\r\nHello\r\n"));
    const std::string html = inside("Content-Type: text/html\r\n\r\n<html><body><p>Hello</p></body></html>\r\n");
    CHECK_THAT(html, Catch::Contains("<pre>Subject: Gr=C3=BC=C3=9Fe from the field</pre>"));
    CHECK(html.find("<body>") < html.find("<pre>"));
    CHECK(html.find("<pre>") < html.find("<p>Hello"));
}

// Section 5.2.2: every field that is hidden or left out, in lines before the text; the example of section 1.9.
TEST_CASE("old readers find all hidden fields in the text, others find them in the header alone") {
    const World world;
    const std::string text =
        "From: Alice <alice@example.gov>\r\nTo: bob@example.gov\r\nSubject: Handling the Jones contract\r\n"
        "Keywords: Contract, Urgent\r\nComments: a <b>\r\nMIME-Version: 1.0\r\n";
    const auto decrypted = [&](const std::string& sealed) {
        return world.bench.openssl(
            {"cms", "-verify", "-CAfile", world.bench.trusted_file()},
            world.bench.openssl({"cms", "-decrypt", "-recip", world.bench.certificate_file(world.bob), "-inkey",
                                 world.bench.key_file(world.bob)},
                                sealed));
    };
    const std::string plain = text + "Content-Type: text/plain; charset=us-ascii\r\n\r\nPlease review.\r\n";
    const std::string sealed = world.seal(plain);
    CHECK(body_of(decrypted(sealed)) ==
          "Subject: Handling the Jones contract\r\nKeywords: Contract, Urgent\r\nComments: a <b>\r\n\r\nPlease "
          "review.\r\n");
    CHECK(body_of(world.open(sealed).content) == "Please review.\r\n");
    CHECK(world.open(sealed).report.confidential_headers == Names{"subject", "keywords", "comments"});
    const std::string html = world.seal(text + "Content-Type: text/html\r\n\r\n<body><p>Please review.</p></body>\r\n");
    CHECK_THAT(decrypted(html), Catch::Contains("<pre>Subject: Handling the Jones contract\r\nKeywords: Contract, "
                                                "Urgent\r\nComments: a &lt;b&gt;</pre>"));
    CHECK(body_of(world.open(html).content) == "<body><p>Please review.</p></body>\r\n");
    const std::string alone = world.seal(
        "From: Alice <alice@example.gov>\r\nKeywords: Urgent\r\nContent-Type: text/plain\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8K\r\n");
    CHECK_THAT(body_of(decrypted(alone)), !Catch::StartsWith("SGVsbG8K"));
    CHECK(body_of(world.open(alone).content) == "SGVsbG8K\r\n");
}

TEST_CASE("signing protects header fields where that is asked for") {
    const World world;
    SignOptions options;
    options.protect_headers = true;
    const std::string text = mail("Alice <alice@example.gov>", "bob@example.gov");
    for (const bool opaque : {false, true}) {
        options.opaque = opaque;
        const std::string signed_mail = world.bench.sign({world.alice}, text, options);
        CHECK(field(signed_mail, "Subject") == field(text, "Subject"));
        const std::string inside =
            world.bench.openssl({"cms", "-verify", "-CAfile", world.bench.trusted_file()}, signed_mail);
        CHECK(field(inside, "Subject") == field(text, "Subject"));
        CHECK(field(inside, "HP-Outer").empty());
        CHECK_THAT(field(inside, "Content-Type"), Catch::EndsWith("; hp=\"clear\""));
        const ReadMail read = world.bench.verify(signed_mail);
        CHECK(read.report.result == Result::valid);
        CHECK(entity_of(read.content) == kText);
        CHECK(kinds(world.bench.verify(with(signed_mail, "To: bob", "To: eve")).report) == Names{"header-differs"});
    }
}

TEST_CASE("Bcc and what does not fit a signed header stay outside") {
    const World world;
    const std::string text =
        "Bcc: carol@example.gov\r\nReceived: by relay\r\nX-Long: " + std::string(1200, 'x') + "\r\nX-Raw: \xff\r\n" +
        with(mail("J\xc3\xbcrgen <alice@example.gov>", "bob@example.gov"), "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from",
             "Gr\xc3\xbc\xc3\x9f"
             "e from");
    const Protection protection = protect(mime::Header{}.fields, true);
    CHECK(protection.inside.empty());
    const ReadMail read = world.open(world.seal(text));
    CHECK(read.report.result == Result::valid);
    CHECK(read.report.subject ==
          "Gr\xc3\xbc\xc3\x9f"
          "e from the field");
    const Names names = read.report.layers.back().protected_headers.value();
    for (const char* outside : {"bcc", "received", "x-long"})
        CHECK(std::find(names.begin(), names.end(), outside) == names.end());
    for (const char* inside : {"from", "subject", "to"})
        CHECK(std::find(names.begin(), names.end(), inside) != names.end());
}

TEST_CASE("first lines that are no legacy display stay") {
    const World world;
    const std::string payload = with(kPayload, "hp=\"cipher\"", "hp-legacy-display=\"1\"; hp=\"cipher\"");
    const auto body = [&](std::string_view lines) {
        return with_crlf(body_of(world.open(kOutside, with(payload, "This is the\r\n", lines)).content));
    };
    const std::string rest = "smime-signed-enc-hp-baseline\r\nmessage.\r\n";
    CHECK(body("Subject: smime-signed-enc-hp-baseline\r\n\r\n") == rest);
    CHECK(body("Subject: x=0A=0APay 10\r\n\r\n") == "Subject: x=0A=0APay 10\r\n\r\n" + rest);
    CHECK(body("Pay: 10\r\n\r\n") == "Pay: 10\r\n\r\n" + rest);
    CHECK(body("Subject: x\r\nPay 10\r\n\r\n") == "Subject: x\r\nPay 10\r\n\r\n" + rest);
    // Without encryption nothing is hidden, and nothing is left out.
    const std::string clear = with(with(payload, "This is the\r\n", "Subject: x\r\n\r\n"), "\"cipher\"", "\"clear\"");
    CHECK_THAT(world.open(with(kOutside, "[...]", "smime-signed-enc-hp-baseline"), clear, false).content,
               Catch::Contains("Subject: x"));
}
