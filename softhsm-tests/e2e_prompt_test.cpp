// How a person is asked for a PIN: on the terminal, on a reader's PIN pad, once for many.

#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_prompt.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/skip.h"

using namespace p11mime::test;

namespace {

/// check_ends_at_prompt sends each signal to a program that asks for the PIN.
void check_ends_at_prompt(std::initializer_list<int> signals) {
    Person person;
    person.office.desk.environment["ASAN_OPTIONS"] +=
        ":handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0";  // whose own end has another status
    for (const int number : signals) {
        INFO(number);
        TerminalProgram program(person.sign());
        program.wait_for_prompt("PIN of token 'Desk'");
        program.type("12");
        program.signal(number);
        CHECK(program.wait_for_end() == 128 + number);
        CHECK(same_modes(program.modes(), program.modes_before()));
    }
    CHECK_FALSE(person.has_signed());
}

}  // namespace

TEST_CASE("the terminal asks for the PIN without echo, and once more after a mistake", "[e2e]") {
    Person person;
    TerminalProgram program(person.sign());
    program.wait_for_prompt("PIN of token 'Desk'");
    program.type(std::string(kWrong) + "\n");
    program.wait_for("PIN refused by token 'Desk'");
    program.wait_for_prompt("a wrong one was entered before, few tries are left: ");
    program.type(kPin + "\n");
    check_signed(person, program);
    CHECK(person.logins() == 2);
}

TEST_CASE("the first prompt of a run names the mail that is to be signed", "[e2e]") {
    Person person;
    const std::string how = GENERATE("sign", "seal", "by its key");
    CAPTURE(how);
    const std::string text = person.office.desk.file(
        "budget.eml",
        "From: alice@example.gov\r\nTo: bob@example.gov\r\nSubject: =?utf-8?Q?Budget_2027?=\r\n\r\nx\r\n");
    Arguments command{how == "seal" ? "seal" : "sign", "--module", SoftHsm::module(), "-o",
                      person.office.desk.path("signed.eml")};
    if (how == "by its key") command = command + Arguments{"--key", "pkcs11:token=Desk;object=Alice"};
    if (how == "seal") {
        const Identity bob = person.office.correspond({.name = "Bob", .email = "bob@example.gov"});
        command = command + person.office.trust() + Arguments{"--recipient-cert", person.office.certificate(bob)};
    }
    const bool pinentry = GENERATE(false, true);
    CAPTURE(pinentry);
    if (pinentry) person.configure("pinentry-program = /usr/bin/pinentry-tty\n");
    TerminalProgram program(
        person.office.desk.p11mime_command(command + Arguments{"--pin-source", pinentry ? "pinentry" : "tty", text}));
    if (pinentry) {
        program.wait_for("to sign the mail to bob@example.gov, 'Budget 2027'");
        program.wait_for_prompt("PIN:");
    } else {
        program.wait_for("PIN of token 'Desk' (");
        program.wait_for_prompt("), to sign the mail to bob@example.gov, 'Budget 2027': ");
    }
    program.type(kPin + "\n");
    CHECK(program.wait_for_end() == 0);
    CHECK(person.has_signed());
}

TEST_CASE("the first prompt of a run names the mail that is to be opened, by its file where it hides its subject",
          "[e2e]") {
    Person person;
    const Desk& desk = person.office.desk;
    const Identity carol = person.office.employ({.name = "Carol", .email = "carol@example.gov"});
    const std::string subject = "Subject: Budget 2027\r\n";
    const std::string open_subject = done(desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in",
                                                    desk.file("entity", kText), person.office.certificate(carol)}));
    const std::string from = "From: alice@example.gov\r\n";
    const auto prompt = [&](const std::string& command, const Arguments& files, const std::string& what) {
        CAPTURE(command, what);
        TerminalProgram program(desk.p11mime_command(Arguments{command, "--module", SoftHsm::module(), "-n"} + files));
        program.wait_for_prompt("), to " + what + ": ");
        program.type(kPin + "\n");
        CHECK(program.wait_for_end() == 0);
    };
    const std::string shown = desk.file("shown.eml", from + subject + open_subject);
    const std::string hidden = desk.file("hidden.eml", from + "Subject: [...]\r\n" + open_subject);
    const std::string nameless = desk.file("bare.eml", open_subject);
    for (const char* command : {"decrypt", "open"}) {
        prompt(command, {shown}, "open the mail from alice@example.gov, 'Budget 2027'");
        prompt(command, {hidden}, "open the mail from alice@example.gov in the file '" + hidden + "'");
    }
    prompt("decrypt", {nameless}, "open a mail in the file '" + nameless + "'");
    prompt("decrypt", {"-j", "1", shown, hidden, nameless},
           "open the mail from alice@example.gov, 'Budget 2027', and 2 more mails");
}

TEST_CASE("nothing typed at the PIN prompt is no PIN, and none is sent", "[e2e]") {
    Person person;
    TerminalProgram program(person.sign());
    program.wait_for_prompt("PIN of token 'Desk'");
    program.type("\n");
    CHECK(program.wait_for_end() == 4);
    CHECK_THAT(program.shown(), Catch::Contains("no PIN for token 'Desk'"));
    CHECK(person.logins() == 0);
}

TEST_CASE("a signal at the PIN prompt leaves the terminal as it was", "[e2e]") {
    check_ends_at_prompt({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
}

TEST_CASE("whatever else ends a program at the PIN prompt leaves the terminal as it was", "[e2e]") {
    check_ends_at_prompt({SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS,
                          SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGRTMIN, SIGRTMAX});
}

TEST_CASE("whoever handles a fault gets one at the PIN prompt as it was, and the terminal has its echo by then",
          "[e2e]") {
    Person person;
    if (!is_sanitized()) person.office.desk.environment["LD_PRELOAD"] = built_path("libp11mime-faulting-prompt.so");
    TerminalProgram program(person.sign());
    if (is_sanitized()) {
        program.wait_for_prompt("PIN of token 'Desk'");
        program.signal(SIGSEGV);
        program.wait_for("AddressSanitizer");
        CHECK(program.wait_for_end() == 99);  // of the sanitizer
    } else {
        program.wait_for("fault at 0x40, code 1");  // SEGV_MAPERR: the fault itself, not a signal sent again
        CHECK(program.wait_for_end() == 77);
    }
    CHECK(same_modes(program.modes(), program.modes_before()));
}

TEST_CASE("a program stopped at the PIN prompt gives the terminal back, and asks again when it goes on", "[e2e]") {
    Person person;
    TerminalProgram program(person.sign());
    program.wait_for_prompt("PIN of token 'Desk'");
    SECTION("by its number") {
        program.signal(GENERATE(SIGTSTP, SIGTTIN, SIGTTOU));
    }
    SECTION("by the key") {
        program.type("99\x1a");
    }
    program.wait_until_stopped();
    CHECK(same_modes(program.modes(), program.modes_before()));
    program.signal(SIGCONT);
    program.wait_for_prompt("PIN of token 'Desk'");
    program.type(kPin + "\n");
    check_signed(person, program);
}

namespace {

/// Signatory has a key that asks for its PIN each time, and three mails.
struct Signatory : Person {
    Signatory() {
        const Identity carol =
            office.correspond({.name = "Carol", .email = "carol@example.gov", .kind = KeyKind::p256});
        put_always_authenticate(carol);
        for (int i = 1; i <= 3; ++i)
            mails.push_back(office.desk.file(
                fmt::format("{}.eml", i),
                fmt::format("From: carol@example.gov\r\nTo: bob@example.gov\r\nSubject: Budget {}\r\n\r\ntext\r\n",
                            2026 + i)));
        std::filesystem::create_directory(office.desk.path("out"));
    }
    Command sign_all(const Arguments& options) const {
        return office.desk.p11mime_command(
            Arguments{"sign", "--module", SoftHsm::spy_module(), "-j", "1", "-d", office.desk.path("out")} + options +
            mails);
    }
    std::size_t done_mails() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(office.desk.path("out")))
            count += entry.path().extension() == ".eml" ? 1 : 0;
        return count;
    }
    Arguments mails;
};

}  // namespace

TEST_CASE("a key that asks each time is asked for with the card, the key and the mail", "[e2e]") {
    Signatory carol;
    TerminalProgram program(carol.sign_all({}));
    program.wait_for("PIN of token 'Desk'");
    program.wait_for_prompt("to sign 3 mails, among them the mail to bob@example.gov, 'Budget 2027': ");
    program.type(kPin + "\n");
    for (int i = 1; i <= 3; ++i) {
        program.wait_for("PIN of token 'Desk'");
        program.wait_for_prompt(
            fmt::format("key 'Carol', to sign the mail to bob@example.gov, 'Budget {}': ", 2026 + i));
        program.type(kPin + "\n");
    }
    CHECK(program.wait_for_end() == 0);
    CHECK(carol.done_mails() == 3);
    CHECK(carol.logins() == 4);
}

TEST_CASE("with --pin-reuse one PIN that was typed signs all mails, and whoever types it is told so before", "[e2e]") {
    Signatory carol;
    TerminalProgram program(carol.sign_all({"--pin-reuse"}));
    program.wait_for("--pin-reuse: the PIN that you type now signs and decrypts every mail of this run");
    program.wait_for_prompt("PIN of token 'Desk'");
    program.type(kPin + "\n");
    CHECK(program.wait_for_end() == 0);
    CHECK(carol.done_mails() == 3);
    CHECK(carol.logins() == 4);
    const std::string& shown = program.shown();
    CHECK(shown.find("PIN of token", shown.find("PIN of token") + 1) == std::string::npos);
}

TEST_CASE("with a PIN pad the PIN is entered on the reader, which a line says, unless nobody is there", "[e2e]") {
    Person person;
    auto& environment = person.office.desk.environment;
    environment["P11MIME_POOR_CARD_MODULE"] = SoftHsm::module();
    environment["P11MIME_POOR_CARD_FAULTS"] = "pin-pad";
    environment["P11MIME_POOR_CARD_PAD"] = kPin;
    environment["P11MIME_POOR_CARD_LOG"] = person.office.desk.path("card.log");
    environment["GPG_TTY"] = "/dev/tty";
    const auto sign = [&](const Arguments& options) {
        std::filesystem::remove(person.office.desk.path("card.log"));
        return run_process(
            person.office.desk.p11mime_command(Arguments{"sign", "--module", built_path("libp11mime-poor-card.so")} +
                                               options + Arguments{person.mail_file}));
    };
    const auto logged = [&] { return read_file(person.office.desk.path("card.log")); };
    for (const Arguments& options : {Arguments{}, {"--pin-source", "pad"}, {"--pin-source", "pad", "--batch"}}) {
        const Outcome outcome = sign(options);
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, Catch::Contains("enter the PIN of token 'Desk'") && Catch::Contains("on the reader"));
        CHECK_THAT(logged(), Catch::Contains("C_Login 1 (pad)"));
    }
    const Outcome batch = sign({"--batch"});
    CHECK(batch.status == 4);
    CHECK_THAT(batch.err, Catch::Contains("--batch asks nobody to enter the PIN of token 'Desk' on its reader"));
    CHECK_THAT(logged(), !Catch::Contains("C_Login"));

    const Outcome host = sign({"--pin-source", "env:DESK_PIN"});
    CHECK(host.status == 0);
    CHECK_THAT(host.err, !Catch::Contains("reader"));
    CHECK_THAT(logged(), Catch::Contains("C_Login 1 " + kPin));

    environment["P11MIME_POOR_CARD_PAD"] = kWrong;
    const Outcome wrong = sign({});
    CHECK(wrong.status == 4);
    CHECK_THAT(wrong.err, Catch::Contains("PIN refused by token 'Desk'"));

    environment["P11MIME_POOR_CARD_FAULTS"] = "";
    const Outcome no_pad = sign({"--pin-source", "pad"});
    CHECK(no_pad.status == 4);
    CHECK_THAT(no_pad.err, Catch::Contains("the reader of token 'Desk' has no PIN pad"));
    CHECK_THAT(logged(), !Catch::Contains("C_Login"));
}

TEST_CASE("a cached PIN serves the login of later runs, never a key that asks each time, until it is forgotten",
          "[e2e]") {
    Signatory carol;
    const auto unattended = [&](const std::string& mail) {
        forget_spy_log(carol.office.desk);
        return run_process(carol.office.desk.p11mime_command(
            {"sign", "--module", SoftHsm::spy_module(), "--pin-cache", "10m", "--batch", mail}));
    };
    CHECK(unattended(carol.mail_file).status == 4);
    {
        TerminalProgram program(carol.sign({"--pin-cache", "10m"}));
        program.wait_for_prompt("PIN of token 'Desk'");
        program.type(kPin + "\n");
        REQUIRE(program.wait_for_end() == 0);
        if (program.shown().find("keeps no PIN") != std::string::npos) {
            CHECK_THAT(program.shown(), Catch::Contains("--pin-cache has no effect"));
            skip("no keyring in this kernel or container");
            return;
        }
    }
    const Outcome cached = unattended(carol.mail_file);
    INFO(cached.err);
    CHECK(cached.status == 0);
    CHECK(carol.logins() == 1);

    const Outcome each_time = unattended(carol.mails.front());
    INFO(each_time.err);
    CHECK(each_time.status == 4);
    CHECK(carol.logins() == 1);
    CHECK_THAT(each_time.err, Catch::Contains("no PIN for token 'Desk'"));

    const std::string uri = done(carol.office.desk.run(
        {"sh", "-c", "\"$0\" tokens --module \"$1\" | sed -n 's/^  pkcs11:/pkcs11:/p'", program(), SoftHsm::module()}));
    const auto forget = [&] {
        return carol.office.desk.run({program(), "tokens", "--forget", "--json", carol.office.desk.path("report"),
                                      "--token", uri.substr(0, uri.find('\n'))});
    };
    const Outcome forgotten = forget();
    INFO(forgotten.err);
    CHECK(forgotten.status == 0);
    CHECK_THAT(forgotten.err, Catch::Contains("1 cached PIN forgotten"));
    CHECK_THAT(read_file(carol.office.desk.path("report")), Catch::Contains("\"forgotten_pins\":1"));
    CHECK_THAT(forget().err, Catch::Contains("0 cached PINs forgotten"));
    CHECK(unattended(carol.mail_file).status == 4);
}

TEST_CASE("a cached PIN that the token refuses is sent once and dropped", "[e2e]") {
    Person person;
    {
        TerminalProgram program(person.sign({"--pin-cache", "10m"}));
        program.wait_for_prompt("PIN of token 'Desk'");
        program.type(kPin + "\n");
        REQUIRE(program.wait_for_end() == 0);
        if (program.shown().find("keeps no PIN") != std::string::npos) {
            skip("no keyring in this kernel or container");
            return;
        }
    }
    done(person.office.desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login",
                                 "--pin", kPin, "--change-pin", "--new-pin", "777777"}));
    const auto logins_of = [&] {
        forget_spy_log(person.office.desk);
        CHECK(run_process(person.sign({"--pin-cache", "10m", "--batch"})).status == 4);
        return person.logins();
    };
    CHECK(logins_of() == 1);
    CHECK(logins_of() == 0);
}
