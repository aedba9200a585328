// A card that has no part in the work and is pulled meanwhile.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

/// Bystander is an office with Alice's key in SoftHSM and Bob's card in the reader.
struct Bystander : CardOffice {
    Bystander() {
        employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
        issue_to_card("9a", {.name = "Bob", .email = "bob@example.gov"});
        card().insert();
        ask_on_terminal(desk);
        for (int i = 0; i < 2; ++i)
            files.push_back(
                desk.file("mail" + std::to_string(i) + ".eml", mail("alice@example.gov", "carol@example.gov")));
    }

    /// sign is the command that signs with both modules loaded.
    Command sign(const Arguments& more) const {
        return desk.p11mime_command(Arguments{"sign", "--module", SoftHsm::module(), "--module",
                                              CardReaders::opensc_module(), "--pin-source", "tty"} +
                                    more);
    }

    /// check_pulled pulls the card at the prompt, enters three wrong PINs, and looks at what is said of them.
    void check_pulled(const Arguments& more) {
        TerminalProgram program(sign(more));
        program.wait_for_prompt("PIN of token 'Desk'");
        card().remove();
        program.type("999991\n");
        for (const char* wrong : {"999992\n", "999993\n"}) {
            program.wait_for("PIN refused by token 'Desk'");
            program.wait_for_prompt("few tries are left: ");
            program.type(wrong);
        }
        CHECK(program.wait_for_end() == 4);
        INFO(program.shown());
        const std::string last = program.shown().substr(program.shown().rfind("few tries are left: "));
        CHECK_THAT(last, Catch::Contains("PIN refused by token 'Desk'"));
        CHECK_THAT(program.shown(), !Catch::Contains("was removed") && !Catch::Contains("waiting for it"));
    }

    std::string out = desk.path("out");
    Arguments files;
};

}  // namespace

TEST_CASE("a card beside the token in use that is pulled does not hide that this refuses its PIN", "[e2e]") {
    if (skipped_without_readers()) return;
    Bystander office;
    office.check_pulled({"-o", office.out, office.files.front()});
    CHECK_FALSE(std::filesystem::exists(office.out));
}

TEST_CASE("a batch does not wait for a card beside the token in use that is pulled", "[e2e]") {
    if (skipped_without_readers()) return;
    Bystander office;
    office.check_pulled(Arguments{"--wait", "5", "-d", office.out} + office.files);
    CHECK(std::filesystem::is_empty(office.out));
}

TEST_CASE("a batch is complete though a card beside the token in use is pulled", "[e2e]") {
    if (skipped_without_readers()) return;
    Bystander office;
    TerminalProgram program(office.sign(Arguments{"-d", office.out} + office.files));
    program.wait_for_prompt("PIN of token 'Desk'");
    office.card().remove();
    program.type(std::string(kUserPin) + "\n");
    CHECK(program.wait_for_end() == 0);
    INFO(program.shown());
    for (const char* name : {"mail0.eml", "mail1.eml"})
        CHECK(office.openssl_verifies(read_file(office.out + "/" + name)));
}
