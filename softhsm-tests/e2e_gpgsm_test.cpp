// Both ways between the program (keys on SoftHSM) and gpgsm (keys in its agent): RSA, and AES-CBC, which is what gpgsm
// 2.2 has.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

constexpr const char* kPassphrase = "x";

/// Gpgsm is a GnuPG home of its own, with the office's CAs in it; its agent ends with it.
class Gpgsm {
  public:
    explicit Gpgsm(Office& office) : office_(office) {
        const std::string home = office.desk.path("gnupg");
        std::filesystem::create_directory(home);
        std::filesystem::permissions(home, std::filesystem::perms::owner_all);
        office.desk.environment["GNUPGHOME"] = home;
        const std::string print =
            done(office.desk.run({"openssl", "x509", "-in", office.desk.path("root.pem"), "-noout", "-fingerprint"}));
        office.desk.file("gnupg/trustlist.txt", with_lf(print.substr(print.find('=') + 1, 59)) + " S relax\n");
        office.desk.file("gnupg/gpgsm.conf", "disable-crl-checks\ndisable-dirmngr\nbatch\npinentry-mode loopback\n");
        office.desk.file("gnupg/gpg-agent.conf", "allow-loopback-pinentry\ns2k-count 65536\n");
        import(office.desk.path("ca.pem"));
    }
    ~Gpgsm() { office_.desk.run({"gpgconf", "--kill", "all"}); }
    Gpgsm(const Gpgsm&) = delete;
    Gpgsm& operator=(const Gpgsm&) = delete;

    void import(const std::string& file) const { run({"--import", file}); }

    // import_key makes another file where gpgsm cannot read one: it guesses where its parts end, and now and then
    // wrongly.
    void import_key(const Identity& identity) const {
        const std::string file = office_.desk.path("import.p12");
        Outcome imported{.status = 1};
        for (int tries = 0; tries < 3 && imported.status != 0; ++tries) {
            done(office_.desk.run({"openssl", "pkcs12", "-export", "-legacy", "-in", office_.certificate(identity),
                                   "-inkey", office_.key(identity), "-passout", std::string("pass:") + kPassphrase,
                                   "-out", file}));
            imported = outcome({"--import", file});
        }
        done(imported);
    }

    std::string run(const Arguments& arguments) const { return done(outcome(arguments)); }
    Outcome outcome(const Arguments& arguments) const {
        return office_.desk.run(Arguments{"gpgsm", "--passphrase-fd", "0"} + arguments, kPassphrase);
    }

  private:
    Office& office_;
};

std::string signed_mail(const std::string& from, const std::string& entity, const std::string& base64) {
    return fmt::format(
        "From: {}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=\"nextPart1\"; "
        "micalg=\"sha-256\"; protocol=\"application/pkcs7-signature\"\r\n\r\n"
        "--nextPart1\r\n{}\r\n--nextPart1\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--nextPart1--\r\n",
        from, entity, base64);
}

std::string opaque_mail(const std::string& from, const std::string& smime_type, const std::string& base64) {
    return fmt::format(
        "From: {}\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type={}; name=smime.p7m\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n{}",
        from, smime_type, base64);
}

}  // namespace

TEST_CASE("gpgsm verifies what p11mime signs", "[e2e]") {
    Office office;
    const Gpgsm gpgsm(office);
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    gpgsm.import(office.certificate(alice));
    const std::string entity = office.desk.file("entity", kText);

    const std::string detached = office.desk.file(
        "detached",
        done(office.desk.p11mime({"sign", "--form", "der", "--detached", "--entity", "--from", alice.email, entity})));
    const Outcome verified = gpgsm.outcome({"--verify", detached, entity});
    INFO(verified.err);
    CHECK(verified.status == 0);
    CHECK_THAT(verified.err, Catch::Contains("Good signature from"));
    const std::string changed = office.desk.file("changed", replaced(std::string(kText), "second", "third"));
    CHECK(gpgsm.outcome({"--verify", detached, changed}).status != 0);

    const std::string opaque = done(office.desk.p11mime({"sign", "--opaque"}, mail(alice.email, "bob@example.org")));
    const std::string body = office.desk.file("opaque", body_of(opaque));
    CHECK(gpgsm.run({"--assume-base64", "--output", "-", "--verify", body}) == kText);
}

TEST_CASE("p11mime verifies what gpgsm signs", "[e2e]") {
    Office office;
    const Gpgsm gpgsm(office);
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov"});
    gpgsm.import_key(alice);
    const std::string entity = office.desk.file("entity", kText);

    const std::string detached = signed_mail(alice.email, std::string(kText),
                                             gpgsm.run({"--base64", "-u", alice.email, "--detach-sign", entity}));
    const Outcome clear = office.desk.p11mime(Arguments{"verify"} + office.trust(), detached);
    INFO(clear.err);
    CHECK(clear.status == 0);
    CHECK(entity_of(clear.out) == kText);
    CHECK(office.desk.p11mime(Arguments{"verify"} + office.trust(), replaced(detached, "second", "third")).status == 1);

    const std::string attached = gpgsm.run({"--base64", "-u", alice.email, "--sign", entity});
    const Outcome opaque =
        office.desk.p11mime(Arguments{"verify"} + office.trust(), opaque_mail(alice.email, "signed-data", attached));
    INFO(opaque.err);
    CHECK(opaque.status == 0);
    CHECK(entity_of(opaque.out) == kText);
}

TEST_CASE("gpgsm decrypts what p11mime encrypts", "[e2e]") {
    Office office;
    const Gpgsm gpgsm(office);
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    gpgsm.import_key(bob);
    for (const std::string cipher : {"aes-128-cbc", "aes-256-cbc"}) {
        INFO(cipher);
        const Outcome outcome =
            office.desk.p11mime(Arguments{"encrypt", "--no-self", "--cipher", cipher} + office.trust() +
                                    Arguments{"--recipient-cert", office.certificate(bob)},
                                mail("alice@example.gov", bob.email));
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        const std::string body = office.desk.file("body", body_of(outcome.out));
        CHECK(gpgsm.run({"--assume-base64", "--decrypt", body}) == kText);
    }
}

TEST_CASE("p11mime decrypts on the token what gpgsm encrypts", "[e2e]") {
    Office office;
    const Gpgsm gpgsm(office);
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org"});
    gpgsm.import(office.certificate(bob));
    const std::string entity = office.desk.file("entity", kText);
    for (const std::string cipher : {"AES128", "AES256"}) {
        const std::string encrypted =
            gpgsm.run({"--base64", "--cipher-algo", cipher, "-r", bob.email, "--encrypt", entity});
        const Outcome decrypted =
            office.desk.p11mime({"decrypt"}, opaque_mail("alice@example.gov", "enveloped-data", encrypted));
        INFO(decrypted.err);
        CHECK(decrypted.status == 0);
        CHECK(entity_of(decrypted.out) == kText);
    }
    const std::string armoured = gpgsm.run({"--armor", "-r", bob.email, "--encrypt", entity});
    const Outcome decrypted = office.desk.p11mime({"decrypt"}, armoured);
    INFO(decrypted.err);
    CHECK(decrypted.status == 0);
    CHECK(decrypted.out == kText);
}
