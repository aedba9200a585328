#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "cli/terminal.h"
#include "mime/error.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

TEST_CASE("escapes and controls in text of others are made visible", "[cli]") {
    CHECK(visible("Alice M\xc3\xbcller") == "Alice M\xc3\xbcller");
    CHECK(visible("a\x1b[2Jb") == "a\\x1b[2Jb");
    CHECK(visible("one\r\ntwo\t") == "one\\x0d\\x0atwo\\x09");
    CHECK(visible(std::string("nul\0", 4)) == "nul\\x00");
    CHECK(visible("\x7f") == "\\x7f");
    // C1 controls and bidirectional overrides, U+009B and U+202E.
    CHECK(visible("\xc2\x9b") == "\\u{9b}");
    CHECK(visible("\xe2\x80\xae"
                  "moc") == "\\u{202e}moc");
    CHECK(visible("\xe2\x80\x8b") == "\\u{200b}");
}

TEST_CASE("bytes that are no UTF-8 are made visible one by one", "[cli]") {
    CHECK(visible("\xff") == "\\xff");
    CHECK(visible("\xc3") == "\\xc3");
    CHECK(visible("\xc0\x80") == "\\xc0\\x80");
    CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(visible("\xe2\x82\xac") == "\xe2\x82\xac");
    CHECK(visible("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("messages, warnings and errors are single lines with the hint at the end", "[cli]") {
    const test::TemporaryDirectory directory;
    const int fd = open((directory / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    Terminal terminal(fd);
    terminal.error("token 'ID\ncard' is locked", "unblock it with the PUK: p11mime key unblock");
    terminal.warn("careful");
    terminal.say("plain");
    terminal.detail("more");
    // No bar: this is no terminal.
    terminal.progress(1, 2);
    close(fd);
    CHECK(test::read_file(directory / "err") ==
          "p11mime: token 'ID\\x0acard' is locked; unblock it with the PUK: p11mime key unblock\n"
          "p11mime: warning: careful\n"
          "p11mime: plain\n"
          "  more\n");
}

TEST_CASE("a listing that cannot be written is an input/output error", "[cli]") {
    const int fd = open("/dev/full", O_WRONLY);
    Terminal terminal(2, fd);
    CHECK_THROWS_AS(terminal.print("line"), Error);
    close(fd);
}

namespace {

// What a terminal shows while a child asks for a secret on it and someone types `typed`; the child's status is 0 where
// it got "1234" and the echo was on again afterwards.
std::pair<std::string, int> ask_on_terminal(const std::string& typed) {
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
        const auto secret = Terminal().ask_secret("PIN of token 'Alice'");
        termios modes{};
        const bool echo = tcgetattr(0, &modes) == 0 && (modes.c_lflag & ECHO) != 0;
        _exit(secret && text_of(secret->view()) == "1234" && echo ? 0 : 1);
    }
    std::string shown;
    bool sent = false;
    char buffer[256];
    for (ssize_t count = 0; (count = read(terminal, buffer, sizeof buffer)) > 0;) {
        shown.append(buffer, static_cast<std::size_t>(count));
        if (!sent && shown.find(": ") != std::string::npos) {
            usleep(100'000);  // the echo goes off right after the prompt, and drops what was typed before
            sent = write(terminal, typed.data(), typed.size()) > 0;
        }
    }
    int status = 0;
    waitpid(child, &status, 0);
    close(terminal);
    return {shown, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

}  // namespace

TEST_CASE("a secret is asked for on the terminal without echo", "[cli]") {
    const auto [shown, status] = ask_on_terminal("1234\n");
    CHECK(status == 0);
    CHECK(shown.find("PIN of token 'Alice'") != std::string::npos);
    CHECK(shown.find("1234") == std::string::npos);
}
