// Turns: which processes wait for which. Two of one file stand for two processes, since a flock is of an open file.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/temporary_directory.h"
#include "token/turns.h"

using namespace p11mime;
using token::Turns;
using Kind = Turns::Kind;

namespace {

// waits says whether a turn has to wait while another is taken. Who may wait for no time has waited in vain at once.
bool waits(const std::string& file, Kind kind) {
    Turns turns(file, std::chrono::seconds(0));
    const Turns::Turn turn(turns, kind);
    return turns.waited_in_vain();
}

}  // namespace

TEST_CASE("a login keeps out all others of the same file, and a reading the logins, until it is over") {
    const test::TemporaryDirectory directory;
    const std::string file = directory / "turns.lock";
    Turns turns(file);
    {
        const Turns::Turn login(turns, Kind::login);
        const Turns::Turn within(turns, Kind::reading);
        CHECK(waits(file, Kind::login));
        CHECK(waits(file, Kind::reading));
        CHECK_FALSE(waits(directory / "other", Kind::login));
    }
    {
        const Turns::Turn reading(turns, Kind::reading);
        CHECK(waits(file, Kind::login));
        CHECK_FALSE(waits(file, Kind::reading));
    }
    CHECK_FALSE(waits(file, Kind::login));
    CHECK_FALSE(turns.waited_in_vain());
}

TEST_CASE("without a file, or with one that cannot be made, nobody waits") {
    const test::TemporaryDirectory directory;
    for (const std::string& file : {std::string(), directory / "missing/turns.lock"}) {
        Turns turns(file);
        const Turns::Turn login(turns, Kind::login);
        CHECK_FALSE(waits(file, Kind::login));
    }
}
