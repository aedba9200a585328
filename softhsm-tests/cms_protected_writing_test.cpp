// Header fields as sealing and signing put them inside (RFC 9788).

#include "softhsm-tests/cms_protected_headers.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cms/smime/protection.h"
#include "mime/address.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("seal hides the subject, and opening gives the mail back as it was") {
    const ProtectionBench world;
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

TEST_CASE("the mails of a digest are sealed as they are") {
    const ProtectionBench world;
    const std::string digest =
        "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nFrom: carol@x.example\r\n"
        "Subject: one\r\n\r\nOne\r\n--d\r\n\r\nFrom: dan@x.example\r\n\r\nTwo\r\n--d--\r\n";
    const ReadMail read =
        world.open(world.seal("From: alice@example.gov\r\nTo: bob@example.org\r\nSubject: both\r\n"
                              "MIME-Version: 1.0\r\n" +
                              digest));
    CHECK(read.report.result == Result::valid);
    CHECK(with_crlf(body_of(read.content)) == body_of(digest));
}

TEST_CASE("old readers find the hidden subject in the text") {
    const ProtectionBench world;
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
    const ProtectionBench world;
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
    const ProtectionBench world;
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

TEST_CASE("header fields that stay readable outside, around what is signed already, are told or refused") {
    const ProtectionBench world;
    SoftwareSigner signer(world.alice);
    const SystemClock clock;
    const std::string signed_mail =
        world.bench.sign({world.alice}, mail("Alice <alice@example.gov>", "bob@example.gov"));
    const auto made = [&](const std::string& mail, bool required) {
        EncryptOptions options;
        options.protect_headers = true;
        options.protection_required = required;
        std::vector<std::string> messages;
        for (const auto& job : {seal_job({&signer}, clock, {}, {{world.bob.certificate}}, options, false),
                                encrypt_job({{world.bob.certificate}}, options)}) {
            const std::string sealed = run(*job, mail);
            CHECK(world.open(sealed).report.subject == mime::decode_words(field(mail, "Subject")));
            for (const Warning& warning : job->warnings())
                messages.push_back(warning.kind + ": " + warning.message);
        }
        return messages;
    };
    const std::vector<std::string> told = made(signed_mail, false);
    REQUIRE(told.size() == 2);
    CHECK(told[0] == told[1]);
    CHECK(told[0] ==
          "header-left-outside: the mail is signed or encrypted already, so its header fields cannot go inside: "
          "whoever sees the mail can read its Subject");
    const Error refused = caught([&] { made(signed_mail, true); });
    CHECK(refused.kind() == ErrorKind::usage);
    CHECK_THAT(refused.what(), Catch::EndsWith("can read its Subject"));

    SignOptions options;
    options.protection_required = options.protect_headers = true;
    CHECK(caught([&] { world.bench.sign({world.alice}, signed_mail, options); }).kind() == ErrorKind::usage);

    CHECK(made(mail("Alice <alice@example.gov>", "bob@example.gov"), true).empty());
    const std::string nothing_to_tell = replaced(signed_mail, field(signed_mail, "Subject"), "[...]");
    CHECK(made(nothing_to_tell, true).empty());
}

TEST_CASE("Bcc and what does not fit a signed header stay outside") {
    const ProtectionBench world;
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

// Some mailers write a subject as one encoded word, however long.
TEST_CASE("a hidden field goes inside whatever its length") {
    const ProtectionBench world;
    std::string letters, word = "=?utf-8?B?";
    for (int i = 0; i < 200; ++i) {
        letters += "\xe6\xa9\x9f\xe5\xaf\x86";
        word += "5qmf5a+G";
    }
    const std::string secret = "SECRET" + std::string(1200, 'y'), start = mail("alice@example.gov", "bob@example.gov");
    const auto holds = [&](const std::string& name, const std::string& value, const std::string& text) {
        CAPTURE(name, value);
        const std::string sealed = world.seal(
            name == "Subject" ? with(start, "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field", "Subject: " + value)
                              : name + ": " + value + "\r\n" + start);
        CHECK(field(sealed, name) == (name == "Subject" ? "[...]" : ""));
        CHECK(sealed.find(value.substr(0, 20)) == std::string::npos);
        const ReadMail read = world.open(sealed);
        CHECK(read.report.result == Result::valid);
        CHECK(kinds(read.report).empty());
        CHECK(mime::decode_words(field(read.content, name)) == text);
    };
    for (const char* name : {"Subject", "Keywords", "Comments"}) {
        holds(name, word + "?=", letters);
        holds(name, secret, secret);
        holds(name, "SECRET\x01\x1b[1m plan", "SECRET\x01\x1b[1m plan");
        holds(name, "SECRET\rplan", "SECRET\rplan");
        holds(name, "SECRET\r\n \r\n plan", "SECRET  plan");
    }
}

TEST_CASE("References go inside whatever their length") {
    const ProtectionBench world;
    const std::string id = "<" + std::string(600, 'a') + "@example.gov>", long_id = "<" + std::string(1200, 'b') + ">";
    for (const std::string& references : {id + id + id, id + " " + long_id}) {
        const std::string text = "References: " + references + "\r\n" + mail("alice@example.gov", "bob@example.gov");
        const ReadMail read = world.open(world.seal(text));
        CHECK(read.report.result == Result::valid);
        CHECK(kinds(read.report).empty());
        std::string found = field(read.content, "References"), expected = references;
        std::erase(found, ' ');
        std::erase(expected, ' ');
        CHECK(found == expected);
    }
    SignOptions options;
    options.protect_headers = true;
    const std::string text = "References: " + long_id + "\r\n" + mail("alice@example.gov", "bob@example.gov");
    const Error error = caught([&] { world.bench.sign({world.alice}, text, options); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(error.hint() == "use --opaque");
    options.opaque = true;
    CHECK(kinds(world.bench.verify(world.bench.sign({world.alice}, text, options)).report).empty());
}

// As mail programs read them.
TEST_CASE("header text that is no UTF-8 goes inside as windows-1252") {
    const ProtectionBench world;
    const std::string text = with(with(mail("J\xfcrgen <alice@example.gov>", "\"M\xfcller, K\" <bob@example.gov>"),
                                       "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field",
                                       "Gr\xfc\xdf"
                                       "e, \x80 5"),
                                  "X-Folded", "X-Raw: \xff\r\nX-Folded");
    const ReadMail read = world.open(world.seal(text));
    CHECK(read.report.result == Result::valid);
    CHECK(kinds(read.report).empty());
    CHECK(read.report.subject ==
          "Gr\xc3\xbc\xc3\x9f"
          "e, \xe2\x82\xac 5");
    const auto from = mime::parse_addresses(field(read.content, "From"));
    const auto to = mime::parse_addresses(field(read.content, "To"));
    CHECK(from.at(0).display_name == "J\xc3\xbcrgen");
    CHECK(to.at(0).display_name == "M\xc3\xbcller, K");
    CHECK(to.size() == 1);
    CHECK(mime::decode_words(field(read.content, "X-Raw")) == "\xc3\xbf");
}

// RFC 6532: what stands for itself has no other form.
TEST_CASE("address fields go inside whole, with UTF-8 where addresses are") {
    const ProtectionBench world;
    SignOptions options;
    options.protect_headers = true;
    const std::string names[]{"B\xc3\xb3 <b\xc3\xb3@ex\xc3\xa4mple.gov>, bob@example.gov",
                              "\"M\xc3\xbcller, K\" <bob@example.gov>, \"Smith, J\" <dan@example.gov>",
                              "Gr\xc3\xbcne: bob@example.gov, dan@example.gov;",
                              "bob@example.gov (M\xc3\xbcller), dan@example.gov"};
    for (const std::string& to : names) {
        CAPTURE(to);
        const std::string text = mail("\"J\xc3\xbcrgen\" <alice@example.gov>", to);
        const std::string signed_mail = world.bench.sign({world.alice}, text, options);
        for (const ReadMail& read : {world.open(world.seal(text)), world.bench.verify(signed_mail)}) {
            CHECK(read.report.result == Result::valid);
            CHECK(kinds(read.report).empty());
            const Names inside = read.report.layers.back().protected_headers.value();
            CHECK(std::find(inside.begin(), inside.end(), "to") != inside.end());
            const auto found = mime::parse_addresses(field(read.content, "To")), expected = mime::parse_addresses(to);
            REQUIRE(found.size() == expected.size());
            for (std::size_t i = 0; i < found.size(); ++i) {
                CHECK(found[i].mailbox == expected[i].mailbox);
                CHECK(found[i].display_name == expected[i].display_name);
            }
            CHECK(mime::names_beside_addresses(mime::decode_words(field(read.content, "To"))).size() ==
                  mime::names_beside_addresses(to).size());
        }
    }
}

// RFC 5322 section 3.6.3.
TEST_CASE("a Bcc field that was left outside is not called another's") {
    const ProtectionBench world;
    SignOptions options;
    options.protect_headers = true;
    const std::string text = "Bcc: carol@example.gov\r\n" + mail("alice@example.gov", "bob@example.gov");
    const std::string signed_mail = world.bench.sign({world.alice}, text, options);
    CHECK(field(signed_mail, "Bcc") == "carol@example.gov");
    const ReadMail read = world.bench.verify(signed_mail);
    CHECK(read.report.result == Result::valid);
    REQUIRE(kinds(read.report) == Names{"header-added"});
    CHECK(read.report.warnings.at(0).message ==
          "the Bcc field outside, 'carol@example.gov', is none of those that are protected and was kept");
    CHECK(field(read.content, "Bcc") == "carol@example.gov");
}

// Outlook's copies of the subject and of what References say.
TEST_CASE("seal hides the copy of the subject in Thread-Topic") {
    const ProtectionBench world;
    const std::string sealed = world.seal("Thread-Topic: SECRET\r\nThread-Index: AdwSECRET\r\n" +
                                          mail("alice@example.gov", "bob@example.gov"));
    CHECK(field(sealed, "Thread-Topic").empty());
    CHECK(field(sealed, "Thread-Index") == "AdwSECRET");
    const ReadMail read = world.open(sealed);
    CHECK(read.report.result == Result::valid);
    CHECK(kinds(read.report).empty());
    CHECK(field(read.content, "Thread-Topic") == "SECRET");
    CHECK(entity_of(read.content) == kText);
    CHECK(read.report.confidential_headers == Names{"thread-topic", "subject"});
    const std::string decrypted =
        world.bench.openssl({"cms", "-decrypt", "-recip", world.bench.certificate_file(world.bob), "-inkey",
                             world.bench.key_file(world.bob)},
                            sealed);
    CHECK(decrypted.find("Thread-Topic: SECRET") == decrypted.rfind("Thread-Topic: SECRET"));
}

TEST_CASE("seal hides what tells of the text and copies of the subject, under whatever name") {
    const ProtectionBench world;
    const std::string text = mail("alice@example.gov", "bob@example.org");
    for (const std::string name : {"X-Subject",
                                   "Original-Subject",
                                   "Resent-Subject",
                                   "X-Label",
                                   "Fcc",
                                   "Subject-Line",
                                   "Resent-Comments",
                                   "Summary",
                                   "X-Thread-Topic",
                                   "X-Keywords",
                                   "Abstract",
                                   "Topic",
                                   "Conversation-Topic",
                                   "X-Outlook-Topic",
                                   "Title",
                                   "X-Title",
                                   "X-Original-Title",
                                   "Event-Title",
                                   "X-Evolution-Note",
                                   "X-Reply-Subj"}) {
        CAPTURE(name);
        for (const std::string& value : {std::string("SECRET"), "SECRET " + std::string(1'200, 'x')}) {
            const std::string sealed = world.seal(name + ": " + value + "\r\n" + text);
            CHECK(sealed.find("SECRET") == std::string::npos);
            CHECK(field(sealed, name).empty());
            const ReadMail read = world.open(sealed);
            CHECK(read.report.result == Result::valid);
            CHECK(kinds(read.report).empty());
            CHECK(mime::decode_words(field(read.content, name)) == value);
            CHECK(entity_of(read.content) == kText);
        }
    }
    // A filter's words of the text are not the sender's.
    for (const char* name : {"X-Spam-Prev-Subject", "X-Spam-Report"})
        CHECK(world.seal(std::string(name) + ": SECRET\r\n" + text).find("SECRET") == std::string::npos);
    // What is not the sender's word of the text stays.
    CHECK(field(world.seal("X-Mailer: Mutt\r\n" + text), "X-Mailer") == "Mutt");
}

TEST_CASE("seal hides the text of the subject in whatever field repeats it") {
    const ProtectionBench world;
    const auto sealed = [&](const std::string& subject, const std::string& more) {
        const std::string text =
            with(mail("alice@example.gov", "bob@example.gov"), "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field", subject);
        return world.seal(more + "\r\n" + text);
    };
    const std::string subject = "Re: Merger with ACME";
    for (const char* repeating : {"X-Foo: Merger with ACME", "X-Foo: Re: Re: merger with acme (2)",
                                  "Reference: \"Merger with ACME\"", "X-Foo: =?utf-8?Q?Merger_with_ACME?="}) {
        CAPTURE(repeating);
        const std::string mail = sealed(subject, repeating);
        const std::string name = std::string(repeating).substr(0, std::string(repeating).find(':'));
        CHECK(field(mail, name).empty());
        const ReadMail read = world.open(mail);
        CHECK(read.report.result == Result::valid);
        CHECK(kinds(read.report).empty());
        CHECK(name + ": " + field(read.content, name) == repeating);
    }
    const std::string long_copy = sealed(subject, "X-Foo: Merger with ACME " + std::string(1'200, 'x'));
    CHECK(long_copy.find("Merger") == std::string::npos);
    CHECK_THAT(mime::decode_words(field(world.open(long_copy).content, "X-Foo")),
               Catch::StartsWith("Merger with ACME x"));
    CHECK(field(sealed(subject, "X-Foo: Merger of others"), "X-Foo") == "Merger of others");
    CHECK(field(sealed("Re: Mutt", "X-Mailer: Mutt"), "X-Mailer") == "Mutt");
    CHECK(field(sealed("bob@example.gov", "Resent-To: bob@example.gov"), "Resent-To") == "bob@example.gov");
    CHECK(field(sealed("bob@example.gov", "Cc: bob@example.gov"), "Cc") == "bob@example.gov");
}

TEST_CASE("seal hides a copy of the subject however it is written, and of what stands before it") {
    const ProtectionBench world;
    const auto has_copy = [&](const std::string& subject, const std::string& copy) {
        const std::string text =
            with(mail("alice@example.gov", "bob@example.gov"), "=?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field", subject);
        const std::string sealed = world.seal("X-Copy: " + copy + "\r\n" + text);
        const ReadMail read = world.open(sealed);
        CHECK(read.report.result == Result::valid);
        CHECK_FALSE(field(read.content, "X-Copy").empty());
        return !field(sealed, "X-Copy").empty();
    };
    for (const char* subject : {"Bob: fired", "Re: Q3: layoffs", "ACME: sold", "12:30 : tonight"}) {
        CAPTURE(subject);
        CHECK_FALSE(has_copy(subject, subject));
        CHECK(has_copy(subject, "tonight, ACME or Q3"));
    }
    const std::string copy = "Bob is fired";
    for (const char* subject :
         {"Antwort: Bob is fired", "Automatische Antwort: Bob is fired",
          "=?utf-8?Q?R=C3=A9f=C2=A0:_Bob_is_fired?=", "=?utf-8?B?5Zue5aSN77ya?= Bob is fired",
          "\u56de\u590d\uff1a"
          "Bob is fired",
          "[EXT] Bob is fired", "[list] Re: Bob is fired", "Re: [list] AW: Bob is fired", "(EXT) Bob is fired",
          "{Spam?} Bob is fired", "*****SPAM***** Bob is fired", "EXTERNAL - Bob is fired",
          "(EXT) Re: EXTERNAL - Bob is fired",
          "\u0410\u0432\u0442\u043e\u043c\u0430\u0442\u0438\u0447\u0435\u0441\u043a\u0438\u0439 "
          "\u043e\u0442\u0432\u0435\u0442: Bob is fired",
          "Re: Re: Re: Re: Re: Re: Re: Re: Re: Bob is fired", "Bob  is\r\n\tfired", "BOB IS FIRED"}) {
        CAPTURE(subject);
        CHECK_FALSE(has_copy(subject, copy));
        CHECK(has_copy(subject, "Bob is hired"));
    }
    CHECK_FALSE(has_copy(copy, "Bob is\r\n  fired"));
    CHECK_FALSE(has_copy(copy, "=?utf-8?Q?Bob?=\r\n\t=?utf-8?Q?_is_fired?="));
    for (const char* umlaut : {"=?utf-8?Q?K=C3=BCndigung_M=C3=BCller?=", "=?iso-8859-1?Q?K=DCNDIGUNG_M=DCLLER?=",
                               "=?utf-8?Q?Ku=CC=88ndigung_Mu=CC=88ller?=", "K\u00fcndigung M\u00fcller"}) {
        CAPTURE(umlaut);
        CHECK_FALSE(has_copy("=?utf-8?Q?K=C3=BCndigung_M=C3=BCller?=", umlaut));
        CHECK(has_copy("=?utf-8?Q?Kundigung_Muller?=", umlaut));
    }
}

// RFC 8551 section 3.1 has a whole mail inside for a header that is protected, unless it is marked as forwarded.
TEST_CASE("a mail whose body is another mail keeps its own header when it is opened") {
    const ProtectionBench world;
    const std::string inner = "From: carol@example.gov\r\nSubject: Inner\r\n\r\nThe text.\r\n";
    const std::string text =
        mail("alice@example.gov", "bob@example.gov", "Content-Type: message/rfc822\r\n\r\n" + inner);
    const auto check = [&](const ReadMail& read) {
        CHECK(read.report.from == Names{"alice@example.gov"});
        CHECK(read.report.subject ==
              "Gr\xc3\xbc\xc3\x9f"
              "e from the field");
        CHECK(field(read.content, "To") == "bob@example.gov");
        CHECK(body_of(read.content) == inner);
    };
    const std::string encrypted = world.bench.encrypt({{world.bob.certificate}}, text);
    check(world.open(encrypted));
    check(world.bench.verify(world.bench.sign({world.alice}, text)));
    check(world.open(world.seal(text)));
    CHECK(field(world.open(encrypted).content, "Content-Type") == "message/rfc822; forwarded=\"yes\"");
    // Who says that it is no forwarded mail wraps it.
    const std::string wrapped = with(text, "message/rfc822", "message/rfc822; forwarded=no");
    CHECK(world.open(world.bench.encrypt({{world.bob.certificate}}, wrapped)).report.subject == "Inner");
}

TEST_CASE("a mark of protection without fields inside is taken off, so that nobody loses the fields outside") {
    const ProtectionBench world;
    for (const char* mark :
         {"protected-headers=\"v1\"", "hp=\"clear\"", "hp=cipher", "hp=clear; Protected-Headers=v1"}) {
        CAPTURE(mark);
        const std::string marked =
            "Content-Type: text/plain; " + std::string(mark) + "; charset=us-ascii\r\n\r\nHello\r\n";
        const std::string text = mail("alice@example.gov", "bob@example.gov", marked);
        SignOptions opaque;
        opaque.opaque = true;
        for (const std::string& made :
             {world.bench.sign({world.alice}, text), world.bench.sign({world.alice}, text, opaque), world.seal(text),
              world.bench.encrypt({{world.bob.certificate}}, text),
              "From: alice@example.gov\r\nTo: bob@example.gov\r\nSubject: Greetings\r\n" +
                  world.bench.sign({world.alice}, marked)}) {
            const ReadMail read = world.open(made);
            CHECK(kinds(read.report).empty());
            CHECK(field(read.content, "To") == "bob@example.gov");
            CHECK_THAT(read.report.subject.value_or(""), Catch::StartsWith("Gr"));
            CHECK(field(read.content, "Content-Type").find("charset") == std::string("text/plain; ").size());
            CHECK(body_of(read.content) == "Hello\r\n");
        }
    }
    // What is signed beside the mail stays as it is, and so does an entity that has such fields.
    for (const char* type : {"text/plain; hp=clear", "message/rfc822"}) {
        const std::string text = mail("alice@example.gov", "bob@example.gov",
                                      "Content-Type: " + std::string(type) + "\r\n\r\nSubject: Inner\r\n\r\nHello\r\n");
        SignOptions detached;
        detached.form = Form::der;
        detached.detached = true;
        ReadOptions options;
        options.detached_content = std::make_shared<TextInput>(text);
        const ReadMail read = world.bench.verify(world.bench.sign({world.alice}, text, detached), options);
        CHECK(read.report.result == Result::valid);
    }
    SignOptions as_entity;
    as_entity.entity = true;
    const std::string payload =
        "From: alice@example.gov\r\nSubject: Inner\r\nContent-Type: text/plain; hp=clear\r\n\r\nHello\r\n";
    const ReadMail read =
        world.open("From: alice@example.gov\r\n" + world.bench.sign({world.alice}, payload, as_entity));
    CHECK(read.report.subject == "Inner");
}
