// What a batch asks of a token: one login, two calls a mail, no PIN twice, no more sessions than there are; and what it
// shows meanwhile.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "softhsm-tests/e2e_batch.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

std::size_t count(std::string_view text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
        ++found;
    return found;
}

}  // namespace

TEST_CASE("each further mail of a batch costs C_SignInit and C_Sign and no other call", "[e2e]") {
    Mailbag bag(30);
    const Arguments files = bag.files();
    const auto sign = [&](int number, const std::string& out) {
        return spied_p11mime(bag.office.desk,
                             Arguments{"sign", "-j", "1", "--pin-source", "env:DESK_PIN", "-d", bag.path(out)} +
                                 Arguments(files.begin(), files.begin() + number));
    };
    const Spied few = sign(10, "few");
    const Spied many = sign(30, "many");
    CHECK(few.outcome.status == 0);
    CHECK(many.outcome.status == 0);
    CHECK(many.log.calls("C_Login") == 1);
    CHECK(many.log.calls("C_OpenSession") == 1);
    CHECK(many.log.calls("C_Sign") == 30);
    CHECK(many.log.calls("C_SignInit") == 30);
    CHECK(many.log.calls() - few.log.calls() == 40);
}

TEST_CASE("a refused PIN is sent once, however many mails want it, and a rerun with the right one goes on", "[e2e]") {
    Mailbag bag(20);
    bag.office.desk.environment["WRONG"] = "999999";
    const Arguments command = Arguments{"sign", "-j", "8", "--json", "-", "-d", bag.path("out")} + bag.files();
    const Spied wrong = spied_p11mime(bag.office.desk, command + Arguments{"--pin-source", "env:WRONG"});
    INFO(wrong.outcome.err);
    CHECK(wrong.outcome.status == 4);
    CHECK(wrong.log.calls("C_Login") == 1);
    CHECK(count(wrong.outcome.err, "PIN refused by token 'Desk'; ") == 1);
    CHECK(count(wrong.outcome.err, "PIN refused by token 'Desk': also ") == 1);
    CHECK(reports(wrong.outcome.out).size() == 20);
    CHECK(count_of(bag.path("out")) == 0);
    const Spied right = spied_p11mime(bag.office.desk, command + Arguments{"--pin-source", "env:DESK_PIN"});
    CHECK(right.outcome.status == 0);
    CHECK(right.log.calls("C_Login") == 1);
}

TEST_CASE("eight at a time share the sessions that a token has", "[e2e]") {
    Mailbag bag(40);
    for (const std::string faults : {"sessions=4", "sessions=4 says-sessions=4", "sessions=1"}) {
        INFO(faults);
        const std::string log = bag.office.desk.file("card.log", "");
        bag.office.desk.environment["P11MIME_POOR_CARD_FAULTS"] = faults;
        bag.office.desk.environment["P11MIME_POOR_CARD_LOG"] = log;
        const std::string out = bag.path("out of " + faults);
        const Outcome outcome =
            bag.office.desk.p11mime(Arguments{"sign", "-j", "8", "--module", built_path("libp11mime-poor-card.so"),
                                              "--pin-source", "env:DESK_PIN", "-d", out} +
                                    bag.files());
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(count_of(out) == 40);
        CHECK(bag.signatures(out + "/mail7.eml") == 1);
        if (faults.ends_with("says-sessions=4")) CHECK(count(read_file(log), "C_OpenSession\n") <= 4);
    }
}

TEST_CASE("many mails are sealed and opened side by side", "[e2e]") {
    Mailbag bag(24);
    const Identity bob = bag.office.employ({.name = "Bob", .email = "bob@example.org"});
    REQUIRE(bag.office.desk.p11mime({"certs", "import", bag.office.certificate(bob)}).status == 0);
    const Outcome sealed = bag.office.desk.p11mime(Arguments{"seal", "--no-self", "-j", "8", "-d", bag.path("sealed")} +
                                                   bag.office.trust() + bag.files());
    INFO(sealed.err);
    REQUIRE(sealed.status == 0);
    CHECK(count(sealed.err, "signing with") == 1);
    Arguments files;
    for (const std::string& file : bag.files())
        files.push_back(bag.path("sealed/" + std::filesystem::path(file).filename().string()));
    const Outcome opened =
        bag.office.desk.p11mime(Arguments{"open", "-j", "8", "--in-place", "--json", "-"} + bag.office.trust() + files);
    INFO(opened.err);
    CHECK(opened.status == 0);
    for (int i = 0; i < 24; ++i) {
        CHECK(report_of(opened.out, files[static_cast<std::size_t>(i)])["result"] == "valid");
        CHECK_THAT(read_file(files[static_cast<std::size_t>(i)]), Catch::Contains(fmt::format("This is mail {},", i)));
    }
}

TEST_CASE("on a terminal a batch shows how many mails are done, how fast, and the time left", "[e2e]") {
    // Each mail comes once the one before is done, so that the batch takes longer than work that shows no bar.
    constexpr int kMails = 15;
    Mailbag bag(0);
    Arguments files;
    for (int i = 0; i < kMails; ++i) {
        files.push_back(bag.path("in/" + Mailbag::name(i)));
        REQUIRE(mkfifo(files.back().c_str(), 0600) == 0);
    }
    const std::string out = bag.path("out");
    std::filesystem::create_directory(out);
    TerminalProgram program(bag.office.desk.p11mime_command(Arguments{"sign", "-j", "1", "-d", out} + files));
    for (int i = 0; i < kMails; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        feed(files[static_cast<std::size_t>(i)], Mailbag::numbered(i), [&] { return program.shows(); });
        while (program.shows() && !std::filesystem::exists(out + "/" + Mailbag::name(i))) {
        }
    }
    const int status = program.wait_for_end();
    INFO(program.shown());
    CHECK(status == 0);
    CHECK_THAT(program.shown(), Catch::Contains(" of 15 mails, ") && Catch::Contains("/s, ") &&
                                    Catch::Contains(" left") && Catch::Contains("15 mails: 15 good"));
}
