// Each kind of recipient through the program, keys on SoftHSM, with openssl cms as the peer where it knows the kind.

#include <catch2/catch.hpp>

#include "mime/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

constexpr const char* kKeyHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

std::string entity() {
    return "Content-Type: text/plain\n\nGood morning.\n";
}

Outcome encrypt(const Office& office, const Arguments& options) {
    return office.desk.p11mime(Arguments{"encrypt", "--no-self"} + office.trust() + options, entity());
}

std::string openssl_reads(const Office& office, const Identity& person, const std::string& mail) {
    return with_lf(done(office.desk.run(
        {"openssl", "cms", "-decrypt", "-recip", office.certificate(person), "-inkey", office.key(person)}, mail)));
}

std::string structure_of(const Office& office, const std::string& mail) {
    return done(office.desk.run({"openssl", "cms", "-cmsout", "-print", "-noout"}, mail));
}

/// announcing is a certificate extension with SMIMECapabilities (RFC 4262): a cipher, and `it` of `capability`, as
/// `openssl asn1parse -genconf` takes it.
std::string announcing(const Office& office, const std::string& cipher, const std::string& capability) {
    const std::string text =
        "asn1=SEQUENCE:list\n[list]\n1=SEQUENCE:cipher\n2=SEQUENCE:it\n[cipher]\no=OID:" + cipher + "\n" + capability;
    const std::string der = office.desk.path("asn1.der");
    done(office.desk.run({"openssl", "asn1parse", "-noout", "-genconf", office.desk.file("asn1", text), "-out", der}));
    return "1.2.840.113549.1.9.15=DER:" + p11mime::hex(p11mime::bytes_of(read_file(der))) + "\n";
}

/// agreement announces aes-256-cbc, and standard ECDH with a hash and a key wrap.
std::string agreement(const Office& office, const std::string& hash, const std::string& wrap) {
    return announcing(
        office, "aes-256-cbc",
        "[it]\no=OID:dhSinglePass-stdDH-" + hash + "kdf-scheme\nw=SEQUENCE:wrap\n[wrap]\no=OID:" + wrap + "\n");
}

Leaf agreeing(const std::string& name, const std::string& extensions) {
    return {.name = name, .email = name + "@example.org", .kind = KeyKind::p256, .more_extensions = extensions};
}

/// Printed is the structure of a mail to somebody, who can read it, and what was said when it was made.
struct Printed {
    std::string structure, said;
};

Printed printed(Office& office, const Leaf& leaf) {
    const Identity person = office.correspond(leaf);
    const Outcome outcome = encrypt(office, {"--recipient-cert", office.certificate(person)});
    const std::string mail = done(outcome);
    CHECK(openssl_reads(office, person, mail) == entity());
    return {structure_of(office, mail), outcome.err};
}

}  // namespace

TEST_CASE("shared keys and passwords open mail both ways with openssl", "[e2e]") {
    Office office;
    office.desk.environment["MAIL_PASSWORD"] = "correct horse";
    const std::string kek = office.desk.file("kek", std::string("c0ffee:") + kKeyHex + "\n");
    const Arguments password{"--password-source", "env:MAIL_PASSWORD"};
    const std::string ours = done(encrypt(office, Arguments{"--kek", kek, "--cipher", "aes-256-gcm"} + password));
    CHECK(with_lf(done(office.desk.run({"openssl", "cms", "-decrypt", "-pwri_password", "correct horse"}, ours))) ==
          entity());
    CHECK(with_lf(done(office.desk.run({"openssl", "cms", "-decrypt", "-secretkey", kKeyHex, "-secretkeyid", "c0ffee"},
                                       ours))) == entity());
    CHECK(done(office.desk.p11mime(Arguments{"decrypt"} + password, ours)) == entity());
    for (const std::string& form : {std::string(kKeyHex), std::string("C0FFEE:") + kKeyHex})
        CHECK(done(office.desk.p11mime({"open", "--kek", office.desk.file("form", form)}, ours)) == entity());

    const std::string by_password = done(
        office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-pwri_password", "correct horse"}, entity()));
    CHECK(done(office.desk.p11mime(Arguments{"open"} + password, by_password)) == entity());
    const std::string by_key = done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-secretkey",
                                                     std::string(kKeyHex).substr(0, 32), "-secretkeyid", "01"},
                                                    entity()));
    std::string raw;
    for (char byte = 0; byte < 16; ++byte)
        raw += byte;
    CHECK(done(office.desk.p11mime({"open", "--kek", office.desk.file("raw", raw)}, by_key)) == entity());
}

TEST_CASE("without the secret that a mail asks for the option is named, and a wrong one opens nothing", "[e2e]") {
    Office office;
    office.desk.environment["MAIL_PASSWORD"] = "right";
    office.desk.environment["WRONG"] = "wrong";
    const std::string mail = done(encrypt(office, {"--password-source", "env:MAIL_PASSWORD"}));
    const std::string output = office.desk.path("out");
    const Outcome none = office.desk.p11mime({"decrypt", "-o", output}, mail);
    CHECK(none.status == 5);
    CHECK_THAT(none.err, Catch::Contains("--password-source"));
    const Outcome wrong = office.desk.p11mime({"decrypt", "-o", output, "--password-source", "env:WRONG"}, mail);
    CHECK(wrong.status == 1);
    CHECK_THAT(wrong.err, Catch::Contains("password"));
    CHECK_THAT(wrong.err, !Catch::Contains("wrong"));
    CHECK_THROWS(read_file(output));
    CHECK(office.desk.p11mime({"decrypt", "--password-source", "secret"}, mail).status == 2);
    CHECK(office.desk.p11mime({"decrypt", "--password-source", "tty", "--batch"}, mail).status == 2);
}

TEST_CASE("a key file that holds no key is refused without showing it", "[e2e]") {
    Office office;
    for (const std::string& content : {std::string("0011"), std::string("c0ffee:0011"), std::string(kKeyHex) + "00",
                                       std::string("xyz:") + kKeyHex, std::string()}) {
        CAPTURE(content);
        const Outcome refused = encrypt(office, {"--kek", office.desk.file("kek", content)});
        CHECK(refused.status == 2);
        CHECK(refused.out.empty());
        CHECK_THAT(refused.err, Catch::Contains("ID:KEY") && !Catch::Contains("0011"));
    }
    const Outcome no_id = encrypt(office, {"--kek", office.desk.file("kek", kKeyHex)});
    CHECK(no_id.status == 2);
    CHECK_THAT(no_id.err, Catch::Contains("no id"));
    CHECK(encrypt(office, {"--kek", office.desk.path("missing")}).status == 7);
}

TEST_CASE("secrets stand beside recipients with certificates, and alone where no one is named", "[e2e]") {
    Office office;
    office.desk.environment["MAIL_PASSWORD"] = "right";
    const Identity bob = office.employ({.name = "bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const Arguments password{"--password-source", "env:MAIL_PASSWORD"};
    const std::string both = done(encrypt(office, password + Arguments{"--recipient-cert", office.certificate(bob)}));
    CHECK(done(office.desk.p11mime({"decrypt"}, both)) == entity());
    CHECK(done(office.desk.p11mime(Arguments{"decrypt"} + password, both)) == entity());

    const std::string report = office.desk.path("report.json");
    const std::string mail = "From: a@example.org\nTo: nobody@example.org\nSubject: x\n\nHello\n";
    const Outcome alone = office.desk.p11mime(Arguments{"encrypt", "--json", report} + office.trust() + password, mail);
    CHECK(alone.status == 0);
    CHECK_THAT(read_file(report), Catch::Contains("\"shared_secrets\":[\"password\"]"));
    CHECK(office.desk.p11mime({"decrypt"}, alone.out).status == 5);
}

TEST_CASE("mail to X25519 and X448 certificates is read with the keys on the token", "[e2e]") {
    Office office;
    for (const auto& [kind, name] : {std::pair(KeyKind::x25519, "x25519"), std::pair(KeyKind::x448, "x448")}) {
        const Identity bob = office.employ({.name = name, .email = "bob@example.org", .kind = kind});
        const std::string mail = done(encrypt(office, {"--recipient-cert", office.certificate(bob)}));
        const std::string report = office.desk.path("report.json");
        CHECK(done(office.desk.p11mime({"decrypt", "--json", report}, mail)) == entity());
        CHECK_THAT(read_file(report),
                   Catch::Contains("\"key_management\":\"xdh\",\"used\":true") || Catch::Contains("\"xdh\""));
    }
}

TEST_CASE("key generate makes X25519 and X448 keys, which agree and do not sign", "[e2e]") {
    Office office;
    for (const auto& [type, name] : {std::pair<std::string, std::string>("x25519", "X25519"), {"x448", "X448"}}) {
        const Outcome made = office.desk.p11mime({"key", "generate", "--type", type, "--label", type});
        CHECK(made.status == 0);
        for (const char* command : {"csr", "self-sign"}) {
            const Outcome refused = office.desk.p11mime(
                {"key", command, "--key", "pkcs11:object=" + type, "--name", "X", "--email", "x@example.org"});
            INFO(refused.err);
            CHECK(refused.status == 6);
            CHECK(refused.out.empty());
            CHECK_THAT(refused.err, Catch::Contains("unsupported algorithm: no signature is made with a " + name));
        }
    }
}

TEST_CASE("the announced OAEP parameters and key agreement are the ones used", "[e2e]") {
    Office office;
    const std::string oaep = announcing(
        office, "aes-128-cbc",
        "[it]\no=OID:rsaesOaep\np=SEQUENCE:p\n[p]\nh=EXP:0,SEQUENCE:sha384\nm=EXP:1,SEQUENCE:mgf\n"
        "[sha384]\no=OID:sha384\nn=NULL\n[mgf]\no=OID:mgf1\nh=SEQUENCE:sha512\n[sha512]\no=OID:sha512\nn=NULL\n");
    const Printed rsa = printed(office, {.name = "rsa", .email = "rsa@example.org", .more_extensions = oaep});
    CHECK_THAT(rsa.structure, Catch::Contains("rsaesOaep") && Catch::Contains("sha384") && Catch::Contains("sha512"));

    const Printed ec = printed(office, agreeing("ec", agreement(office, "sha512", "id-aes256-wrap")));
    CHECK_THAT(ec.structure, Catch::Contains("dhSinglePass-stdDH-sha512kdf-scheme"));
    CHECK_THAT(ec.said, !Catch::Contains("the key for"));
    const Printed plain = printed(office, agreeing("plain", ""));
    CHECK_THAT(plain.structure, Catch::Contains("dhSinglePass-stdDH-sha256kdf-scheme"));
}

TEST_CASE("an announced key agreement with a shorter key or SHA-1 is followed, a weak one is not, and either is said",
          "[e2e]") {
    Office office;
    const Printed shorter = printed(office, agreeing("shorter", agreement(office, "sha1", "id-aes128-wrap")));
    CHECK_THAT(shorter.structure, Catch::Contains("aes-256-cbc") && Catch::Contains("id-aes128-wrap") &&
                                      Catch::Contains("dhSinglePass-stdDH-sha1kdf-scheme"));
    CHECK_THAT(shorter.said,
               Catch::Contains("the key for shorter@example.org") && Catch::Contains("is encrypted with aes-128-wrap"));

    const Printed weak = printed(office, agreeing("weak", agreement(office, "sha1", "id-smime-alg-CMS3DESwrap")));
    CHECK_THAT(weak.structure,
               Catch::Contains("id-aes256-wrap") && Catch::Contains("dhSinglePass-stdDH-sha256kdf-scheme"));
    CHECK_THAT(weak.said,
               Catch::Contains("the key for weak@example.org") && Catch::Contains("is agreed on with sha256"));
}

TEST_CASE("who announces weak ciphers alone gets a better one, and the OAEP that they announce", "[e2e]") {
    Office office;
    const std::string extension = announcing(office, "des-ede3-cbc", "[it]\no=OID:rsaesOaep\np=SEQUENCE:p\n[p]\n");
    const Printed old = printed(office, {.name = "old", .email = "old@example.org", .more_extensions = extension});
    CHECK_THAT(old.structure, Catch::Contains("rsaesOaep") && Catch::Contains("aes-256-cbc"));
    CHECK_THAT(old.said, Catch::Contains("no cipher that is strong enough announced by old@example.org"));
    CHECK_THAT(old.said, !Catch::Contains("nothing is known"));
}

TEST_CASE("with --shared-agreement those on one curve have one key agreement, which openssl reads for each", "[e2e]") {
    Office office;
    std::vector<Identity> people;
    Arguments to;
    for (const char* name : {"bob", "carol", "dan"}) {
        const KeyKind kind = *name == 'd' ? KeyKind::p384 : KeyKind::p256;
        people.push_back(office.correspond({.name = name, .email = std::string(name) + "@example.org", .kind = kind}));
        to = to + Arguments{"--recipient-cert", office.certificate(people.back())};
    }
    const auto agreements = [&](const std::string& mail) {
        const std::string text = structure_of(office, mail);
        std::size_t count = 0;
        for (std::size_t at = text.find("d.kari"); at != std::string::npos; at = text.find("d.kari", at + 1))
            ++count;
        return count;
    };
    CHECK(agreements(done(encrypt(office, to))) == 3);
    const std::string mail = done(encrypt(office, to + Arguments{"--shared-agreement"}));
    CHECK(agreements(mail) == 2);
    for (const Identity& person : people)
        CHECK(openssl_reads(office, person, mail) == entity());
}
