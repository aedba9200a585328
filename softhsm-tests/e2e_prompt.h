#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/support/terminal_program.h"

/// What the tests of PIN prompts have in common.
namespace p11mime::test {

inline const std::string kPin(kUserPin);
inline constexpr const char* kWrong = "999999";

/// Person is someone at a terminal with a token that holds their key.
struct Person {
    Person() {
        office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
        mail_file = office.desk.file("mail.eml", mail("alice@example.gov", "bob@example.gov"));
        ask_on_terminal(office.desk);
        office.desk.environment["TERM"] = "xterm";
        for (const auto& [name, value] : spy_environment(office.desk))
            office.desk.environment[name] = value;
    }

    /// sign is the command that signs a mail with a PIN from wherever the options say.
    Command sign(const Arguments& options = {}) const {
        return office.desk.p11mime_command(Arguments{"sign", "--module", SoftHsm::spy_module()} + options +
                                           Arguments{"-o", office.desk.path("signed.eml"), mail_file});
    }
    int logins() const { return spy_log(office.desk).calls("C_Login"); }
    bool has_signed() const { return std::filesystem::exists(office.desk.path("signed.eml")); }

    /// put_always_authenticate puts a key on the token that asks for its PIN each time it signs.
    void put_always_authenticate(const Identity& identity) {
        done(office.desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login", "--pin",
                              kPin, "--write-object", office.key(identity), "--type", "privkey", "--label",
                              identity.name, "--id", "aa", "--usage-sign", "--always-auth"}));
        office.desk.put_certificate(identity, "aa");
    }

    /// configure writes the config file.
    void configure(const std::string& text) const {
        std::filesystem::create_directories(office.desk.path("home/config/p11mime"));
        office.desk.file("home/config/p11mime/config", text);
    }
    /// use_pinentry has a shell script asked for the PIN.
    void use_pinentry(const std::string& script) const {
        const std::string file = office.desk.file("pinentry", "#!/bin/sh\n" + script);
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
        configure("pinentry-program = " + file + "\n");
    }

    Office office;
    std::string mail_file;
};

inline bool same_modes(const termios& a, const termios& b) {
    return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag && a.c_lflag == b.c_lflag &&
           std::equal(std::begin(a.c_cc), std::end(a.c_cc), std::begin(b.c_cc));
}

/// check_signed sees a program sign that was given the PIN, show no PIN, and leave the terminal as it was.
inline void check_signed(const Person& person, TerminalProgram& program) {
    CHECK(program.wait_for_end() == 0);
    CHECK(person.has_signed());
    CHECK_THAT(program.shown(), !Catch::Contains(kPin) && !Catch::Contains(kWrong));
    CHECK(same_modes(program.modes(), program.modes_before()));
}

}  // namespace p11mime::test
