// Readers whose names are longer than a slot's description may be: OpenSC cuts them and ends them in "...".

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/support/terminal_program.h"

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

TEST_CASE("a cached PIN is not used once the card was out of a reader with a long name", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office(kLongName);
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    office.card().set_serial(fmt::format("{:08x}", getpid()));  // in the keyring others' PINs have other names
    office.card().insert();
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    {
        TerminalProgram program(office.desk.p11mime_command(
            {"sign", "--pin-cache", "10m", "--pin-source", "tty", "-o", office.desk.path("signed.eml"), text}));
        program.wait_for_prompt("PIN of token");
        program.type(std::string(kUserPin) + "\n");
        REQUIRE(program.wait_for_end() == 0);
        if (program.shown().find("keeps no PIN") != std::string::npos) {
            skip("no keyring in this kernel or container");
            return;
        }
    }
    const auto is_asked = [&] {
        return office.desk.p11mime({"sign", "--pin-cache", "10m", "--pin-source", "tty", "--batch", text}).status == 4;
    };
    CHECK_FALSE(is_asked());
    office.card().remove();
    office.card().insert();
    CHECK(is_asked());
}

TEST_CASE("watch names the token of a card in a reader with a long name", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office(kLongName);
    office.issue_to_card("9a", {.name = "Alice"});
    office.card().insert();
    const std::string events = office.desk.path("events");
    const Background watch(office.desk.p11mime_command({"watch", "--json", events}), office.desk.path("watch.log"));
    const auto inserted = [&] {
        std::istringstream text(std::filesystem::exists(events) ? read_file(events) : "");
        for (std::string line; std::getline(text, line) && !text.eof();)
            if (auto event = nlohmann::json::parse(line); event["event"] == "card-inserted") return event;
        return nlohmann::json();
    };
    wait_until([&] { return !inserted().is_null(); }, "the card's event");
    REQUIRE(inserted()["tokens"].size() == 1);
    CHECK(inserted()["tokens"][0]["label"] == "Alice");
    CHECK(inserted()["warnings"].empty());
}
