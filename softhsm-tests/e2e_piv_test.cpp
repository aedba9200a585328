// A PIV card in a reader, through OpenSC and pcscd: the way to a government ID card.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

TEST_CASE("a PIV card is listed and signs, and openssl verifies it", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    office.card().insert();
    const Outcome listing = office.desk.p11mime({"tokens"});
    INFO(listing.err);
    CHECK(listing.status == 0);
    CHECK_THAT(listing.out, Catch::Contains("Alice"));

    const Outcome signature = office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org"));
    INFO(signature.err);
    REQUIRE(signature.status == 0);
    CHECK(office.openssl_verifies(signature.out));
    CHECK(office.card().tries() == 3);
}
