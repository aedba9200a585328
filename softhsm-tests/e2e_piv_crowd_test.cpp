// Many processes sign at once with one token.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <future>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

namespace {

constexpr int kProcesses = 8;

/// sign_at_once has eight processes sign a mail each, and wants all of them verified by openssl.
void sign_at_once(const Office& office, const Identity& signer) {
    std::vector<std::future<Outcome>> running;
    for (int i = 0; i < kProcesses; ++i)
        running.push_back(std::async(std::launch::async, [&office, &signer, i] {
            return office.desk.p11mime({"sign"}, mail(signer.email, fmt::format("bob{}@example.org", i)));
        }));
    for (std::future<Outcome>& run : running) {
        const Outcome outcome = run.get();
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(office.desk.run(Arguments{"openssl", "cms", "-verify"} + office.peer_trust(), outcome.out).status == 0);
    }
}

}  // namespace

TEST_CASE("eight processes sign at once with one SoftHSM token", "[e2e]") {
    Office office;
    sign_at_once(office, office.employ({.name = "Alice"}));
}

TEST_CASE("eight processes sign at once with one PIV card, which loses no try", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    office.card().insert();
    sign_at_once(office, alice);
    CHECK(office.card().pins_refused() == 0);
    CHECK(office.card().tries() == 3);
}
