// A file that is replaced while somebody else writes, renames or deletes it: nothing of theirs is lost.

#include "cli/temporary_file.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <functional>

#include "mime/error.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;

namespace {

// g_before runs before the program exchanges two files, for the n-th time; what it returns is errno, 0 for going on.
std::function<int(int n)> g_before;
int g_exchanges = 0;

// Replacement is a mail and the file that is to replace it.
struct Replacement {
    Replacement() {
        write_file(mail, "old");
        stamp = *FileStamp::of(mail);
        made.emplace(mail);
        REQUIRE(write(made->fd(), "made", 4) == 4);
        g_exchanges = 0;
        g_before = nullptr;
    }
    ~Replacement() { g_before = nullptr; }

    std::string failure() {
        try {
            made->publish(stamp, TemporaryFile::Replacing::unchanged);
        } catch (const Error& error) {
            CHECK(error.kind() == ErrorKind::io);
            return error.what();
        }
        return "none";
    }
    /// newer puts another mail in the place of the old one, as a mail program does.
    void newer(const std::string& text = "newer") const {
        write_file(mail + ".new", text);
        std::filesystem::rename(mail + ".new", mail);
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory.path()), {}));
    }

    TemporaryDirectory directory;
    std::string mail = directory.path() / "mail";
    FileStamp stamp;
    std::optional<TemporaryFile> made;
};

}  // namespace

extern "C" int renameat2(int from_directory, const char* from, int to_directory, const char* to,
                         unsigned flags) noexcept {
    if (g_before)
        if (const int failure = g_before(++g_exchanges); failure != 0) {
            errno = failure;
            return -1;
        }
    return static_cast<int>(syscall(SYS_renameat2, from_directory, from, to_directory, to, flags));
}

TEST_CASE("a file is replaced with and without the exchange of names", "[cli]") {
    for (const int failure : {0, EINVAL}) {
        Replacement replacement;
        g_before = [&](int) { return failure; };
        CHECK(replacement.failure() == "none");
        CHECK(read_file(replacement.mail) == "made");
        replacement.made.reset();
        CHECK(replacement.files() == 1);
    }
}

TEST_CASE("a mail that was moved or deleted meanwhile is not made again", "[cli]") {
    for (const int failure : {0, EINVAL}) {
        for (const int at : {0, 1}) {
            Replacement replacement;
            const auto move = [&] { std::filesystem::rename(replacement.mail, replacement.mail + ":2,S"); };
            if (at == 0) move();
            g_before = [&](int n) {
                if (at == n) move();
                return failure;
            };
            CHECK_THAT(replacement.failure(), Catch::Contains("moved or deleted meanwhile"));
            replacement.made.reset();
            CHECK_FALSE(std::filesystem::exists(replacement.mail));
            CHECK(read_file(replacement.mail + ":2,S") == "old");
            CHECK(replacement.files() == 1);
        }
    }
}

TEST_CASE("a newer mail in the place of the one that was read stays there", "[cli]") {
    for (const int failure : {0, EINVAL}) {
        Replacement replacement;
        g_before = [&](int n) {
            if (n == 1) replacement.newer();
            return failure;
        };
        CHECK_THAT(replacement.failure(), Catch::Contains("was changed meanwhile"));
        replacement.made->retract();
        replacement.made.reset();
        CHECK(read_file(replacement.mail) == "newer");
        CHECK(replacement.files() == 1);
    }
}

TEST_CASE("a newer mail that cannot be put back is kept, named, and not cleaned away", "[cli]") {
    const bool fails = GENERATE(true, false);
    Replacement replacement;
    g_before = [&](int n) {
        if (n == 1) replacement.newer();
        if (n == 2 && !fails) replacement.newer("newest");
        return n == 2 && fails ? EIO : 0;
    };
    const std::string failure = replacement.failure();
    replacement.made.reset();
    remove_stale_files(replacement.directory.path());
    const auto kept = set_aside_files(replacement.directory.path());
    REQUIRE(kept.size() == 1);
    CHECK_THAT(failure, Catch::Contains(kept.front()));
    CHECK(read_file(kept.front()) == (fails ? "newer" : "newest"));
    CHECK(read_file(replacement.mail) == (fails ? "made" : "newer"));
}

TEST_CASE("a replaced file is put back where what belongs to it fails", "[cli]") {
    Replacement replacement;
    CHECK(replacement.failure() == "none");
    replacement.made->retract();
    replacement.made.reset();
    CHECK(read_file(replacement.mail) == "old");
    CHECK(replacement.files() == 1);
}
