// The PIN's retry counter, which is on the card: it falls by one after a wrong PIN and by nothing else.

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <future>
#include <iostream>

#include "softhsm-tests/e2e_card_batch.h"
#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

/// Wallet is an office with Alice's card: a key to sign with, one to decrypt with, and another to sign with.
struct Wallet : CardOffice {
    Wallet() {
        desk.environment["WRONG"] = "999999";
        card().insert();
    }

    Outcome with_pin_in(const std::string& variable, const Arguments& arguments) {
        return desk.p11mime(arguments + Arguments{"--pin-source", "env:" + variable});
    }

    Identity alice = issue_to_card("9a", {.name = "Alice", .key_usage = "digitalSignature"});
    Identity decrypting =
        issue_to_card("9d", {.name = "Alice", .kind = KeyKind::rsa2048, .key_usage = "keyEncipherment"});
    Identity second = issue_to_card("9e", {.name = "Second", .kind = KeyKind::p256});
    std::string text = desk.file("text.eml", mail(alice.email, "bob@example.org"));
    std::string sealed = desk.file("sealed.eml", encrypted(decrypting));
};

}  // namespace

TEST_CASE("nothing but a wrong PIN costs a try of the PIV card", "[e2e]") {
    if (skipped_without_readers()) return;
    Wallet wallet;
    const std::string other = wallet.desk.file("other.eml", mail(wallet.alice.email, "carol@example.org"));
    const std::string out = wallet.desk.path("out");
    std::filesystem::create_directory(out);

    wallet.card().order("tries 2");
    CHECK(wallet.desk.p11mime({"tokens"}).status == 0);
    CHECK(wallet.desk.run({program(), "sign", "--batch", "--module", wallet.desk.module, wallet.text}).status == 4);
    CHECK(wallet.desk.p11mime({"sign", "--pin-source", "env:NOT_SET_ANYWHERE", wallet.text}).status != 0);
    TerminalProgram cancelled(wallet.desk.p11mime_command({"sign", "--pin-source", "tty", wallet.text}));
    cancelled.wait_for("PIN of token");
    cancelled.type("\x03");
    CHECK(cancelled.wait_for_end() != 0);
    CHECK(wallet.card().pins_sent() == 0);
    CHECK(wallet.card().tries() == 2);

    for (const Arguments& command :
         {Arguments{"sign", wallet.text}, Arguments{"decrypt", wallet.sealed}, Arguments{"tokens", "--login"},
          Arguments{"sign", "--key", "pkcs11:id=%01", "--key", "pkcs11:id=%04", wallet.text},
          Arguments{"sign", "-d", out, wallet.text, other}}) {
        INFO(fmt::format("{}", fmt::join(command, " ")));
        const Outcome outcome = wallet.with_pin_in("DESK_PIN", command);
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(wallet.card().tries() == 3);
    }
    CHECK(wallet.card().pins_refused() == 0);
}

TEST_CASE("a wrong PIN costs the PIV card one try, whatever it was for and wherever it came from", "[e2e]") {
    if (skipped_without_readers()) return;
    Wallet wallet;
    const std::string wrong = wallet.desk.file("wrong", "999999\n");
    const std::string other = wallet.desk.file("other.eml", mail(wallet.alice.email, "carol@example.org"));
    const std::string out = wallet.desk.path("out");
    std::filesystem::create_directory(out);
    const Arguments in_environment{"--pin-source", "env:WRONG"};
    for (const Arguments& command :
         {Arguments{"sign", wallet.text} + in_environment, Arguments{"decrypt", wallet.sealed} + in_environment,
          Arguments{"tokens", "--login"} + in_environment,
          Arguments{"sign", "--key", "pkcs11:id=%01", "--key", "pkcs11:id=%04", wallet.text} + in_environment,
          Arguments{"sign", "-d", out, wallet.text, other} + in_environment,
          Arguments{"sign", wallet.text, "--pin-source", "file:" + wrong},
          Arguments{"sign", wallet.text, "--key", "pkcs11:id=%01?pin-source=file:" + wrong}}) {
        INFO(fmt::format("{}", fmt::join(command, " ")));
        wallet.card().order("tries 3");
        done(wallet.desk.p11mime({"tokens", "--forget"}));
        const Outcome outcome = wallet.desk.p11mime(command);
        INFO(outcome.err);
        CHECK(outcome.status == 4);
        CHECK_THAT(outcome.err, Catch::Contains("PIN"));
        CHECK(wallet.card().tries() == 2);
    }
    wallet.card().order("tries 3");
    done(wallet.desk.p11mime({"tokens", "--forget"}));
    const Outcome through_descriptor =
        wallet.desk.run({"sh", "-c", "exec \"$0\" sign --module \"$1\" --pin-source fd:7 \"$2\" 7<\"$3\"", program(),
                         wallet.desk.module, wallet.text, wrong});
    CHECK(through_descriptor.status == 4);
    CHECK(wallet.card().tries() == 2);
    CHECK(names(out).empty());
}

TEST_CASE("a stored PIN is not sent to the PIV card on the last try, be it right or wrong", "[e2e]") {
    if (skipped_without_readers()) return;
    Wallet wallet;
    wallet.card().order("tries 1");
    for (const std::string variable : {"WRONG", "DESK_PIN"})
        for (const Arguments& command : {Arguments{"sign", wallet.text}, Arguments{"decrypt", wallet.sealed}}) {
            const Outcome outcome = wallet.with_pin_in(variable, command);
            INFO(outcome.err);
            CHECK(outcome.status == 4);
            CHECK(outcome.out.empty());
            CHECK_THAT(outcome.err, Catch::Contains("last try") && Catch::Contains("tty"));
        }
    CHECK(wallet.card().pins_sent() == 0);
    CHECK(wallet.card().tries() == 1);
}

TEST_CASE("eight processes with a wrong stored PIN at once cost the PIV card one try", "[e2e]") {
    if (skipped_without_readers()) return;
    Wallet wallet;
    wallet.card().order("slow 5");  // so that they meet
    std::vector<std::future<Outcome>> running;
    for (int i = 0; i < 8; ++i)
        running.push_back(std::async(std::launch::async, [&] {
            return wallet.with_pin_in("WRONG", {"sign", wallet.text});
        }));
    for (std::future<Outcome>& run : running) {
        const Outcome outcome = run.get();
        INFO(outcome.err);
        CHECK(outcome.status == 4);
    }
    wallet.card().order("slow 0");
    CHECK(wallet.card().tries() == 2);
    CHECK(wallet.card().pins_sent() == 1);
}

TEST_CASE("a wrong stored PIN costs the PIV card one try, however many modules show the card", "[e2e]") {
    if (skipped_without_readers()) return;
    Wallet wallet;
    std::string second = wallet.desk.module;
    second.replace(second.rfind("opensc-pkcs11"), 0, "onepin-");
    REQUIRE(std::filesystem::exists(second));
    const Arguments both{"--module", wallet.desk.module,   "--module",     second,
                         "--token",  "pkcs11:token=Alice", "--pin-source", "env:WRONG"};
    for (const Arguments& command : {Arguments{"decrypt", wallet.sealed}, Arguments{"sign", wallet.text}}) {
        INFO(fmt::format("{}", fmt::join(command, " ")));
        wallet.card().order("tries 3");
        done(wallet.desk.p11mime({"tokens", "--forget"}));
        const Outcome outcome = wallet.desk.p11mime(command + both);
        INFO(outcome.err);
        CHECK(outcome.status == 4);
        CHECK_THAT(outcome.err, Catch::Contains("PIN refused by token 'Alice'"));
        CHECK(wallet.card().tries() == 2);
    }
}

TEST_CASE("a stored PIN is not sent again to a PIV card that was pulled while it checked the PIN", "[e2e]") {
    if (skipped_without_readers()) return;
    CardBatch batch(2);
    CardOffice& office = batch.office;
    office.desk.environment["WRONG"] = "999999";
    std::filesystem::create_directory(office.desk.path("first"));
    const std::size_t before = office.card().log().size();
    done(office.desk.p11mime(Arguments{"sign", "-j", "1", "-d", office.desk.path("first")} + batch.files));
    const std::string log = office.card().log().substr(before);
    const auto verify = static_cast<std::ptrdiff_t>(log.find("00 20 00 80 Lc=8"));
    const auto place = 1 + std::count(log.begin(), log.begin() + verify, '\n');

    office.insert_afresh();
    const int sent = office.card().pins_sent();
    office.card().order("hold-at " + std::to_string(place));
    Running sign(office.desk, batch.command({"-j", "1", "--wait", "300", "--pin-source", "env:WRONG"}));
    wait_until([&] { return office.card().status("held") == "true"; }, "the PIN to be checked");
    REQUIRE(office.card().pins_sent() == sent + 1);
    office.card().remove();
    office.card().insert();
    CHECK(sign.status() == 4);
    INFO(sign.said());
    CHECK_THAT(sign.said(),
               Catch::Contains("was pulled, or failed, while it checked the PIN; a stored PIN is not sent a "
                               "second time") &&
                   Catch::Contains("run the command again"));
    CHECK(office.card().pins_sent() == sent + 1);
    CHECK(office.card().tries() == 2);
}

TEST_CASE("a cached PIN is not used once the PIV card was out of the reader, or pcscd was started anew", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    office.card().set_serial(fmt::format("{:08x}", getpid()));  // in the keyring others' PINs have other names
    office.card().insert();
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    const bool restarted = GENERATE(false, true);
    CAPTURE(restarted);
    {
        TerminalProgram program(office.desk.p11mime_command(
            {"sign", "--pin-cache", "10m", "--pin-source", "tty", "-o", office.desk.path("signed.eml"), text}));
        program.wait_for_prompt("PIN of token");
        program.type(std::string(kUserPin) + "\n");
        REQUIRE(program.wait_for_end() == 0);
        if (program.shown().find("keeps no PIN") != std::string::npos) {
            std::cout << "skipped: no keyring in this kernel or container\n";
            return;
        }
    }
    const auto is_asked = [&] {
        return office.desk.p11mime({"sign", "--pin-cache", "10m", "--pin-source", "tty", "--batch", text}).status == 4;
    };
    CHECK_FALSE(is_asked());
    CHECK_FALSE(is_asked());
    if (restarted) {
        office.readers.stop();
        office.readers.start();
    } else {
        office.card().remove();
    }
    office.card().insert();
    CHECK(is_asked());
    CHECK(is_asked());
}
