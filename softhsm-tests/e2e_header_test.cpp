// What becomes of headers, line ends and content on the way: RFC 8551 section 3.1, judged by openssl and by Python's
// email package.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

struct Signing {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});

    std::string sign(const std::string& text, const Arguments& options = {}) const {
        return done(office.desk.p11mime(Arguments{"sign"} + options, text));
    }
    /// content is what openssl says is signed.
    std::string content(const std::string& signed_mail) const {
        const std::string file = office.desk.file("signed", signed_mail);
        return done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + office.peer_trust()));
    }
    Outcome verify(const std::string& text, const Arguments& options = {}) const {
        return office.desk.p11mime(Arguments{"verify"} + office.trust() + options, text);
    }
    /// text is the decoded text of an entity's only part, by Python.
    std::string text(const std::string& entity) const {
        return done(office.desk.run({"python3", "-c",
                                     "import email,email.policy,sys\n"
                                     "m=email.message_from_bytes(sys.stdin.buffer.read(),policy=email.policy.SMTP)\n"
                                     "sys.stdout.buffer.write(m.get_payload(decode=True))"},
                                    entity));
    }
};

}  // namespace

TEST_CASE("transport fields stay outside and only the MIME fields move inside", "[e2e]") {
    const Signing scene;
    const std::string text = replaced(mail("alice@example.gov", "bob@example.org"), "MIME-Version",
                                      "Content-Language: de\r\nX-Content: stays\r\nMIME-Version");
    for (const Arguments& form : {Arguments{}, Arguments{"--opaque"}}) {
        const std::string signed_mail = scene.sign(text, form);
        for (const char* name :
             {"From", "To", "Subject", "Date", "Message-ID", "X-Folded", "X-Content", "MIME-Version"}) {
            INFO(name);
            CHECK(field(signed_mail, name) == field(text, name));
        }
        CHECK(field(signed_mail, "Content-Language").empty());
        CHECK(scene.content(signed_mail) == "Content-Language: de\r\n" + std::string(kText));
        const Outcome verified = scene.verify(signed_mail);
        CHECK(entity_of(verified.out) == "Content-Language: de\r\n" + std::string(kText));
        CHECK(field(verified.out, "Message-ID") == field(text, "Message-ID"));
        CHECK(verified.out.find("MIME-Version:") == verified.out.rfind("MIME-Version:"));
    }
}

TEST_CASE("a bare entity gives a bare entity", "[e2e]") {
    const Signing scene;
    const std::string signed_entity = scene.sign(std::string(kText), {"--from", "alice@example.gov"});
    CHECK(field(signed_entity, "From").empty());
    CHECK(signed_entity.starts_with("Content-Type: multipart/signed"));
    CHECK(scene.content(signed_entity) == kText);
    const Outcome verified = scene.verify(signed_entity);
    CHECK(verified.status == 0);
    CHECK(verified.out == kText);
}

TEST_CASE("files with LF line ends stay LF, what is signed is CRLF", "[e2e]") {
    const Signing scene;
    const std::string text = with_lf(mail("alice@example.gov", "bob@example.org"));
    for (const Arguments& form : {Arguments{}, Arguments{"--opaque"}}) {
        const std::string signed_mail = scene.sign(text, form);
        CHECK(signed_mail.find('\r') == std::string::npos);
        CHECK(scene.content(signed_mail) == kText);
        const Outcome verified = scene.verify(signed_mail);
        INFO(verified.err);
        CHECK(verified.status == 0);
        CHECK(verified.out.find('\r') == std::string::npos);
        CHECK(entity_of(verified.out) == with_lf(kText));
        CHECK(scene.verify(with_crlf(signed_mail)).status == 0);
    }
    const std::string crlf = scene.sign(with_crlf(text));
    CHECK(crlf == with_crlf(crlf));
    CHECK(scene.verify(with_lf(crlf)).status == 0);
}

TEST_CASE("an mbox From line before a mail is read over", "[e2e]") {
    const Signing scene;
    const std::string line = "From alice@example.gov Tue Mar  4 10:15:00 2025\n";
    const std::string signed_mail = scene.sign(line + with_lf(mail("alice@example.gov", "bob@example.org")));
    CHECK(signed_mail.starts_with("From: alice@example.gov\n"));
    CHECK(scene.content(signed_mail) == kText);
    CHECK(scene.verify(line + signed_mail).status == 0);
}

TEST_CASE("content is made safe for transport before it is signed, and decodes to what it was", "[e2e]") {
    const Signing scene;
    const std::string eight_bit = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    const std::vector<std::string> bodies{
        "Gr\xc3\xbc\xc3\x9f"
        "e\r\n",
        "trailing space \r\nand tab\t\r\n", "From here on\r\n", std::string(1200, 'x') + "\r\n",
        "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xd0\xbc\xd0\xb8\xd1\x80\r\n"};
    for (const std::string& body : bodies) {
        INFO(body.substr(0, 20));
        const std::string signed_mail = scene.sign(mail("alice@example.gov", "bob@example.org", eight_bit + body));
        const std::string content = scene.content(signed_mail);
        CHECK(scene.text(content) == body);
        for (const char c : content)
            REQUIRE(static_cast<unsigned char>(c) < 0x80);
        CHECK(content.find("\nFrom ") == std::string::npos);
        CHECK(scene.verify(signed_mail).status == 0);
    }
}

TEST_CASE("a signed part that is not safe is never re-encoded: clear signing is refused", "[e2e]") {
    const Signing scene;
    const std::string nested =
        "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n"
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "From: carol@example.org\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "Gr\xc3\xbc\xc3\x9f"
        "e\r\n--outer--\r\n";
    const std::string text = mail("alice@example.gov", "bob@example.org", nested);
    const std::string file = scene.office.desk.path("out.eml");
    const Outcome refused = scene.office.desk.p11mime({"sign", "-o", file}, text);
    INFO(refused.err);
    CHECK(refused.status != 0);
    CHECK_THAT(refused.err, Catch::Contains("--opaque"));
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK(scene.content(scene.sign(text, {"--opaque"})) == nested);
}

TEST_CASE("S/MIME in the forms that others write is read", "[e2e]") {
    const Signing scene;
    const std::string opaque = scene.sign(mail("alice@example.gov", "bob@example.org"), {"--opaque"});
    const std::string body = body_of(opaque);
    const std::string clear = scene.sign(mail("alice@example.gov", "bob@example.org"));
    const auto with_type = [&](const std::string& fields) {
        return "From: alice@example.gov\r\nMIME-Version: 1.0\r\n" + fields +
               "Content-Transfer-Encoding: base64\r\n\r\n" + body;
    };
    for (const std::string& text :
         {with_type("Content-Type: application/x-pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"),
          with_type("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"),
          with_type("Content-Type: APPLICATION/PKCS7-MIME\r\n"),
          with_type("Content-Type: application/octet-stream; name=\"smime.p7m\"\r\n"),
          with_type(
              "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=SMIME.P7M\r\n"),
          replaced(replaced(clear, "application/pkcs7-signature", "application/x-pkcs7-signature"),
                   "Content-Type: application/pkcs7-signature", "Content-Type: application/x-pkcs7-signature")}) {
        const Outcome outcome = scene.verify(text);
        INFO(text.substr(0, 200) << outcome.err);
        CHECK(outcome.status == 0);
        CHECK(entity_of(outcome.out) == kText);
    }
    const Outcome base64 = scene.verify(body);
    INFO(base64.err);
    CHECK(base64.status == 0);
    CHECK(base64.out == kText);
}

TEST_CASE("a From field that receivers' sender check will refuse is warned of", "[e2e]") {
    const Signing scene;
    using Senders = std::vector<std::string>;
    // warned is the senders whom the warnings name.
    const auto warned = [&](const std::string& from, const Arguments& options) {
        const std::string report = scene.office.desk.path("report.json"), output = scene.office.desk.path("signed.eml");
        const Outcome outcome = scene.office.desk.p11mime(Arguments{"sign", "--json", report, "-o", output} + options,
                                                          mail(from, "bob@example.org"));
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        Senders senders;
        const auto told = nlohmann::json::parse(read_file(report));
        for (const auto& warning : told["warnings"]) {
            CHECK(warning["kind"] == "sender-mismatch");
            const auto message = warning["message"].get<std::string>();
            CHECK_THAT(message, Catch::StartsWith("the certificate CN=Alice,O=Example is not of the sender "));
            const std::size_t begin = message.find("sender ") + 7;
            senders.push_back(message.substr(begin, message.find(':') - begin));
        }
        CHECK(scene.verify(read_file(output)).status == (senders.empty() ? 0 : 3));
        return senders;
    };
    CHECK(warned("Alice <alice@example.gov>", {}) == Senders{});
    CHECK(warned("alice@example.gov, carol@example.gov", {}) == Senders{"carol@example.gov"});
    CHECK(warned("carol@example.gov", {"--from", "alice@example.gov"}) == Senders{"carol@example.gov"});
    CHECK(warned("carol@example.gov, dan@example.gov", {"--key", "pkcs11:object=Alice"}) ==
          Senders{"carol@example.gov", "dan@example.gov"});
}
