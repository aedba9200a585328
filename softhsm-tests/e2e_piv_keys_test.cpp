// Every key of a PIV card does what it is for, through OpenSC.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

namespace {

struct Holder {
    std::string reference;
    KeyKind kind;
    std::string key_usage;
};

Identity issue(CardOffice& office, const Holder& holder) {
    return office.issue_to_card(holder.reference, {.name = "Holder" + holder.reference,
                                                   .email = holder.reference + "@example.gov",
                                                   .kind = holder.kind,
                                                   .key_usage = holder.key_usage});
}

}  // namespace

TEST_CASE("a PIV card signs with RSA and ECDSA keys in 9A, 9C and 9E", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const std::vector<Holder> holders = {{"9a", KeyKind::p384, "digitalSignature"},
                                         {"9c", KeyKind::rsa2048, "digitalSignature,nonRepudiation"},
                                         {"9e", KeyKind::p256, "digitalSignature"}};
    std::vector<Identity> people;
    for (const Holder& holder : holders)
        people.push_back(issue(office, holder));
    office.card().insert();
    for (const Identity& person : people) {
        std::vector<Arguments> schemes = {{}};
        if (person.kind == KeyKind::rsa2048) schemes.push_back({"--pss"});
        for (const Arguments& scheme : schemes) {
            INFO(person.name << " " << fmt::format("{}", fmt::join(scheme, "")));
            const Outcome signature =
                office.desk.p11mime(Arguments{"sign"} + scheme, mail(person.email, "bob@example.org"));
            INFO(signature.err);
            CHECK(signature.status == 0);
            CHECK(office.openssl_verifies(signature.out));
        }
    }
    CHECK(office.card().tries() == 3);
}

TEST_CASE("a PIV card decrypts with RSA and EC keys in 9D and in retired ones", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Arguments oaep{"-keyopt", "rsa_padding_mode:oaep"};
    const Arguments oaep_sha256 = oaep + Arguments{"-keyopt", "rsa_oaep_md:sha256"};
    struct Row {
        Identity person;
        Arguments options;
    };
    std::vector<Row> rows;
    const Identity current = issue(office, {"9d", KeyKind::rsa2048, "keyEncipherment"});
    for (const Arguments& options : {Arguments{}, oaep, oaep_sha256})
        rows.push_back({current, options});
    rows.push_back({issue(office, {"82", KeyKind::p256, "keyAgreement"}), {}});
    rows.push_back({issue(office, {"83", KeyKind::p384, "keyAgreement"}), {}});
    rows.push_back({issue(office, {"95", KeyKind::rsa2048, "keyEncipherment"}), {}});
    office.card().insert();
    for (const Row& row : rows) {
        INFO(row.person.name << " " << fmt::format("{}", fmt::join(row.options, " ")));
        const Outcome plain = office.desk.p11mime({"decrypt"}, office.encrypted(row.person, row.options));
        INFO(plain.err);
        CHECK(plain.status == 0);
        CHECK_THAT(plain.out, Catch::Contains("The second paragraph."));
    }
    CHECK(office.card().tries() == 3);
}

TEST_CASE("the PIN goes to the PIV card right before each signature with 9C, once each", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card(
        "9c", {.name = "Alice", .kind = KeyKind::p256, .key_usage = "digitalSignature,nonRepudiation"});
    office.card().insert();
    const Outcome signature = office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org"));
    INFO(signature.err);
    REQUIRE(signature.status == 0);
    CHECK(office.openssl_verifies(signature.out));
    const auto log = office.card().transmitted("20", "87");
    INFO(office.card().log());
    REQUIRE(log.size() >= 2);
    CHECK(log[log.size() - 2].starts_with("00 20 00 80 Lc=8"));
    CHECK(log.back().starts_with("00 87 11 9c"));
    CHECK(office.card().pins_sent() == 2);  // the login's and the signature's
}
