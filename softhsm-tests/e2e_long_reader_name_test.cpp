// Readers whose names are longer than a slot's description may be: OpenSC cuts them and ends them in "...".

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

namespace {

constexpr const char* kLongName = "HID Global OMNIKEY 3x21 Smart Card Reader [OMNIKEY 3x21 Smart Card Reader]";

}  // namespace

TEST_CASE("a card that is pulled from a reader with a long name ends several threads with exit 4, and says so",
          "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office(kLongName);
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    office.card().insert();
    Arguments files;
    for (int i = 0; i < 4; ++i)
        files.push_back(office.desk.file("mail" + std::to_string(i) + ".eml", mail(alice.email, "bob@example.org")));
    office.card().order("remove-at authenticate");
    const Outcome outcome = office.desk.p11mime(Arguments{"sign", "-j", "4", "-d", office.desk.path("out")} + files);
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err, Catch::Contains("was removed from its reader; insert it again and repeat the command"));
}

TEST_CASE("doctor knows the card in a reader with a long name", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office(kLongName);
    office.issue_to_card("9a", {.name = "Alice"});
    office.card().insert();
    const Outcome outcome = office.desk.p11mime({"doctor"});
    INFO(outcome.out + outcome.err);
    CHECK_THAT(outcome.out, Catch::Contains("' answers (ATR ") && !Catch::Contains("no module knows the card"));
}
