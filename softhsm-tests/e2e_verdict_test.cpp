// What a person reads about a mail on the terminal.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;
using Catch::Contains;

namespace {

/// Scene is Alice with a key on her token, and whoever else signs in software.
struct Scene {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});

    std::string signed_mail() const {
        return done(office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org")));
    }
    std::string signed_by(const std::vector<Leaf>& leaves, const Arguments& options = {}) const {
        Arguments arguments{"openssl",           "cms", "-sign", "-in", office.desk.file("entity", kText), "-from",
                            leaves.front().email};
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            const Identity signer = office.pki.issue(leaves[i]);
            const std::string name = "signer" + std::to_string(i);
            arguments = arguments + Arguments{"-signer", office.desk.file(name + ".pem", signer.certificate_pem),
                                              "-inkey", office.desk.file(name + ".key", signer.key_pem)};
        }
        return done(office.desk.run(arguments + options));
    }
    /// said is the first line about a mail, which must end with a status.
    std::string said(const std::string& text, int status, const Arguments& options = {}) const {
        const Outcome outcome = office.desk.p11mime(Arguments{"open", "-n"} + office.trust() + options, text);
        INFO(outcome.err);
        CHECK(outcome.status == status);
        return outcome.err.substr(0, outcome.err.find('\n'));
    }
};

}  // namespace

TEST_CASE("the first line tells what holds to people who know nothing of certificates", "[e2e]") {
    const Scene scene;
    const std::string signed_mail = scene.signed_mail();
    CHECK_THAT(scene.said(signed_mail, 0),
               Catch::Matches("p11mime: Signed by Alice <alice@example\\.gov>, unchanged, certificate checked "
                              "20[0-9]{2}-[0-9]{2}-[0-9]{2}, revocation unknown"));
    const std::string sealed = done(scene.office.desk.p11mime(
        Arguments{"seal", "--recipient-cert", scene.office.certificate(scene.alice)} + scene.office.trust(),
        mail(scene.alice.email, scene.alice.email)));
    CHECK_THAT(scene.said(sealed, 0), Contains(": Encrypted, and signed by Alice <alice@example.gov>, unchanged"));
    const std::string encrypted = done(scene.office.desk.p11mime(
        Arguments{"encrypt", "--recipient-cert", scene.office.certificate(scene.alice)} + scene.office.trust(),
        mail(scene.alice.email, scene.alice.email)));
    CHECK_THAT(scene.said(encrypted, 0), Contains(": Encrypted, but not signed, nor protected against changes"));
    CHECK_THAT(scene.said(mail(scene.alice.email, "b@example.org"), 0), Contains(": Neither signed nor encrypted"));
    CHECK_THAT(scene.said(scene.signed_by({{.name = "Carol", .email = "carol@example.org"},
                                           {.name = "Dan", .email = "dan@example.org"}}),
                          0),
               Contains("Carol <carol@example.org>") && Contains(" and by ") && Contains("certificates checked"));
}

TEST_CASE("mail in the form of OpenPGP is named so, and is no S/MIME", "[e2e]") {
    const Scene scene;
    const std::string text =
        mail(scene.alice.email, "bob@example.org",
             "Content-Type: text/plain\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nHello\r\n");
    CHECK_THAT(scene.said(text, 0), Contains(": Neither signed nor encrypted with S/MIME; it is in the form of signed "
                                             "OpenPGP, which was not looked at: nothing tells who sent it"));
    for (const char* command : {"verify", "decrypt"}) {
        const Outcome outcome = scene.office.desk.p11mime({command}, text);
        CHECK(outcome.status == 6);
        CHECK(outcome.out.empty());
        CHECK_THAT(outcome.err, Contains("claims to be signed with OpenPGP") && Contains("gpg"));
    }
    const Outcome inspected = scene.office.desk.p11mime({"inspect"}, text);
    CHECK(inspected.status == 0);
    CHECK(inspected.out == "neither signed nor encrypted with S/MIME\n");
}

TEST_CASE("the first line says what was not checked of a mail, and what is accepted all the same", "[e2e]") {
    const Scene scene;
    const std::string signed_mail = scene.signed_mail();
    const std::string by_mallory = replaced(signed_mail, "From: alice@", "From: mallory@");
    CHECK_THAT(scene.said(signed_mail, 0, {"--revocation", "off"}), Contains(", revocation not checked"));
    CHECK_THAT(scene.said(signed_mail, 0), !Contains("sender") && !Contains("weak"));
    CHECK_THAT(scene.said(signed_mail, 0, {"--sender-check", "off"}), Contains(", sender not checked"));
    CHECK_THAT(scene.said(by_mallory, 0, {"--sender-check", "off"}), Contains(", sender not checked"));
    CHECK_THAT(scene.said(by_mallory, 0, {"--sender-check", "warn"}), Contains(", not the sender's"));
    const std::string weak = scene.signed_by({{.name = "Carol", .email = "c@example.org"}}, {"-md", "sha1"});
    CHECK_THAT(scene.said(weak, 0, {"--allow-weak"}), Contains(", weak"));
    const std::string server =
        scene.signed_by({{.name = "Server", .email = "s@example.org", .extended_key_usage = "serverAuth"}});
    CHECK_THAT(scene.said(server, 0, {"--purpose", "any"}), Contains(", not meant for e-mail"));
    CHECK_THAT(scene.said(signed_mail, 0, {"--purpose", "any"}), !Contains("not meant for e-mail"));
}

TEST_CASE("what is not to be trusted names one cause, the certificate concerned and what can be done", "[e2e]") {
    const Scene scene;
    const std::string signed_mail = scene.signed_mail();
    const auto tells = [](const std::string& line, const std::vector<std::string>& all) {
        for (const std::string& each : all)
            CHECK_THAT(line, Contains(each));
    };
    const char* untrusted = ": Signed in the name of ";
    const auto by = [&](const Leaf& leaf, const Arguments& options = {}) { return scene.signed_by({leaf}, options); };
    tells(scene.said(by({.name = "Carol", .email = "c@example.org", .begins_in_days = -9, .ends_in_days = -2}), 3),
          {untrusted, "has ended", "CN=Carol", "a newer certificate is needed"});
    tells(scene.said(by({.name = "Carol", .email = "c@example.org", .begins_in_days = 2}), 3),
          {untrusted, "not valid before", "CN=Carol", "see whether the clock is right"});
    tells(scene.said(by({.name = "Carol", .email = "c@example.org", .extended_key_usage = "serverAuth"}), 3),
          {untrusted, "not meant for e-mail", "CN=Carol", "; "});
    tells(scene.said(by({.name = "Carol", .email = "c@example.org", .kind = KeyKind::rsa1024}), 3),
          {untrusted, "weak key (RSA-1024)", "CN=Carol", "--allow-weak"});
    tells(
        scene.said(by({.name = "Carol", .email = "c@example.org"}, {"-md", "sha1"}), 3),
        {untrusted, "is weak (rsa-pkcs1 with sha1", "CN=Carol", "ask the sender to sign with SHA-256", "--allow-weak"});
    tells(scene.said(replaced(signed_mail, "From: alice@", "From: mallory@"), 3),
          {untrusted, "no signer's certificate is for the sender mallory@example.gov", "Alice", "--sender-check"});
    tells(scene.said(replaced(signed_mail, "second", "third"), 1),
          {": INVALID, do not rely on this mail: ", "the content was changed", "CN=Alice", "send it again"});
    tells(scene.said(by({.name = "Carol", .email = "c@example.org"}, {"-nocerts"}), 1),
          {": INVALID", "cannot be checked", "serial", "--intermediates"});
    const Outcome stranger = scene.office.desk.p11mime({"open", "-n", "--no-default-ca"}, signed_mail);
    tells(stranger.err, {untrusted, "neither trusted nor known", "Intermediate", "certs trust"});
}

TEST_CASE("names out of mails and certificates drive no terminal and disguise nothing", "[e2e]") {
    const Scene scene;
    const std::string evil = "Ev\x1b[2J\xe2\x80\xae\xc2\x9b\xf3\xa0\x81\x81il";
    const std::string shown = "Ev\\x1b[2J\\u{202e}\\u{9b}\\u{e0041}il";
    const auto safe = [](const std::string& text) {
        return text.find('\x1b') == std::string::npos && text.find("\xe2\x80\xae") == std::string::npos &&
               text.find("\xc2\x9b") == std::string::npos && text.find("\xf3\xa0\x81\x81") == std::string::npos;
    };
    const std::string signed_mail = scene.signed_by({{.name = evil, .email = "evil@example.org"}});
    const std::string file = scene.office.desk.file(evil + ".eml", signed_mail);
    for (const Arguments& command :
         {Arguments{"verify", "-n"} + scene.office.trust(), Arguments{"verify", "-n", "--no-default-ca"},
          Arguments{"inspect"},
          Arguments{"verify", "-n", "--strict", "--at", "2001-01-01T00:00:00Z"} + scene.office.trust(),
          Arguments{"certs", "list", evil}, Arguments{"decrypt"},
          Arguments{"verify", "-n", file} + scene.office.trust(), Arguments{"verify", evil}}) {
        const Outcome outcome = scene.office.desk.p11mime(command + Arguments{file});
        CAPTURE(command, outcome.status, outcome.err, outcome.out);
        CHECK(safe(outcome.err));
        if (command.front() == "inspect" || command.front() == "certs") CHECK(safe(outcome.out));
    }
    CHECK_THAT(scene.office.desk.p11mime(Arguments{"verify", "-n"} + scene.office.trust(), signed_mail).err,
               Contains("Signed by \"" + shown + "\" <evil@example.org>"));
    // The report keeps the name as it is, in ASCII.
    const Outcome report =
        scene.office.desk.p11mime(Arguments{"verify", "-n", "--json", "-"} + scene.office.trust(), signed_mail);
    CHECK(safe(report.out));
    CHECK_THAT(report.out, Contains("[2J\\u202e\\u009b\\udb40\\udc41il"));
}

TEST_CASE("the verdict has its colour on a terminal, and keeps its words without", "[e2e]") {
    Scene scene;
    const std::string signed_mail = scene.signed_mail();
    const auto shown = [&](const std::string& text, int status, const char* kind, const char* no_colour = "") {
        scene.office.desk.environment["TERM"] = kind;
        scene.office.desk.environment["NO_COLOR"] = no_colour;
        const std::string file = scene.office.desk.file("mail.eml", text);
        TerminalProgram program(
            scene.office.desk.p11mime_command(Arguments{"open", "-n"} + scene.office.trust() + Arguments{file}));
        CHECK(program.wait_for_end() == status);
        return program.shown();
    };
    const std::string by_mallory = replaced(signed_mail, "From: alice@", "From: mallory@");
    CHECK_THAT(shown(signed_mail, 0, "xterm"), Contains("p11mime: \x1b[32mSigned by Alice"));
    CHECK_THAT(shown(by_mallory, 3, "xterm"), Contains("p11mime: \x1b[33mSigned in the name of Alice"));
    CHECK_THAT(shown(replaced(signed_mail, "second", "third"), 1, "xterm"), Contains("p11mime: \x1b[1;31mINVALID"));
    CHECK_THAT(shown(mail(scene.alice.email, "bob@example.org"), 0, "xterm"),
               Contains("p11mime: Neither signed nor encrypted") && !Contains("\x1b"));
    CHECK_THAT(shown(signed_mail, 0, "xterm", "1"), Contains("p11mime: Signed by Alice") && !Contains("\x1b"));
    CHECK_THAT(shown(by_mallory, 3, "dumb"), Contains("p11mime: Signed in the name of Alice") && !Contains("\x1b"));
}
