// Keys out of PKCS#12 files, as OpenSSL, NSS, Java and Bouncy Castle write them.

#include <fmt/format.h>

#include <cctype>
#include <sstream>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

using namespace p11mime::test;

namespace {

constexpr const char* kPassword = "Grüße 42";

/// Exports is an office whose people have their keys in files.
struct Exports : Office {
    Exports() {
        desk.environment["P12_PASSWORD"] = kPassword;
        desk.environment["ASAN_OPTIONS"] = "detect_leaks=0";  // SoftHSM leaks what it decodes of Edwards keys
    }

    /// p12 has openssl write an identity's key and certificate and the CA's certificates to a file.
    std::string p12(const Identity& identity, const Arguments& options = {}) const {
        const std::string file = desk.path(identity.name + ".p12");
        done(desk.run(Arguments{"openssl", "pkcs12", "-export", "-inkey", key(identity), "-in", certificate(identity),
                                "-certfile", desk.path("ca.pem"), "-name", identity.name, "-passout",
                                "env:P12_PASSWORD", "-out", file} +
                      options));
        return file;
    }
    Outcome import(const std::string& file, const Arguments& options = {}) const {
        return desk.p11mime(Arguments{"key", "import-p12", file, "--password-source", "env:P12_PASSWORD"} + options);
    }
    /// objects is what pkcs11-tool lists on the token.
    std::string objects() const {
        return done(desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login", "--pin",
                              std::string(kUserPin), "-O"}));
    }
    bool signs(const Identity& identity) const {
        const Outcome outcome = desk.p11mime({"sign"}, mail(identity.email, "bob@example.org"));
        if (outcome.status != 0) return false;
        // The root alone is trusted, so that the intermediate certificate has to be in the mail.
        return desk.p11mime({"verify", "-n", "--no-default-ca", "--ca", desk.path("root.pem")}, outcome.out).status ==
               0;
    }
    bool decrypts(const Identity& identity) const {
        const Outcome encrypted =
            desk.p11mime(Arguments{"encrypt", "--no-self", "--recipient-cert", certificate(identity)} + trust(),
                         mail("bob@example.org", identity.email));
        const Outcome outcome = desk.p11mime({"decrypt"}, done(encrypted));
        return outcome.status == 0 && entity_of(outcome.out) == kText;
    }
};

/// prime is 24 bytes out of the middle of an RSA key's first prime, in hexadecimal digits.
std::string prime(const Office& office, const Identity& identity) {
    std::string digits;
    bool inside = false;
    const std::string text = done(office.desk.run({"openssl", "pkey", "-in", office.key(identity), "-noout", "-text"}));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("prime1:"))
            inside = true;
        else if (inside && !line.starts_with(" "))
            break;
        else if (inside)
            for (const char c : line)
                if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
    }
    return digits.substr(digits.size() / 4 * 2, 48);
}

}  // namespace

TEST_CASE("a key out of a PKCS#12 file is put on the token with its certificates, and works", "[e2e]") {
    struct Row {
        KeyKind kind;
        bool signs, decrypts;
    };
    Exports office;
    int number = 0;
    for (const Row& row : {Row{KeyKind::rsa2048, true, true},
                           {KeyKind::p256, true, true},
                           {KeyKind::p521, true, true},
                           {KeyKind::brainpool384, true, true},
                           {KeyKind::ed25519, true, false},
                           {KeyKind::ed448, true, false},
                           {KeyKind::x25519, false, true}}) {
        const std::string name = fmt::format("Person {}", ++number);
        INFO(name);
        const Identity person =
            office.correspond({.name = name, .email = fmt::format("p{}@example.gov", number), .kind = row.kind});
        const std::string report = office.desk.path("report.json");
        const Outcome outcome = office.import(office.p12(person), {"--json", report});
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        CHECK_THAT(outcome.err, Catch::Contains("key '" + name + "' (") && Catch::Contains("on token 'Desk'") &&
                                    Catch::Contains("CN=Test Intermediate,O=Example is a CA's, and goes into the "
                                                    "address book") &&
                                    Catch::Contains("CN=Test Root,O=Example is left out") &&
                                    !Catch::Contains(kPassword));
        if (row.signs) CHECK(office.signs(person));
        if (row.decrypts) CHECK(office.decrypts(person));
        const auto json = nlohmann::json::parse(read_file(report));
        REQUIRE(json["keys"].size() == 1);
        CHECK(json["keys"][0]["label"] == name);
        CHECK(json["keys"][0]["certificates"].size() == 1);
        REQUIRE(json["other_certificates"].size() == 2);

        const Outcome again = office.import(office.p12(person));
        CHECK(again.status == 4);
        CHECK_THAT(again.err, Catch::Contains("token 'Desk' has this key already, as '" + name + "'"));
    }
    const std::string objects = office.objects();
    CHECK_THAT(objects, !Catch::Contains("Access:     extractable") && Catch::Contains("Access:     sensitive"));
}

TEST_CASE("PKCS#12 files with old and new encryption, and those of other programs, are read", "[e2e]") {
    Exports office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov"});
    const std::string plain = office.p12(alice);
    const std::string profile = "sql:" + office.desk.path("profile");
    const std::string nss_password = office.desk.file("nss-password", "nss");
    const std::string password_file = office.desk.file("p12-password", kPassword);
    std::filesystem::create_directory(office.desk.path("profile"));
    done(office.desk.run({"certutil", "-N", "-d", profile, "-f", nss_password}));
    done(office.desk.run({"pk12util", "-i", plain, "-d", profile, "-k", nss_password, "-w", password_file}));

    const auto nss = [&](const Arguments& options) {
        const std::string file = office.desk.path("nss.p12");
        std::filesystem::remove(file);
        done(office.desk.run(
            Arguments{"pk12util", "-o", file, "-n", "Alice", "-d", profile, "-k", nss_password, "-w", password_file} +
            options));
        return file;
    };
    const auto keytool = [&](const Arguments& options) {
        const std::string file = office.desk.path("java.p12");
        std::filesystem::remove(file);
        // keytool takes no password but of ASCII from its environment.
        done(office.desk.run(Arguments{"openssl", "pkcs12", "-export", "-inkey", office.key(alice), "-in",
                                       office.certificate(alice), "-name", "alice", "-passout", "pass:changeit", "-out",
                                       office.desk.path("for-java.p12")}));
        done(office.desk.run(Arguments{"keytool"} + options +
                             Arguments{"-importkeystore", "-noprompt", "-srckeystore", office.desk.path("for-java.p12"),
                                       "-srcstoretype", "PKCS12", "-srcstorepass", "changeit", "-destkeystore", file,
                                       "-deststorepass", "changeit", "-deststoretype", "PKCS12"}));
        return file;
    };
    struct Row {
        std::string name;
        std::function<std::string()> file;
        std::string password = kPassword;
    };
    const std::vector<Row> rows{
        {"openssl", [&] { return plain; }},
        {"openssl -legacy: RC2-40 and 3DES", [&] { return office.p12(alice, {"-legacy"}); }},
        {"openssl with a DES-encrypted key",
         [&] {
             return office.p12(alice, {"-legacy", "-keypbe", "PBE-MD5-DES"});
         }},
        {"openssl with 3DES for all",
         [&] {
             return office.p12(alice, {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"});
         }},
        {"openssl without a MAC", [&] { return office.p12(alice, {"-nomac"}); }},
        {"openssl without encryption",
         [&] {
             return office.p12(alice, {"-keypbe", "NONE", "-certpbe", "NONE"});
         }},
        {"NSS", [&] { return nss({}); }},
        {"NSS with RC2 and 3DES",
         [&] {
             return nss({"-c", "PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC", "-C",
                         "PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC"});
         }},
        {"Java", [&] { return keytool({}); }, "changeit"},
        {"Java, as it was", [&] { return keytool({"-J-Dkeystore.pkcs12.legacy"}); }, "changeit"},
        {"Bouncy Castle",
         [&] {
             return keytool({"-providerclass", "org.bouncycastle.jce.provider.BouncyCastleProvider", "-providerpath",
                             "/usr/share/java/bcprov.jar", "-destprovidername", "BC"});
         },
         "changeit"},
    };
    for (const Row& row : rows) {
        INFO(row.name);
        const std::string file = row.file();
        office.desk.environment["P12_PASSWORD"] = "not it";
        const Outcome wrong = office.import(file);
        INFO(wrong.err);
        CHECK(wrong.status == 2);
        CHECK_THAT(wrong.err, Catch::Contains("the password of '" + file + "' is wrong"));
        office.desk.environment["P12_PASSWORD"] = row.password;
        const Outcome outcome = office.import(file, {"--label", "imported"});
        office.desk.environment["P12_PASSWORD"] = kPassword;
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        CHECK(office.signs(alice));
        done(office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=imported"}));
    }
    CHECK_THAT(office.objects(), !Catch::Contains("imported"));
}

TEST_CASE("what is no PKCS#12 file with a key is refused, and nothing is put on the token", "[e2e]") {
    Exports office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string whole = read_file(office.p12(alice));
    const std::string certificates = office.desk.path("certificates.p12");
    done(office.desk.run({"openssl", "pkcs12", "-export", "-nokeys", "-in", office.certificate(alice), "-passout",
                          "env:P12_PASSWORD", "-out", certificates}));
    struct Row {
        std::string file;
        Arguments options;
        int status;
        std::string said;
    };
    for (const Row& row :
         {Row{office.desk.file("cut.p12", whole.substr(0, whole.size() / 2)), {}, 6, "no PKCS#12 file"},
          Row{office.certificate(alice), {}, 6, "no PKCS#12 file"},
          Row{office.desk.path("absent.p12"), {}, 7, "absent.p12"}, Row{certificates, {}, 6, "holds no private key"},
          Row{office.desk.path("Alice.p12"), {"--id", "xyz"}, 2, "--id does not take 'xyz'"},
          Row{office.desk.path("Alice.p12"), {"--token", "pkcs11:token=Other"}, 4, "the token at hand is 'Desk'"}}) {
        const Outcome outcome = office.import(row.file, row.options);
        INFO(outcome.err);
        CHECK(outcome.status == row.status);
        CHECK_THAT(outcome.err, Catch::Contains(row.said));
    }
    const Outcome never_asked = office.desk.p11mime({"key", "import-p12", office.desk.path("Alice.p12"), "--batch"});
    CHECK(never_asked.status == 2);
    CHECK_THAT(never_asked.err, Catch::Contains("--batch does not ask for the password"));
    CHECK_THAT(office.objects(), !Catch::Contains("Alice"));
    CHECK(office.desk.p11mime({"certs", "list"}).out.find("Intermediate") == std::string::npos);
}

TEST_CASE("an import that breaks off takes back what it has stored", "[e2e]") {
    Exports office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov"});
    const std::string file = office.p12(alice);
    office.desk.environment["P11MIME_POOR_CARD_MODULE"] = SoftHsm::module();
    for (int stored = 0; stored < 3; ++stored) {  // the private key, its public half, the certificate
        INFO(stored);
        office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = fmt::format("creates={}", stored);
        const Outcome outcome =
            office.import(file, {"--module", built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"});
        INFO(outcome.err);
        CHECK(outcome.status == 4);
        CHECK_THAT(outcome.err, Catch::Contains("cannot store the object"));
        CHECK_THAT(office.objects(), !Catch::Contains("Alice"));
    }
    office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = "creates=2 throws";
    const Outcome without_memory =
        office.import(file, {"--module", built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"});
    INFO(without_memory.err);
    CHECK(without_memory.status != 0);
    CHECK_THAT(without_memory.err, Catch::Contains("memory") || Catch::Contains("bad_alloc"));
    CHECK_THAT(office.objects(), !Catch::Contains("Alice"));
    office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = "creates=2 C_DestroyObject=0x1b";
    const Outcome stuck =
        office.import(file, {"--module", built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"});
    INFO(stuck.err);
    CHECK(stuck.status == 4);
    CHECK_THAT(stuck.err, Catch::Contains("2 objects that were stored could not be removed"));
}

TEST_CASE("a token that takes no private keys as they are gets them wrapped", "[e2e]") {
    Exports office;
    office.desk.environment["P11MIME_POOR_CARD_MODULE"] = SoftHsm::module();
    office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = "no-plain-keys";
    office.desk.environment["P11MIME_POOR_CARD_LOG"] = office.desk.path("calls");
    for (const KeyKind kind : {KeyKind::rsa2048, KeyKind::p256}) {
        const std::string name = kind == KeyKind::p256 ? "Curve" : "Modulus";
        const Identity person = office.correspond({.name = name, .email = name + "@example.gov", .kind = kind});
        const Outcome outcome = office.import(
            office.p12(person), {"--module", built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"});
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        CHECK(office.signs(person));
        CHECK(office.decrypts(person));
    }
    CHECK_THAT(read_file(office.desk.path("calls")), Catch::Contains("C_UnwrapKey"));
    CHECK_THAT(office.objects(), !Catch::Contains("Access:     extractable") && !Catch::Contains("Secret Key"));

    office.desk.restrict("CKM_ECDSA");
    const Identity carol = office.correspond({.name = "Carol", .email = "carol@example.gov", .kind = KeyKind::p256});
    const Outcome refused = office.import(
        office.p12(carol), {"--module", built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"});
    INFO(refused.err);
    CHECK(refused.status == 4);
    CHECK_THAT(refused.err,
               Catch::Contains("token 'Desk' takes no private keys from outside") && Catch::Contains("key generate"));
    CHECK_THAT(office.objects(), !Catch::Contains("Carol"));
}

TEST_CASE("a token wraps a key itself where it can unwrap what it has encrypted", "[e2e]") {
    Exports office;
    const std::string database = "sql:" + office.desk.path("profile");
    std::filesystem::create_directory(office.desk.path("profile"));
    done(office.desk.run({"certutil", "-N", "-d", database, "-f", office.desk.file("nss-password", "nss 4 all\n")}));
    office.desk.environment["NSS_PIN"] = "nss 4 all";
    office.desk.environment["P11MIME_POOR_CARD_MODULE"] = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
    office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = "no-plain-keys";
    office.desk.environment["P11MIME_POOR_CARD_LOG"] = office.desk.path("calls");
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov"});
    const Arguments profile{
        "--module",     fmt::format("{} configdir='{}'", built_path("libp11mime-poor-card.so"), database),
        "--pin-source", "env:NSS_PIN",
        "--token",      "pkcs11:token=NSS%20Certificate%20DB"};
    const Outcome outcome = office.import(office.p12(alice), profile);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK_THAT(read_file(office.desk.path("calls")), Catch::Contains("C_UnwrapKey 4229"));  // CKM_AES_CBC_PAD
    const Outcome signed_mail = office.desk.p11mime(Arguments{"sign"} + profile, mail(alice.email, "bob@example.org"));
    INFO(signed_mail.err);
    REQUIRE(signed_mail.status == 0);
    const std::string file = office.desk.file("signed.eml", signed_mail.out);
    CHECK(done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + office.peer_trust())) == kText);
}

TEST_CASE("a file with the keys of many years is imported whole, or not at all", "[e2e]") {
    Exports office;
    const Identity old =
        office.correspond({.name = "Old", .email = "alice@example.gov", .begins_in_days = -900, .ends_in_days = -200});
    const Identity current =
        office.correspond({.name = "Current", .email = "alice@example.gov", .kind = KeyKind::p256});
    office.desk.environment["P12_PASSWORD"] = "changeit";
    const std::string file = office.desk.path("years.p12");
    for (const Identity& one : {old, current})
        done(office.desk.run({"keytool", "-importkeystore", "-noprompt", "-srckeystore", office.p12(one),
                              "-srcstoretype", "PKCS12", "-srcstorepass", "changeit", "-destkeystore", file,
                              "-deststorepass", "changeit", "-deststoretype", "PKCS12"}));
    CHECK(office.import(file, {"--label", "one name"}).status == 2);

    done(office.import(office.p12(current)));
    const Outcome there = office.import(file);
    INFO(there.err);
    CHECK(there.status == 4);
    CHECK_THAT(there.err, Catch::Contains("has this key already"));
    const std::string entity = office.desk.file("entity", kText);
    const std::string encrypted = done(office.desk.run(
        {"openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-in", entity, office.certificate(old)}));
    CHECK(office.desk.p11mime({"decrypt"}, encrypted).status == 5);
    done(office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=Current"}));

    const Outcome outcome = office.import(file);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(office.signs(current));
    CHECK_THAT(done(office.desk.p11mime({"decrypt"}, encrypted)), Catch::Contains("The second paragraph."));
}

TEST_CASE("a PKCS#12 file comes out of a pipe too", "[e2e]") {
    Exports office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov"});
    const std::string file = office.p12(alice);
    const Arguments import{"key", "import-p12", "-", "--password-source", "env:P12_PASSWORD"};
    CHECK(office.desk.p11mime(import, read_file(file).substr(0, 1000)).status == 6);
    CHECK_THAT(office.objects(), !Catch::Contains("Alice"));
    const Outcome outcome = office.desk.p11mime(import, read_file(file));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(office.signs(alice));
    CHECK(office.decrypts(alice));
}

TEST_CASE("an imported private key is wiped from all memory that is given back", "[e2e]") {
    if (is_sanitized()) return;  // which has an allocator of its own
    Exports office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov"});
    const std::string file = office.p12(alice);
    const std::string log = office.desk.path("freed");
    const auto watched = [&](std::vector<std::string> arguments) {
        std::filesystem::remove(log);
        auto environment = office.desk.environment;
        environment["LD_PRELOAD"] = built_path("libp11mime-free-watch.so");
        environment["P11MIME_WATCHED"] = prime(office, alice);
        environment["P11MIME_WATCH_LOG"] = log;
        done(run_process({.arguments = std::move(arguments), .environment = environment}));
        return std::filesystem::exists(log) ? read_file(log) : "";
    };
    // The watch sees what a program leaves behind that does not wipe.
    CHECK_FALSE(watched({"openssl", "asn1parse", "-in", office.key(alice)}).empty());
    CHECK(watched(office.desk.p11mime_command({"key", "import-p12", file, "--password-source", "env:P12_PASSWORD"})
                      .arguments) == "");
    done(office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=Alice"}));
    const std::string bare = office.p12(alice, {"-keypbe", "NONE", "-certpbe", "NONE", "-nomac"});
    CHECK(watched(office.desk.p11mime_command({"key", "import-p12", bare}).arguments) == "");
    done(office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=Alice"}));
    const std::string again = office.p12(alice);
    office.desk.environment["P11MIME_POOR_CARD_MODULE"] = SoftHsm::module();
    office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = "no-plain-keys";
    CHECK(watched(office.desk
                      .p11mime_command({"key", "import-p12", again, "--password-source", "env:P12_PASSWORD", "--module",
                                        built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"})
                      .arguments) == "");
}
