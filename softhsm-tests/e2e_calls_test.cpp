// How many PKCS#11 calls the program makes, counted with pkcs11-spy, and that a full token costs no more than an empty
// one.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/spy.h"

using namespace p11mime::test;

namespace {

constexpr const char* kAlicesKey = "pkcs11:token=Desk;id=%01;type=private";

/// counted runs the program, which must end well.
SpyLog counted(const Office& office, const Arguments& arguments, const std::string& input) {
    Spied run = spied_p11mime(office.desk, arguments + Arguments{"--pin-source", "env:DESK_PIN"}, input);
    done(run.outcome);
    return std::move(run.log);
}

/// counted_engine is `openssl cms -sign` with the pkcs11 engine.
SpyLog counted_engine(const Office& office, const Identity& signer, const std::string& input) {
    const std::string key = fmt::format("{};pin-value={}", kAlicesKey, kUserPin);
    Spied run = spied(office.desk, {.arguments = {"openssl", "cms", "-sign", "-engine", "pkcs11", "-keyform", "engine",
                                                  "-inkey", key, "-signer", office.certificate(signer)},
                                    .environment = {},
                                    .input = input});
    done(run.outcome);
    return std::move(run.log);
}

/// fill puts many more certificates and keys on the token.
void fill(Office& office, int certificates, int keys) {
    const Identity other = office.pki.issue({.name = "Other", .email = "other@example.gov", .kind = KeyKind::p256});
    for (int i = 0; i < certificates; ++i)
        office.desk.put_certificate(other, fmt::format("7f{:02x}", i));
    for (int i = 0; i < keys; ++i)
        office.employ({.name = fmt::format("Key{}", i), .email = "key@example.gov", .kind = KeyKind::p256});
}

/// put_retired puts old certificates of the same person on the token, whose keys are gone.
void put_retired(Office& office, int count) {
    for (int i = 0; i < count; ++i)
        office.desk.put_certificate(
            office.pki.issue(
                {.name = "Alice", .kind = KeyKind::p256, .begins_in_days = -800 - i, .ends_in_days = -400 - i}),
            fmt::format("7e{:02x}", i));
}

}  // namespace

TEST_CASE("a signature with a key named by its id takes no more calls than OpenSSL's engine, on a full token too",
          "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice"});
    const std::string text = mail(alice.email, "bob@example.org");
    const Arguments sign{"sign", "--key", kAlicesKey};
    const SpyLog engine = counted_engine(office, alice, text);
    const SpyLog alone = counted(office, sign, text);
    CHECK(engine.calls("C_Sign") == 1);
    CHECK(alone.calls("C_Sign") == 1);
    CHECK(alone.calls() <= engine.calls());
    CHECK(alone.certificate_reads().size() == 1);

    put_retired(office, 4);
    fill(office, 36, 6);
    const SpyLog full = counted(office, sign, text);
    CHECK(full.calls() == alone.calls());
    CHECK(full.certificate_reads().size() == 1);
}

TEST_CASE("choosing a key by address reads each certificate once", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice"});
    office.desk.put_certificate({.certificate_pem = office.pki.intermediate_pem()}, "70");
    office.desk.put_certificate({.certificate_pem = office.pki.root_pem()}, "71");
    put_retired(office, 1);
    fill(office, 4, 1);
    const SpyLog calls = counted(office, {"sign"}, mail(alice.email, "bob@example.org"));
    CHECK(calls.certificate_reads().size() == 9);
    for (const auto& [object, reads] : calls.certificate_reads()) {
        CAPTURE(object);
        CHECK(reads == 1);
    }
}

TEST_CASE("a named key brings its token's intermediate certificates along", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice"});
    office.desk.put_certificate({.certificate_pem = office.pki.intermediate_pem()}, "70");
    const std::string text = mail(alice.email, "bob@example.org");
    for (const Arguments& choice : {Arguments{}, Arguments{"--key", "pkcs11:token=Desk;id=%01"}}) {
        const std::string signed_mail =
            office.desk.file("signed.eml", done(office.desk.p11mime(Arguments{"sign"} + choice, text)));
        const Outcome outcome =
            office.desk.p11mime({"verify", "-n", "--no-default-ca", "--ca", office.desk.path("root.pem"), signed_mail});
        INFO(outcome.err);
        CHECK(outcome.status == 0);
    }
}

TEST_CASE("a named key for signing alone brings the certificate to encrypt with along", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .key_usage = "digitalSignature"});
    const Identity encryption = office.employ({.name = "Alice", .key_usage = "keyEncipherment"});
    const std::string text = mail(alice.email, "bob@example.org");
    for (const Arguments& choice : {Arguments{}, Arguments{"--key", "pkcs11:token=Desk;id=%01"}}) {
        const std::string signature =
            done(office.desk.p11mime(Arguments{"sign", "--form", "der", "--detached"} + choice, text));
        CHECK(signature.find(encryption.certificate_der()) != std::string::npos);
    }
}

TEST_CASE("a named key for signing alone takes no more calls with 20 retired certificates than with one", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .key_usage = "digitalSignature"});
    const Identity encryption = office.employ({.name = "Alice", .key_usage = "keyEncipherment"});
    const std::string encryption_file = office.desk.file("encryption.pem", encryption.certificate_pem);
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    const Arguments sign{"sign",       "--pin-source", "env:DESK_PIN", "--form", "der",
                         "--detached", "--key",        kAlicesKey,     text};
    const auto carries = [&](const Spied& run) {
        return done(run.outcome).find(encryption.certificate_der()) != std::string::npos;
    };
    put_retired(office, 1);
    const Spied one = spied_p11mime(office.desk, sign);
    CHECK(carries(one));

    put_retired(office, 19);
    const Spied many = spied_p11mime(office.desk, sign);
    CHECK(many.log.calls() <= one.log.calls());
    CHECK(many.log.certificate_reads().size() == 1);
    CHECK_FALSE(carries(many));
    CHECK_THAT(many.outcome.err, Catch::Contains("too many certificates") && Catch::Contains("certs import"));

    done(office.desk.p11mime({"certs", "import", encryption_file}));
    const Spied with_book = spied_p11mime(office.desk, sign);
    CHECK(with_book.log.calls() == many.log.calls());
    CHECK(carries(with_book));
    CHECK_THAT(with_book.outcome.err, !Catch::Contains("too many certificates"));
}

TEST_CASE("decrypting takes no more calls on a full token than on one with a single certificate", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice"});
    const std::string entity = office.desk.file("entity", kText);
    const std::string encrypted =
        done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity, office.certificate(alice)}));
    const SpyLog alone = counted(office, {"decrypt"}, encrypted);
    put_retired(office, 3);
    fill(office, 5, 2);
    const SpyLog full = counted(office, {"decrypt"}, encrypted);
    CHECK(full.calls() == alone.calls());
    CHECK(full.certificate_reads().size() == 1);
}
