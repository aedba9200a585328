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

TEST_CASE("what shows nothing, or hides and breaks text, is made visible", "[cli]") {
    const auto hidden = [](const char* text, const std::string& code) {
        CAPTURE(code);
        CHECK(visible(std::string("a") + text + "b") == "a\\u{" + code + "}b");
    };
    hidden("\xc2\x85", "85");        // next line, one of the C1 controls
    hidden("\xc2\x9d", "9d");        // operating system command
    hidden("\xc2\xad", "ad");        // soft hyphen
    hidden("\xcd\x8f", "34f");       // combining grapheme joiner
    hidden("\xe1\x85\x9f", "115f");  // Hangul filler
    hidden("\xe2\x80\x8d", "200d");  // zero width joiner
    hidden("\xe2\x80\xa8", "2028");  // line separator
    hidden("\xe2\x80\xa9", "2029");  // paragraph separator
    hidden("\xe2\x81\xa6", "2066");  // left-to-right isolate
    hidden("\xe2\x81\xa9", "2069");
    hidden("\xe2\xa0\x80", "2800");       // Braille blank
    hidden("\xe3\x85\xa4", "3164");       // Hangul filler
    hidden("\xef\xb8\x8f", "fe0f");       // variation selector
    hidden("\xef\xbb\xbf", "feff");       // byte order mark
    hidden("\xef\xbf\xbe", "fffe");       // noncharacter
    hidden("\xf3\xa0\x80\x81", "e0001");  // language tag
    hidden("\xf3\xa0\x81\x81", "e0041");  // tag "A"
    hidden("\xf3\xa0\x84\x80", "e0100");  // variation selector
}

// Sequences of Unicode's emoji-zwj-sequences.txt and emoji-variation-sequences.txt.
TEST_CASE("what joins emoji stays between them, and is made visible anywhere else", "[cli]") {
    const std::string man = "\xf0\x9f\x91\xa8", laptop = "\xf0\x9f\x92\xbb", heart = "\xe2\x9d\xa4",
                      male = "\xe2\x99\x82", dark = "\xf0\x9f\x8f\xbf", joiner = "\xe2\x80\x8d", style = "\xef\xb8\x8f",
                      tag = "\xf3\xa0\x81\xa7";
    const std::string shown = "\\u{200d}", shown_style = "\\u{fe0f}";
    for (const std::string& emoji :
         {man + joiner + laptop, man + dark + joiner + laptop, heart + style, heart + style + joiner + man,
          man + joiner + heart + style + joiner + man, man + dark + joiner + male + style})
        CHECK(visible("a " + emoji + " b") == "a " + emoji + " b");
    CHECK(visible("a" + joiner + man) == "a" + shown + man);
    CHECK(visible(man + joiner + "a") == man + shown + "a");
    CHECK(visible(man + joiner) == man + shown);
    CHECK(visible(man + joiner + joiner + man) == man + shown + shown + man);
    CHECK(visible(man + " " + joiner + man) == man + " " + shown + man);
    CHECK(visible("a" + style) == "a" + shown_style);
    CHECK(visible("1" + style) == "1" + shown_style);
    CHECK(visible(heart + style + style) == heart + style + shown_style);
    CHECK(visible(heart + style + style + joiner + man) == heart + style + shown_style + shown + man);
    CHECK(visible("\xa9" + style) == "\\xa9" + shown_style);
    CHECK(visible("a" + dark + joiner + man) == "a" + dark + shown + man);
    CHECK(visible(man + "\xef\xb8\x80" + man) == man + "\\u{fe00}" + man);
    CHECK(visible(man + tag + man) == man + "\\u{e0067}" + man);
    CHECK(visible(man + "\xe2\x80\x8b" + man) == man + "\\u{200b}" + man);
}

TEST_CASE("combining marks pile up on no character, and stand on none of ours", "[cli]") {
    const std::string acute = "\xcc\x81", escaped = "\\u{301}";
    CHECK(visible("e" + acute) == "e" + acute);
    CHECK(visible("e" + acute + acute + acute + acute) == "e" + acute + acute + acute + acute);
    CHECK(visible("e" + acute + acute + acute + acute + acute + acute) ==
          "e" + acute + acute + acute + acute + escaped + escaped);
    CHECK(visible(acute + "e") == escaped + "e");
    CHECK(visible("\x1b" + acute) == "\\x1b" + escaped);
    // Scripts that need marks are left as they are: Vietnamese, Hindi, Thai.
    for (const std::string text :
         {"Nguye\xcc\x82\xcc\x83n", "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\x82", "\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88"})
        CHECK(visible(text) == text);
}

TEST_CASE("bytes that are no UTF-8 are made visible one by one", "[cli]") {
    CHECK(visible("\xff") == "\\xff");
    CHECK(visible("\xc3") == "\\xc3");
    CHECK(visible("\xc0\x80") == "\\xc0\\x80");
    CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");
    CHECK(visible("\xe2\x82\xac") == "\xe2\x82\xac");
    CHECK(visible("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("text is cut by what is shown of it, between two characters", "[cli]") {
    CHECK(shortened("", 3).empty());
    CHECK(shortened("abc", 3) == "abc");
    CHECK(shortened("abcd", 3) == "abc…");
    CHECK(shortened("\xc3\xbc\xc3\xbc\xc3\xbc", 3) == "\xc3\xbc\xc3\xbc\xc3\xbc");
    CHECK(shortened("\xc3\xbc\xc3\xbc\xc3\xbc", 2) == "\xc3\xbc\xc3\xbc…");
    // "\x1b" is four characters, "\u{202e}" eight.
    CHECK(shortened("a\x1b\x1b", 9) == "a\x1b\x1b");
    CHECK(shortened("a\x1b\x1b", 8) == "a\x1b…");
    CHECK(shortened("\xe2\x80\xae"
                    "b",
                    8) == "\xe2\x80\xae…");
    CHECK(shortened("\xe2\x80\xae"
                    "b",
                    7) == "…");
}

TEST_CASE("no warning writes more than a person reads", "[cli]") {
    const test::TemporaryDirectory directory;
    const int fd = open((directory / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    Terminal(fd).warn(std::string(900'000, '\x1b'));
    close(fd);
    const std::string told = test::read_file(directory / "err");
    CHECK(told.size() < 700);
    CHECK(told.ends_with("\\x1b…\n"));
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

TEST_CASE("a verdict has a colour on a terminal alone, and its words without one too", "[cli]") {
    const auto said = [](const char* term, const char* no_colour) {
        int terminal = -1;
        const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
        if (child == 0) {
            term == nullptr ? unsetenv("TERM") : setenv("TERM", term, 1);
            no_colour == nullptr ? unsetenv("NO_COLOR") : setenv("NO_COLOR", no_colour, 1);
            Terminal().say("INVALID \x1b[32m", Tone::bad);
            _exit(0);
        }
        std::string shown;
        char buffer[256];
        for (ssize_t count = 0; (count = read(terminal, buffer, sizeof buffer)) > 0;)
            shown.append(buffer, static_cast<std::size_t>(count));
        waitpid(child, nullptr, 0);
        close(terminal);
        return shown;
    };
    const std::string plain = "p11mime: INVALID \\x1b[32m\r\n";
    CHECK(said("xterm", nullptr) == "p11mime: \x1b[1;31mINVALID \\x1b[32m\x1b[0m\r\n");
    CHECK(said("xterm", "") == "p11mime: \x1b[1;31mINVALID \\x1b[32m\x1b[0m\r\n");
    CHECK(said("xterm", "1") == plain);
    CHECK(said("dumb", nullptr) == plain);
    CHECK(said(nullptr, nullptr) == plain);

    const test::TemporaryDirectory directory;
    const int fd = open((directory / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    Terminal(fd).say("INVALID", Tone::bad);
    close(fd);
    CHECK(test::read_file(directory / "err") == "p11mime: INVALID\n");
}
