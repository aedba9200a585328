// Encryption, both ways between the program (keys on SoftHSM) and openssl cms (keys in files).

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

struct Cipher {
    std::string name;
    std::string oid;  // as openssl prints it
    bool authenticated;
};

const std::vector<Cipher>& ciphers() {
    static const std::vector<Cipher> all{{"aes-128-cbc", "(2.16.840.1.101.3.4.1.2)", false},
                                         {"aes-256-cbc", "(2.16.840.1.101.3.4.1.42)", false},
                                         {"aes-128-gcm", "(2.16.840.1.101.3.4.1.6)", true},
                                         {"aes-256-gcm", "(2.16.840.1.101.3.4.1.46)", true}};
    return all;
}

struct Way {
    KeyKind kind;
    const char* name;
    Arguments ours, theirs;  // options for p11mime and for openssl
};

const std::vector<Way>& ways() {
    static const std::vector<Way> all{
        {KeyKind::rsa2048, "rsa", {}, {}},
        {KeyKind::rsa2048, "oaep", {"--oaep"}, {"-keyopt", "rsa_padding_mode:oaep"}},
        {KeyKind::rsa2048,
         "oaep256",
         {"--oaep"},
         {"-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"}},
        {KeyKind::p256, "p256", {}, {}},
        {KeyKind::p384, "p384", {}, {"-keyopt", "ecdh_kdf_md:sha384"}},
        {KeyKind::p521, "p521", {}, {"-keyopt", "ecdh_kdf_md:sha512"}},
    };
    return all;
}

Leaf leaf(const Way& way) {
    return {.name = way.name, .email = std::string(way.name) + "@example.org", .kind = way.kind};
}

Arguments recipient(const Office& office, const Identity& identity) {
    return {"--recipient-cert", office.certificate(identity)};
}

}  // namespace

TEST_CASE("openssl decrypts what p11mime encrypts for RSA and EC recipients, CBC and GCM", "[e2e]") {
    Office office;
    for (const Way& way : ways()) {
        const Identity bob = office.correspond(leaf(way));
        for (const Cipher& cipher : ciphers()) {
            INFO(way.name << " " << cipher.name);
            const Outcome outcome = office.desk.p11mime(Arguments{"encrypt", "--no-self", "--cipher", cipher.name} +
                                                            way.ours + office.trust() + recipient(office, bob),
                                                        mail("alice@example.gov", bob.email));
            INFO(outcome.err);
            REQUIRE(outcome.status == 0);
            CHECK_THAT(field(outcome.out, "Content-Type"),
                       Catch::Contains("application/pkcs7-mime") && Catch::Contains("smime.p7m") &&
                           Catch::Contains(cipher.authenticated ? "smime-type=authEnveloped-data"
                                                                : "smime-type=enveloped-data"));
            CHECK(field(outcome.out, "X-Folded") == "one two");
            CHECK_THAT(outcome.out, !Catch::Contains("second paragraph"));
            const std::string file = office.desk.file("encrypted.eml", outcome.out);
            const Outcome decrypted = office.desk.run({"openssl", "cms", "-decrypt", "-in", file, "-recip",
                                                       office.certificate(bob), "-inkey", office.key(bob)});
            INFO(decrypted.err);
            CHECK(decrypted.status == 0);
            CHECK(decrypted.out == kText);
            CHECK_THAT(done(office.desk.run({"openssl", "cms", "-cmsout", "-print", "-noout", "-in", file})),
                       Catch::Contains(cipher.oid));
        }
    }
}

TEST_CASE("p11mime decrypts on the token what openssl encrypts, RSA v1.5, OAEP and ECDH, CBC and GCM", "[e2e]") {
    Office office;
    const std::string entity = office.desk.file("entity", kText);
    for (const Way& way : ways()) {
        const Identity bob = office.employ(leaf(way));
        for (const Cipher& cipher : ciphers()) {
            INFO(way.name << " " << cipher.name);
            const std::string encrypted = done(office.desk.run(
                Arguments{"openssl", "cms", "-encrypt", "-" + cipher.name, "-in", entity, "-from", "alice@example.gov",
                          "-to", bob.email, "-subject", "From a peer", "-recip", office.certificate(bob)} +
                way.theirs));
            const Outcome decrypted = office.desk.p11mime({"decrypt"}, encrypted);
            INFO(decrypted.err);
            CHECK(decrypted.status == 0);
            CHECK(field(decrypted.out, "Subject") == "From a peer");
            CHECK(with_crlf(entity_of(decrypted.out)) == kText);
        }
    }
}

TEST_CASE("p11mime reads streamed BER from openssl and key wraps of other sizes", "[e2e]") {
    Office office;
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    std::string big(kText);
    for (int i = 0; i < 20'000; ++i)
        big += "Line " + std::to_string(i) + " of a text that is longer than any single octet string.\r\n";
    const std::string entity = office.desk.file("entity", big);
    for (const Arguments& options :
         {Arguments{"-aes-256-cbc", "-stream"}, Arguments{"-aes-128-cbc", "-aes192-wrap"},
          Arguments{"-aes-192-cbc", "-aes256-wrap", "-keyid"}, Arguments{"-aes-128-gcm", "-stream", "-aes128-wrap"}}) {
        for (const std::string form : {"SMIME", "DER", "PEM"}) {
            INFO(options.front() << " " << form);
            const std::string encrypted =
                done(office.desk.run(Arguments{"openssl", "cms", "-encrypt"} + options +
                                     Arguments{"-in", entity, "-outform", form, "-recip", office.certificate(bob)}));
            const Outcome decrypted = office.desk.p11mime({"decrypt"}, encrypted);
            INFO(decrypted.err);
            CHECK(decrypted.status == 0);
            CHECK(with_crlf(entity_of(decrypted.out)) == big);
        }
    }
}

TEST_CASE("each recipient of a mail to RSA and EC keys can read it", "[e2e]") {
    Office office;
    const std::vector<Identity> people{
        office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::rsa2048}),
        office.correspond({.name = "Carol", .email = "carol@example.org", .kind = KeyKind::p256}),
        office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p384})};
    Arguments arguments = Arguments{"encrypt"} + office.trust();
    for (const Identity& person : people)
        arguments = arguments + recipient(office, person);
    const Outcome outcome = office.desk.p11mime(arguments, mail("alice@example.gov", "bob@example.org"));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const std::string file = office.desk.file("encrypted.eml", outcome.out);
    for (const Identity& person : people) {
        INFO(person.name);
        CHECK(done(office.desk.run({"openssl", "cms", "-decrypt", "-in", file, "-recip", office.certificate(person),
                                    "-inkey", office.key(person)})) == kText);
    }
    const Outcome on_token = office.desk.p11mime({"decrypt", file});
    INFO(on_token.err);
    CHECK(on_token.status == 0);
    CHECK(entity_of(on_token.out) == kText);
}

TEST_CASE("sealed mail opens layer by layer at the peer, triple-wrapped too", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::rsa2048});
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::rsa2048});
    for (const bool triple : {false, true}) {
        INFO(triple);
        const Outcome sealed = office.desk.p11mime(Arguments{"seal", "--no-self", "--no-protect-headers"} +
                                                       (triple ? Arguments{"--triple"} : Arguments{}) + office.trust() +
                                                       recipient(office, bob),
                                                   mail(alice.email, bob.email));
        INFO(sealed.err);
        REQUIRE(sealed.status == 0);
        std::string layer = office.desk.file("0", sealed.out);
        if (triple)
            layer = office.desk.file(
                "1", done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", layer} + office.peer_trust())));
        layer = office.desk.file("2", done(office.desk.run({"openssl", "cms", "-decrypt", "-in", layer, "-recip",
                                                            office.certificate(bob), "-inkey", office.key(bob)})));
        CHECK(done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", layer} + office.peer_trust())) ==
              kText);
    }
}

TEST_CASE("sealed mail hides its subject, and a peer finds it in the header and the text inside", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::rsa2048});
    const std::string text = mail(alice.email, bob.email);
    const std::string sealed =
        done(office.desk.p11mime(Arguments{"seal", "--no-self"} + office.trust() + recipient(office, bob), text));
    CHECK(field(sealed, "Subject") == "[...]");
    CHECK(field(sealed, "From") == alice.email);
    const std::string layer = office.desk.file(
        "sealed", done(office.desk.run({"openssl", "cms", "-decrypt", "-in", office.desk.file("0", sealed), "-recip",
                                        office.certificate(bob), "-inkey", office.key(bob)})));
    const std::string inside =
        done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", layer} + office.peer_trust()));
    CHECK(field(inside, "Subject") == field(text, "Subject"));
    CHECK_THAT(body_of(inside), Catch::StartsWith("Subject: Gr=C3=BC=C3=9Fe from the field\r\n\r\n"));
    for (const std::string& original : {text, with_lf(text)}) {
        const Outcome opened = office.desk.p11mime(
            Arguments{"open"} + office.trust(),
            done(office.desk.p11mime(Arguments{"seal", "--no-self"} + office.trust() + recipient(office, bob),
                                     original)));
        INFO(opened.err);
        CHECK(opened.status == 0);
        CHECK(opened.out == original);
    }
}

TEST_CASE("open takes off the layers that a peer has made", "[e2e]") {
    Office office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::rsa2048});
    const Arguments sign = {"openssl",        "cms", "-sign", "-signer", office.certificate(alice), "-inkey",
                            office.key(alice)};
    const Arguments encrypt = {"openssl", "cms", "-encrypt", "-aes-256-gcm", "-recip", office.certificate(bob)};
    const Arguments header = {"-from", alice.email, "-to", bob.email, "-subject", "Layers"};
    const std::string entity = office.desk.file("entity", kText);
    const std::string inner = office.desk.file("inner", done(office.desk.run(sign + Arguments{"-in", entity})));
    const std::string sealed = done(office.desk.run(encrypt + header + Arguments{"-in", inner}));
    const Outcome opened = office.desk.p11mime(Arguments{"open"} + office.trust(), sealed);
    INFO(opened.err);
    CHECK(opened.status == 0);
    CHECK(with_crlf(entity_of(opened.out)) == kText);

    const std::string middle = office.desk.file("middle", done(office.desk.run(encrypt + Arguments{"-in", inner})));
    const std::string triple = done(office.desk.run(sign + header + Arguments{"-nodetach", "-in", middle}));
    const Outcome all = office.desk.p11mime(Arguments{"open"} + office.trust(), triple);
    INFO(all.err);
    CHECK(all.status == 0);
    CHECK(with_crlf(entity_of(all.out)) == kText);
}
