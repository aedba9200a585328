// Where output goes: whole or not at all, never over the input unless asked, through devices and pipes.

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

using namespace p11mime::test;

namespace {

struct Signing {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    std::string directory = [this] {
        std::filesystem::create_directory(office.desk.path("work"));
        return office.desk.path("work");
    }();
    std::string text = office.desk.file("work/text.eml", mail("alice@example.gov", "bob@example.org"));

    bool is_signed(const std::string& file) const {
        const Outcome outcome =
            office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + office.peer_trust());
        return outcome.status == 0 && outcome.out == kText;
    }
};

}  // namespace

TEST_CASE("an output file is written anew, replaced as a whole, and nothing else is left beside it", "[e2e]") {
    const Signing scene;
    const std::string file = scene.directory + "/out.eml";
    CHECK(scene.office.desk.p11mime({"sign", "-o", file, scene.text}).status == 0);
    CHECK(scene.is_signed(file));
    CHECK(names(scene.directory) == "out.eml text.eml");

    write_file(file, "what was there before");
    CHECK(scene.office.desk.p11mime({"sign", "-o", file, "--from", "nobody@example.gov", scene.text}).status == 4);
    CHECK(read_file(file) == "what was there before");
    CHECK(scene.office.desk.p11mime({"sign", "-o", file, scene.text}).status == 0);
    CHECK(scene.is_signed(file));
    CHECK(names(scene.directory) == "out.eml text.eml");
}

TEST_CASE("input and output are the same file only with --in-place", "[e2e]") {
    const Signing scene;
    const std::string before = read_file(scene.text);
    CHECK(scene.office.desk.p11mime({"sign", "-o", scene.text, scene.text}).status == 2);
    CHECK(read_file(scene.text) == before);
    const std::string link = scene.directory + "/link.eml";
    std::filesystem::create_hard_link(scene.text, link);
    CHECK(scene.office.desk.p11mime({"sign", "-o", link, scene.text}).status == 2);
    std::filesystem::remove(link);
    const Outcome outcome = scene.office.desk.p11mime({"sign", "--in-place", scene.text});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(scene.is_signed(scene.text));
    CHECK(names(scene.directory) == "text.eml");
}

TEST_CASE("no output goes to a file of certificates that is read", "[e2e]") {
    const Signing scene;
    const Desk& desk = scene.office.desk;
    const std::string mail = desk.file("signed.eml", done(desk.p11mime({"sign", scene.text})));
    const std::string root = desk.path("root.pem"), before = read_file(root);
    const auto verify = [&](const std::string& option, const std::string& output) {
        const Outcome outcome =
            desk.p11mime(Arguments{"verify"} + scene.office.trust() + Arguments{option, output, mail});
        INFO(outcome.err);
        CHECK(read_file(root) == before);
        return outcome.status;
    };
    for (const char* option : {"-o", "--html", "--json"}) {
        CHECK(verify(option, root) == 2);
        CHECK(verify(option, desk.path("other")) == 0);
    }
}

TEST_CASE("a pipe and a device are written through, never renamed over", "[e2e]") {
    const Signing scene;
    CHECK(scene.office.desk.p11mime({"sign", "-o", "/dev/null", scene.text}).status == 0);
    CHECK(std::filesystem::is_character_file("/dev/null"));
    const std::string pipe = scene.office.desk.path("work/pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    const std::string copy = scene.office.desk.path("copy.eml");
    const Outcome outcome = scene.office.desk.run({"sh", "-c",
                                                   "cat \"$1\" >\"$2\" & \"$0\" sign --module \"$3\" --pin-source "
                                                   "env:DESK_PIN -o \"$1\" \"$4\"; status=$?; wait; exit $status",
                                                   program(), pipe, copy, SoftHsm::module(), scene.text});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(std::filesystem::is_fifo(pipe));
    CHECK(scene.is_signed(copy));
}

TEST_CASE("what is said to a person goes to standard error, the data alone to standard output", "[e2e]") {
    const Signing scene;
    const Outcome outcome = scene.office.desk.p11mime({"sign"}, read_file(scene.text));
    CHECK(outcome.out.starts_with("From: alice@example.gov\r\n"));
    const Outcome verified = scene.office.desk.p11mime(Arguments{"verify"} + scene.office.trust(), outcome.out);
    CHECK(verified.out.starts_with("From: alice@example.gov\r\n"));
    CHECK_THAT(verified.err, Catch::Contains("Alice"));
    const Outcome verdict = scene.office.desk.p11mime(Arguments{"verify", "-n"} + scene.office.trust(), outcome.out);
    CHECK(verdict.status == 0);
    CHECK(verdict.out.empty());
    CHECK(scene.office.desk.p11mime(Arguments{"verify"} + scene.office.trust() + Arguments{"-"}, outcome.out).out ==
          verified.out);
}

TEST_CASE("nothing of a mail whose signature fails reaches standard output", "[e2e]") {
    const Signing scene;
    std::string big = std::string(kText);
    for (int i = 0; i < 50'000; ++i)
        big += "Line " + std::to_string(i) + " that must not get out.\r\n";
    for (const Arguments& form : {Arguments{}, Arguments{"--opaque"}}) {
        const std::string signed_mail = done(
            scene.office.desk.p11mime(Arguments{"sign"} + form, mail("alice@example.gov", "bob@example.org", big)));
        // The last bytes decide: the signature value of the opaque form, the last line of the clear one.
        std::string changed = signed_mail;
        const std::size_t at = form.empty() ? changed.find("Line 49999") : changed.size() - 80;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        const Outcome outcome = scene.office.desk.p11mime(Arguments{"verify"} + scene.office.trust(), changed);
        INFO(outcome.err);
        CHECK((outcome.status == 1 || outcome.status == 6));
        CHECK(outcome.out.empty());
    }
}

TEST_CASE("where the report cannot be written, an output file keeps its old content", "[e2e]") {
    const Signing scene;
    const std::string file = scene.directory + "/old.eml";
    write_file(file, "old");
    const Outcome outcome = scene.office.desk.p11mime({"sign", "-o", file, "--json", "/dev/full", scene.text});
    INFO(outcome.err);
    CHECK(outcome.status == 7);
    CHECK(read_file(file) == "old");
    CHECK(names(scene.directory) == "old.eml text.eml");
}

TEST_CASE("where the data cannot be written, the report on standard output is of that alone", "[e2e]") {
    const Signing scene;
    const std::string file =
        scene.office.desk.file("signed.eml", done(scene.office.desk.p11mime({"sign", scene.text})));
    const Outcome outcome =
        scene.office.desk.p11mime(Arguments{"verify", "-o", "/dev/full", "--json", "-", file} + scene.office.trust());
    CHECK(outcome.status == 7);
    CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 1);
    CHECK_THAT(outcome.out, Catch::Contains("\"exit\":7"));
}

TEST_CASE("standard streams that are closed are neither taken for files nor a crash", "[e2e]") {
    const Signing scene;
    const std::string file =
        scene.office.desk.file("signed.eml", done(scene.office.desk.p11mime({"sign", scene.text})));
    const auto verify = [&](const std::string& script) {
        return scene.office.desk.run(Arguments{"sh", "-c", "exec \"$0\" verify \"$@\" " + script, program()} +
                                     scene.office.trust() + Arguments{file});
    };
    const Outcome closed = verify(">&-");
    INFO(closed.err);
    CHECK(closed.status == 7);
    CHECK_THAT(closed.err, Catch::Contains("cannot write standard output"));
    CHECK(verify("-n >&-").status == 0);
    CHECK(verify("-n <&- >&- 2>&-").status == 0);
    const Outcome no_input =
        scene.office.desk.run(Arguments{"sh", "-c", "exec \"$0\" verify \"$@\" <&-", program()} + scene.office.trust());
    CHECK(no_input.status == 7);
    CHECK(scene.office.desk.run({"sh", "-c", "exec \"$0\" certs list >&-", program()}).status == 0);
    CHECK(scene.office.desk.run({"sh", "-c", "exec \"$0\" --version >&-", program()}).status == 7);
}

TEST_CASE("an input that changes while it is read is exit 7, and nothing is written", "[e2e]") {
    const Signing scene;
    const std::string encrypted =
        done(scene.office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in",
                                    scene.office.desk.file("entity", kText), scene.office.certificate(scene.alice)}));
    const std::string pin = scene.directory + "/pin";
    REQUIRE(mkfifo(pin.c_str(), 0600) == 0);
    for (const auto& [command, text] :
         {std::pair<std::string, std::string>{"sign", read_file(scene.text)}, {"decrypt", encrypted}}) {
        INFO(command);
        write_file(scene.text, text);
        // The program waits for its PIN, with the input open, until the input has changed.
        const Outcome outcome = scene.office.desk.run(
            {"sh", "-c",
             "\"$0\" \"$1\" --module \"$2\" --pin-source \"file:$3\" -o \"$4\" \"$5\" & "
             "exec 9>\"$3\"; echo >>\"$5\"; echo \"$DESK_PIN\" >&9; exec 9>&-; wait $!",
             program(), command, SoftHsm::module(), pin, scene.directory + "/out.eml", scene.text});
        INFO(outcome.err);
        CHECK(outcome.status == 7);
        CHECK_THAT(outcome.err, Catch::Contains("changed while read"));
        CHECK(names(scene.directory) == "pin text.eml");
    }
}
