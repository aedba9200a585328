// A stored PIN goes to the token that has the key, whichever token comes first.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cms/certificate.h"
#include "mime/hex.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

constexpr const char* kOtherPin = "654321";

/// TwoTokens is a desk with two tokens, of which the one that is looked at last has the key; the PIN at hand is its.
struct TwoTokens : Office {
    TwoTokens() {
        desk.add_token("Shelf", kOtherPin);
        const auto json = nlohmann::json::parse(done(desk.p11mime({"tokens", "--json", "-"})));
        std::vector<std::string> labels;
        for (const auto& token : json["tokens"])
            if (token["label"] == "Desk" || token["label"] == "Shelf") labels.push_back(token["label"]);
        REQUIRE(labels.size() == 2);
        label = labels.back();
        other = labels.front();
        pin = pin_of(label);
        desk.environment["DESK_PIN"] = pin;
        alice = correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
        done(desk.run(key_import(label, key(alice), "Alice", "0a", pin)));
    }
    static std::string pin_of(const std::string& token) { return token == "Desk" ? std::string(kUserPin) : kOtherPin; }
    void write(const std::string& token, const std::string& file, const std::string& type, const std::string& name,
               const std::string& id = "0a") const {
        done(desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", token, "--login", "--pin",
                       pin_of(token), "--write-object", file, "--type", type, "--id", id, "--label", name}));
    }
    void show_public_key() const {
        const std::string file = desk.path("public.der");
        done(desk.run({"openssl", "pkey", "-in", key(alice), "-pubout", "-outform", "DER", "-out", file}));
        write(label, file, "pubkey", "Alice");
    }
    void show_certificate(const std::string& token, const Identity& identity, const std::string& id = "0a") const {
        write(token, desk.file("certificate.der", identity.certificate_der()), "cert", "Alice", id);
    }
    Spied sign(const Arguments& options = {}) const {
        return spied_p11mime(desk, Arguments{"sign", "--pin-source", "env:DESK_PIN"} + options,
                             mail("alice@example.gov", "bob@example.org"));
    }
    /// decrypt opens a mail to Alice that openssl has encrypted, with further options of its.
    Spied decrypt(const Arguments& options = {}, const Arguments& openssl = {}) const {
        const std::string entity = desk.file("entity", "Content-Type: text/plain\r\n\r\ntext\r\n");
        const std::string encrypted =
            done(desk.run(Arguments{"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity} + openssl +
                          Arguments{certificate(alice)}));
        return spied_p11mime(desk, Arguments{"decrypt", "--pin-source", "env:DESK_PIN"} + options, encrypted);
    }
    /// no_try_lost says whether neither token has been sent a wrong PIN.
    bool no_try_lost() const {
        return done(desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "-L"})).find("count low") ==
               std::string::npos;
    }

    std::string label, pin, other;  ///< the token that has the key, its PIN, and the one that has not
    Identity alice;
};

const Arguments kKey{"--key", "pkcs11:object=Alice"};

/// check_refused is for a run that has sent no PIN, since it may be for either token.
void check_refused(const Spied& run) {
    INFO(run.outcome.err);
    CHECK(run.outcome.status == 2);
    CHECK_THAT(run.outcome.err, Catch::Contains("--token takes one of") && Catch::Contains("token=Desk") &&
                                    Catch::Contains("token=Shelf"));
    CHECK(run.log.calls("C_OpenSession") > 0);
    CHECK(run.log.calls("C_Login") == 0);
}

/// check_done is for a run that has sent the right token its PIN, once.
void check_done(const Spied& run) {
    INFO(run.outcome.err);
    CHECK(run.outcome.status == 0);
    CHECK(run.log.calls("C_Login") == 1);
}

}  // namespace

TEST_CASE("a stored PIN goes to the token that shows the key, and to no other", "[e2e]") {
    TwoTokens office;
    office.show_public_key();
    const Outcome request = office.desk.p11mime(Arguments{"key", "csr", "--email", "alice@example.gov"} + kKey);
    INFO(request.err);
    CHECK(request.status == 0);
    CHECK_THAT(request.out, Catch::Contains("BEGIN CERTIFICATE REQUEST"));
    CHECK(office.no_try_lost());

    const Outcome import = office.desk.p11mime(
        {"key", "import-cert", "--label", "certificate of Alice", office.certificate(office.alice)});
    INFO(import.err);
    CHECK(import.status == 0);
    CHECK(office.no_try_lost());

    const Outcome signed_mail =
        office.desk.p11mime(Arguments{"sign"} + kKey, mail("alice@example.gov", "bob@example.org"));
    INFO(signed_mail.err);
    CHECK(signed_mail.status == 0);
    CHECK(office.no_try_lost());

    const Outcome deleted = office.desk.p11mime(Arguments{"key", "delete", "--yes"} + kKey);
    INFO(deleted.err);
    CHECK(deleted.status == 0);
    CHECK(office.no_try_lost());
}

TEST_CASE("a stored PIN goes to no token where any may hide the key, until --token names one", "[e2e]") {
    TwoTokens office;
    for (const Arguments& command :
         {Arguments{"key", "csr", "--email", "alice@example.gov"} + kKey, Arguments{"key", "delete", "--yes"} + kKey,
          Arguments{"key", "import-cert", office.certificate(office.alice)}}) {
        const Outcome refused = office.desk.p11mime(command);
        INFO(refused.err);
        CHECK(refused.status == 2);
        CHECK_THAT(refused.err, Catch::Contains("--token takes one of") && Catch::Contains("token=Desk") &&
                                    Catch::Contains("token=Shelf"));
        CHECK(office.no_try_lost());
    }
    const Outcome named = office.desk.p11mime(Arguments{"key", "delete", "--yes"} + kKey +
                                              Arguments{"--token", "pkcs11:token=" + office.label});
    INFO(named.err);
    CHECK(named.status == 0);
    CHECK(office.no_try_lost());
}

TEST_CASE("a token that shows the certificate alone gets no stored PIN where another may hide the key", "[e2e]") {
    TwoTokens office;
    office.show_certificate(office.other, office.alice);
    for (const Arguments& command :
         {Arguments{"key", "csr", "--email", "alice@example.gov"} + kKey, Arguments{"key", "delete", "--yes"} + kKey,
          Arguments{"key", "csr", "--email", "alice@example.gov", "--key", "pkcs11:id=%0a"},
          Arguments{"key", "import-cert", office.certificate(office.alice)}}) {
        CAPTURE(command);
        check_refused(spied_p11mime(office.desk, command + Arguments{"--pin-source", "env:DESK_PIN"}));
    }
    for (const Arguments& options : {Arguments{}, kKey, Arguments{"--key", "pkcs11:id=%0a"}}) {
        CAPTURE(options);
        check_refused(office.sign(options));
    }
    check_refused(office.decrypt());

    const Arguments named{"--token", "pkcs11:token=" + office.label};
    office.show_certificate(office.label, office.alice);
    check_done(office.sign(named));
    check_done(office.sign({"--key", fmt::format("pkcs11:token={};object=Alice", office.label)}));
    check_done(office.decrypt(named));
    CHECK(office.no_try_lost());
}

TEST_CASE("a stored PIN goes past a token with the certificate to the one that shows its public key too", "[e2e]") {
    TwoTokens office;
    office.show_certificate(office.other, office.alice);
    office.show_public_key();
    check_done(office.decrypt());
    const Spied apart = office.sign();  // a certificate must be beside its key
    INFO(apart.outcome.err);
    CHECK(apart.outcome.status == 4);
    CHECK(apart.log.calls("C_Login") == 0);
    CHECK_THAT(apart.outcome.err, Catch::Contains("token '" + office.label + "' shows its key"));

    office.show_certificate(office.label, office.alice);
    check_done(office.sign());
    CHECK(office.no_try_lost());
}

TEST_CASE("a certificate whose id was derived from its key does not show that the key is there", "[e2e]") {
    TwoTokens office;
    const auto certificate = p11mime::cms::Certificate::from_der(p11mime::bytes_of(office.alice.certificate_der()));
    office.show_certificate(office.other, office.alice, p11mime::hex(certificate.subject_key_identifier().value()));
    check_refused(office.sign());
    check_refused(office.decrypt());
    check_refused(office.decrypt({}, {"-keyid"}));
    check_refused(spied_p11mime(
        office.desk, {"key", "import-cert", office.certificate(office.alice), "--pin-source", "env:DESK_PIN"}));
}

TEST_CASE("the newest certificate decides whether a stored PIN may be sent, and a person is asked for each in turn",
          "[e2e]") {
    TwoTokens office;
    office.show_certificate(office.label, office.alice);
    office.show_certificate(office.other,
                            office.pki.issue({.name = "Newer", .email = "alice@example.gov", .kind = KeyKind::p256}));
    check_refused(office.sign());

    TerminalProgram program(
        office.desk.p11mime_command({"sign", "--pin-source", "tty", "-o", office.desk.path("signed.eml"),
                                     office.desk.file("mail.eml", mail("alice@example.gov", "bob@example.org"))}));
    for (const std::string& token : {office.other, office.label}) {
        program.wait_for_prompt("PIN of token '" + token + "'");
        program.type(TwoTokens::pin_of(token) + "\n");
    }
    CHECK(program.wait_for_end() == 0);
    CHECK(office.no_try_lost());
}
