// watch: what readers and cards do, as it happens.

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

// Watching is p11mime watch, and the events that it has reported.
class Watching {
  public:
    explicit Watching(const Desk& desk, const Arguments& options = {})
        : events_(desk.path("events")),
          log_(desk.path("watch.log")),
          program_(
              command(desk, Arguments{"watch", "--json", events_, "--module", CardReaders::opensc_module()} + options),
              log_) {}

    std::vector<nlohmann::json> events() const {
        std::vector<nlohmann::json> all;
        std::istringstream text(std::filesystem::exists(events_) ? read_file(events_) : "");
        for (std::string line; std::getline(text, line) && !text.eof();)
            all.push_back(nlohmann::json::parse(line));
        return all;
    }
    // next waits for the number-th event from 0.
    nlohmann::json next(std::size_t number) {
        wait_until([&] { return events().size() > number || !program_.running(); }, "an event");
        if (events().size() <= number) throw std::runtime_error("it ended and said: " + said());
        return events()[number];
    }
    std::string said() const { return read_file(log_); }
    Background& program() { return program_; }

  private:
    static Command command(const Desk& desk, const Arguments& arguments) { return desk.p11mime_command(arguments); }

    std::string events_, log_;
    Background program_;
};

constexpr std::chrono::seconds kNearlyEver = std::chrono::minutes(10);  // what pcsc-lite is asked to wait for at most

// timeout_of is how long a poll lasts that a thread is in, by its system call's number and arguments (proc(5),
// "syscall"): the longest there is for one without an end, nothing for a thread that runs or is in another call.
std::optional<std::chrono::seconds> timeout_of(const std::filesystem::path& thread) {
    std::istringstream text(read_file(thread / "syscall"));
    long call = 0;
    if (!(text >> call)) return std::nullopt;
    std::array<unsigned long, 3> arguments{};
    for (std::string word; unsigned long& argument : arguments)
        if (text >> word) argument = std::stoul(word, nullptr, 16);
#ifdef SYS_poll
    if (call == SYS_poll) {
        const int milliseconds = static_cast<int>(arguments[2]);
        return milliseconds < 0 ? std::chrono::seconds::max() : std::chrono::seconds((milliseconds + 999) / 1000);
    }
#endif
    if (call != SYS_ppoll) return std::nullopt;
    if (arguments[2] == 0) return std::chrono::seconds::max();
    timespec limit{};
    std::ifstream memory(thread / "mem", std::ios::binary);
    memory.seekg(static_cast<std::streamoff>(arguments[2]));
    memory.read(reinterpret_cast<char*>(&limit), sizeof limit);
    return memory ? std::optional(std::chrono::seconds(limit.tv_sec + (limit.tv_nsec > 0 ? 1 : 0))) : std::nullopt;
}

// sleep_of is the shortest time for which some thread of a program waits for events; nothing while one does anything
// else, or the first is alone: the one that waits for pcscd begins or has ended then.
std::optional<std::chrono::seconds> sleep_of(pid_t program) {
    auto shortest = std::chrono::seconds::max();
    std::size_t threads = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(program) + "/task")) {
        const auto timeout = timeout_of(thread.path());
        if (!timeout) return std::nullopt;
        shortest = std::min(shortest, *timeout);
        ++threads;
    }
    return threads > 1 ? std::optional(shortest) : std::nullopt;
}

}  // namespace

TEST_CASE("watch reports readers and cards as they come and go, with what is on the card and ends soon", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    (void)office.issue_to_card("9a", {.name = "Alice", .ends_in_days = 20});
    const std::string hook =
        "printf '%s %s %s|' \"$P11MIME_EVENT\" \"$P11MIME_READER\" \"$P11MIME_SERIAL\" >> " + office.desk.path("hooks");
    Watching watching(office.desk, {"--on-insert", hook, "--on-remove", hook});
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(watching.next(i)["event"] == "reader-added");
        CHECK(watching.next(i)["initial"] == true);
        CHECK(watching.next(i)["reader"] == office.card(static_cast<int>(i)).reader());
    }
    office.card().insert();
    const auto inserted = watching.next(2);
    CHECK(inserted["event"] == "card-inserted");
    CHECK(inserted["initial"] == false);
    CHECK(inserted["reader"] == office.card().reader());
    CHECK(inserted["atr"].get<std::string>().starts_with("3b"));
    REQUIRE(inserted["tokens"].size() == 1);
    CHECK(inserted["tokens"][0]["module"] == CardReaders::opensc_module());
    REQUIRE(inserted["warnings"].size() == 1);
    CHECK(inserted["warnings"][0]["kind"] == "certificate-ends-soon");
    office.card().remove();
    const auto removed = watching.next(3);
    CHECK(removed["event"] == "card-removed");
    CHECK_THAT(watching.said(),
               Catch::Contains("card-inserted") && Catch::Contains("warning: the certificate CN=Alice"));
    CHECK(removed["tokens"] == inserted["tokens"]);
    const std::string serial = inserted["tokens"][0]["serial"];
    const std::string expected = "card-inserted " + office.card().reader() + " " + serial + "|card-removed " +
                                 office.card().reader() + " " + serial + "|";
    wait_until(
        [&] {
            return std::filesystem::exists(office.desk.path("hooks")) &&
                   read_file(office.desk.path("hooks")) == expected;
        },
        "the commands");
    for (const auto& event : watching.events())
        CHECK(event.size() == 7);
}

TEST_CASE("watch drops the cached PIN of a card that is removed", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    const Identity alice = office.issue_to_card("9a", {.name = "Alice"});
    office.card().set_serial(fmt::format("{:08x}", getpid()));  // in the keyring others' PINs have other names
    office.card().insert();
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    const auto sign = [&] {
        TerminalProgram program(office.desk.p11mime_command(
            {"sign", "--pin-cache", "10m", "--pin-source", "tty", "-o", office.desk.path("signed.eml"), text}));
        program.wait_for_prompt("PIN of token");
        program.type(std::string(kUserPin) + "\n");
        REQUIRE(program.wait_for_end() == 0);
        return program.shown();
    };
    if (sign().find("keeps no PIN") != std::string::npos) {
        skip("no keyring in this kernel or container");
        return;
    }
    std::string serial;
    const auto kept = [&] {
        return done(
            office.desk.run({program(), "tokens", "--forget", "--json", "-", "--token", "pkcs11:serial=" + serial}));
    };
    {
        Watching watching(office.desk);
        (void)watching.next(2);  // two readers and a card
        for (const auto& event : watching.events())
            if (event["event"] == "card-inserted") serial = event["tokens"][0]["serial"];
        REQUIRE_FALSE(serial.empty());
        office.card().remove();
        CHECK(watching.next(3)["event"] == "card-removed");
        CHECK_THAT(kept(), Catch::Contains("\"forgotten_pins\":0"));
    }
    office.card().insert();
    (void)sign();
    office.card().remove();  // nobody watches
    CHECK_THAT(kept(), Catch::Contains("\"forgotten_pins\":1"));
}

TEST_CASE("the commands that watch runs inherit no variable that the config names as a source of PINs", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    std::filesystem::create_directories(office.desk.path("home/config/p11mime"));
    office.desk.file("home/config/p11mime/config",
                     "pin-source = env:DESK_PIN\n[sign]\npin-source = env:SIGNERS\n"
                     "[key unblock]\npuk-source = env:DESK_PUK\n");
    office.desk.environment["SIGNERS"] = "24681357";
    office.desk.environment["DESK_PUK"] = kPuk;
    office.desk.environment["HARMLESS"] = "as it was";
    const std::string hook = "env > " + office.desk.path("half") + " && mv " + office.desk.path("half") + " ";
    Watching watching(office.desk, {"--on-insert", hook + office.desk.path("inserted"), "--on-remove",
                                    hook + office.desk.path("removed")});
    CHECK(watching.next(1)["event"] == "reader-added");
    const auto inherited = [&](const std::string& name) {
        wait_until([&] { return std::filesystem::exists(office.desk.path(name)); }, "the command");
        return read_file(office.desk.path(name));
    };
    const auto check_inherited = [&](const std::string& file) {
        CHECK_THAT(inherited(file), Catch::Contains("HARMLESS=as it was") && !Catch::Contains("DESK_PIN=") &&
                                        !Catch::Contains("SIGNERS=") && !Catch::Contains("DESK_PUK="));
    };
    office.card().insert();
    check_inherited("inserted");
    office.card().remove();
    check_inherited("removed");
}

TEST_CASE("watch sleeps while nothing happens, and ends in order on a signal", "[e2e]") {
    if (skipped_without_readers()) return;
    for (const int signal : {SIGTERM, SIGINT}) {
        CardOffice office;
        (void)office.issue_to_card("9a", {.name = "Alice", .kind = KeyKind::p256});
        office.card().insert();
        Watching watching(office.desk);
        CHECK(watching.next(1)["event"] == "card-inserted");
        CHECK(watching.next(2)["event"] == "reader-added");
        const pid_t program = watching.program().pid();
        // One thread waits for a signal without an end, and one for pcscd; what wakes for a look waits for less.
        // A look itself waits for pcscd's answer without an end, so that it is seen asleep many times in a row.
        int in_a_row = 0;
        wait_until([&] { return (in_a_row = sleep_of(program) >= kNearlyEver ? in_a_row + 1 : 0) == 20; }, "sleep");
        kill(program, signal);
        wait_until([&] { return !watching.program().running(); }, "its end");
        CHECK_THAT(watching.said(), !Catch::Contains("interrupted"));
        office.card().remove();
        CHECK(watching.events().size() == 3);
    }
}

TEST_CASE("watch tells of a pcscd that ends and of one that starts", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    office.readers.stop();
    Watching watching(office.desk);
    CHECK(watching.next(0)["event"] == "pcscd-stopped");
    office.readers.start();
    CHECK(watching.next(1)["event"] == "pcscd-started");
    CHECK(watching.next(2)["event"] == "reader-added");
    CHECK(watching.next(3)["event"] == "reader-added");
    office.readers.stop();
    CHECK(watching.next(4)["event"] == "reader-removed");
    CHECK(watching.next(6)["event"] == "pcscd-stopped");
    CHECK_THAT(watching.said(), Catch::Contains("pcscd, which reaches smart card readers, is not running; start it"));
}
