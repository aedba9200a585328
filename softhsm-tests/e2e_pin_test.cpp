// Where PINs come from, and that a wrong one is sent to a token once.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/spy.h"

using namespace p11mime::test;

namespace {

constexpr std::string_view kRefused = "999999";

}  // namespace

TEST_CASE("a wrong PIN is sent once, however many keys would want it", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    const Identity second = office.employ({.name = "Second", .email = "alice@example.gov"});
    office.desk.environment["WRONG"] = kRefused;
    const std::string text = mail(alice.email, "bob@example.org");
    const std::string entity = office.desk.file("entity", kText);
    const std::string encrypted = done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity,
                                                        office.certificate(alice), office.certificate(second)}));

    const Spied good = spied_p11mime(office.desk, {"sign", "--pin-source", "env:DESK_PIN"}, text);
    INFO(good.outcome.err);
    CHECK(good.outcome.status == 0);
    CHECK(good.log.calls("C_Login") == 1);

    const auto forget = [&] { done(office.desk.p11mime({"tokens", "--forget"})); };  // of what other runs refuse too
    for (const auto& [command, input] : {std::pair<std::string, std::string>{"sign", text}, {"decrypt", encrypted}}) {
        forget();
        const Spied bad = spied_p11mime(office.desk, {command, "--pin-source", "env:WRONG"}, input);
        INFO(bad.outcome.err);
        CHECK(bad.outcome.status == 4);
        CHECK(bad.outcome.out.empty());
        CHECK(bad.log.calls("C_Login") == 1);
        CHECK_THAT(bad.outcome.err, Catch::Contains("PIN") && Catch::Contains("Desk"));
        CHECK_THAT(bad.outcome.err, !Catch::Contains(std::string(kRefused)));
    }

    forget();
    const Spied both = spied_p11mime(
        office.desk,
        {"sign", "--pin-source", "env:WRONG", "--key", "pkcs11:object=Alice", "--key", "pkcs11:object=Second"}, text);
    INFO(both.outcome.err);
    CHECK(both.outcome.status == 4);
    CHECK(both.log.calls("C_Login") == 1);
}

TEST_CASE("PINs come from the environment, a file, a descriptor and the URI", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    const std::string pin = office.desk.file("pin", std::string(kUserPin) + "\n");
    const std::string uri = "pkcs11:token=Desk;object=Alice;type=private";
    for (const Arguments& options :
         {Arguments{"--pin-source", "env:DESK_PIN"}, Arguments{"--pin-source", "file:" + pin},
          Arguments{"--key", uri + "?pin-source=file:" + pin},
          Arguments{"--key", uri + "?pin-value=" + std::string(kUserPin)}}) {
        INFO(options.back());
        const Outcome outcome = office.desk.p11mime(Arguments{"sign", "--module", SoftHsm::module(), "--batch"} +
                                                    options + Arguments{text});
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, !Catch::Contains(std::string(kUserPin)));
        CHECK((outcome.err.find("warning: a PIN in a URI") != std::string::npos) ==
              (options.back().find("pin-value") != std::string::npos));
    }
    const Outcome through_descriptor =
        office.desk.run({"sh", "-c", "exec \"$0\" sign --module \"$1\" --pin-source fd:7 \"$2\" 7<\"$3\"", program(),
                         SoftHsm::module(), text, pin});
    INFO(through_descriptor.err);
    CHECK(through_descriptor.status == 0);
}

TEST_CASE("a bad PIN source is refused before a token is asked", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    CHECK(office.desk.p11mime({"sign", "--pin-source", "nonsense", text}).status == 2);
    CHECK(office.desk.p11mime({"sign", "--key", "pkcs11:token=Desk?pin-source=|cat", text}).status == 2);
    CHECK(office.desk.p11mime({"sign", "--pin-source", "file:" + office.desk.path("absent"), text}).status == 7);
    const Outcome unset = office.desk.p11mime({"sign", "--pin-source", "env:NOT_SET_ANYWHERE", text});
    INFO(unset.err);
    CHECK((unset.status == 2 || unset.status == 4));
    CHECK(unset.out.empty());
}

TEST_CASE("sign --batch without a PIN source never asks, and says why it could not sign", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    const Outcome outcome = office.desk.run({program(), "sign", "--batch", "--module", SoftHsm::module(), text});
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::Contains("PIN"));
}

TEST_CASE("a token that also holds Ed25519 keys works for its RSA and EC keys", "[e2e]") {
    Office office;
    const Identity edwards =
        office.correspond({.name = "Edwards", .email = "alice@example.gov", .kind = KeyKind::ed25519});
    done(office.desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login", "--pin",
                          std::string(kUserPin), "--keypairgen", "--key-type", "EC:edwards25519", "--id", "ed",
                          "--label", "Edwards"}));
    office.desk.put_certificate(edwards, "ed");
    for (const KeyKind kind : {KeyKind::rsa2048, KeyKind::p256}) {
        const Identity signer = office.employ({.name = kind == KeyKind::p256 ? "EC" : "RSA",
                                               .email = kind == KeyKind::p256 ? "ec@example.gov" : "rsa@example.gov",
                                               .kind = kind});
        const Outcome outcome = office.desk.p11mime({"sign"}, mail(signer.email, "bob@example.org"));
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        CHECK(office.desk.p11mime(Arguments{"verify"} + office.trust(), outcome.out).status == 0);
        const std::string entity = office.desk.file("entity", kText);
        const std::string encrypted = done(
            office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity, office.certificate(signer)}));
        const Outcome decrypted = office.desk.p11mime({"decrypt"}, encrypted);
        INFO(decrypted.err);
        CHECK(decrypted.status == 0);
    }
    const Outcome listing = office.desk.p11mime({"tokens"});
    CHECK(listing.status == 0);
    CHECK_THAT(listing.out + listing.err, Catch::Contains("Ed25519") && Catch::Contains("RSA-2048"));
}

TEST_CASE("tokens --login sends a stored PIN to one token alone, and lists a token whose login fails", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    office.desk.add_token("Other", "777777");
    const Spied both = spied_p11mime(office.desk, {"tokens", "--login", "--pin-source", "env:DESK_PIN"}, "");
    INFO(both.outcome.err);
    CHECK(both.outcome.status == 2);
    CHECK(both.log.calls("C_Login") == 0);
    CHECK_THAT(both.outcome.err, Catch::Contains("--token"));

    const Spied one = spied_p11mime(
        office.desk, {"tokens", "--login", "--pin-source", "env:DESK_PIN", "--token", "pkcs11:token=Desk"}, "");
    INFO(one.outcome.err);
    CHECK(one.outcome.status == 0);
    CHECK(one.log.calls("C_Login") == 1);
    CHECK_THAT(one.outcome.out, Catch::Contains("key 'Alice'"));

    const Spied wrong = spied_p11mime(
        office.desk, {"tokens", "--login", "--pin-source", "env:DESK_PIN", "--token", "pkcs11:token=Other"}, "");
    CHECK(wrong.outcome.status == 4);
    CHECK(wrong.log.calls("C_Login") == 1);
    CHECK_THAT(wrong.outcome.out, Catch::Contains("token 'Other'") && Catch::Contains("no login: PIN refused"));

    // Nobody is there to ask, so both logins fail; both tokens are listed all the same.
    const Outcome batch = office.desk.p11mime({"tokens", "--login", "--batch"});
    CHECK(batch.status == 4);
    CHECK_THAT(batch.out, Catch::Contains("token 'Desk'") && Catch::Contains("token 'Other'") &&
                              Catch::Contains("certificate 'Alice'"));
    CHECK_THAT(batch.err, Catch::Contains("no PIN"));
}

TEST_CASE("a stored PIN goes to none of several tokens that could decrypt, until --token names one", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    const std::string encrypted = done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in",
                                                        office.desk.file("entity", kText), office.certificate(alice)}));
    office.desk.add_token("Other", "777777");
    for (const auto& [type, der] :
         {std::pair<std::string, std::string>{"privkey", alice.key_der()}, {"cert", alice.certificate_der()}})
        done(office.desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Other", "--login",
                              "--pin", "777777", "--write-object", office.desk.file("put.der", der), "--type", type,
                              "--id", "01", "--label", "Alice"}));
    office.desk.environment["WRONG"] = kRefused;
    const Spied any = spied_p11mime(office.desk, {"decrypt", "--pin-source", "env:WRONG"}, encrypted);
    INFO(any.outcome.err);
    CHECK(any.outcome.status == 2);
    CHECK(any.log.calls("C_Login") == 0);
    CHECK_THAT(any.outcome.err, Catch::Contains("--token takes one of") && Catch::Contains("token=Desk") &&
                                    Catch::Contains("token=Other"));
    const Spied named = spied_p11mime(
        office.desk, {"decrypt", "--pin-source", "env:WRONG", "--token", "pkcs11:token=Other"}, encrypted);
    INFO(named.outcome.err);
    CHECK(named.outcome.status == 4);
    CHECK(named.log.calls("C_Login") == 1);
}
