// Keys: made on the token, requested, certified, imported, used, deleted.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

std::string line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("a key made on the token gets a certificate by request, and signs", "[e2e]") {
    Office office;
    struct Kind {
        const char* type;
        const char* said;
    };
    for (const Kind& kind : {Kind{"rsa2048", "RSA-2048"}, Kind{"p256", "P-256"}, Kind{"p384", "P-384"},
                             Kind{"p521", "P-521"}, Kind{"brainpool256", "brainpoolP256r1"},
                             Kind{"brainpool384", "brainpoolP384r1"}, Kind{"brainpool512", "brainpoolP512r1"}}) {
        INFO(kind.type);
        const std::string email = std::string(kind.type) + "@example.gov";
        const Outcome generated = office.desk.p11mime(
            {"key", "generate", "--type", kind.type, "--label", kind.type, "--token", "pkcs11:token=Desk"});
        INFO(generated.err);
        REQUIRE(generated.status == 0);
        const std::string uri = line(generated.out);
        CHECK_THAT(uri, Catch::StartsWith("pkcs11:") && Catch::Contains("token=Desk") &&
                            Catch::Contains(std::string("object=") + kind.type));

        const std::string request = office.desk.path("request.pem");
        const Outcome requested = office.desk.p11mime(
            {"key", "csr", "--key", uri, "--email", email, "--name", "Grüße " + email, "-o", request});
        INFO(requested.err);
        REQUIRE(requested.status == 0);
        const std::string shown = done(office.desk.run(
            {"openssl", "req", "-in", request, "-verify", "-noout", "-text", "-nameopt", "utf8,-esc_msb"}));
        CHECK_THAT(shown, Catch::Contains("email:" + email) && Catch::Contains("Grüße " + email));

        const std::string certificate =
            office.desk.file("issued.pem", office.pki.issue_for_request(read_file(request)));
        const Outcome imported = office.desk.p11mime({"key", "import-cert", certificate});
        INFO(imported.err);
        REQUIRE(imported.status == 0);

        const Outcome signed_mail = office.desk.p11mime({"sign"}, mail(email, "bob@example.org"));
        INFO(signed_mail.err);
        REQUIRE(signed_mail.status == 0);
        const std::string file = office.desk.file("signed.eml", signed_mail.out);
        CHECK(done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + office.peer_trust())) ==
              kText);

        const Outcome listing = office.desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN"});
        CHECK_THAT(listing.out + listing.err, Catch::Contains(kind.said) && Catch::Contains(email));
    }
    // The private keys cannot leave the token.
    const std::string objects =
        done(office.desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login", "--pin",
                              std::string(kUserPin), "-O", "--type", "privkey"}));
    std::size_t keys = 0, kept = 0;
    for (std::size_t at = 0; (at = objects.find("Private Key Object", at)) != std::string::npos; ++at)
        ++keys;
    for (std::size_t at = 0; (at = objects.find("never extractable", at)) != std::string::npos; ++at)
        ++kept;
    CHECK(keys == 7);
    CHECK(kept == 7);
}

TEST_CASE("an Edwards key made on the token gets certificates, and signs with its own digest alone", "[e2e]") {
    Office office;
    office.desk.environment["ASAN_OPTIONS"] = "detect_leaks=0";  // SoftHSM's C_SignInit leaks the curve's name
    struct Kind {
        std::string type, name, digest, micalg;
        std::vector<std::string> refused;
    };
    for (const Kind& kind : {Kind{"ed25519", "ED25519", "sha512", "sha-512", {"sha256"}},
                             Kind{"ed448", "ED448", "shake256", "shake256", {"sha256", "sha512"}}}) {
        INFO(kind.type);
        const std::string email = kind.type + "@example.gov", text = mail(email, "bob@example.org");
        const std::string uri =
            line(done(office.desk.p11mime({"key", "generate", "--type", kind.type, "--label", kind.type})));
        const std::string request = office.desk.path("request.pem");
        done(office.desk.p11mime({"key", "csr", "--key", uri, "--email", email, "-o", request}));
        CHECK_THAT(done(office.desk.run({"openssl", "req", "-in", request, "-verify", "-noout", "-text"})),
                   Catch::Contains("Signature Algorithm: " + kind.name));
        const std::string issued = office.desk.file("issued.pem", office.pki.issue_for_request(read_file(request)));
        done(office.desk.p11mime({"key", "import-cert", issued}));

        const std::string signed_mail = done(office.desk.p11mime({"sign"}, text));
        CHECK_THAT(signed_mail, Catch::Contains("micalg=" + kind.micalg + ";"));
        const Outcome verified = office.desk.p11mime(Arguments{"verify"} + office.trust(), signed_mail);
        INFO(verified.err);
        CHECK(verified.status == 0);
        CHECK_THAT(verified.err, Catch::Contains(kind.type + " with " + kind.digest));
        std::vector<Arguments> wrong{{"--pss"}};
        for (const std::string& digest : kind.refused)
            wrong.push_back({"--digest", digest});
        for (const Arguments& options : wrong) {
            const Outcome refused = office.desk.p11mime(Arguments{"sign"} + options, text);
            INFO(refused.err);
            CHECK(refused.status == 2);
            CHECK(refused.out.empty());
        }

        const std::string certificate = office.desk.path("self.pem");
        done(office.desk.p11mime({"key", "self-sign", "--key", uri, "--email", email, "-o", certificate}));
        CHECK_THAT(done(office.desk.run({"openssl", "verify", "-CAfile", certificate, certificate})),
                   Catch::EndsWith("OK\n"));
    }
    CHECK(office.desk.p11mime({"sign", "--digest", "sha512"}, mail("ed25519@example.gov", "bob@example.org")).status ==
          0);
}

TEST_CASE("a token without the mechanism makes no key and no signature, and says which it lacks", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .kind = KeyKind::brainpool256});
    office.desk.restrict("CKM_RSA_PKCS");
    const Outcome made = office.desk.p11mime({"key", "generate", "--type", "ed448", "--label", "edward"});
    INFO(made.err);
    CHECK(made.status == 4);
    CHECK_THAT(made.err, Catch::Contains("token 'Desk' makes no ed448 keys: it offers no CKM_EC_EDWARDS_KEY_PAIR_GEN"));
    const std::string output = office.desk.path("signed.eml");
    const Outcome refused = office.desk.p11mime({"sign", "-o", output}, mail(alice.email, "bob@example.org"));
    INFO(refused.err);
    CHECK(refused.status == 4);
    CHECK_FALSE(std::filesystem::exists(output));
    CHECK_THAT(refused.err, Catch::Contains("key 'Alice' on token 'Desk' cannot sign with ECDSA with sha256: the token "
                                            "offers no CKM_ECDSA or CKM_ECDSA_SHA256"));
}

TEST_CASE("a self-signed certificate is put on the token and works for trying things out", "[e2e]") {
    Office office;
    const std::string uri = line(done(office.desk.p11mime({"key", "generate", "--type", "rsa3072", "--label", "try"})));
    const std::string certificate = office.desk.path("self.pem");
    const Outcome made = office.desk.p11mime({"key", "self-sign", "--key", uri, "--email", "try@example.gov", "--name",
                                              "Trying Out", "--days", "30", "-o", certificate});
    INFO(made.err);
    REQUIRE(made.status == 0);
    CHECK_THAT(done(office.desk.run({"openssl", "verify", "-CAfile", certificate, certificate})),
               Catch::EndsWith("OK\n"));
    const std::string text =
        office.desk.file("signed.eml", done(office.desk.p11mime({"sign"}, mail("try@example.gov", "x@example.org"))));
    CHECK(office.desk.p11mime({"verify", "--no-default-ca", "--ca", certificate, text}).status == 0);
    CHECK(office.desk.p11mime({"verify", "--no-default-ca", text}).status == 3);
    const Outcome encrypted =
        office.desk.p11mime({"encrypt", "--no-default-ca", "--ca", certificate, "--recipient-cert", certificate},
                            mail("try@example.gov", "try@example.gov"));
    INFO(encrypted.err);
    REQUIRE(encrypted.status == 0);
    CHECK(entity_of(done(office.desk.p11mime({"decrypt"}, encrypted.out))) == kText);
}

TEST_CASE("a certificate without its key on a token is not imported", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const Outcome outcome = office.desk.p11mime({"key", "import-cert", office.certificate(bob)});
    INFO(outcome.err);
    CHECK(outcome.status == 4);
}

TEST_CASE("key delete removes the key and its certificate, and nothing else", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const Identity other = office.employ({.name = "Other", .email = "other@example.gov", .kind = KeyKind::p256});
    CHECK(office.desk.p11mime({"key", "delete", "--batch", "--key", "pkcs11:object=Alice"}).status != 0);
    const Outcome deleted = office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=Alice"});
    INFO(deleted.err);
    CHECK(deleted.status == 0);
    CHECK(office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org")).status == 4);
    CHECK(office.desk.p11mime({"sign"}, mail(other.email, "bob@example.org")).status == 0);
}

TEST_CASE("the newest-issued of several fitting certificates signs, and which one is said", "[e2e]") {
    Office office;
    const Identity older =
        office.employ({.name = "Older", .email = "alice@example.gov", .kind = KeyKind::p256, .begins_in_days = -30});
    const Identity newer =
        office.employ({.name = "Newer", .email = "alice@example.gov", .kind = KeyKind::p256, .begins_in_days = -3});
    const Identity expired = office.employ({.name = "Expired",
                                            .email = "alice@example.gov",
                                            .kind = KeyKind::p256,
                                            .begins_in_days = -2,
                                            .ends_in_days = -1});
    const Identity for_encryption = office.employ({.name = "Encryption",
                                                   .email = "alice@example.gov",
                                                   .kind = KeyKind::p256,
                                                   .key_usage = "critical,keyAgreement",
                                                   .begins_in_days = -1});
    const std::string text = mail("alice@example.gov", "bob@example.org");
    const Outcome chosen = office.desk.p11mime({"sign"}, text);
    CHECK(chosen.status == 0);
    CHECK_THAT(chosen.err, Catch::Contains("Newer"));
    const Outcome verified = office.desk.p11mime(Arguments{"verify", "-n"} + office.trust(), chosen.out);
    CHECK_THAT(verified.err, Catch::Contains("Newer") && !Catch::Contains("Older"));
    const Outcome named = office.desk.p11mime({"sign", "--key", "pkcs11:object=Older"}, text);
    CHECK(named.status == 0);
    CHECK_THAT(office.desk.p11mime(Arguments{"verify", "-n"} + office.trust(), named.out).err,
               Catch::Contains("Older"));
}

TEST_CASE("tokens --json lists each token with its PIN state, keys and certificates by URI", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const Outcome outcome = office.desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN", "--json", "-"});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const auto report = nlohmann::json::parse(outcome.out);
    const std::string text = report.dump();
    CHECK_THAT(text, Catch::Contains("Desk") && Catch::Contains("pkcs11:") && Catch::Contains("alice@example.gov") &&
                         Catch::Contains("P-256"));
}

TEST_CASE("a changed PIN is the one that works from then on", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    office.desk.environment["NEW_PIN"] = "654321";
    const Outcome changed = office.desk.p11mime({"key", "change-pin", "--new-pin-source", "env:NEW_PIN"});
    INFO(changed.err);
    REQUIRE(changed.status == 0);
    const std::string text = mail(alice.email, "bob@example.org");
    CHECK(office.desk.p11mime({"sign"}, text).status == 4);
    CHECK(office.desk.p11mime({"sign", "--pin-source", "env:NEW_PIN"}, text).status == 0);

    office.desk.environment["PUK"] = std::string(kSoPin);
    office.desk.environment["THIRD_PIN"] = "112233";
    const Outcome unblocked =
        office.desk.p11mime({"key", "unblock", "--puk-source", "env:PUK", "--new-pin-source", "env:THIRD_PIN"});
    INFO(unblocked.err);
    REQUIRE(unblocked.status == 0);
    CHECK(office.desk.p11mime({"sign", "--pin-source", "env:THIRD_PIN"}, text).status == 0);
}
