// The page of --html: what it tells, and what it never tells.

#include <nlohmann/json.hpp>

#include "cms/certificate.h"
#include "softhsm-tests/e2e_html.h"

using namespace p11mime;
using namespace p11mime::test;
using Catch::Contains;

namespace {

/// listed is what a mailing list makes of a signed mail: a footer beside it.
std::string listed(const std::string& signed_mail, const std::string& footer) {
    return "From: alice@example.gov\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
           "boundary=list\r\n\r\n--list\r\n" +
           signed_mail.substr(signed_mail.find("Content-Type: multipart/signed")) + "\r\n--list\r\n" +
           text_entity(footer) + "\r\n--list--\r\n";
}

/// shown_as is the mark of the part in which a text stands.
std::string shown_as(const std::string& page, const std::string& text) {
    const std::size_t at = page.find(text);
    REQUIRE(at != std::string::npos);
    const std::size_t begin = page.rfind("<article", at);
    REQUIRE(begin != std::string::npos);
    const std::size_t cover = page.find("<span>", begin) + 6;
    std::string mark = page.substr(cover, page.find("</span>", cover) - cover);
    for (const char* tag : {"<bdi>", "</bdi>"})
        for (std::size_t tag_at = 0; (tag_at = mark.find(tag)) != std::string::npos;)
            mark.erase(tag_at, std::string_view(tag).size());
    return mark;
}

const std::string kByAlice = "Covered by the signature of Alice &lt;alice@example.gov&gt;";
const std::string kInHerName = "Covered by a signature in the name of Alice &lt;alice@example.gov&gt;";
const std::string kByNobody = "Not covered by any signature";

}  // namespace

TEST_CASE("the page marks what each signature covers, part by part", "[e2e]") {
    const Reader reader;
    const std::string signed_mail = reader.sign(text_entity("Signed words.\r\n"));
    CHECK(shown_as(reader.page_of(signed_mail), "Signed words.") == kByAlice);
    CHECK(shown_as(reader.page_of(mail(reader.alice.email, "b@example.org", text_entity("Bare words.\r\n"))),
                   "Bare words.") == kByNobody);

    const std::string page = reader.page_of(listed(signed_mail, "Footer words.\r\n"), 3);
    CHECK_THAT(shown_as(page, "Signed words."),
               Catch::StartsWith(kInHerName) && Contains("not to be relied on by itself"));
    CHECK(shown_as(page, "Footer words.") == kByNobody);
    CHECK_THAT(page, Contains("over a part of the mail only (1.1)"));

    // A third part in multipart/signed is beside the signature, not under it.
    const std::size_t end = signed_mail.rfind("--", signed_mail.rfind("--") - 1);
    const std::string boundary = signed_mail.substr(end, signed_mail.rfind("--") - end);
    const std::string extra =
        signed_mail.substr(0, end) + boundary + "\r\n" + text_entity("Extra words.\r\n") + "\r\n" + boundary + "--\r\n";
    const std::string of_extra = reader.page_of(listed(extra, "Footer words.\r\n"), 3);
    CHECK_THAT(shown_as(of_extra, "Signed words."), Catch::StartsWith(kInHerName));
    CHECK(shown_as(of_extra, "Extra words.") == kByNobody);

    // A signed mail attached to another one.
    const std::string attached =
        "From: mallory@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n" +
        text_entity("Mallory's words.\r\n") + "\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n" + signed_mail +
        "\r\n--m--\r\n";
    const std::string of_attached = reader.page_of(attached, 3);
    CHECK(shown_as(of_attached, "Mallory&#39;s words.") == kByNobody);
    CHECK_THAT(shown_as(of_attached, "Signed words."), Catch::StartsWith(kInHerName));

    // A broken one in it is no seal.
    const Outcome broken = reader.open(listed(replaced(signed_mail, "Signed words", "Forged words"), "x"), {"-n"});
    CHECK(broken.status == 1);
    CHECK_THAT(read_file(reader.page), !Contains("Forged words") && Contains("Signed: broken"));
}

TEST_CASE("the page shows no text as covered by a signature over its encrypted form", "[e2e]") {
    Reader reader;
    Office& office = reader.office;
    const Identity eve = office.correspond({.name = "Eve", .email = "eve@example.org", .kind = KeyKind::p256});
    const Arguments to_alice =
        Arguments{"--no-self", "--recipient-cert", office.certificate(reader.alice)} + office.trust();
    const std::string text = mail(reader.alice.email, reader.alice.email, text_entity("Sealed words.\r\n"));
    const auto by_eve = [&](const std::string& entity) {
        return done(office.desk.run({"openssl", "cms", "-sign", "-nodetach", "-in", office.desk.file("entity", entity),
                                     "-signer", office.certificate(eve), "-inkey", office.key(eve), "-from",
                                     reader.alice.email}));
    };
    const std::string sealed = done(office.desk.p11mime(Arguments{"seal"} + to_alice, text));
    const std::string page = reader.page_of(by_eve(entity_of(sealed)));
    CHECK(shown_as(page, "Sealed words.") == kByAlice);
    CHECK_THAT(page, Contains("the encrypted form is signed in the name of CN=Eve"));
    const std::string encrypted = done(office.desk.p11mime(Arguments{"encrypt"} + to_alice, text));
    CHECK(shown_as(reader.page_of(by_eve(entity_of(encrypted)), 3), "Sealed words.") == kByNobody);

    const std::string triple =
        reader.page_of(done(office.desk.p11mime(Arguments{"seal", "--triple"} + to_alice, text)));
    CHECK(shown_as(triple, "Sealed words.") == kByAlice);
    CHECK_THAT(triple, Contains("Encrypted, and signed by Alice &lt;alice@example.gov&gt;, unchanged"));
    CHECK_THAT(triple, Contains("Signed: good") && !Contains("the encrypted form is signed"));
}

TEST_CASE("an attached mail is a box of its own on the page, with its header as a claim and its attachments", "[e2e]") {
    const Reader reader;
    const auto multipart = [](const std::string& boundary, const std::vector<std::string>& parts) {
        std::string entity = "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n";
        for (const std::string& part : parts)
            entity += "--" + boundary + "\r\n" + part + "\r\n";
        return entity + "--" + boundary + "--\r\n";
    };
    const auto attached = [](const std::string& header, const std::string& entity) {
        return "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + header +
               "MIME-Version: 1.0\r\n" + entity;
    };
    const std::string file = "Content-Type: image/png; name=inner.png\r\nContent-Disposition: attachment\r\n\r\nx";
    std::string nested = text_entity("Deepest words.");
    for (const char* name : {"five", "four", "three", "two"})
        nested = attached("From: Bob <bob@example.org>\r\nSubject: " + std::string(name) + "\r\n", nested);
    const std::string bob = attached(
        "From: \"Bob <b>\" <bob@example.org>\r\nTo: eve@example.org\r\nSubject: =?utf-8?q?Debts_=E2=80=AE?=\r\n"
        "Date: Tue, 4 Mar 2025 10:15:00 +0100\r\n",
        multipart("i", {text_entity("I, Bob, owe 1000."), file, nested}));
    const std::string broken = "Content-Type: message/rfc822\r\n\r\nSubject: x\r\nno header here\r\nBroken words.\r\n";
    const std::string page = reader.page_of(
        reader.sign(multipart("o", {text_entity("See attached."), bob, broken, text_entity("Kind regards.")})));

    const std::string heading = ">Attached mail</h3>";
    const std::size_t box = page.find("<section class=\"attached\""), own = page.find("See attached."),
                      after = page.find("Kind regards.");
    REQUIRE(box != std::string::npos);
    CHECK(own < box);
    CHECK(page.find("I, Bob, owe 1000.") > box);
    CHECK(page.rfind("</section>", after) > page.find("Broken words."));
    CHECK(page.rfind("<section", after) < page.rfind("</section>", after));
    const std::string inside = page.substr(box, after - box);
    CHECK_THAT(inside, Contains(heading) && Contains("<dt>From</dt><dd><bdi>Bob &lt;b&gt;</bdi> &lt;<bdi>bob@") &&
                           Contains("<dt>Subject</dt><dd><bdi>Debts \\u{202e}</bdi>") &&
                           Contains("<dt>Date</dt><dd><bdi>Tue, 4 Mar 2025 10:15:00 +0100</bdi>") &&
                           !Contains("eve@example.org"));
    CHECK_THAT(inside, Contains("This is what the attached mail claims of itself; it was not checked."));
    CHECK_THAT(inside, Contains("<h4>Attachments</h4>") && Contains("inner.png"));
    CHECK_THAT(inside, Contains("its header cannot be read") && Contains("Broken words."));
    CHECK(page.find("inner.png") == page.rfind("inner.png"));
    CHECK(shown_as(page, "I, Bob, owe 1000.") == kByAlice);

    // Boxes in boxes, to some depth; their texts are never that of the mail around them.
    CHECK_THAT(inside, Contains(">two<") && Contains(">three<") && !Contains(">four<"));
    CHECK_THAT(inside, Contains("a mail attached to attached mails, left closed here") && !Contains("Deepest words."));

    if (no_browser()) return;
    Chromium browser;
    browser.show(reader.page);
    CHECK(browser.complaints().empty());
    CHECK(browser.requests() == std::vector<std::string>{"file://" + reader.page});
    CHECK(any_contains(browser.accessible(), "heading: Attached mail"));
    CHECK(any_contains(browser.accessible(), "region: Attached mail"));
    CHECK(browser.evaluate("[...document.querySelectorAll('[id]')].length == new "
                           "Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == true);
    CHECK(browser.evaluate("document.querySelectorAll('.attached .attached .attached').length") == 1);
    CHECK(browser.evaluate("document.querySelectorAll('.attached .attached .attached .attached').length") == 0);
    CHECK(browser.evaluate("[...document.querySelectorAll('pre')].filter(e => !e.closest('.attached')).map(e => "
                           "e.textContent.trim()).join(' ')") == "See attached. Kind regards.");
    CHECK(browser.evaluate("getComputedStyle(document.querySelector('.attached')).borderTopStyle") == "solid");
}

TEST_CASE("page and terminal say of each header field what protects it", "[e2e]") {
    const Reader reader;
    const auto told = [&](const std::string& page, const std::string& name) {
        const std::size_t begin = page.find("<dt>" + name + "</dt>");
        REQUIRE(begin != std::string::npos);
        const std::size_t end = page.find("</dd>", begin), words = page.find("class=\"quiet\">", begin) + 14;
        return words < end ? page.substr(words, page.find('<', words) - words) : "";
    };
    const std::string text = mail(reader.alice.email, reader.alice.email);
    const std::string sealed = done(reader.office.desk.p11mime(
        Arguments{"seal", "--recipient-cert", reader.office.certificate(reader.alice)} + reader.office.trust(), text));
    const std::string page = reader.page_of("X-Mailer: of a relay\r\n" + sealed);
    CHECK(told(page, "Subject") == "covered by the signature, and came encrypted");
    CHECK(told(page, "From") == "covered by the signature");
    CHECK_THAT(page, !Contains("no signature covers"));
    const std::string err = reader.open(sealed, {"-n"}).err;
    CHECK_THAT(err, Contains("header: Subject: covered by the signature, and came encrypted\n") &&
                        Contains("header: all else: not covered by any signature\n"));

    // A field that the sender did not protect, and that nobody takes for theirs.
    const std::string undated =
        done(reader.office.desk.p11mime({"sign", "--protect-headers"}, replaced(text, "Date: ", "X-Date: ")));
    const std::string dated = reader.page_of("Date: Tue, 4 Mar 2025 10:15:00 +0100\r\n" + undated);
    CHECK(told(dated, "Date") == "not covered by any signature");
    CHECK(told(dated, "Subject") == "covered by the signature");

    const std::string plain = reader.page_of(reader.sign(kText));
    CHECK(told(plain, "Subject").empty());
    CHECK_THAT(plain, Contains("header, which no signature covers"));
    CHECK_THAT(reader.open(reader.sign(kText), {"-n"}).err, Contains("header: not covered by any signature\n"));
    CHECK(told(reader.page_of("X-Mailer: of a relay\r\n" + sealed, 3, {"-n", "--at", "2001-01-01T00:00:00Z"}),
               "From") == "covered by a signature that is not to be relied on");
}

TEST_CASE("the page says what the parts are that it leaves closed", "[e2e]") {
    const Reader reader;
    const auto& desk = reader.office.desk;
    const std::string file = desk.file("part.txt", text_entity("Closed words.\r\n")),
                      certificate = reader.office.certificate(reader.alice);
    const auto made = [&](const Arguments& command) {
        return "Content-Disposition: attachment\r\n" + entity_of(done(desk.run(command)));
    };
    const std::string encrypted = made({"openssl", "cms", "-encrypt", "-in", file, certificate});
    const std::string opaque = made({"openssl", "cms", "-sign", "-nodetach", "-in", file, "-signer", certificate,
                                     "-inkey", reader.office.key(reader.alice)});
    const std::string body = done(desk.run({"openssl", "crl2pkcs7", "-nocrl", "-certfile", certificate}));
    const std::string lines = body.substr(body.find('\n') + 1, body.rfind("-----END") - body.find('\n') - 1);
    const auto labelled = [](const std::string& parameters, const std::string& base64) {
        return "Content-Type: application/pkcs7-mime; " + parameters + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
               base64;
    };
    const auto page = [&](const std::string& part) {
        const Outcome outcome =
            reader.open(mail(reader.alice.email, "bob@example.org",
                             "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
                                 text_entity("Open words.\r\n") + "\r\n--b\r\n" + part + "\r\n--b--\r\n"),
                        {"-n"});
        INFO(outcome.err);
        return read_file(reader.page);
    };
    const std::string of_encrypted = page(encrypted);
    CHECK_THAT(of_encrypted, Contains("an encrypted part, left closed here") && !Contains("Closed words"));
    const std::string of_opaque = page(opaque);
    CHECK_THAT(of_opaque,
               Contains("a signed part that has its text inside, left closed here") && !Contains("Closed words"));
    CHECK_THAT(page(labelled("smime-type=certs-only; name=smime.p7c", lines)), Contains("certificates, and no text"));
    CHECK_THAT(page(text_entity("none", "application/octet-stream; name=x.bin")), !Contains("left closed"));
}

TEST_CASE("the page of a broken signature tells the verdict and nothing of the mail", "[e2e]") {
    const Reader reader;
    const std::string changed = replaced(reader.sign(kText), "second", "third");
    for (const Arguments& options : {Arguments{"-n"}, Arguments{"-o", reader.office.desk.path("out")},
                                     Arguments{"-o", reader.office.desk.path("out"), "--even-if-invalid"}}) {
        const std::string page = reader.page_of(changed, 1, options);
        CHECK_THAT(page, Contains("<h1>INVALID, do not rely on this mail</h1>") && Contains("the content was changed"));
        CHECK_THAT(page, Contains("What can be done:") && Contains("The message is not shown"));
        CHECK_THAT(page, !Contains("third") && !Contains("bob@example.org"));
    }
    const std::string strict =
        reader.page_of(reader.sign(kText), 3, {"-n", "--strict", "--at", "2001-01-01T00:00:00Z"});
    CHECK_THAT(strict, !Contains("second paragraph") && Contains("The message is not shown"));
}

TEST_CASE("the page and the report of an encrypted mail that was changed are those of a broken one", "[e2e]") {
    const Reader reader;
    const std::string sealed = reader.seal(), out = reader.office.desk.path("out.eml"),
                      json = reader.office.desk.path("report.json");
    std::string changed = sealed;
    char& digit = changed[sealed.size() - sealed.size() / 4];
    REQUIRE(digit > ' ');
    digit = digit == 'A' ? 'B' : 'A';
    for (const Arguments& options :
         {Arguments{"-n"}, Arguments{"-o", out}, Arguments{"-o", out, "--even-if-invalid"}}) {
        CHECK_THAT(reader.page_of(sealed), Contains("Encrypted: good") && Contains("The second paragraph."));
        const Outcome outcome = reader.open(changed, options + Arguments{"--json", json});
        CHECK(outcome.status == 1);
        CHECK_THAT(outcome.err,
                   Catch::StartsWith("p11mime: INVALID, do not rely on this mail: the content does not decrypt: ") &&
                       Contains("part 1: auth-enveloped") && Contains("cipher: aes-256-gcm"));
        CHECK_FALSE(std::filesystem::exists(out));
        const std::string page = read_file(reader.page);
        CHECK_THAT(page, Contains("<title>INVALID, do not rely on this mail</title>") &&
                             Contains("the content does not decrypt") && Contains("Encrypted: broken") &&
                             Contains("The message is not shown"));
        CHECK_THAT(page, !Contains("class=\"sign seal") && !Contains("pened with") && !Contains("paragraph"));
        const auto report = nlohmann::json::parse(read_file(json));
        CHECK(report.at("result") == "invalid");
        CHECK(report.at("message").at("from").at(0) == reader.alice.email);
        CHECK(report.at("warnings").at(0).at("kind") == "decryption-failed");
        REQUIRE(report.at("layers").size() == 1);
        CHECK(report.at("layers").at(0).at("cipher") == "aes-256-gcm");
        CHECK(report.at("layers").at(0).at("authenticated").is_null());
        CHECK(report.at("error").is_null());
    }
}

TEST_CASE("where a mail is not judged the page says so, and is no longer that of the mail before", "[e2e]") {
    Reader reader;
    const std::string good = reader.sign(kText);
    const auto after_good = [&](const std::string& text, const Arguments& options, int status) {
        CHECK_THAT(reader.page_of(good), Contains("unchanged, certificate checked"));
        const Outcome outcome = reader.open(text, options);
        INFO(outcome.err);
        CHECK(outcome.status == status);
        return read_file(reader.page);
    };
    const auto not_judged = [&](const std::string& text, const Arguments& options, int status,
                                const std::string& cause) {
        CHECK_THAT(after_good(text, options, status),
                   Contains("<title>Not judged</title>") && Contains("<strong>Why:</strong> " + cause) &&
                       Contains("because it was not judged") && !Contains("unchanged") && !Contains("paragraph") &&
                       !Contains("no signature"));
    };
    const Identity bob = reader.office.correspond({.name = "Bob", .email = "bob@example.org"});
    const std::string to_bob = done(reader.office.desk.p11mime(
        Arguments{"encrypt", "--no-self", "--recipient-cert", reader.office.certificate(bob)} + reader.office.trust(),
        mail(reader.alice.email, bob.email)));
    not_judged("nonsense", {"-n"}, 6, "the input is neither a mail nor CMS");
    not_judged(to_bob, {"-n"}, 5, "none of the keys at hand is a recipient");
    not_judged(good, {"-o", reader.office.desk.path("absent/out.eml")}, 7, "");
    not_judged("", {"-n", reader.office.desk.path("absent.eml")}, 7, "");

    // What the command line means is not clear then.
    CHECK_THAT(after_good(good, {"-n", "-o", "x"}, 2), Contains("unchanged, certificate checked"));
}

TEST_CASE("the page appears whole or not at all, and with the other outputs", "[e2e]") {
    const Reader reader;
    const std::string signed_mail = reader.sign(kText);
    const std::string out = reader.office.desk.path("out.eml");
    const auto none = [&](const Outcome& outcome, int status) {
        INFO(outcome.err);
        CHECK(outcome.status == status);
        CHECK_FALSE(reader.has_page());
        CHECK_FALSE(std::filesystem::exists(out));
    };
    none(reader.open(signed_mail, {"-o", reader.page}), 2);
    none(reader.open(signed_mail, {"-o", out, "--json", reader.page}), 2);
    const std::string file = reader.office.desk.file("in.eml", signed_mail);
    none(reader.open("", {"-n", file, reader.office.desk.file("two.eml", signed_mail)}), 2);
    none(reader.office.desk.p11mime(Arguments{"open", "--html", "-", "-n", file} + reader.office.trust()), 2);
    CHECK(reader.office.desk.p11mime(Arguments{"open", "--html", file, "-n", file} + reader.office.trust()).status ==
          2);
    CHECK(read_file(file) == signed_mail);

    const Outcome good = reader.open(signed_mail, {"-o", out});
    CHECK(good.status == 0);
    CHECK(reader.has_page());
    CHECK(entity_of(read_file(out)) == kText);
    std::filesystem::remove(reader.page);
    const Outcome to_pipe = reader.open(signed_mail);
    CHECK(entity_of(to_pipe.out) == kText);
    CHECK_THAT(read_file(reader.page), Contains("The second paragraph."));
}

TEST_CASE("text comes out of its character set, and where it cannot the page says so", "[e2e]") {
    const Reader reader;
    const auto page = [&](std::string_view text, std::string_view type) {
        return reader.page_of(mail(reader.alice.email, "bob@example.org", text_entity(text, type)));
    };
    CHECK_THAT(page("K\xf6ln\r\n", "text/plain; charset=iso-8859-1"), Contains("K\xc3\xb6ln"));
    CHECK_THAT(page("\x1b$B$3$s\x1b(B\r\n", "text/plain; charset=iso-2022-jp"), Contains("\xe3\x81\x93\xe3\x82\x93"));
    CHECK_THAT(page("\x83\xbf\r\n", "text/plain; charset=no-such-set"),
               Contains("\\x83\\xbf") && Contains("cannot be read"));
    CHECK_THAT(page("K\xf6ln\r\n", "text/plain"), Contains("K\\xf6ln") && Contains("does not say what characters"));
    CHECK_THAT(page("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\r\n", "text/plain; charset=utf-8"),
               Contains("<pre lang=\"\" dir=\"auto\">\xd7\xa9"));

    std::string large;
    while (large.size() < 3'000'000)
        large += "line of a long text: \xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\r\n";
    const std::string shown = page(large + "the end", "text/plain; charset=utf-8");
    CHECK(shown.size() < 400'000);
    CHECK_THAT(shown, Contains("only its beginning is shown") && !Contains("the end") && !Contains("\\xe2"));
}

TEST_CASE("the page shows what an address field has besides addresses", "[e2e]") {
    const Reader reader;
    const auto of = [&](const std::string& to) {
        const std::string page = reader.page_of(mail(reader.alice.email, to, text_entity("Hello.\r\n")));
        const std::size_t at = page.find("<dt>To</dt>");
        return page.substr(at, page.find("</dd>", at) - at);
    };
    CHECK_THAT(of("Bob <bob@example.org>"), Contains("bob@example.org") && !Contains("besides"));
    CHECK_THAT(of("Bob <bob@example.org>, ceo at the bank"),
               Contains("<bdi>bob@example.org</bdi>") && Contains("besides, as it stands there: ceo at the bank"));
    CHECK_THAT(of("The Board: bob@example.org, carol@example.org;"),
               Contains("<bdi>carol@example.org</bdi>") && Contains("besides, as it stands there: The Board"));
    CHECK_THAT(of("bob@example.org (=?utf-8?q?G=C3=BCnther?=), carol@example.org"), Contains("G\xc3\xbcnther"));
    CHECK_THAT(of("Nobody:;"), Contains("Nobody"));
}

TEST_CASE("the seals are as good as what they stand for, each in its words", "[e2e]") {
    const Reader reader;
    const std::string signed_mail = reader.sign(text_entity("Signed words.\r\n"));
    const auto sign = [](const std::string& kind, const std::string& tone, const std::string& label) {
        return "<svg class=\"sign " + kind + " " + tone + "\" viewBox=\"-24 -26 48 52\" role=\"img\" aria-label=\"" +
               label + "\">";
    };
    CHECK_THAT(reader.page_of(signed_mail), Contains(sign("seal", "good", "Signed: good")) &&
                                                !Contains("sign seal caution") && !Contains("sign lock"));
    CHECK_THAT(reader.page_of(replaced(signed_mail, "From: alice@", "From: mallory@"), 3),
               Contains(sign("seal", "caution", "Signed: with reservations")) && !Contains("sign seal good"));
    CHECK_THAT(reader.page_of(replaced(signed_mail, "Signed words", "Forged words"), 1),
               Contains(sign("seal", "bad", "Signed: broken")) && !Contains("sign seal good"));
    const auto encrypted = [&](const Arguments& options) {
        return reader.page_of(done(reader.office.desk.p11mime(
            Arguments{"encrypt", "--no-self", "--recipient-cert", reader.office.certificate(reader.alice)} + options +
                reader.office.trust(),
            mail("bob@example.org", reader.alice.email))));
    };
    CHECK_THAT(encrypted({"--cipher", "aes-256-gcm"}),
               Contains(sign("lock", "good", "Encrypted: good")) && !Contains("sign seal"));
    CHECK_THAT(encrypted({"--cipher", "aes-256-cbc"}),
               Contains(sign("lock", "caution", "Encrypted: with reservations")) && !Contains("sign lock good"));
}

TEST_CASE("behind the lock are the certificate that the mail was opened with and its chain", "[e2e]") {
    Reader reader;
    const Identity other = reader.office.employ({.name = "Other", .email = "other@example.gov"});
    const auto encrypted = [&](const Identity& to) {
        return done(reader.office.desk.p11mime(Arguments{"encrypt", "--no-self", "--cipher", "aes-256-gcm",
                                                         "--recipient-cert", reader.office.certificate(to)} +
                                                   reader.office.trust(),
                                               mail("bob@example.org", to.email)));
    };
    const auto behind_lock = [](const std::string& page) {
        const std::size_t begin = page.find("Encrypted with");
        return page.substr(begin, page.find("</details>", begin) - begin);
    };
    for (const Identity& own : {reader.alice, other}) {
        const auto certificate = cms::Certificate::from_der(bytes_of(own.certificate_der()));
        const std::string behind = behind_lock(reader.page_of(encrypted(own)));
        CHECK_THAT(behind,
                   Contains("<h3>Opened with the key of <bdi>" + own.name + " &lt;" + own.email + "&gt;</bdi>") &&
                       Contains("<dt>Key</dt><dd><bdi>key &#39;") &&
                       Contains("serial " + certificate.serial_hex() + ", valid from ") &&
                       Contains("<dt>Chain</dt><dd><bdi>trusted, up to "));
        CHECK_THAT(behind, Contains("<svg class=\"chain\"") && Contains("class=\"role\">Recipient<") &&
                               Contains("class=\"name\">" + own.name + "<") && Contains("Root, trusted") &&
                               Contains(certificate.fingerprint_sha256()) && !Contains("Signer"));
    }
    CHECK_THAT(behind_lock(reader.page_of(reader.seal())), Contains("Opened with the key of <bdi>Alice"));

    // That nobody trusts it says nothing of what it opened.
    std::filesystem::remove(reader.page);
    CHECK(reader.office.desk.p11mime({"open", "-n", "--html", reader.page, "--no-default-ca"}, encrypted(reader.alice))
              .status == 0);
    CHECK_THAT(behind_lock(read_file(reader.page)), Contains("<dt>Chain</dt><dd><bdi>untrusted (") &&
                                                        Contains("class=\"box missing\"") && !Contains("box good"));

    // A password is nobody's.
    const std::string password = reader.office.desk.file("password", "secret\n");
    const Arguments source{"--password-source", "file:" + password};
    const std::string shared =
        done(reader.office.desk.p11mime(Arguments{"encrypt", "--no-self", "--cipher", "aes-256-gcm"} + source,
                                        mail("bob@example.org", "x@example.org")));
    CHECK_THAT(behind_lock(reader.page_of(shared, 0, Arguments{"-n"} + source)), !Contains("Opened with the key"));
}

TEST_CASE("the picture of a chain that is not trusted marks where it ends, and calls nothing good", "[e2e]") {
    const Reader reader;
    const auto picture = [](const std::string& page) {
        const std::size_t begin = page.find("<svg class=\"chain\"");
        REQUIRE(begin != std::string::npos);
        return page.substr(begin, page.find("</desc>", begin) - begin) +
               page.substr(page.find("</desc>", begin), page.find("</details>", begin) - begin);
    };
    const std::string signed_mail = reader.sign(kText);
    CHECK_THAT(picture(reader.page_of(signed_mail)), Contains("Root, trusted") && Contains("which is trusted.") &&
                                                         Contains("class=\"box good\"") && !Contains("box plain"));

    const auto without_anchor = [&](const Arguments& options) {
        std::filesystem::remove(reader.page);
        const Outcome outcome = reader.office.desk.p11mime(
            Arguments{"open", "-n", "--html", reader.page, "--no-default-ca"} + options, signed_mail);
        CHECK(outcome.status == 3);
        return picture(read_file(reader.page));
    };
    // The issuer that nobody has, and the root that nobody trusts.
    CHECK_THAT(without_anchor({}), Contains("class=\"box missing\"") && Contains("Authority, not at hand") &&
                                       Contains("The chain is not trusted.") && !Contains("box good"));
    CHECK_THAT(without_anchor({"--intermediates", reader.office.desk.path("ca.pem")}),
               Contains("class=\"box caution\"") && Contains(">Root, not trusted<") &&
                   Contains("The chain is not trusted, for Test Root.") && !Contains("box missing") &&
                   !Contains("box good"));
}
