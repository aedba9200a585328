// --pin-cache where the kernel has no keyring, as in many containers.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

TEST_CASE("without a keyring --pin-cache signs all the same, and says in one line that the PIN is not kept", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    ask_on_terminal(office.desk);
    office.desk.launcher = {built_path("p11mime-without"), "keyrings"};
    const std::string text = office.desk.file("mail.eml", mail("alice@example.gov", "bob@example.gov"));
    const std::string out = office.desk.path("signed.eml");
    const Arguments sign{"sign", "--pin-cache", "10m", "--pin-source", "tty", "-o", out, text};

    Command command = office.desk.p11mime_command(sign);
    const std::string log = office.desk.path("log");  // the terminal would break lines
    command.arguments.insert(command.arguments.begin(), {"sh", "-c", "exec \"$@\" 2>\"$0\"", log});
    TerminalProgram program(command);
    program.wait_for_prompt("PIN of token 'Desk'");
    program.type(std::string(kUserPin) + "\n");
    CHECK(program.wait_for_end() == 0);
    CHECK(office.desk.run(Arguments{"openssl", "cms", "-verify"} + office.peer_trust(), read_file(out)).status == 0);
    CHECK_THAT(read_file(log),
               Catch::StartsWith("p11mime: the kernel's keyring keeps no PIN: Function not implemented; "
                                 "--pin-cache has no effect\n"));
    CHECK(read_file(log).find("keyring") == read_file(log).rfind("keyring"));

    CHECK(office.desk.p11mime(sign + Arguments{"--batch"}).status == 4);
    const Outcome forgotten = office.desk.p11mime({"tokens", "--forget"});
    CHECK(forgotten.status == 0);
    CHECK(forgotten.err == "p11mime: 0 cached PINs forgotten\n");
}
