// Retired keys of a PIV card (slots 82 to 95), and old cards in a second reader.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

namespace {

constexpr const char* kAlice = "alice@example.gov";

std::string letter(const CardOffice& office, const Identity& identity) {
    const std::string entity = office.desk.file("entity", kText);
    return done(
        office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity, office.certificate(identity)}));
}

const std::string kRead = "The second paragraph.";

}  // namespace

TEST_CASE("mail of years ago is read with the retired keys of a PIV card", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const std::string usage = "keyEncipherment";
    const Identity signer =
        office.issue_to_card("9a", {.name = "Signer", .email = kAlice, .key_usage = "digitalSignature"});
    const Identity current = office.issue_to_card("9d", {.name = "Current", .email = kAlice, .key_usage = usage});
    const Identity last = office.issue_to_card(
        "82", {.name = "Last", .email = kAlice, .key_usage = usage, .begins_in_days = -1100, .ends_in_days = -370});
    const Identity first = office.issue_to_card(
        "95",
        {.name = "First", .email = kAlice, .kind = KeyKind::p256, .begins_in_days = -1900, .ends_in_days = -1200});
    office.card().insert();
    for (const Identity& identity : {current, last, first}) {
        INFO(identity.name);
        const Outcome read = office.desk.p11mime({"decrypt"}, letter(office, identity));
        INFO(read.err);
        CHECK(read.status == 0);
        CHECK_THAT(read.out, Catch::Contains(kRead));
    }
    const Outcome signed_mail = office.desk.p11mime({"sign"}, mail(kAlice, "bob@example.org"));
    INFO(signed_mail.err);
    CHECK(signed_mail.status == 0);
    CHECK_THAT(signed_mail.err, Catch::Contains("signing with CN=Signer"));
    CHECK(office.card().tries() == 3);
}

TEST_CASE("of two cards in two readers the one with the key gets the PIN", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity now = office.issue_to_card("9d", {.name = "Now", .email = kAlice, .key_usage = "keyEncipherment"});
    const Identity then = office.correspond({.name = "Then",
                                             .email = kAlice,
                                             .key_usage = "keyEncipherment",
                                             .begins_in_days = -1100,
                                             .ends_in_days = -370});
    office.card(1).put("9d", then);
    office.card(1).set_serial("00112233445566778899aabbccddeeff");
    office.card(0).insert();
    office.card(1).insert();
    for (const auto& [identity, owner] : {std::pair{now, 0}, {then, 1}}) {
        INFO(identity.name);
        const auto verified = [&](int card) {
            const std::string log = office.card(card).log();
            std::size_t count = 0;
            for (std::size_t at = 0; (at = log.find("00 20 00 80 Lc=8", at)) != std::string::npos; ++at)
                ++count;
            return count;
        };
        const std::size_t other = verified(1 - owner);
        const Outcome read = office.desk.p11mime({"decrypt"}, letter(office, identity));
        INFO(read.err);
        CHECK(read.status == 0);
        CHECK_THAT(read.out, Catch::Contains(kRead));
        CHECK(verified(1 - owner) == other);
    }
}
