// A stored PIN goes to the token that has the key, whichever token comes first.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

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
        pin = label == "Desk" ? std::string(kUserPin) : kOtherPin;
        desk.environment["DESK_PIN"] = pin;
        alice = correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
        done(desk.run(key_import(label, key(alice), "Alice", "0a", pin)));
    }
    void write(const std::string& file, const std::string& type, const std::string& name) const {
        done(desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", label, "--login", "--pin", pin,
                       "--write-object", file, "--type", type, "--id", "0a", "--label", name}));
    }
    void show_public_key() const {
        const std::string file = desk.path("public.der");
        done(desk.run({"openssl", "pkey", "-in", key(alice), "-pubout", "-outform", "DER", "-out", file}));
        write(file, "pubkey", "Alice");
    }
    void show_certificate(const std::string& name) const {
        write(desk.file("certificate.der", alice.certificate_der()), "cert", name);
    }
    /// no_try_lost says whether neither token has been sent a wrong PIN.
    bool no_try_lost() const {
        return done(desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "-L"})).find("count low") ==
               std::string::npos;
    }

    std::string label, pin;
    Identity alice;
};

const Arguments kKey{"--key", "pkcs11:object=Alice"};

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
