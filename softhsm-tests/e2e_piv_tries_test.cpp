// The counters of a PIV card's PIN and PUK, read back over the reader.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

constexpr const char* kWrongPin = "999999";
constexpr const char* kVerify = "00 20 00 80 Lc=8";

/// TriesHolder has a PIV card in the reader, with a key to sign with.
struct TriesHolder : CardOffice {
    TriesHolder() {
        issue_to_card("9a", {.name = "Alice"});
        card().insert();
        text = desk.file("mail.eml", mail("alice@example.gov", "bob@example.org"));
        desk.environment["WRONG"] = kWrongPin;
        desk.environment["NEW"] = "567890";
        desk.environment["PUK"] = kPuk;
        ask_on_terminal(desk);
    }
    Outcome sign(const std::string& source) { return desk.p11mime({"sign", "--pin-source", source, text}); }
    Command sign_at_terminal() const {
        return desk.p11mime_command({"sign", "--pin-source", "tty", "-o", desk.path("signed.eml"), text});
    }
    Outcome unblock(const std::string& puk, const std::string& pin = "env:NEW") {
        return desk.p11mime({"key", "unblock", "--puk-source", puk, "--new-pin-source", pin});
    }
    std::string puk_tries() { return card().status("puk-tries"); }

    /// pins_sent counts the VERIFY commands with a PIN in them.
    std::size_t pins_sent() {
        const std::string log = card().log();
        std::size_t count = 0;
        for (auto at = log.find(kVerify); at != std::string::npos; at = log.find(kVerify, at + 1))
            ++count;
        return count;
    }

    std::string text;
};

}  // namespace

TEST_CASE("a wrong PIN costs a card one try, whatever is to be done with it, and a right one none", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    CHECK(alice.sign("env:DESK_PIN").status == 0);
    CHECK(alice.card().tries() == 3);
    std::filesystem::create_directory(alice.desk.path("out"));
    const Outcome wrong =
        alice.desk.p11mime({"sign", "--pin-source", "env:WRONG", "-j", "1", "-d", alice.desk.path("out"), alice.text,
                            alice.desk.file("b.eml", mail("alice@example.gov", "c@example.org"))});
    INFO(wrong.err);
    CHECK(wrong.status == 4);
    CHECK_THAT(wrong.err, Catch::Contains("PIN refused by token 'Alice'"));
    CHECK(alice.card().tries() == 2);
    const Outcome right = alice.sign("env:DESK_PIN");
    CHECK(right.status == 0);
    CHECK(alice.card().tries() == 3);
}

TEST_CASE("a card's last try is left to a person", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    alice.card().order("tries 1");
    const Outcome stored = alice.sign("env:DESK_PIN");
    INFO(stored.err);
    CHECK(stored.status == 4);
    CHECK_THAT(stored.err, Catch::Contains("this is the last try before it is locked") &&
                               Catch::Contains("a stored PIN is not sent on the last try; type the PIN yourself"));
    CHECK(alice.card().tries() == 1);
    const Outcome changed =
        alice.desk.p11mime({"key", "change-pin", "--pin-source", "env:WRONG", "--new-pin-source", "env:NEW"});
    CHECK(changed.status == 4);
    CHECK(alice.card().tries() == 1);

    TerminalProgram program(alice.sign_at_terminal());
    program.wait_for_prompt("this is the last try before it is locked: ");
    program.type(std::string(kUserPin) + "\n");
    CHECK(program.wait_for_end() == 0);
    CHECK(alice.card().tries() == 3);
}

TEST_CASE("a person who mistypes is not asked for the last try in the same run", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    {
        TerminalProgram program(alice.sign_at_terminal());
        for (const char* pin : {"111111\n", "222222\n"}) {
            program.wait_for_prompt("PIN of token");
            program.type(pin);
        }
        CHECK(program.wait_for_end() == 4);
        CHECK_THAT(program.shown(), Catch::Contains("one try is left before the token locks"));
    }
    CHECK(alice.card().tries() == 1);
    {
        TerminalProgram program(alice.sign_at_terminal());
        program.wait_for_prompt("this is the last try before it is locked: ");
        program.type("333333\n");
        CHECK(program.wait_for_end() == 4);
        CHECK_THAT(program.shown(),
                   Catch::Contains("the token is locked now; unblock it with the PUK: p11mime key unblock"));
    }
    CHECK(alice.card().tries() == 0);
    const std::size_t sent = alice.pins_sent();
    TerminalProgram locked(alice.sign_at_terminal());
    CHECK(locked.wait_for_end() == 4);
    CHECK_THAT(locked.shown(),
               Catch::Contains("is locked; unblock it with the PUK") && !Catch::Contains("PIN of token"));
    CHECK(alice.pins_sent() == sent);
}

TEST_CASE("a card's PIN is changed, a wrong old one costs one try, and a new one of the wrong length none", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    alice.desk.environment["LONG"] = "123456789";
    alice.desk.environment["SHORT"] = "123";
    const auto change = [&](const std::string& from, const std::string& to) {
        return alice.desk.p11mime({"key", "change-pin", "--pin-source", from, "--new-pin-source", to});
    };
    for (const char* bad : {"env:LONG", "env:SHORT"}) {
        const unsigned long before = alice.card().tries();
        const Outcome outcome = change("env:WRONG", bad);
        INFO(outcome.err);
        CHECK(outcome.status == 4);
        CHECK_THAT(outcome.err, Catch::Contains("the new PIN is too") && Catch::Contains("the old one stays as it is"));
        CHECK(alice.card().tries() == before);
    }
    const Outcome wrong = change("env:WRONG", "env:NEW");
    CHECK(wrong.status == 4);
    CHECK_THAT(wrong.err, Catch::Contains("PIN refused by token"));
    CHECK(alice.card().tries() == 2);
    const Outcome good = change("env:DESK_PIN", "env:NEW");
    INFO(good.err);
    CHECK(good.status == 0);
    CHECK(alice.card().tries() == 3);
    CHECK(alice.sign("env:NEW").status == 0);
    CHECK(alice.sign("env:DESK_PIN").status == 4);
}

TEST_CASE("a module that does not unblock costs neither the PIN nor the PUK a try", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    const unsigned tries = GENERATE(3u, 1u, 0u);
    CAPTURE(tries);
    alice.card().order("tries " + std::to_string(tries));
    const Outcome outcome = alice.unblock("env:PUK");
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err,
               Catch::Contains("does not unblock token") && Catch::Contains("set_pin_in_unlogged_session"));
    CHECK(alice.card().tries() == tries);
    CHECK(alice.puk_tries() == "3");
    // The card knows no such PIN, and so counts none.
    CHECK_THAT(alice.card().log(), Catch::Contains("00 20 00 81 Lc=8 Le=256 6a88"));
}

TEST_CASE("the PUK unblocks a card where OpenSC is told to, and a wrong one costs it one try", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    alice.desk.file("opensc.conf",
                    "app default { }\napp opensc-pkcs11 { pkcs11 { user_pin_unblock_style = "
                    "set_pin_in_unlogged_session; } }\n");
    alice.card().order("tries 0");
    const Outcome wrong = alice.unblock("env:WRONG");
    INFO(wrong.err);
    CHECK(wrong.status == 4);
    CHECK_THAT(wrong.err, Catch::Contains("PUK refused by token"));
    CHECK(alice.puk_tries() == "2");
    CHECK(alice.card().tries() == 0);
    const Outcome right = alice.unblock("env:PUK");
    INFO(right.err);
    CHECK(right.status == 0);
    CHECK(alice.card().tries() == 3);

    alice.card().order("tries 0");
    alice.card().order("puk-tries 0");
    const Outcome lost = alice.unblock("env:PUK");
    CHECK(lost.status == 4);
    CHECK_THAT(lost.err, Catch::Contains("or the PUK is locked"));
    alice.card().order("tries 3");
    CHECK(alice.sign("env:NEW").status == 0);
}

TEST_CASE("of two cards with one label, a wrong stored PIN costs one a try, once in all runs", "[e2e]") {
    if (skipped_without_readers()) return;
    TriesHolder alice;
    alice.card(1).put("9a", alice.correspond({.name = "Alice"}));
    alice.card(1).set_serial("02");
    alice.card(1).insert();
    const auto tries = [&] { return alice.card(0).tries() + alice.card(1).tries(); };
    const Arguments sign{"sign", "--token", "pkcs11:token=Alice", "--pin-source", "env:WRONG", alice.text};
    for (int run = 0; run < 2; ++run) {
        const Outcome outcome = alice.desk.p11mime(sign);
        INFO(outcome.err);
        CHECK(outcome.status == 4);
    }
    CHECK(tries() == 5);
}

TEST_CASE("through YKCS11, which does not unblock, no PUK is sent, and the tool that does is named", "[e2e]") {
    if (skipped_without_readers()) return;
    if (CardReaders::ykcs11_module().empty()) return skip("package ykcs11 is not installed");
    CardOffice office("Yubico Virtual");
    office.issue_to_card("9a", {.name = "Alice"});
    office.card().insert();
    office.desk.module = CardReaders::ykcs11_module();
    office.desk.environment["PUK"] = kPuk;
    office.desk.environment["NEW"] = "567890";
    office.card().order("tries 0");
    const Outcome unblock =
        office.desk.p11mime({"key", "unblock", "--puk-source", "env:PUK", "--new-pin-source", "env:NEW"});
    CHECK(unblock.status == 4);
    CHECK_THAT(unblock.err, Catch::Contains("does not unblock token") && Catch::Contains("ykman piv access") &&
                                !Catch::Contains("PUK is locked"));
    CHECK(office.card().status("puk-tries") == "3");
    const Outcome sign = office.desk.p11mime({"sign"}, mail("alice@example.gov", "bob@example.org"));
    CHECK(sign.status == 4);
    CHECK_THAT(sign.err, Catch::Contains("ykman piv access") && !Catch::Contains("key unblock"));
}
