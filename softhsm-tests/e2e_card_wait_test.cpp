// What p11mime says, and whether it waits, where the card, the reader or pcscd is missing.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/e2e_running.h"

using namespace p11mime::test;

namespace {

std::string text(const Identity& sender) {
    return mail(sender.email, "bob@example.org");
}

}  // namespace

TEST_CASE("no card, another card, no reader and no pcscd end in a message of their own, exit 4 and no output",
          "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    const std::string input = office.desk.file("mail.eml", text(alice));
    const std::string out = office.desk.path("out.eml");
    const auto refused = [&](const Arguments& more = {}) {
        const Outcome outcome = office.desk.p11mime(Arguments{"sign", "-o", out} + more + Arguments{input});
        CHECK(outcome.status == 4);
        CHECK_FALSE(std::filesystem::exists(out));
        return outcome.err;
    };
    CHECK_THAT(refused(), Catch::Contains("there is no card in reader '" + office.card().reader() + "'; insert the"));
    CHECK_THAT(refused({"--wait", "0"}), Catch::Contains("there is no card") && !Catch::Contains("waiting"));
    office.card().insert();
    CHECK_THAT(
        refused({"--key", "pkcs11:serial=ffff"}),
        Catch::Contains("the token at hand is '") && Catch::Contains("not pkcs11:serial=ffff; insert the right"));
    office.readers.unplug();
    CHECK_THAT(refused(), Catch::Contains("no smart card reader is plugged in; plug in the reader"));
    office.readers.stop();
    CHECK_THAT(refused(), Catch::Contains("pcscd, which reaches smart card readers, is not running; start it"));
}

TEST_CASE("with --wait a card that is inserted later signs and decrypts, whichever comes before it", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    const Identity opener = office.issue_to_card("9d", {.name = "Opener", .email = "alice@example.gov"});
    const Identity other = office.correspond({.name = "Other", .email = "other@example.gov"});
    office.card(1).put("9a", other);
    const std::string input = office.desk.file("mail.eml", text(alice));
    const std::string out = office.desk.path("out.eml");

    Running sign(office.desk, {"sign", "--wait", "300", "-o", out, input});
    sign.wait_for("waiting for it, 300 s at most");
    office.card().insert();
    INFO(sign.said());
    CHECK(sign.status() == 0);
    CHECK_THAT(sign.said(), Catch::Contains("there is no card in reader"));
    CHECK(office.openssl_verifies(read_file(out)));
    office.card().remove();

    const std::string entity = office.desk.file("entity", kText);
    const std::string encrypted =
        office.desk.file("encrypted.eml", done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in",
                                                                entity, office.certificate(opener)})));
    office.card(1).insert();
    Running decrypt(office.desk, {"decrypt", "--wait", "300", "-o", out + "2", encrypted});
    decrypt.wait_for("no key for this mail; insert the card that has it");
    office.card().insert();
    INFO(decrypt.said());
    CHECK(decrypt.status() == 0);
    CHECK_THAT(read_file(out + "2"), Catch::Contains("The second paragraph."));
    CHECK(office.card().tries() == 3);
    CHECK(office.card(1).tries() == 3);
}

TEST_CASE("on a terminal p11mime waits for a card without being told, and with --batch it does not", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    const std::string input = office.desk.file("mail.eml", text(alice));
    const std::string out = office.desk.path("out.eml");
    const std::string on_terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    const auto command = [&](const Arguments& more) {
        Command plain = office.desk.p11mime_command(Arguments{"sign", "-o", out} + more + Arguments{input});
        plain.arguments.insert(plain.arguments.begin(), {"python3", "-c", on_terminal});
        return plain;
    };
    const Outcome batch = run_process(command({"--batch"}));
    CHECK(batch.status == 4);
    CHECK_THAT(batch.out, Catch::Contains("there is no card") && !Catch::Contains("waiting"));

    const std::string log = office.desk.path("terminal.log");
    Background friendly(command({}), log);
    wait_until([&] { return read_file(log).find("waiting for it") != std::string::npos; }, "the friendly wait");
    office.card().insert();
    wait_until([&] { return !friendly.running(); }, "the signature");
    INFO(read_file(log));
    CHECK(office.openssl_verifies(read_file(out)));
}

TEST_CASE("with --wait a token that has no reader is found by its slot", "[e2e]") {
    const Desk desk;
    Running tokens(desk, {"tokens", "--wait", "300", "--token", "pkcs11:token=Later"});
    tokens.wait_for("the token at hand is 'Desk'");
    tokens.wait_for("waiting for it, 300 s at most");
    desk.add_token("Later");
    CHECK(tokens.status() == 0);
    CHECK_THAT(tokens.said(), Catch::Contains("token 'Later': SoftHSM project"));
}
