#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "cli/input.h"
#include "cli/message.h"
#include "mime/error.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

std::string all_of(const FileInput& input) {
    BytesSink sink;
    const auto source = input.open();
    copy(*source, sink);
    return std::string(text_of(sink.bytes));
}

std::string pattern(std::size_t size) {
    std::string text(size, 0);
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

// Makes a pipe with a name, and writes to it from a thread.
struct NamedPipe {
    explicit NamedPipe(std::string text) : path(directory / "pipe") {
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
        writer = std::jthread([file = path, content = std::move(text)] { test::write_file(file, content); });
    }
    test::TemporaryDirectory directory;
    std::string path;
    std::jthread writer;
};

}  // namespace

TEST_CASE("a regular file is read from its start each time", "[cli]") {
    const test::TemporaryDirectory directory;
    const std::string text = pattern(3 * kPieceSize + 17);
    test::write_file(directory / "in", text);
    const auto input = FileInput::open_path(directory / "in", {});
    CHECK(input->stamp());
    CHECK(all_of(*input) == text);
    CHECK(all_of(*input) == text);
}

TEST_CASE("a pipe is spooled, so that it can be read again, from any point of the first reading", "[cli]") {
    const std::string text = pattern(5 * kPieceSize + 3);
    const NamedPipe pipe(text);
    const auto input = FileInput::open_path(pipe.path, {});
    CHECK_FALSE(input->stamp());
    {
        const auto source = input->open();
        CHECK_FALSE(source->pull().empty());
    }
    CHECK(all_of(*input) == text);
    CHECK(all_of(*input) == text);
}

TEST_CASE("the spool has no name", "[cli]") {
    const test::TemporaryDirectory directory;
    const std::string text = pattern(kPieceSize);
    const NamedPipe pipe(text);
    setenv("TMPDIR", directory.path().c_str(), 1);
    const auto input = FileInput::open_path(pipe.path, {});
    CHECK(all_of(*input) == text);
    CHECK(test::names(directory.path()).empty());
    unsetenv("TMPDIR");
}

TEST_CASE("a file that changes between or during readings is an error", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "in", "one");
    const auto input = FileInput::open_path(directory / "in", {});
    CHECK(all_of(*input) == "one");
    SECTION("longer") {
        test::write_file(directory / "in", "one and more");
    }
    SECTION("of the same length") {
        test::write_file(directory / "in", "two");
        const timespec later[2] = {{2'000'000'000, 0}, {2'000'000'000, 0}};
        REQUIRE(utimensat(AT_FDCWD, (directory / "in").c_str(), later, 0) == 0);
    }
    try {
        (void)all_of(*input);
        FAIL("no error");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::io);
        CHECK_THAT(error.what(), Catch::Contains("changed while read"));
    }
}

TEST_CASE("a file cut short while it is read is an error", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "in", pattern(3 * kPieceSize));
    const auto input = FileInput::open_path(directory / "in", {});
    const auto source = input->open();
    CHECK_FALSE(source->pull().empty());
    REQUIRE(truncate((directory / "in").c_str(), static_cast<off_t>(kPieceSize)) == 0);
    CHECK_THROWS_WITH(drain(*source), Catch::Contains("changed while read"));
}

TEST_CASE("directories and missing files are input/output errors that say so", "[cli]") {
    CHECK_THROWS_WITH(FileInput::open_path("/", {}), Catch::Contains("is a directory"));
    CHECK_THROWS_WITH(FileInput::open_path("/nonexistent/mail", {}),
                      Catch::Contains("/nonexistent/mail") && Catch::Contains("No such file"));
}

TEST_CASE("the watcher hears how far reading has come", "[cli]") {
    const test::TemporaryDirectory directory;
    test::write_file(directory / "in", "0123456789");
    std::uint64_t reached = 0;
    std::optional<std::uint64_t> size;
    const auto input = FileInput::open_path(directory / "in", [&](auto done, auto total) {
        reached = done;
        size = total;
    });
    (void)all_of(*input);
    CHECK(reached == 10);
    CHECK(size == 10U);
}

TEST_CASE("the header of a mail gives its people and subject, other input gives none", "[cli]") {
    const test::TemporaryDirectory directory;
    const auto message_of = [&](std::string_view text) {
        test::write_file(directory / "in", text);
        return read_message(*FileInput::open_path(directory / "in", {}));
    };
    const Message message = message_of(
        "From: Alice <alice@example.gov>\r\nTo: bob@example.gov,\r\n carol@example.org\r\nCc: dave@example.org\r\n"
        "Bcc:\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Sat, 31 Jan 2026 13:00:00 +0100\r\n\r\nText\r\n");
    CHECK(message.from == std::vector<std::string>{"alice@example.gov"});
    CHECK(message.to == std::vector<std::string>{"bob@example.gov", "carol@example.org"});
    CHECK(message.cc == std::vector<std::string>{"dave@example.org"});
    CHECK(message.bcc.empty());
    CHECK(message.subject ==
          "Gr\xc3\xbc\xc3\x9f"
          "e");
    CHECK(message.date == "2026-01-31T12:00:00Z");
    const Message blind = message_of("Resent-Bcc: erin@example.org, no\r\nBcc: dan@example.org\r\n\r\nText\r\n");
    CHECK(blind.bcc == std::vector<std::string>{"dan@example.org", "erin@example.org"});
    CHECK(blind.unreadable.at(0).field == "Resent-Bcc");
    CHECK(message_of("\x30\x80\x06\x09").from.empty());
    CHECK_THROWS_WITH(message_of(""), Catch::Contains("empty"));
}
