#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime::test;

namespace {

constexpr const char* kShowsAlice = "the From field shows alice@example.gov, but the sender is eve@example.org";
constexpr const char* kShowsCarol = "the From field shows carol@example.org, but the sender is eve@example.org";
constexpr const char* kCharset = "has text in a charset that not all programs know";

std::vector<Row> sender_rows(const Stage& stage) {
    const std::string honest = stage.sign(mail("Eve <eve@example.org>", kBob, kPlain));
    const auto signed_by_eve = [&](const std::string& from) { return replaced(honest, "Eve <eve@example.org>", from); };
    const auto row = [&](const char* name, const std::string& from, const Answer& expected) {
        return Row{name, honest, signed_by_eve(from), expected};
    };
    const auto with_sender = [&](const std::string& sender) { return "Sender: " + sender + "\r\n" + honest; };
    const std::string clear = stage.sign(from_alice(kPlain));
    const std::string protected_mail = stage.sign(mail("Eve <eve@example.org>", kBob, kPlain), {"--protect-headers"});
    const std::string inner = "From: alice@example.gov\r\nSubject: Pay\r\n" + kPlain;
    const std::string v1 =
        "Content-Type: text/plain; protected-headers=\"v1\"\r\nFrom: eve@example.org\r\n\r\nPay.\r\n";
    const auto outside = [&](const std::string& entity, const char* from) {
        return "From: " + std::string(from) + "\r\nMIME-Version: 1.0\r\n" + stage.part(entity, kEve);
    };
    return {
        row("signed by another", kAlice, "no signer's certificate is for the sender alice@example.gov"),
        row("the address as the display name", "\"alice@example.gov\" <eve@example.org>", kShowsAlice),
        row("the address before the sender's", "alice@example.gov <eve@example.org>", kShowsAlice),
        row("the address in a comment", "eve@example.org (alice@example.gov)", kShowsAlice),
        row("the address in an encoded word", "=?utf-8?q?alice=40example.gov?= <eve@example.org>", kShowsAlice),
        row("the address in an encoded word, with NUL", "=?utf-8?q?alice=40example.gov=00?= <eve@example.org>",
            kShowsAlice),
        row("an encoded word as the local part", "=?utf-8?q?alice=40example.gov=00?=@example.org",
            "no signer's certificate is for the sender =?utf-8?q?alice=40example.gov=00?=@example.org"),
        row("NUL in the field", std::string("alice@example.gov\0 <eve@example.org>", 36),
            {"line 1 of the header has a NUL byte", kMalformed}),
        row("the address as the name of a group", "alice@example.gov: eve@example.org;", kShowsAlice),
        row("the address as a route", "<@example.gov:eve@example.org>", "@example.gov"),
        row("odd quoting", "\"alice@example.gov\"@example.org", "alice@example.gov"),
        row("an entry that cannot be read", "Alice, eve@example.org",
            "the From field has an entry that is no address: 'Alice'"),
        row("a wide @",
            "alice\xef\xbc\xa0"
            "example.gov <eve@example.org>",
            kShowsAlice),
        row("the address in words", "\"alice (at) example.gov\" <eve@example.org>", kShowsAlice),
        row("the address in words, with a tag character", "\"alice a\xf3\xa0\x80\xa0t example.gov\" <eve@example.org>",
            kShowsAlice),
        row("a Lisu letter for the dot", "\"alice@example\xea\x93\xb8gov\" <eve@example.org>", kShowsAlice),
        row("a dot below for the dot", "\"alice@bank\xcc\xa3gov\" <eve@example.org>",
            "the From field shows alice@ban\xe1\xb8\xb3gov, but the sender is eve@example.org"),
        row("a dot of Katakana for the dot", "\"alice@example\xe3\x83\xbbgov\" <eve@example.org>", kShowsAlice),
        row("a comma for the dot", "\"alice@example,gov\" <eve@example.org>", kShowsAlice),
        row("a blank for the dot", "\"alice@example gov\" <eve@example.org>", kShowsAlice),
        row("a raised a for the @",
            "\"alice\xe1\xb5\x83"
            "example.gov\" <eve@example.org>",
            kShowsAlice),
        row("an a in a circle for the @",
            "\"alice\xe2\x93\x90"
            "example.gov\" <eve@example.org>",
            kShowsAlice),
        row("the address in isolates",
            "\"\xe2\x81\xa7\xe2\x81\xa6gov\xe2\x81\xa9.\xe2\x81\xa6"
            "example\xe2\x81\xa9@\xe2\x81\xa6"
            "alice\xe2\x81\xa9\xe2\x81\xa9\" <eve@example.org>",
            kShowsAlice),
        row("the address behind marks of direction",
            "\"\xe2\x80\x8fgov\xe2\x80\x8f.\xe2\x80\x8f"
            "example\xe2\x80\x8f@\xe2\x80\x8f"
            "alice\" <eve@example.org>",
            kShowsAlice),
        row("a colleague's address with a comment in it", "carol(x)@example.org <eve@example.org>", kShowsCarol),
        row("a colleague's address with a quote in it", "\"carol\"@example.org <eve@example.org>", kShowsCarol),
        row("a colleague's address with a backslash", "\"carol\\@example.org\" <eve@example.org>", kShowsCarol),
        row("a colleague's address with a control", "=?utf-8?q?carol=01=40example.org?= <eve@example.org>",
            kShowsCarol),
        row("a colleague's address with a decoded quote", "=?utf-8?q?carol=22=40example.org?= <eve@example.org>",
            "@example.org, but the sender is eve@example.org"),
        row("a colleague's address as a group's name", "\"carol\"@example.org: eve@example.org;", kShowsCarol),
        row("a colleague's address in a comment", "eve@example.org (carol(x)@example.org)",
            "@example.org, but the sender is eve@example.org"),
        row("an encoded word with a blank", "=?utf-8?Q?alice=40example.gov Boss?= <eve@example.org>", kShowsAlice),
        row("an encoded word with a broken end", "=?utf-8?Q?alice=40example.gov=?= <eve@example.org>", kShowsAlice),
        row("an encoded word in broken base64", "=?utf-8?B?YWxpY2VAZXhhbXBsZS5nb3Y=*?= <eve@example.org>", kShowsAlice),
        row("an encoded word with a broken character", "=?utf-8?Q?alice=40example.gov=FF?= <eve@example.org>",
            "the From field shows alice@example.gov\xef\xbf\xbd, but the sender is eve@example.org"),
        row("an encoded word cut in two", "=?utf-8?Q?alice=?= =?utf-8?Q?40example.gov?= <eve@example.org>",
            kShowsAlice),
        row("an encoded word of no charset", "=??Q?alice=40example.gov?= <eve@example.org>", kShowsAlice),
        row("an encoded word of an unknown charset", "=?x-foo?Q?alice=40example.gov?= <eve@example.org>", kShowsAlice),
        row("an encoded word in UTF-7", "=?unicode-1-1-utf-7?Q?alice+AEA-example.gov?= <eve@example.org>", kShowsAlice),
        row("an encoded word in UTF-7 by another name", "=?csUnicode11UTF7?Q?alice+AEA-example.gov?= <eve@example.org>",
            kShowsAlice),
        row("an encoded word in UTF-7 by a third name",
            "=?x-unicode-2-0-utf-7?B?YWxpY2UrQUVBLWV4YW1wbGUuZ292?= <eve@example.org>", kShowsAlice),
        row("an encoded word in UTF-7 with a broken byte", "=?utf-7?Q?alice+AEA-example.gov=FF?= <eve@example.org>",
            "the From field shows alice@example.gov\xef\xbf\xbd, but the sender is eve@example.org"),
        row("an encoded word in EBCDIC", "=?IBM01140?B?gZOJg4V8haeBlJeThUuHlqU=?= <eve@example.org>", kShowsAlice),
        row("an encoded word in EBCDIC of no known name", "=?x-ebcdic-x?B?gZOJg4V8haeBlJeThUuHlqU=?= <eve@example.org>",
            kCharset),
        {"a Sender in a charset of no known name", with_sender("=?utf-8?Q?Eve?= <eve@example.org>"),
         with_sender("=?x-ebcdic-x?B?gZOJg4V8haeBlJeThUuHlqU=?= <eve@example.org>"), kCharset},
        row("both senders", "alice@example.gov, eve@example.org",
            "no signer's certificate is for the sender alice@example.gov"),
        {"two From fields, the other's first", honest, "From: alice@example.gov\r\n" + honest,
         "the header has 2 From fields"},
        {"two From fields, the other's last", honest,
         replaced(honest, "MIME-Version", "From: alice@example.gov\r\nMIME-Version"), "the header has 2 From fields"},
        {"two From fields of one sender", clear, "From: alice@example.gov\r\n" + clear, "the header has 2 From fields"},
        {"the protected sender is another", protected_mail,
         replaced(protected_mail, "Eve <eve@example.org>", "alice@example.gov"),
         "the mail shows the sender alice@example.gov, but what is protected is from the sender eve@example.org"},
        {"the address as the name in a Sender field", "Sender: \"list@example.org\" <list@example.org>\r\n" + honest,
         "Sender: \"alice@example.gov\" <list@example.org>\r\n" + honest,
         "the Sender field shows alice@example.gov, but the sender is eve@example.org"},
        {"the same, outside protected fields", "Sender: \"list@example.org\" <list@example.org>\r\n" + protected_mail,
         "Sender: \"alice@example.gov\" <list@example.org>\r\n" + protected_mail,
         "the Sender field shows alice@example.gov, but the sender is eve@example.org"},
        {"the protected sender is another, old form", outside(v1, kEve), outside(v1, kAlice),
         "the mail shows the sender alice@example.gov, but what is protected is from the sender eve@example.org"},
        {"the sender inside a wrapped mail", outside(attached(inner, "; forwarded=yes"), kEve),
         outside(attached(inner), kEve),
         "the mail shows the sender eve@example.org, but what is protected is from the sender alice@example.gov"},
        {"the sender inside the signed header", outside("Subject: Pay\r\n" + kPlain, kEve),
         outside("From: alice@example.gov\r\n" + kPlain, kEve), "alice@example.gov"},
    };
}

}  // namespace

TEST_CASE("spoofing and leaking constructions of the sender are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {sender_rows(stage)});
}

TEST_CASE("an address that looks like a correspondent's is not valid", "[e2e]") {
    const Stage stage;
    const auto& office = stage.office;
    const auto read = [&](const char* name, const char* address) {
        const Identity writer = office.pki.issue({.name = name, .email = address, .kind = KeyKind::p256});
        const std::string key = office.desk.file("writer.key", writer.key_pem);
        const std::string certificate = office.desk.file("writer.pem", writer.certificate_pem);
        const std::string entity = office.desk.file("entity", kPlain);
        return stage.verdict(done(office.desk.run({"openssl", "cms", "-sign", "-binary", "-from", address, "-in",
                                                   entity, "-signer", certificate, "-inkey", key})),
                             "verify");
    };
    CHECK(read("A", "a1ice@example.gov") == "valid 0");
    CHECK(office.desk.p11mime({"certs", "import", office.certificate(stage.alice)}).status == 0);
    CHECK(read("A", "a1ice@example.gov") == "untrusted 3");
    CHECK(read("C", "carol@example.gov") == "valid 0");
    CHECK(read("Alice", "alice@example.gov") == "valid 0");
}
