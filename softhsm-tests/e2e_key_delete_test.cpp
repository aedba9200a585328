// Keys that are deleted for good: what is said first, and what stays.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

/// Answered is how `key delete` ended after a person has answered its question.
struct Answered {
    int status;
    std::string shown;
};

Answered answered(const Office& office, const std::string& uri, const std::string& answer) {
    TerminalProgram program(office.desk.p11mime_command({"key", "delete", "--key", uri}));
    program.wait_for("[y/N] ");
    program.type(answer);
    const int status = program.wait_for_end();
    return {status, program.shown()};
}

bool decrypts(const Office& office, const Identity& identity) {
    const std::string entity = office.desk.file("entity", kText);
    return office.desk
               .p11mime({"decrypt"}, done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity,
                                                           office.certificate(identity)})))
               .status == 0;
}

}  // namespace

TEST_CASE("key delete says what will be lost, and deletes on a yes alone", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    const Identity signer = office.employ(
        {.name = "Signer", .email = "alice@example.gov", .kind = KeyKind::p256, .key_usage = "digitalSignature"});
    for (const std::string answer : {"n\n", "\n", "perhaps\n", "\x04"}) {
        INFO(answer);
        const Answered kept = answered(office, "pkcs11:object=Alice", answer);
        INFO(kept.shown);
        CHECK(kept.status == 2);
        CHECK_THAT(kept.shown, Catch::Contains("not deleted"));
    }
    CHECK(decrypts(office, alice));

    const Answered deleted = answered(office, "pkcs11:object=Alice", "y\n");
    CHECK(deleted.status == 0);
    CHECK_THAT(deleted.shown, Catch::Contains("the certificate CN=Alice,O=Example, serial ") &&
                                  Catch::Contains("mail that is encrypted to this key can't be read any more") &&
                                  Catch::Contains("Delete key 'Alice' (RSA-2048) from token 'Desk' for good? [y/N]") &&
                                  Catch::Contains("2 objects in all"));
    CHECK_FALSE(decrypts(office, alice));

    const Answered signing = answered(office, "pkcs11:object=Signer", "yes\n");
    CHECK(signing.status == 0);
    CHECK_THAT(signing.shown, Catch::Contains("CN=Signer,O=Example") && !Catch::Contains("can't be read any more"));
    CHECK(office.desk.p11mime({"sign"}, mail(signer.email, "bob@example.org")).status == 4);
}

TEST_CASE("key delete leaves another key with the same id, and refuses where the URI fits both", "[e2e]") {
    Office office;
    const Identity goes = office.correspond({.name = "Goes", .email = "goes@example.gov"});
    const Identity stays = office.correspond({.name = "Stays", .email = "stays@example.gov"});
    office.desk.put(goes, "0a");
    office.desk.put(stays, "0a");
    const Outcome both = office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:id=%0a"});
    INFO(both.err);
    CHECK(both.status == 2);
    CHECK_THAT(both.err, Catch::Contains("2 private keys fit"));
    const Outcome one = office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=Goes"});
    INFO(one.err);
    CHECK(one.status == 0);
    CHECK_THAT(one.err, Catch::Contains("the key 'Stays' with the same id stays"));
    CHECK(decrypts(office, stays));
    CHECK_FALSE(decrypts(office, goes));
}

TEST_CASE("a token that refuses to delete a key keeps all of it, and says so", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    office.desk.environment["P11MIME_POOR_CARD_MODULE"] = SoftHsm::module();
    office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = "C_DestroyObject=0x1b";
    const Outcome refused =
        office.desk.p11mime({"key", "delete", "--yes", "--key", "pkcs11:object=Alice", "--module",
                             built_path("libp11mime-poor-card.so"), "--pin-source", "env:DESK_PIN"});
    INFO(refused.err);
    CHECK(refused.status == 4);
    CHECK_THAT(refused.err, Catch::Contains("token 'Desk': cannot delete the key 'Alice'") &&
                                Catch::Contains("CKR_ACTION_PROHIBITED"));
    CHECK(decrypts(office, alice));
    CHECK(office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org")).status == 0);
}
