// The address book: import, list, export, remove, anchors of one's own, and what verify --remember puts there.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::test;

TEST_CASE("certificates go into the address book, are listed, exported and removed", "[e2e]") {
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const Identity carol = office.correspond({.name = "Carol", .email = "carol@example.org", .kind = KeyKind::p256});
    CHECK(done(office.desk.p11mime({"certs", "list"})).empty());
    const Outcome imported =
        office.desk.p11mime({"certs", "import", office.certificate(bob), office.certificate(carol)});
    INFO(imported.err);
    REQUIRE(imported.status == 0);
    CHECK(std::filesystem::exists(office.desk.path("home/data/p11mime")));
    const std::string all = done(office.desk.p11mime({"certs", "list"}));
    CHECK_THAT(all, Catch::Contains("bob@example.org") && Catch::Contains("carol@example.org"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list", "bob@example.org"})), !Catch::Contains("carol@example.org"));

    CHECK(done(office.desk.p11mime({"certs", "export", "bob@example.org"})) == bob.certificate_pem);
    CHECK(done(office.desk.p11mime({"certs", "remove", "bob@example.org"})).empty());
    CHECK_THAT(done(office.desk.p11mime({"certs", "list"})), !Catch::Contains("bob@example.org"));
    CHECK(office.desk.p11mime({"certs", "export", "bob@example.org"}).status == 5);
    CHECK(office.desk.p11mime({"certs", "remove", "bob@example.org"}).status == 5);
    CHECK(office.desk.p11mime({"certs", "import", office.key(bob)}).status == 6);
    CHECK(office.desk.p11mime({"certs", "import", office.desk.path("absent")}).status == 7);
}

TEST_CASE("a root trusted with certs trust is an anchor from then on", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = office.desk.file(
        "signed.eml", done(office.desk.p11mime({"sign", "--intermediates", office.desk.path("intermediate.pem")},
                                               mail(alice.email, "bob@example.org"))));
    CHECK(office.desk.p11mime({"verify", text}).status == 3);
    const Outcome trusted = office.desk.p11mime({"certs", "trust", office.desk.path("root.pem")});
    INFO(trusted.err);
    REQUIRE(trusted.status == 0);
    const Outcome verified = office.desk.p11mime({"verify", text});
    INFO(verified.err);
    CHECK(verified.status == 0);
    CHECK(office.desk.p11mime({"verify", "--no-default-ca", text}).status == 3);
}

TEST_CASE("it is said of a person's certificate that is trusted where it can vouch for everybody", "[e2e]") {
    Office office;
    const auto trust = [&](const std::string& constraints) {
        const std::string file = office.desk.path(constraints.substr(3) + ".pem");
        done(office.desk.run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                              "-nodes", "-keyout", office.desk.path("own.key"), "-subj", "/CN=Alice", "-addext",
                              "subjectAltName=email:alice@example.org", "-addext", "basicConstraints=" + constraints,
                              "-out", file}));
        const Outcome outcome =
            office.desk.p11mime({"certs", "trust", file, "--json", office.desk.path("report.json")});
        CHECK(outcome.status == 0);
        return outcome.err + read_file(office.desk.path("report.json"));
    };
    const std::string warning = "whoever has the key of CN=Alice <alice@example.org> can vouch for every address";
    CHECK_THAT(trust("CA:FALSE"), !Catch::Contains(warning) && !Catch::Contains(R"("kind":"authority")"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list"})), !Catch::Contains("vouches"));
    CHECK_THAT(trust("CA:TRUE"), Catch::Contains(warning) && Catch::Contains(R"("kind":"authority")"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list"})), Catch::Contains("own anchor, vouches for every address"));
    const Outcome root = office.desk.p11mime({"certs", "trust", office.desk.path("root.pem")});
    CHECK_THAT(root.err, !Catch::Contains("vouch"));
}

TEST_CASE("the roots of the machine's TLS store are anchors where that is asked for", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text =
        office.desk.file("signed.eml", done(office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org"))));
    for (const char* store : {"store", "empty"})
        std::filesystem::create_directory(office.desk.path(store));
    office.desk.file("store/root.pem", office.pki.root_pem());
    done(office.desk.run({"openssl", "rehash", office.desk.path("store")}));
    const auto verify = [&](const Arguments& options) {
        return office.desk.p11mime(
            Arguments{"verify", "-n", "--no-default-ca", "--intermediates", office.desk.path("intermediate.pem")} +
            options + Arguments{text});
    };
    office.desk.environment["SSL_CERT_DIR"] = office.desk.path("store");
    CHECK(verify({"--system-ca"}).status == 0);
    const Outcome unasked = verify({});
    CHECK(unasked.status == 3);
    CHECK_THAT(unasked.err, Catch::Contains("neither trusted nor known"));
    office.desk.environment["SSL_CERT_DIR"] = office.desk.path("empty");
    CHECK(verify({"--system-ca"}).status == 3);
}

TEST_CASE("certs trust keeps what a root's file says of its uses, and a rejection counts whatever else is trusted",
          "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = office.desk.file(
        "signed.eml", done(office.desk.p11mime({"sign", "--intermediates", office.desk.path("intermediate.pem")},
                                               mail(alice.email, "bob@example.org"))));
    const auto root_with = [&](const std::string& name, const Arguments& settings) {
        return office.desk.file(
            name, done(office.desk.run(Arguments{"openssl", "x509", "-trustout", "-in", office.desk.path("root.pem")} +
                                       settings)));
    };
    const auto trust = [&](const std::string& file) {
        const Outcome outcome = office.desk.p11mime({"certs", "trust", file});
        CHECK(outcome.status == 0);
        return outcome.err;
    };
    const auto verify = [&](const Arguments& options) {
        return office.desk.p11mime(Arguments{"verify"} + options + Arguments{text}).status;
    };
    const std::string plain = office.desk.path("root.pem");
    const std::string rejected = root_with("rejected.pem", {"-addreject", "emailProtection"});
    CHECK_THAT(trust(rejected), Catch::Contains("rejected for emailProtection, by the settings in its file: CN="));
    CHECK_THAT(trust(rejected), Catch::Contains("as it was already"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list"})),
               Catch::Contains("own anchor, rejected for emailProtection"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list", "--json", "-"})),
               Catch::Contains(R"("rejected_uses":["emailProtection"])") && Catch::Contains(R"("trusted_uses":null)"));
    CHECK(verify({}) == 3);
    CHECK(verify({"--ca", plain}) == 3);
    CHECK(verify({"--no-default-ca", "--ca", plain}) == 0);
    CHECK(verify({"--no-default-ca", "--ca", plain, "--ca", rejected}) == 3);

    CHECK_THAT(trust(root_with("limited.pem", {"-addtrust", "serverAuth"})),
               Catch::Contains("trusted only for serverAuth"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list", "--json", "-"})),
               Catch::Contains(R"("rejected_uses":[])") && Catch::Contains(R"("trusted_uses":["serverAuth"])"));
    CHECK(verify({}) == 3);
    CHECK(verify({"--ca", plain}) == 0);

    CHECK_THAT(trust(plain), Catch::Contains("trusted from now on"));
    CHECK_THAT(done(office.desk.p11mime({"certs", "list"})), Catch::Contains("own anchor\n"));
    CHECK(verify({}) == 0);

    // A file with both.
    const std::string both = office.desk.file("both.pem", read_file(rejected) + read_file(plain));
    CHECK_THAT(trust(both), Catch::Contains("rejected for emailProtection"));
    CHECK(verify({}) == 3);
}

TEST_CASE("verify --remember keeps the certificates of trusted signers, and only theirs", "[e2e]") {
    Office office;
    // Alice signs with one key and is encrypted to with another, as ID cards have it.
    const Identity signing = office.employ(
        {.name = "Signing", .email = "alice@example.gov", .key_usage = "critical,digitalSignature,nonRepudiation"});
    const Identity encryption =
        office.employ({.name = "Encryption", .email = "alice@example.gov", .key_usage = "critical,keyEncipherment"});
    const std::string text = office.desk.file(
        "signed.eml", done(office.desk.p11mime({"sign"}, mail("alice@example.gov", "bob@example.org"))));

    const Outcome untrusted = office.desk.p11mime({"verify", "--no-default-ca", "--remember", "-n", text});
    CHECK(untrusted.status == 3);
    CHECK(done(office.desk.p11mime({"certs", "list"})).empty());

    const Outcome only_read = office.desk.p11mime(Arguments{"verify", "-n"} + office.trust() + Arguments{text});
    CHECK(only_read.status == 0);
    CHECK(done(office.desk.p11mime({"certs", "list"})).empty());

    const Outcome verified =
        office.desk.p11mime(Arguments{"verify", "--remember", "-n"} + office.trust() + Arguments{text});
    INFO(verified.err);
    REQUIRE(verified.status == 0);
    CHECK_THAT(done(office.desk.p11mime({"certs", "list"})), Catch::Contains("alice@example.gov"));

    // A reply goes to the encryption key, with the cipher that the signed mail announced.
    const Outcome reply = office.desk.p11mime(Arguments{"encrypt", "--no-self"} + office.trust(),
                                              mail("bob@example.org", "alice@example.gov"));
    INFO(reply.err);
    REQUIRE(reply.status == 0);
    CHECK_THAT(field(reply.out, "Content-Type"), Catch::Contains("authEnveloped-data"));
    const std::string file = office.desk.file("reply.eml", reply.out);
    CHECK(done(office.desk.run({"openssl", "cms", "-decrypt", "-in", file, "-recip", office.certificate(encryption),
                                "-inkey", office.key(encryption)})) == kText);
    CHECK(office.desk
              .run({"openssl", "cms", "-decrypt", "-in", file, "-recip", office.certificate(signing), "-inkey",
                    office.key(signing)})
              .status != 0);
}

TEST_CASE("verify --remember keeps nobody of a mail that is not valid, of a part, or of another's word", "[e2e]") {
    const CmsBench bench;
    const Desk desk;
    const SoftwareKey alice = bench.issue(),
                      carol = bench.issue({.name = "Carol", .alternative_name = "email:carol@example.gov"}),
                      stranger = certify({.name = "Stranger"});
    const Arguments trust{"--no-default-ca", "--ca", desk.file("root.pem", bench.root.certificate.pem()),
                          "--intermediates", desk.file("intermediate.pem", bench.intermediate.certificate.pem())};
    const auto remembered = [&](const std::string& text, int status, const char* said) {
        const Outcome outcome = desk.p11mime(Arguments{"verify", "-n", "--remember"} + trust, text);
        INFO(outcome.err);
        CHECK(outcome.status == status);
        CHECK_THAT(outcome.err, Catch::Contains(said));
        return done(desk.p11mime({"certs", "list"}));
    };
    const std::string from_alice = "From: alice@example.gov\r\n", text(kText);
    CHECK(remembered(bench.sign({carol}, from_alice + text), 3, "nothing remembered").empty());

    const std::string attached = bench.sign({carol}, "From: carol@example.gov\r\n" + text);
    const std::string both = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + text +
                             "\r\n--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" +
                             attached + "\r\n--b--\r\n";
    CHECK_THAT(remembered(bench.sign({alice}, from_alice + both), 0, "Signed by"),
               Catch::Contains("CN=Alice") && !Catch::Contains("Carol"));

    // Whoever signs may name a certificate to encrypt to that is another's, or from nobody.
    for (const SoftwareKey* other : {&carol, &stranger}) {
        cms::smime::SignOptions options;
        options.encryption_certificate = other->certificate;
        CHECK_THAT(remembered(bench.sign({alice}, from_alice + text, options), 0, "is not remembered"),
                   !Catch::Contains("Carol") && !Catch::Contains("Stranger"));
    }
}

TEST_CASE("certificates are imported from a certs-only mail, and what holds none is said plainly", "[e2e]") {
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const std::string bundle = office.desk.path("bundle.der");
    done(office.desk.run(
        {"openssl", "crl2pkcs7", "-nocrl", "-certfile", office.certificate(bob), "-outform", "DER", "-out", bundle}));
    const std::string text = office.desk.file(
        "certs.eml", mail("bob@example.org", "alice@example.gov",
                          "Content-Type: application/pkcs7-mime; smime-type=certs-only; name=smime.p7c\r\n"
                          "Content-Transfer-Encoding: base64\r\n\r\n" +
                              done(office.desk.run({"openssl", "base64", "-in", bundle}))));
    const Outcome imported = office.desk.p11mime({"certs", "import", text});
    INFO(imported.err);
    CHECK(imported.status == 0);
    CHECK(done(office.desk.p11mime({"certs", "export", "bob@example.org"})) == bob.certificate_pem);

    for (const std::string& other : {office.desk.file("text", "no certificate"), office.key(bob),
                                     office.desk.file("plain.eml", mail("bob@example.org", "alice@example.gov"))}) {
        const Outcome refused = office.desk.p11mime({"certs", "import", other});
        CHECK(refused.status == 6);
        CHECK_THAT(refused.err, Catch::StartsWith("p11mime: not a certificate: '" + other + "'"));
        CHECK_THAT(refused.err, !Catch::Contains("asn1", Catch::CaseSensitive::No));
    }
}

TEST_CASE("certificates are exported as CMS with certificates only, and come back from it", "[e2e]") {
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const Identity again = office.correspond({.name = "Bobby", .email = "bob@example.org", .kind = KeyKind::p256});
    done(office.desk.p11mime({"certs", "import", office.certificate(bob), office.certificate(again)}));
    CHECK(office.desk.p11mime({"certs", "export", "--form", "der", "bob@example.org"}).status == 2);
    const std::string file = office.desk.path("bob.p7c");
    done(office.desk.p11mime({"certs", "export", "--form", "p7c", "-o", file, "bob@example.org"}));
    const std::string listed =
        done(office.desk.run({"openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", file}));
    CHECK_THAT(listed, Catch::Contains("CN = Bob\n") && Catch::Contains("CN = Bobby\n"));
    const Desk other;
    done(other.p11mime({"certs", "import", file}));
    CHECK_THAT(done(other.p11mime({"certs", "list"})), Catch::Contains("Bobby"));
}
