#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "cli/delivery.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "mime/error.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

class TextInput final : public Input {
  public:
    explicit TextInput(std::string text) : text_(std::move(text)) {}
    std::unique_ptr<Source> open() const override { return std::make_unique<ViewSource>(bytes_of(text_)); }

  private:
    std::string text_;
};

// Copies its input; the first `bad` passes write rubbish and ask for another one.
class CopyJob final : public cms::Job {
  public:
    explicit CopyJob(int bad = 0) : bad_(bad) {}
    bool pass(Source& input, Sink& output) override {
        if (bad_-- > 0) {
            output.push(bytes_of("rubbish that is longer than the good output"));
            return false;
        }
        copy(input, output);
        return true;
    }

  private:
    int bad_;
};

class FailingJob final : public cms::Job {
  public:
    bool pass(Source&, Sink& output) override {
        output.push(bytes_of(std::string(3 * kPieceSize, 'x')));
        throw Error(ErrorKind::failed, "broken");
    }
};

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

ErrorKind kind_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.kind();
    }
    FAIL("no error");
    return ErrorKind::failed;
}

const TextInput kInput("good");

}  // namespace

TEST_CASE("an output file appears at commit, whole, with the mode that umask gives", "[cli]") {
    const test::TemporaryDirectory directory;
    CopyJob job(2);
    const mode_t before = umask(027);
    auto output = Output::to_file(directory / "out");
    output->stage(job, kInput);
    CHECK(access((directory / "out").c_str(), F_OK) != 0);
    output->commit();
    umask(before);
    CHECK(test::read_file(directory / "out") == "good");
    CHECK(mode_of(directory / "out") == 0640);
    CHECK(test::names(directory.path()) == "out");
}

TEST_CASE("the temporary file is for its owner alone", "[cli]") {
    const test::TemporaryDirectory directory;
    struct Look final : cms::Job {
        explicit Look(const test::TemporaryDirectory& where) : place(where) {}
        bool pass(Source&, Sink&) override {
            mode = mode_of(place / test::names(place.path()));
            return true;
        }
        const test::TemporaryDirectory& place;
        mode_t mode = 0;
    } job(directory);
    Output::to_file(directory / "out")->stage(job, kInput);
    CHECK(job.mode == 0600);
}

TEST_CASE("nothing is left behind by an output that is not committed", "[cli]") {
    const test::TemporaryDirectory directory;
    SECTION("because the job failed") {
        FailingJob job;
        CHECK(kind_of([&] { Output::to_file(directory / "out")->stage(job, kInput); }) == ErrorKind::failed);
    }
    SECTION("because of the verdict") {
        CopyJob job;
        Output::to_file(directory / "out")->stage(job, kInput);
    }
    CHECK(test::names(directory.path()).empty());
}

TEST_CASE("a file that is replaced keeps its mode, and its old content until the commit", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "out", "old");
    REQUIRE(chmod((directory / "out").c_str(), 0604) == 0);
    CopyJob job;
    auto output = Output::to_file(directory / "out");
    output->stage(job, kInput);
    CHECK(test::read_file(directory / "out") == "old");
    output->commit();
    CHECK(test::read_file(directory / "out") == "good");
    CHECK(mode_of(directory / "out") == 0604);
}

TEST_CASE("a symbolic link stays, and what it points at is replaced", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "real", "old");
    REQUIRE(symlink("real", (directory / "link").c_str()) == 0);
    auto output = Output::to_file(directory / "link");
    output->stage_bytes(to_bytes(bytes_of("new")));
    output->commit();
    CHECK(test::read_file(directory / "real") == "new");
    struct stat status {};
    REQUIRE(lstat((directory / "link").c_str(), &status) == 0);
    CHECK(S_ISLNK(status.st_mode));
}

TEST_CASE("what is there and no regular file is written through, after the job is known to be good", "[cli]") {
    const test::TemporaryDirectory directory;
    REQUIRE(mkfifo((directory / "pipe").c_str(), 0600) == 0);
    std::string read;
    std::jthread reader([&] { read = test::read_file(directory / "pipe"); });
    {
        CopyJob job(1);
        auto output = Output::to_file(directory / "pipe");
        output->stage(job, kInput);
        output->commit();
    }
    reader.join();
    CHECK(read == "good");
    struct stat status {};
    REQUIRE(lstat((directory / "pipe").c_str(), &status) == 0);
    CHECK(S_ISFIFO(status.st_mode));
}

TEST_CASE("a full device and a missing or forbidden directory are input/output errors", "[cli]") {
    const test::TemporaryDirectory directory;
    CopyJob job;
    auto full = Output::to_file("/dev/full");
    full->stage(job, kInput);
    CHECK_THROWS_WITH(full->commit(), Catch::Contains("No space left"));
    CHECK(kind_of([&] { Output::to_file(directory / "no/out")->stage(job, kInput); }) == ErrorKind::io);
    CHECK_THROWS_WITH(Output::to_file(directory.path().string()), Catch::Contains("is a directory"));
}

TEST_CASE("an output that is the input by another name is refused", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "in", "text");
    REQUIRE(link((directory / "in").c_str(), (directory / "other").c_str()) == 0);
    const auto input = FileInput::open_path(directory / "in", {});
    for (const std::string name : {"in", "other", "./in"})
        CHECK(kind_of([&] { (void)Output::to_file(directory / name, {input->stamp()->identity}); }) ==
              ErrorKind::usage);
    CHECK_NOTHROW(Output::to_file(directory / "new", {input->stamp()->identity}));
}

TEST_CASE("where one of several outputs fails, those before it are taken back", "[cli]") {
    const test::TemporaryDirectory directory;
    auto first = Output::to_file(directory / "first");
    first->stage_bytes(to_bytes(bytes_of("1")));
    auto second = Output::to_file("/dev/full");
    second->stage_bytes(to_bytes(bytes_of("2")));
    CHECK_THROWS_AS(deliver({first.get(), second.get()}), Error);
    CHECK(test::names(directory.path()).empty());
}

TEST_CASE("a signal removes the temporary file and ends the program", "[cli]") {
    const int number = GENERATE(SIGINT, SIGTERM, SIGHUP);
    const test::TemporaryDirectory directory;
    struct Signalled final : cms::Job {
        explicit Signalled(int which, const test::TemporaryDirectory& where) : signal(which), place(where) {}
        bool pass(Source&, Sink& output) override {
            raise(signal);
            if (!test::names(place.path()).empty()) _exit(8);  // removed by the handler already
            for (;;)
                output.push(bytes_of(std::string(2 * kPieceSize, 'x')));
        }
        int signal;
        const test::TemporaryDirectory& place;
    };
    const pid_t child = fork();
    if (child == 0) {
        install_signal_handlers();
        Signalled job(number, directory);
        try {
            Output::to_file(directory / "out")->stage(job, kInput);
        } catch (const Error&) {
            end_by_signal();
        }
        _exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == number);
    CHECK(test::names(directory.path()).empty());
}

TEST_CASE("a broken pipe is an input/output error, not the end of the program", "[cli]") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    close(ends[0]);
    const pid_t child = fork();
    if (child == 0) {
        install_signal_handlers();
        dup2(ends[1], 1);
        CopyJob job;
        try {
            auto output = Output::to_stdout();
            output->stage(job, kInput);
            output->commit();
        } catch (const Error& error) {
            _exit(error.kind() == ErrorKind::io ? 0 : 1);
        }
        _exit(2);
    }
    close(ends[1]);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a file that was replaced is there again where a later output fails", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "out", "old");
    {
        auto stream = Output::to_file("/dev/full");
        stream->stage_bytes(to_bytes(bytes_of("report")));
        auto output = Output::to_file(directory / "out");
        output->stage_bytes(to_bytes(bytes_of("new")));
        CHECK_THROWS_AS(deliver({stream.get(), output.get()}), Error);
        CHECK(test::read_file(directory / "out") == "old");
    }
    CHECK(test::names(directory.path()) == "out");
    {
        auto output = Output::to_file(directory / "out");
        output->stage_bytes(to_bytes(bytes_of("new")));
        output->commit();
        CHECK(test::read_file(directory / "out") == "new");
        output->retract();
        CHECK(test::read_file(directory / "out") == "old");
    }
    CHECK(test::names(directory.path()) == "out");
}

TEST_CASE("a symbolic link that leads nowhere yet stays, and the file is made where it points", "[cli]") {
    const test::TemporaryDirectory directory;
    std::filesystem::create_directory(directory / "there");
    REQUIRE(symlink("there/second", (directory / "link").c_str()) == 0);
    REQUIRE(symlink("real", (directory / "there/second").c_str()) == 0);
    auto output = Output::to_file(directory / "link");
    output->stage_bytes(to_bytes(bytes_of("new")));
    output->commit();
    CHECK(test::read_file(directory / "there/real") == "new");
    CHECK(std::filesystem::is_symlink(directory / "link"));
    CHECK(std::filesystem::is_symlink(directory / "there/second"));
    CHECK(test::names(directory / "there") == "real second");
}
