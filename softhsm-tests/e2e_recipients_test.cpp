// Who a mail is encrypted to: From, To, Cc, Bcc, the address book, all or nothing.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

std::string mail_to(const std::string& to, const std::string& more_fields) {
    return replaced(mail("alice@example.gov", to), "Subject:", more_fields + "Subject:");
}

bool reads(const Office& office, const Identity& person, const std::string& encrypted) {
    const std::string file = office.desk.file("read.eml", encrypted);
    const Outcome outcome = office.desk.run({"openssl", "cms", "-decrypt", "-in", file, "-recip",
                                             office.certificate(person), "-inkey", office.key(person)});
    return outcome.status == 0 && outcome.out == kText;
}

/// Correspondents is Alice at her desk with Bob, Carol and Dan in her address book.
struct Correspondents {
    Correspondents() {
        for (const Identity* person : {&bob, &carol, &dan})
            done(office.desk.p11mime({"certs", "import", office.certificate(*person)}));
    }
    Outcome encrypt(const std::string& text, const Arguments& options = {}) const {
        return office.desk.p11mime(Arguments{"encrypt"} + office.trust() + options, text);
    }

    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    Identity carol = office.correspond({.name = "Carol", .email = "carol@example.org", .kind = KeyKind::p256});
    Identity dan = office.correspond({.name = "Dan", .email = "dan@example.org", .kind = KeyKind::p256});
};

}  // namespace

TEST_CASE("a mail is encrypted to its To and Cc and to the sender", "[e2e]") {
    const Correspondents people;
    const Outcome outcome =
        people.encrypt(mail_to("Bob <bob@example.org>", "Cc: \"Carol, C.\" <CAROL@example.org>\r\n"));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(reads(people.office, people.alice, outcome.out));
    CHECK(reads(people.office, people.bob, outcome.out));
    CHECK(reads(people.office, people.carol, outcome.out));
    CHECK_FALSE(reads(people.office, people.dan, outcome.out));

    const Outcome without = people.encrypt(mail_to("bob@example.org", ""), {"--no-self"});
    INFO(without.err);
    CHECK(without.status == 0);
    CHECK(reads(people.office, people.bob, without.out));
    CHECK_FALSE(reads(people.office, people.alice, without.out));
}

TEST_CASE("options -r and --recipient-cert name other recipients than the mail's own", "[e2e]") {
    const Correspondents people;
    const Outcome outcome = people.encrypt(
        mail_to("nobody@example.org", ""),
        {"--no-self", "-r", "bob@example.org", "--recipient-cert", people.office.certificate(people.dan)});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(reads(people.office, people.bob, outcome.out));
    CHECK(reads(people.office, people.dan, outcome.out));
    CHECK_FALSE(reads(people.office, people.alice, outcome.out));
}

TEST_CASE("without a certificate of the sender's a warning says that they won't be able to read it", "[e2e]") {
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    const Outcome outcome =
        office.desk.p11mime(Arguments{"encrypt", "--recipient-cert", office.certificate(bob)} + office.trust(),
                            mail_to("bob@example.org", ""));
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.err, Catch::Contains("alice@example.gov") && Catch::Contains("read"));
    const Outcome silent = office.desk.p11mime(
        Arguments{"encrypt", "--no-self", "--recipient-cert", office.certificate(bob)} + office.trust(),
        mail_to("bob@example.org", ""));
    CHECK_THAT(silent.err, !Catch::Contains("alice@example.gov"));
}

TEST_CASE("one recipient without a certificate stops it all with exit 5", "[e2e]") {
    const Correspondents people;
    const std::string file = people.office.desk.path("out.eml");
    const Outcome outcome = people.encrypt(mail_to("bob@example.org, erin@example.org", ""), {"-o", file});
    CHECK(outcome.status == 5);
    CHECK_THAT(outcome.err, Catch::Contains("erin@example.org"));
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK(people.encrypt(mail_to("bob@example.org", ""), {"-r", "erin@example.org"}).status == 5);
}

TEST_CASE("one recipient who is not to be trusted stops it all with exit 3, unless allowed", "[e2e]") {
    const Correspondents people;
    Office elsewhere;
    const Identity stranger = elsewhere.correspond({.name = "Stranger", .email = "frank@example.org"});
    const Identity expired = people.office.pki.issue(
        {.name = "Expired", .email = "gina@example.org", .begins_in_days = -30, .ends_in_days = -2});
    const Identity signing_only = people.office.pki.issue(
        {.name = "Signer", .email = "hal@example.org", .key_usage = "critical,digitalSignature"});
    const Identity for_servers =
        people.office.pki.issue({.name = "Server", .email = "ida@example.org", .extended_key_usage = "serverAuth"});
    const std::string file = people.office.desk.path("out.eml");
    for (const Identity* person : {&stranger, &expired, &signing_only, &for_servers}) {
        INFO(person->name);
        const std::string certificate = people.office.desk.file("bad.pem", person->certificate_pem);
        const Arguments both{"--recipient-cert", people.office.certificate(people.bob), "--recipient-cert",
                             certificate};
        const Outcome refused = people.encrypt(mail_to("bob@example.org", ""), both + Arguments{"-o", file});
        INFO(refused.err);
        CHECK(refused.status == 3);
        CHECK((refused.err.find(person->email) != std::string::npos ||
               refused.err.find(person->name) != std::string::npos));
        CHECK_FALSE(std::filesystem::exists(file));
        if (person == &signing_only) continue;  // a key that may not encrypt is no matter of trust alone
        const Outcome allowed = people.encrypt(mail_to("bob@example.org", ""),
                                               both + Arguments{"--no-self", "--allow-untrusted-recipients"});
        INFO(allowed.err);
        CHECK(allowed.status == 0);
    }
}

TEST_CASE("the address of a recipient found in the address book must be in the certificate", "[e2e]") {
    const Correspondents people;
    // Nothing but an exact mailbox finds it: neither a display name nor a part of an address.
    for (const std::string address : {"bob@example.org.invalid", "xbob@example.org", "Bob", "example.org"}) {
        INFO(address);
        CHECK(people.encrypt(mail_to("carol@example.org", ""), {"-r", address}).status != 0);
    }
}

TEST_CASE("a mail with Bcc is refused, or each Bcc gets a copy of its own that names no other", "[e2e]") {
    const Correspondents people;
    for (const std::string name : {"Bcc", "Resent-Bcc"}) {
        CAPTURE(name);
        const std::string text = mail_to("bob@example.org", name + ": dan@example.org\r\n");
        const std::string file = people.office.desk.path(name + ".eml");
        const Outcome refused = people.encrypt(text, {"-o", file});
        INFO(refused.err);
        CHECK(refused.status == 2);
        CHECK_THAT(refused.err, Catch::Contains("Bcc") && Catch::Contains("--bcc-separately"));
        CHECK_FALSE(std::filesystem::exists(file));

        const std::string directory = people.office.desk.path(name);
        std::filesystem::create_directory(directory);
        const Outcome outcome = people.encrypt(text, {"-o", file, "--bcc-separately", directory});
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        const std::string to_all = read_file(file);
        CHECK(field(to_all, name).empty());
        CHECK(reads(people.office, people.bob, to_all));
        CHECK_FALSE(reads(people.office, people.dan, to_all));
        CHECK(names(directory) == "dan@example.org.eml");
        const std::string to_dan = read_file(directory + "/dan@example.org.eml");
        CHECK(field(to_dan, name).empty());
        CHECK(reads(people.office, people.dan, to_dan));
        CHECK_FALSE(reads(people.office, people.bob, to_dan));
    }
}

TEST_CASE("the cipher is what every recipient announces, else aes-256-cbc, and that is said", "[e2e]") {
    const Correspondents people;
    const auto type_of = [](const Outcome& outcome) { return field(outcome.out, "Content-Type"); };
    const Outcome unknown = people.encrypt(mail_to("bob@example.org", ""));
    CHECK_THAT(type_of(unknown), Catch::Contains("smime-type=enveloped-data"));
    CHECK_THAT(unknown.err, Catch::Contains("aes-256-cbc"));

    // Capabilities in the certificate (RFC 4262), DER made by hand: SEQUENCE { SEQUENCE { id-aes256-GCM } }.
    const std::string gcm = "1.2.840.113549.1.9.15=DER:30:0d:30:0b:06:09:60:86:48:01:65:03:04:01:2e\n";
    const Identity modern =
        people.office.pki.issue({.name = "Modern", .email = "mo@example.org", .more_extensions = gcm});
    const std::string certificate = people.office.desk.file("modern.pem", modern.certificate_pem);
    const Outcome announced =
        people.encrypt(mail_to("x@example.org", ""), {"--no-self", "--recipient-cert", certificate});
    INFO(announced.err);
    CHECK_THAT(type_of(announced), Catch::Contains("smime-type=authEnveloped-data"));
    const Outcome mixed = people.encrypt(mail_to("x@example.org", ""),
                                         {"--no-self", "--recipient-cert", certificate, "-r", "bob@example.org"});
    CHECK_THAT(type_of(mixed), Catch::Contains("smime-type=enveloped-data"));
}

TEST_CASE("nobody is left out because their address cannot be read", "[e2e]") {
    const Correspondents people;
    const std::string file = people.office.desk.path("out.eml");
    const Arguments options{"-o", file, "--bcc-separately", people.office.desk.path("bcc")};
    const Outcome to = people.encrypt(mail_to("bob@example.org, broken@@x, notanaddress", ""), options);
    CHECK(to.status == 5);
    CHECK_THAT(to.err, Catch::Contains("'broken@@x' in To") && Catch::Contains("'notanaddress' in To"));
    for (const std::string name : {"Cc", "Bcc", "Resent-Bcc"}) {
        const Outcome outcome =
            people.encrypt(mail_to("bob@example.org", name + ": carol at example.gov\r\n"), options);
        CHECK(outcome.status == 5);
        CHECK_THAT(outcome.err, Catch::Contains("'carol at example.gov' in " + name));
    }
    CHECK_FALSE(std::filesystem::exists(file));
    const Outcome named = people.encrypt(mail_to("x@example.org", ""), {"-r", "bob at example.org", "-o", file});
    CHECK(named.status == 2);
    CHECK_THAT(named.err, Catch::Contains("'bob at example.org'"));
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK(people.encrypt(mail_to("broken@@x", ""), {"-r", "Bob <bob@example.org>"}).status == 0);
}

TEST_CASE("those in Bcc who are no recipients because of -r are named in a warning", "[e2e]") {
    const Correspondents people;
    for (const std::string name : {"Bcc", "Resent-Bcc"}) {
        CAPTURE(name);
        const std::string text = mail_to("carol@example.org", name + ": dan@example.org, bob@example.org, not one\r\n");
        const Outcome outcome = people.encrypt(text, {"--no-self", "-r", "Bob@example.org"});
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, Catch::Contains("warning: not encrypted to dan@example.org, not one in Bcc"));
        CHECK(field(outcome.out, name).empty());
        CHECK_FALSE(reads(people.office, people.dan, outcome.out));
    }
}

TEST_CASE("no two outputs are one file", "[e2e]") {
    const Correspondents people;
    const std::string text = mail_to("bob@example.org", "Bcc: dan@example.org\r\n");
    const std::string directory = people.office.desk.path("d2");
    const std::string copy = directory + "/dan@example.org.eml";
    std::filesystem::create_directory(directory);
    std::filesystem::create_directory_symlink(directory, people.office.desk.path("other"));
    const std::string out = people.office.desk.path("out.eml");
    for (const Arguments& options :
         {Arguments{"-o", copy}, Arguments{"-o", people.office.desk.path("other/dan@example.org.eml")},
          Arguments{"-o", out, "--json", copy}, Arguments{"-o", out, "--json", directory + "/../out.eml"}}) {
        CAPTURE(options);
        const Outcome outcome = people.encrypt(text, options + Arguments{"--bcc-separately", directory});
        INFO(outcome.err);
        CHECK(outcome.status == 2);
        CHECK(names(directory).empty());
        CHECK_FALSE(std::filesystem::exists(out));
    }
}

TEST_CASE("copies for Bcc addresses whose names would make one file name are different files", "[e2e]") {
    const Correspondents people;
    const std::string slash = people.office.desk.file(
        "slash.pem", people.office.pki.issue({.name = "Slash", .email = "a/b@example.org"}).certificate_pem);
    const std::string line = people.office.desk.file(
        "line.pem", people.office.pki.issue({.name = "Line", .email = "a_b@example.org"}).certificate_pem);
    done(people.office.desk.p11mime({"certs", "import", slash, line}));
    const std::string directory = people.office.desk.path("bcc");
    for (const std::string address : {"a_b@example.org", "a/b@example.org"}) {
        const Outcome outcome = people.encrypt(mail_to("bob@example.org", "Bcc: " + address + "\r\n"),
                                               {"-o", "/dev/null", "--bcc-separately", directory});
        INFO(outcome.err);
        CHECK(outcome.status == 0);
    }
    CHECK(names(directory) == "a%2fb@example.org.eml a_b@example.org.eml");
}

TEST_CASE("Bcc never gets into the ciphertext, and Resent-Bcc is taken out like it", "[e2e]") {
    const Correspondents people;
    for (const std::string name : {"Bcc", "Resent-Bcc"}) {
        const std::string text = mail_to("bob@example.org", name + ": dan@example.org\r\n");
        for (const std::string command : {"encrypt", "seal"}) {
            const Outcome outcome = people.office.desk.p11mime(
                Arguments{command, "--entity", "-r", "bob@example.org"} + people.office.trust(), text);
            INFO(outcome.err);
            CHECK(outcome.status == 2);
            CHECK_THAT(outcome.err, Catch::Contains("--entity") && Catch::Contains("Bcc"));
            CHECK_THAT(outcome.err, !Catch::Contains("signing with"));  // before a PIN is asked for
        }
        const Outcome outcome = people.encrypt(text, {"-r", "bob@example.org"});
        CHECK(outcome.status == 0);
        CHECK(field(outcome.out, name).empty());
        const Outcome signed_mail = people.office.desk.p11mime({"sign"}, text);
        CHECK(signed_mail.status == 0);
        CHECK(field(signed_mail.out, name) == "dan@example.org");
        CHECK_THAT(signed_mail.err, Catch::Contains("warning: Bcc or Resent-Bcc stays"));
    }
}

TEST_CASE("a certificate of the sender's own that is not trusted stops encryption too, unless allowed", "[e2e]") {
    Office office, elsewhere;
    const Identity alice = elsewhere.correspond({.name = "Alice", .email = "alice@example.gov"});
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    done(office.desk.p11mime({"certs", "import", elsewhere.certificate(alice), office.certificate(bob)}));
    const auto encrypt = [&](const Arguments& options) {
        return office.desk.p11mime(Arguments{"encrypt"} + office.trust() + options, mail(alice.email, bob.email));
    };
    const Outcome refused = encrypt({});
    INFO(refused.err);
    CHECK(refused.status == 3);
    CHECK(refused.out.empty());
    CHECK_THAT(refused.err, Catch::Contains("the sender alice@example.gov is not trusted"));
    CHECK(encrypt({"--no-self"}).status == 0);
    const Outcome allowed = encrypt({"--allow-untrusted-recipients"});
    INFO(allowed.err);
    CHECK(allowed.status == 0);
    CHECK_THAT(allowed.err, Catch::Contains("warning: the certificate of the sender"));
    CHECK(reads(elsewhere, alice, allowed.out));
}

TEST_CASE("a weaker cipher is never chosen in silence", "[e2e]") {
    const Correspondents people;
    // SEQUENCE { SEQUENCE { id-aes256-CBC } }, by hand.
    const Identity older = people.office.pki.issue(
        {.name = "Older",
         .email = "old@example.org",
         .more_extensions = "1.2.840.113549.1.9.15=DER:30:0d:30:0b:06:09:60:86:48:01:65:03:04:01:2a\n"});
    const std::string certificate = people.office.desk.file("older.pem", older.certificate_pem);
    const Outcome outcome = people.encrypt(mail_to("x@example.org", ""), {"--recipient-cert", certificate});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.err,
               Catch::Contains("encrypting with aes-256-cbc: aes-256-gcm not announced by old@example.org"));
    const Outcome asked =
        people.encrypt(mail_to("x@example.org", ""), {"--recipient-cert", certificate, "--cipher", "aes-256-cbc"});
    CHECK_THAT(asked.err, !Catch::Contains("encrypting with"));
}
