// Whose locks p11mime waits for: those of the user's own processes.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

// Locked is a file that another process has locked.
class Locked {
  public:
    explicit Locked(const std::string& file) : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
        REQUIRE(::flock(descriptor_, LOCK_EX | LOCK_NB) == 0);
    }
    ~Locked() { ::close(descriptor_); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

  private:
    int descriptor_;
};

unsigned mode(const std::string& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

nlohmann::json warnings(const Desk& desk) {
    const Outcome outcome = desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN", "--json", "-"});
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    return nlohmann::json::parse(outcome.out).at("warnings");
}

}  // namespace

TEST_CASE("no other user can hold p11mime up: it locks a file of the user's own alone", "[e2e]") {
    const Desk desk;
    const Locked module(SoftHsm::module());  // as whoever may read it can
    CHECK(warnings(desk).empty());
    CHECK(mode(desk.path("home/state/p11mime")) == 0700);
    CHECK(mode(desk.path("home/state/p11mime/turns.lock")) == 0600);
}

TEST_CASE("p11mime goes on beside one of the same user that keeps its turn for long, and says so once", "[e2e]") {
    const Desk desk;
    CHECK(warnings(desk).empty());
    const Locked turns(desk.path("home/state/p11mime/turns.lock"));
    const auto said = warnings(desk);
    REQUIRE(said.size() == 1);
    CHECK_THAT(said[0].at("message"), Catch::Contains("another p11mime of yours is busy with a token"));
}

TEST_CASE("a desktop session and cron lock the same file, whatever they call the runtime directory", "[e2e]") {
    Desk desk;
    CHECK(warnings(desk).empty());
    const Locked turns(desk.path("home/state/p11mime/turns.lock"));
    desk.environment["XDG_RUNTIME_DIR"] = "";
    CHECK(warnings(desk).size() == 1);  // the wait for it was in vain
    CHECK_FALSE(std::filesystem::exists(desk.path("run/p11mime")));
}

TEST_CASE("without a state directory the lock is in the runtime directory, and without either p11mime says so",
          "[e2e]") {
    Desk desk;
    desk.environment["XDG_STATE_HOME"] = desk.file("no directory", "");
    CHECK(warnings(desk).empty());
    CHECK(mode(desk.path("run/p11mime/turns.lock")) == 0600);
    for (const std::string& runtime : {std::string(), desk.path("missing")}) {
        desk.environment["XDG_RUNTIME_DIR"] = runtime;
        const auto said = warnings(desk);
        REQUIRE(said.size() == 1);
        CHECK_THAT(said[0].at("message"), Catch::Contains("no lock file can be made in the state directory"));
    }
}
