// A card that fails, one that is pulled out, a pcscd that dies.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <future>

#include "softhsm-tests/e2e_piv.h"

using namespace p11mime::test;

namespace {

/// Trouble is an office with Alice's card, and where her signed mail would go.
struct Trouble : CardOffice {
    Trouble() { card().insert(); }

    Outcome sign() { return desk.p11mime({"sign", "-o", out, text}); }
    Outcome decrypt() { return desk.p11mime({"decrypt", "-o", out, sealed}); }

    /// is_trouble checks that there was an error of the token, with a hint, and no output; a card that fails to decrypt
    /// may also be taken for a bad ciphertext (1).
    void is_trouble(const Outcome& outcome, std::vector<int> statuses = {4}) {
        INFO("exit " << outcome.status << ": " << outcome.err);
        CHECK(std::count(statuses.begin(), statuses.end(), outcome.status) == 1);
        CHECK_THAT(outcome.err, Catch::Contains("; "));
        CHECK_THAT(outcome.err, !Catch::Contains(std::string(kUserPin)));
        CHECK(outcome.out.empty());
        CHECK_FALSE(std::filesystem::exists(out));
    }

    Identity alice = issue_to_card("9a", {.name = "Alice"});
    std::string text = desk.file("text.eml", mail(alice.email, "bob@example.org"));
    std::string sealed = desk.file("sealed.eml", encrypted(alice));
    std::string out = desk.path("out.eml");
};

}  // namespace

TEST_CASE("a PIV card that answers with an error ends in exit 4 and says which", "[e2e]") {
    if (skipped_without_readers()) return;
    Trouble trouble;
    struct Row {
        std::string status;
        std::string words;
        bool may_be_ciphertext;
    };
    for (const Row& row : {Row{"6982", "logged in", false}, Row{"6985", "could not do it", true},
                           Row{"6581", "device", false}, Row{"6f00", "failed", true}}) {
        INFO(row.status);
        trouble.card().order("fail-at authenticate " + row.status + " 0");
        const Outcome signing = trouble.sign();
        trouble.is_trouble(signing);
        CHECK_THAT(signing.err, Catch::Contains(row.words));
        trouble.is_trouble(trouble.decrypt(), row.may_be_ciphertext ? std::vector{1, 4} : std::vector{4});
        trouble.card().order("forget");
    }
    CHECK(trouble.sign().status == 0);
    CHECK(trouble.card().tries() == 3);
}

TEST_CASE("a PIV card that is pulled out in the middle ends in exit 4 without output", "[e2e]") {
    if (skipped_without_readers()) return;
    Trouble trouble;
    const unsigned long before = trouble.card().commands();
    REQUIRE(trouble.sign().status == 0);
    const unsigned long all = trouble.card().commands() - before;
    std::filesystem::remove(trouble.out);
    std::vector<std::string> places = {"verify", "authenticate"};
    for (unsigned long number = 1; number <= all; number += all / 8)
        places.push_back(std::to_string(number));
    std::size_t pulled_out = 0;
    for (const std::string& place : places) {
        INFO("pulled out at " << place << " of " << all);
        trouble.insert_afresh();
        const std::size_t logged = trouble.card().log().size();
        trouble.card().order("remove-at " + place);
        const Outcome outcome = trouble.sign();
        INFO("the card's log:\n" << trouble.card().log().substr(logged));
        if (trouble.card().status("inserted") == "false") {
            trouble.is_trouble(outcome);
            ++pulled_out;
        } else {  // fewer commands were enough
            REQUIRE(outcome.status == 0);
            CHECK(trouble.openssl_verifies(read_file(trouble.out)));
            std::filesystem::remove(trouble.out);
            trouble.card().order("forget");
        }
    }
    CHECK(pulled_out + 2 >= places.size());
    trouble.insert_afresh();
    trouble.card().order("remove-at authenticate");
    trouble.is_trouble(trouble.decrypt(), {1, 4});
    trouble.insert_afresh();
    CHECK(trouble.sign().status == 0);
    CHECK(trouble.card().tries() == 3);
}

TEST_CASE("a pcscd that is killed, or not there, ends in exit 4 and a hint, and started again all is well", "[e2e]") {
    if (skipped_without_readers()) return;
    Trouble trouble;
    for (const bool signs : {true, false}) {
        INFO((signs ? "signing" : "decrypting"));
        trouble.card().order("hold-at authenticate");
        auto running = std::async(std::launch::async, [&] { return signs ? trouble.sign() : trouble.decrypt(); });
        wait_until([&] { return trouble.card().status("held") == "true"; }, "the key's use");
        trouble.readers.stop();
        trouble.is_trouble(running.get(), signs ? std::vector{4} : std::vector{1, 4});
        trouble.is_trouble(signs ? trouble.sign() : trouble.decrypt(), signs ? std::vector{4} : std::vector{4, 5});
        trouble.readers.start();
        trouble.insert_afresh();
    }
    CHECK(trouble.sign().status == 0);
    CHECK(trouble.card().tries() == 3);
}
