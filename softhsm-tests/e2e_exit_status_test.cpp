// The table of README's "Exit codes", row by row, and what goes with each.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

/// Scene is Alice with a key on her token and mails of every sort.
struct Scene {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    Identity carol = office.correspond({.name = "Carol", .email = "carol@example.org"});
    std::string plain = office.desk.file("plain.eml", mail("alice@example.gov", "carol@example.org"));
    std::string signed_mail = office.desk.file("signed.eml", done(office.desk.p11mime({"sign", plain})));
    std::string changed = office.desk.file("changed.eml", replaced(read_file(signed_mail), "second", "third"));

    Outcome verify(const std::string& file, const Arguments& options = {}) const {
        return office.desk.p11mime(Arguments{"verify"} + office.trust() + options + Arguments{file});
    }
};

}  // namespace

TEST_CASE("exit 0: everything asked for holds, open of a mail without any layer too", "[e2e]") {
    const Scene scene;
    CHECK(scene.verify(scene.signed_mail).status == 0);
    CHECK(scene.office.desk.p11mime(Arguments{"open"} + scene.office.trust() + Arguments{scene.plain}).status == 0);
    CHECK(scene.office.desk.p11mime({"tokens"}).status == 0);
    CHECK(scene.office.desk.p11mime({"inspect", scene.signed_mail}).status == 0);
    const Outcome version = scene.office.desk.p11mime({"--version"});
    CHECK(version.status == 0);
    CHECK_THAT(version.out, Catch::StartsWith("p11mime ") && Catch::Contains("OpenSSL"));
}

TEST_CASE("exit 1: a signature does not verify, or cannot be checked", "[e2e]") {
    const Scene scene;
    const Outcome changed = scene.verify(scene.changed);
    CHECK(changed.status == 1);
    CHECK(changed.out.empty());

    const std::string without_certificate = scene.office.desk.path("nocerts.eml");
    done(scene.office.desk.run({"openssl", "cms", "-sign", "-nocerts", "-in", scene.office.desk.file("entity", kText),
                                "-signer", scene.office.certificate(scene.carol), "-inkey",
                                scene.office.key(scene.carol), "-from", "carol@example.org", "-out",
                                without_certificate}));
    CHECK(scene.verify(without_certificate).status == 1);
    CHECK(scene.verify(without_certificate, {"--intermediates", scene.office.certificate(scene.carol)}).status == 0);

    const std::string md5 = scene.office.desk.path("md5.eml");
    done(scene.office.desk.run({"openssl", "cms", "-sign", "-md", "md5", "-in", scene.office.desk.path("entity"),
                                "-signer", scene.office.certificate(scene.carol), "-inkey",
                                scene.office.key(scene.carol), "-from", "carol@example.org", "-out", md5}));
    CHECK(scene.verify(md5).status == 1);
    CHECK(scene.verify(md5, {"--allow-weak"}).status == 1);
}

TEST_CASE("exit 2: the command line is wrong, and nothing is done", "[e2e]") {
    const Scene scene;
    const std::string file = scene.office.desk.path("out.eml");
    const std::vector<Arguments> wrong{{},
                                       {"frobnicate"},
                                       {"sign", "--frobnicate"},
                                       {"sign", "--digest", "md5", scene.plain},
                                       {"sign", "-o"},
                                       {"verify", "--at", "yesterday", scene.signed_mail},
                                       {"encrypt", "--cipher", "rot13", scene.plain},
                                       {"sign", "--form", "zip", scene.plain},
                                       {"sign", "--key", "not-a-uri", scene.plain},
                                       {"sign", scene.plain, scene.signed_mail},
                                       {"key"},
                                       {"key", "generate", "--type", "rsa512"}};
    for (const Arguments& arguments : wrong) {
        const Outcome outcome = scene.office.desk.p11mime(arguments);
        CAPTURE(arguments, outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK_THAT(outcome.err, Catch::Contains("p11mime"));
    }
    CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("exit 3: intact, but not to be trusted, and the content is written unless --strict is given", "[e2e]") {
    const Scene scene;
    const Office& office = scene.office;
    const Outcome unknown_root = office.desk.p11mime({"verify", "--no-default-ca", scene.signed_mail});
    CHECK(unknown_root.status == 3);
    CHECK(entity_of(unknown_root.out) == kText);
    const std::string file = office.desk.path("strict.out");
    const Outcome strict =
        office.desk.p11mime({"verify", "--no-default-ca", "--strict", "-o", file, scene.signed_mail});
    CHECK(strict.status == 3);
    CHECK_FALSE(std::filesystem::exists(file));

    CHECK(scene.verify(scene.signed_mail, {"--at", "2001-01-01T00:00:00Z"}).status == 3);
    const std::string text = read_file(scene.signed_mail);
    const std::string mallory =
        office.desk.file("mallory.eml", replaced(text, "From: alice@example.gov", "From: mallory@example.org"));
    CHECK(scene.verify(mallory).status == 3);
    CHECK(scene.verify(mallory, {"--sender-check", "off"}).status == 0);
    const Outcome warned = scene.verify(mallory, {"--sender-check", "warn"});
    CHECK(warned.status == 0);
    CHECK_THAT(warned.err, Catch::Contains("mallory@example.org"));

    const auto signed_by = [&](const Leaf& leaf, const Arguments& options = {}) {
        const Identity signer = scene.office.pki.issue(leaf);
        const std::string key = office.desk.file("k", signer.key_pem),
                          certificate = office.desk.file("c", signer.certificate_pem);
        const std::string out = office.desk.path(leaf.name + ".eml");
        done(office.desk.run(Arguments{"openssl", "cms", "-sign", "-in", office.desk.file("entity", kText), "-signer",
                                       certificate, "-inkey", key, "-from", leaf.email, "-out", out} +
                             options));
        return out;
    };
    const auto status = [&](const std::string& mail_file, const Arguments& options = {}) {
        return scene.verify(mail_file, options).status;
    };
    CHECK(status(signed_by({.name = "Expired", .begins_in_days = -9, .ends_in_days = -2})) == 3);
    CHECK(status(signed_by({.name = "Early", .begins_in_days = 2})) == 3);
    CHECK(status(signed_by({.name = "Server", .extended_key_usage = "serverAuth"})) == 3);
    CHECK(status(office.desk.path("Server.eml"), {"--purpose", "any"}) == 0);
    CHECK(status(signed_by({.name = "Agreement", .kind = KeyKind::p256, .key_usage = "critical,keyAgreement"})) == 3);
    CHECK(status(signed_by({.name = "Short", .kind = KeyKind::rsa1024})) == 3);
    CHECK(status(office.desk.path("Short.eml"), {"--allow-weak"}) == 0);
    CHECK(status(signed_by({.name = "Sha1"}, {"-md", "sha1"})) == 3);
    CHECK(status(office.desk.path("Sha1.eml"), {"--allow-weak"}) == 0);

    // Only a part of the mail is signed: a mailing list has put a footer under it.
    const std::string inner = text.substr(text.find("Content-Type: multipart/signed"));
    const std::string listed =
        office.desk.file("listed.eml",
                         "From: alice@example.gov\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
                         "boundary=list\r\n\r\n--list\r\n" +
                             inner + "\r\n--list\r\nContent-Type: text/plain\r\n\r\nUnsubscribe here.\r\n--list--\r\n");
    const Outcome part = office.desk.p11mime(Arguments{"open"} + office.trust() + Arguments{listed});
    INFO(part.err);
    CHECK(part.status == 3);
}

TEST_CASE("exit 4: no module, no token, no key, a wrong PIN", "[e2e]") {
    Scene scene;
    Office& office = scene.office;
    office.desk.environment["WRONG"] = "0000";
    const std::string file = office.desk.path("out.eml");
    for (const Arguments& options :
         {Arguments{"--module", office.desk.path("absent.so")}, Arguments{"--token", "pkcs11:token=Absent"},
          Arguments{"--key", "pkcs11:object=Absent"}, Arguments{"--from", "nobody@example.gov"},
          Arguments{"--pin-source", "env:WRONG"}}) {
        const Outcome outcome = office.desk.p11mime(Arguments{"sign", "-o", file} + options + Arguments{scene.plain});
        CAPTURE(options, outcome.err);
        CHECK(outcome.status == 4);
        CHECK_THAT(outcome.err, Catch::Contains("p11mime: "));
        CHECK_FALSE(std::filesystem::exists(file));
    }
    // Why each key was passed over is said.
    const Outcome none = office.desk.p11mime({"sign", "--from", "nobody@example.gov", scene.plain});
    CHECK_THAT(none.err, Catch::Contains("nobody@example.gov") && Catch::Contains("CN=Alice"));
}

TEST_CASE("exit 5, 6 and 7: no key of a recipient, malformed input, input that cannot be read", "[e2e]") {
    const Scene scene;
    const std::string encrypted =
        done(scene.office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in",
                                    scene.office.desk.file("entity", kText), scene.office.certificate(scene.carol)}));
    const Outcome none = scene.office.desk.p11mime({"decrypt"}, encrypted);
    CHECK(none.status == 5);
    CHECK_THAT(none.err, Catch::Contains("Alice"));
    CHECK(scene.office.desk.p11mime({"decrypt", scene.plain}).status == 6);
    CHECK(scene.office.desk.p11mime({"decrypt", scene.office.desk.path("absent")}).status == 7);
}

TEST_CASE("the exit codes of --sysexits are those of mail systems: trouble that passes is 75", "[e2e]") {
    Scene scene;
    Office& office = scene.office;
    office.desk.environment["WRONG"] = "0000";
    CHECK(scene.verify(scene.signed_mail, {"--sysexits"}).status == 0);
    CHECK(office.desk.p11mime({"sign", "--sysexits", "--pin-source", "env:WRONG", scene.plain}).status == 75);
    CHECK(office.desk.p11mime({"decrypt", "--sysexits", office.desk.path("absent")}).status == 75);
    CHECK(office.desk.p11mime({"sign", "--sysexits", "--frobnicate"}).status == 64);
    CHECK(office.desk.p11mime({"decrypt", "--sysexits", scene.plain}).status == 65);
    const int untrusted = office.desk.p11mime({"verify", "--sysexits", "--no-default-ca", scene.signed_mail}).status;
    CHECK(untrusted >= 64);
    CHECK(untrusted != 75);
}

TEST_CASE("verify --even-if-invalid writes the content of a broken signature, to a file only, and still says 1",
          "[e2e]") {
    const Scene scene;
    const std::string file = scene.office.desk.path("broken.out");
    CHECK(scene.verify(scene.changed, {"-o", file}).status == 1);
    CHECK_FALSE(std::filesystem::exists(file));
    const Outcome written = scene.verify(scene.changed, {"--even-if-invalid", "-o", file});
    CHECK(written.status == 1);
    CHECK(entity_of(read_file(file)) == replaced(std::string(kText), "second", "third"));
    const Outcome to_stream = scene.verify(scene.changed, {"--even-if-invalid"});
    CHECK(to_stream.status == 2);
    CHECK(to_stream.out.empty());
}
