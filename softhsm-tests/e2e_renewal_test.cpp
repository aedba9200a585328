// Keys over the years: one that has expired, one that is about to, and one that is new, on three cards.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

constexpr const char* kAlice = "alice@example.gov";
constexpr const char* kBob = "bob@example.org";

/// Years is Alice's desk with her cards of three years. The oldest has lost its certificate, as retired keys do.
struct Years : Office {
    Years() {
        for (const char* label : {"Old card", "New card"})
            desk.add_token(label);
        put_key("Old card", first);
        put_key("Desk", second);
        put_certificate("Desk", second);
        put_key("New card", third);
        put_certificate("New card", third);
    }

    void put_key(const std::string& token, const Identity& identity) {
        done(desk.run(key_import(token, key(identity), identity.name, "0c")));
        const std::string half = desk.path("half.pem");
        done(desk.run({"openssl", "pkey", "-in", key(identity), "-pubout", "-out", half}));
        write(token, half, "pubkey", identity.name);
    }
    void put_certificate(const std::string& token, const Identity& identity) {
        write(token, desk.file("certificate.der", identity.certificate_der()), "cert", identity.name);
    }
    void write(const std::string& token, const std::string& file, const std::string& type, const std::string& label) {
        done(desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", token, "--login", "--pin",
                       std::string(kUserPin), "--write-object", file, "--type", type, "--label", label, "--id", "0c"}));
    }

    /// letter is a mail of the year of an identity, encrypted to its certificate.
    std::string letter(const Identity& identity) const {
        const std::string entity = desk.file("entity", kText);
        return done(desk.run(
            {"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity, "-from", kBob, certificate(identity)}));
    }

    const Identity first =
        correspond({.name = "First", .email = kAlice, .begins_in_days = -1100, .ends_in_days = -370});
    const Identity second = correspond(
        {.name = "Second", .email = kAlice, .kind = KeyKind::p256, .begins_in_days = -400, .ends_in_days = 20});
    const Identity third = correspond({.name = "Third", .email = kAlice, .begins_in_days = -2});
};

const std::string kRead = "The second paragraph.";

}  // namespace

TEST_CASE("through a renewal the newest key signs, and mail of every year is read, each card asked for its own alone",
          "[e2e]") {
    Years years;
    const std::string text = mail(kAlice, kBob);

    const Spied newest = spied_p11mime(years.desk, {"sign", "--pin-source", "env:DESK_PIN"}, text);
    INFO(newest.outcome.err);
    REQUIRE(newest.outcome.status == 0);
    CHECK_THAT(newest.outcome.err,
               Catch::Contains("signing with CN=Third,O=Example from token 'New card' (another fits "
                               "too)") &&
                   !Catch::Contains("ends on"));
    CHECK(newest.log.calls("C_Login") == 1);
    const Outcome verified = years.desk.p11mime(Arguments{"verify", "-n"} + years.trust(), newest.outcome.out);
    CHECK(verified.status == 0);

    // The new card is at home: the older one signs still, and says that its time runs out.
    const Outcome second = years.desk.p11mime({"sign", "--token", "pkcs11:token=Desk"}, text);
    INFO(second.err);
    CHECK(second.status == 0);
    CHECK_THAT(second.err, Catch::Contains("signing with CN=Second") && Catch::Contains("CN=Second,O=Example ends on"));

    for (const Identity& year : {years.second, years.third}) {
        INFO(year.name);
        const Spied read = spied_p11mime(years.desk, {"decrypt", "--pin-source", "env:DESK_PIN"}, years.letter(year));
        INFO(read.outcome.err);
        CHECK(read.outcome.status == 0);
        CHECK_THAT(read.outcome.out, Catch::Contains(kRead));
        CHECK(read.log.calls("C_Login") == 1);
    }

    // Of the first year there are the key, on the old card, and the certificate, in a file or in the address book.
    const std::string letter = years.letter(years.first);
    const Spied lost = spied_p11mime(years.desk, {"decrypt", "--pin-source", "env:DESK_PIN"}, letter);
    CHECK(lost.outcome.status == 5);
    CHECK(lost.log.calls("C_Login") == 0);
    const Spied from_file = spied_p11mime(
        years.desk, {"decrypt", "--own-cert", years.certificate(years.first), "--pin-source", "env:DESK_PIN"}, letter);
    INFO(from_file.outcome.err);
    CHECK(from_file.outcome.status == 0);
    CHECK_THAT(from_file.outcome.out, Catch::Contains(kRead));
    CHECK(from_file.log.calls("C_Login") == 1);
    done(years.desk.p11mime({"certs", "import", years.certificate(years.first)}));
    const Spied from_book =
        spied_p11mime(years.desk, Arguments{"open", "--pin-source", "env:DESK_PIN"} + years.trust(), letter);
    INFO(from_book.outcome.err);
    CHECK(from_book.outcome.status == 0);
    CHECK_THAT(from_book.outcome.out, Catch::Contains(kRead));
    CHECK(from_book.log.calls("C_Login") == 1);
}

TEST_CASE("an expired certificate does not sign, and is passed over with the day of its end", "[e2e]") {
    Years years;
    years.put_certificate("Old card", years.first);
    const Outcome refused = years.desk.p11mime({"sign", "--token", "pkcs11:token=Old%20card"}, mail(kAlice, kBob));
    INFO(refused.err);
    CHECK(refused.status == 4);
    const std::string end =
        done(years.desk.run({"sh", "-c", "date -u +%F -d \"$(openssl x509 -noout -enddate -in \"$0\" | cut -d= -f2)\"",
                             years.certificate(years.first)}));
    CHECK_THAT(refused.err,
               Catch::Contains("token 'Old card', certificate 'CN=First,O=Example': expired on " + end.substr(0, 10)));
    CHECK_THAT(years.desk.p11mime({"decrypt"}, years.letter(years.first)).out, Catch::Contains(kRead));
}

TEST_CASE("a person is asked for one PIN, of the card that may have the key, and told why", "[e2e]") {
    Years years;
    done(years.desk.p11mime({"certs", "import", years.certificate(years.first)}));
    Command command = years.desk.p11mime_command({"decrypt", "--pin-source", "tty", "-o", years.desk.path("letter.txt"),
                                                  years.desk.file("letter.eml", years.letter(years.first))});
    TerminalProgram program(command);
    program.wait_for_prompt("PIN of token 'Old card'");
    CHECK_THAT(program.shown(), Catch::Contains("the key of CN=First,O=Example, whose certificate is in the address "
                                                "book"));
    CHECK_THAT(program.shown(), !Catch::Contains("'Desk'") && !Catch::Contains("'New card'"));
    program.type(std::string(kUserPin) + "\n");
    CHECK(program.wait_for_end() == 0);
    CHECK_THAT(read_file(years.desk.path("letter.txt")), Catch::Contains(kRead));
}
