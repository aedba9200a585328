// How a person is asked for a PIN by pinentry.

#include <signal.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_prompt.h"

using namespace p11mime::test;

namespace {

/// answering is a pinentry that writes down what it is told and gives the PIN.
std::string answering(const std::string& seen) {
    return "echo OK\nwhile read -r line; do echo \"$line\" >>" + seen + "\ncase $line in GETPIN*) echo D " + kPin +
           "; echo OK;; BYE*) echo OK; exit;; *) echo OK;; esac; done\n";
}

}  // namespace

TEST_CASE("pinentry says whose PIN it asks for and, after a wrong one, why it asks again", "[e2e]") {
    Person person;
    person.configure("pinentry-program = /usr/bin/pinentry-tty\n");
    TerminalProgram program(person.sign({"--pin-source", "pinentry"}));
    program.wait_for("token 'Desk' (");
    program.wait_for("to sign");
    program.wait_for_prompt("PIN:");
    program.type(std::string(kWrong) + "\n");
    program.wait_for("PIN refused by token 'Desk'");
    program.wait_for("a wrong one was entered before, few tries are left");
    program.wait_for_prompt("PIN:");
    program.type(kPin + "\n");
    check_signed(person, program);
    CHECK(person.logins() == 2);
}

TEST_CASE("where there is a GPG_TTY or a display, the pinentry of the PATH is asked first", "[e2e]") {
    Person person;
    std::filesystem::create_directory(person.office.desk.path("bin"));
    std::filesystem::create_symlink("/usr/bin/pinentry-curses", person.office.desk.path("bin/pinentry"));
    person.office.desk.environment["PATH"] = person.office.desk.path("bin") + ":/usr/bin:/bin";
    const std::string variable = GENERATE("GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY");
    CAPTURE(variable);
    person.office.desk.environment[variable] = variable == "GPG_TTY" ? "/dev/tty" : "none";
    TerminalProgram program(person.sign());
    program.wait_for_prompt("token 'Desk' (");
    program.type(kPin + "\r");
    check_signed(person, program);
    CHECK_THAT(program.shown(), Catch::Contains("\x1b["));
}

TEST_CASE("without a pinentry program the terminal is asked, unless pinentry was asked for", "[e2e]") {
    Person person;
    std::filesystem::create_directory(person.office.desk.path("bin"));
    person.office.desk.environment["PATH"] = person.office.desk.path("bin");
    person.office.desk.environment["GPG_TTY"] = "/dev/tty";
    {
        TerminalProgram program(person.sign({"--pin-source", "pinentry"}));
        CHECK(program.wait_for_end() == 4);
        CHECK_THAT(program.shown(), Catch::Contains("no pinentry program is installed; --pin-source tty"));
    }
    TerminalProgram program(person.sign());
    program.wait_for_prompt("PIN of token 'Desk'");
    program.type(kPin + "\n");
    CHECK(program.wait_for_end() == 0);
}

TEST_CASE("whoever cancels pinentry has sent no PIN, and is not asked for the next mail", "[e2e]") {
    Person person;
    const std::string kind = GENERATE("tty", "curses");
    CAPTURE(kind);
    person.configure("pinentry-program = /usr/bin/pinentry-" + kind + "\n");
    const std::string second = person.office.desk.file("second.eml", mail("alice@example.gov", "bob@example.gov"));
    std::filesystem::create_directory(person.office.desk.path("out"));
    TerminalProgram program(
        person.office.desk.p11mime_command({"sign", "--module", SoftHsm::spy_module(), "--pin-source", "pinentry", "-j",
                                            "1", "-d", person.office.desk.path("out"), person.mail_file, second}));
    program.wait_for_prompt("token 'Desk' (");
    if (kind == "curses")
        program.type("\t\t\r");  // past OK
    else
        program.type("\n");
    CHECK(program.wait_for_end() == 4);
    CHECK_THAT(program.shown(), Catch::Contains("cancelled: no PIN was given"));
    CHECK(person.logins() == 0);
    CHECK(std::filesystem::is_empty(person.office.desk.path("out")));
    CHECK(same_modes(program.modes(), program.modes_before()));
}

TEST_CASE("a signal while pinentry asks ends both and leaves the terminal as it was", "[e2e]") {
    Person person;
    const std::string kind = GENERATE("tty", "curses");
    CAPTURE(kind);
    person.configure("pinentry-program = /usr/bin/pinentry-" + kind + "\n");
    TerminalProgram program(person.sign({"--pin-source", "pinentry"}));
    program.wait_for_prompt("token 'Desk' (");
    program.signal(SIGTERM);
    CHECK(program.wait_for_end() == 128 + SIGTERM);
    CHECK(same_modes(program.modes(), program.modes_before()));
    CHECK_FALSE(person.has_signed());
}

TEST_CASE("a pinentry that does not work is said to be that", "[e2e]") {
    Person person;
    const auto [script, why] = GENERATE(std::pair("exit 0\n", "does not ask for the PIN"),
                                        std::pair("echo ERR 1 no\n", "does not ask for the PIN"),
                                        std::pair("echo OK; read line; echo nonsense\n", "does not ask for the PIN"));
    person.use_pinentry(script);
    Command command = person.sign({"--pin-source", "pinentry"});
    const Outcome outcome = run_process(command);
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err, Catch::Contains(why) && Catch::Contains("--pin-source tty"));
    CHECK(person.logins() == 0);
}

TEST_CASE("pinentry inherits no variable with a secret, and is asked not to tell a password manager", "[e2e]") {
    Person person;
    const std::string seen = person.office.desk.path("seen");
    person.use_pinentry("env >" + seen + "\n" + answering(seen));
    person.office.desk.environment["NEW_PIN"] = "777777";
    const Outcome changed = run_process(
        person.office.desk.p11mime_command({"key", "change-pin", "--module", SoftHsm::module(), "--pin-source",
                                            "pinentry", "--new-pin-source", "env:NEW_PIN"}));
    INFO(changed.err);
    CHECK(changed.status == 0);
    const std::string told = read_file(seen);
    CHECK_THAT(told, Catch::Contains("SETDESC token 'Desk'") && Catch::Contains("HOME="));
    CHECK_THAT(told, !Catch::Contains("777777") && !Catch::Contains("NEW_PIN"));
    CHECK_THAT(told, !Catch::Contains("external-password-cache") && !Catch::Contains("SETKEYINFO"));
}

TEST_CASE("text of others cannot drive pinentry, and a long subject is cut", "[e2e]") {
    Person person;
    const std::string seen = person.office.desk.path("seen");
    person.use_pinentry(answering(seen));
    const Identity bob = person.office.correspond({.name = "Bob", .email = "bob@example.gov", .kind = KeyKind::p256});
    const std::string subject = "=?utf-8?Q?100=25=0AGETPIN=1B[2J?= " + std::string(3000, 'x');
    person.put_always_authenticate(bob);
    const std::string text = person.office.desk.file(
        "long.eml", "From: bob@example.gov\r\nTo: carol@example.gov\r\nSubject: " + subject + "\r\n\r\ntext\r\n");
    const Outcome outcome =
        run_process(person.office.desk.p11mime_command({"sign", "--module", SoftHsm::module(), "--pin-source",
                                                        "pinentry", "-o", person.office.desk.path("out"), text}));
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    const std::string told = read_file(seen);
    INFO(told);
    CHECK_THAT(told,
               Catch::Contains("%0Akey 'Bob'%0Ato sign the mail to carol@example.gov, '100%25\\x0aGETPIN\\x1b[2J"));
    CHECK_THAT(told, !Catch::Contains("\x1b") && !Catch::Contains(std::string(200, 'x')));
    CHECK_THAT(told, Catch::Contains("x…"));
}
