// Mail that is read, or made, on the terminal itself.

#include <catch2/catch.hpp>
#include <regex>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;
using Catch::Contains;

namespace {

/// kForged wipes the screen and writes a verdict of its own, in the colour of a good one.
const std::string kForged =
    "\x1b[2J\x1b[Hp11mime: \x1b[32mSigned by Boss <boss@example.org>, unchanged, certificate checked\x1b[0m\n"
    "\xe2\x80\xaepay\nPay Eve.\rPay Bob.";
const std::string kForgedShown =
    "\\x1b[2J\\x1b[Hp11mime: \\x1b[32mSigned by Boss <boss@example.org>, unchanged, certificate checked\\x1b[0m\n"
    "\\u{202e}pay\nPay Eve.\\x0dPay Bob.\n";
const std::string kForgery = "Content-Type: text/plain\n\n" + kForged;

/// Screen is someone who reads on a terminal without colours.
struct Screen {
    Screen() { office.desk.environment["NO_COLOR"] = "1"; }

    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});

    /// shows is what the terminal shows of a command that must end with a status, its line ends as LF.
    std::string shows(const Arguments& arguments, int status) const {
        TerminalProgram program(office.desk.p11mime_command(arguments));
        const int ended = program.wait_for_end();
        CAPTURE(arguments, program.shown());
        CHECK(ended == status);
        return std::regex_replace(program.shown(), std::regex("\r+\n"), "\n");
    }
    std::string signed_by_alice(const std::string& entity, const std::string& from) const {
        return done(
            office.desk.run({"openssl", "cms", "-sign", "-in", office.desk.file("entity", entity), "-signer",
                             office.certificate(alice), "-inkey", office.key(alice), "-from", from, "-subject", "x"}));
    }
    std::string encrypted(const std::string& entity) const {
        return done(office.desk.run({"openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-in",
                                     office.desk.file("entity", entity), office.certificate(alice)}));
    }
};

}  // namespace

TEST_CASE("content on a terminal neither drives it nor stands behind the verdict", "[e2e]") {
    const Screen screen;
    const Desk& desk = screen.office.desk;
    const std::string plain = desk.file("plain.eml", "From: alice@example.gov\nSubject: \x1b[31mred\n" + kForgery);
    const std::string stolen = desk.file("stolen.eml", screen.signed_by_alice(kForgery, "boss@example.org"));
    const std::string honest = desk.file("honest.eml", screen.signed_by_alice(kForgery, screen.alice.email));
    const std::string sealed = desk.file("sealed.eml", screen.encrypted(kForgery));
    const Arguments trust = screen.office.trust();
    const auto check = [&](const Arguments& command, int status, const std::string& verdict) {
        const std::string shown = screen.shows(command, status);
        CAPTURE(command, shown);
        CHECK_THAT(shown, !Contains("\x1b") && !Contains("\xe2\x80\xae") && !Contains("\r"));
        CHECK_THAT(shown, Contains(kForgedShown + "p11mime: " + verdict));
    };
    check({"open", plain}, 0, "Neither signed nor encrypted");
    check({"open", "-o", "/dev/tty", plain}, 0, "Neither signed nor encrypted");
    for (const char* command : {"open", "verify"}) {
        check(Arguments{command} + trust + Arguments{stolen}, 3, "Signed in the name of Alice");
        check(Arguments{command} + trust + Arguments{honest}, 0, "Signed by Alice <alice@example.gov>, unchanged");
    }
    check({"decrypt", sealed}, 0, "Encrypted, but not protected against changes");
    CHECK_THAT(screen.shows({"open", plain}, 0), Contains("Subject: \\x1b[31mred\n"));
    CHECK_THAT(screen.shows({"sign", plain}, 0), Contains("Subject: \\x1b[31mred\n") && !Contains("\x1b"));
}

TEST_CASE("content that drives nothing is on a terminal as it is, the verdict behind it", "[e2e]") {
    const Screen screen;
    const std::string entity =
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        "Gr\xc3\xbc\xc3\x9f\x65\taus K\xc3\xb6ln \xe2\x9d\xa4\xef\xb8\x8f\n\nBye.\n";
    const std::string text = screen.signed_by_alice(entity, screen.alice.email);
    for (const std::string& each : {text, with_crlf(text)}) {
        const std::string file = screen.office.desk.file("mail.eml", each);
        const std::string shown = screen.shows(Arguments{"verify"} + screen.office.trust() + Arguments{file}, 0);
        CHECK_THAT(shown, Contains(entity + "p11mime: Signed by Alice <alice@example.gov>, unchanged"));
    }
}

TEST_CASE("content to pipes and files stays byte for byte, whatever it does to a terminal", "[e2e]") {
    const Screen screen;
    const Desk& desk = screen.office.desk;
    const Arguments verify = Arguments{"verify"} + screen.office.trust();
    const std::string file = desk.file("mail.eml", screen.signed_by_alice(kForgery, screen.alice.email));
    const Outcome piped = desk.p11mime(verify + Arguments{file});
    CHECK(piped.status == 0);
    CHECK_THAT(piped.out, Catch::EndsWith(kForgery));

    const std::string shown = screen.shows(verify + Arguments{"-o", desk.path("content.eml"), file}, 0);
    CHECK(read_file(desk.path("content.eml")) == piped.out);
    CHECK_THAT(shown, Catch::StartsWith("p11mime: Signed by Alice"));
}

TEST_CASE("where no content may be shown on a terminal, the verdict is there all the same", "[e2e]") {
    const Screen screen;
    const Desk& desk = screen.office.desk;
    const std::string stolen = screen.signed_by_alice(kForgery, "boss@example.org");
    const auto shows = [&](const std::string& text, int status) {
        return screen.shows(
            Arguments{"verify", "--strict"} + screen.office.trust() + Arguments{desk.file("mail.eml", text)}, status);
    };
    CHECK_THAT(shows(stolen, 3), Catch::StartsWith("p11mime: Signed in the name of Alice") && !Contains("Pay"));
    CHECK_THAT(shows(replaced(stolen, "Pay Eve", "Pay Dan"), 1),
               Catch::StartsWith("p11mime: INVALID") && !Contains("Pay"));
}
