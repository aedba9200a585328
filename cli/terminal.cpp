#include "cli/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/fd.h"
#include "cli/signals.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLongestSecret = 1024;
constexpr auto kQuiet = 1s;      // work this short shows no bar
constexpr auto kRedraw = 100ms;  // the least time between two bars
constexpr std::size_t kBarWidth = 40;

Fd open_tty() {
    return Fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
}

// Reads one line byte by byte straight into wiped memory. Nothing where the input ended before the line did. A program
// that was stopped asks once more when it goes on.
std::optional<SecretBytes> read_line(int fd, const std::string& prompt, TerminalModes& modes) {
    SecretBytes line(kLongestSecret);
    std::size_t size = 0;
    for (;;) {
        Byte byte = 0;
        wait_readable(fd, [&] {
            if (!modes.take_resumed()) return;
            size = 0;
            (void)write_all(fd, prompt);
        });
        const ssize_t count = ::read(fd, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return std::nullopt;
        if (byte == '\n') break;
        if (size == line.size()) throw Error(ErrorKind::usage, "the line is too long");
        line.data()[size++] = byte;
    }
    line.shrink(size);
    return line;
}

std::string bar(double part) {
    const auto filled = static_cast<std::size_t>(part * kBarWidth);
    return fmt::format("[{:=>{}}{:{}}]", "", filled, "", kBarWidth - filled);
}

std::string span_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{}:{:02} min", whole / 60, whole % 60);
    return fmt::format("{}:{:02} h", whole / 3600, whole / 60 % 60);
}

constexpr std::string_view kNoColour = "\x1b[0m";

std::string_view colour_of(Tone tone) {
    switch (tone) {
        case Tone::good:
            return "\x1b[32m";
        case Tone::caution:
            return "\x1b[33m";
        case Tone::bad:
            return "\x1b[1;31m";
        case Tone::plain:
            break;
    }
    return "";
}

// As https://no-color.org has it, and a terminal that says of itself that it knows no escapes, or nothing.
bool wants_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* kind = std::getenv("TERM");
    return (no_colour == nullptr || *no_colour == '\0') && kind != nullptr && *kind != '\0' &&
           std::string_view(kind) != "dumb";
}

// Ends the line that the terminal is in, however the scope is left.
class LineAfter {
  public:
    explicit LineAfter(int fd) : fd_(fd) {}
    ~LineAfter() { (void)write_all(fd_, "\n"); }
    LineAfter(const LineAfter&) = delete;
    LineAfter& operator=(const LineAfter&) = delete;

  private:
    int fd_;
};

}  // namespace

void Terminal::write_line(std::string_view line) {
    const std::lock_guard lock(mutex_);
    clear_bar();
    // Where standard error cannot be written to, nobody can be told.
    (void)write_all(messages_, fmt::format("{}\n", line));
}

bool Terminal::interactive() const {
    return ::isatty(messages_) != 0;
}

void Terminal::say(std::string_view line, Tone tone) {
    const std::string_view colour = interactive() && wants_colour() ? colour_of(tone) : "";
    write_line(fmt::format("p11mime: {}{}{}", colour, visible(line), colour.empty() ? "" : kNoColour));
}

void Terminal::detail(std::string_view line) {
    write_line(fmt::format("  {}", visible(line)));
}

void Terminal::warn(std::string_view line) {
    write_line(fmt::format("p11mime: warning: {}", visible(shortened(line, kLongestText))));
}

void Terminal::error(std::string_view message, std::string_view hint) {
    if (hint.empty())
        say(message);
    else
        say(fmt::format("{}; {}", message, hint));
}

void Terminal::print(std::string_view line) {
    print_text(fmt::format("{}\n", visible(line)));
}

void Terminal::print_text(std::string_view text) {
    const std::lock_guard lock(mutex_);
    clear_bar();
    if (!write_all(listing_, text)) throw system_error("cannot write standard output", errno);
}

std::optional<SecretBytes> Terminal::ask_secret(std::string_view prompt) {
    const std::lock_guard lock(mutex_);  // nobody else writes to the line that is being typed
    clear_bar();
    const Fd tty = open_tty();
    if (!tty) return std::nullopt;
    const std::string text = fmt::format("{}: ", visible(prompt));
    const LineAfter line(tty.get());  // the one that was typed did not show
    TerminalModes silent(tty.get(), TerminalModes::Echo::off);
    if (!write_all(tty.get(), text)) return std::nullopt;
    auto secret = read_line(tty.get(), text, silent);
    if (!secret || secret->empty()) return std::nullopt;
    return secret;
}

std::optional<bool> Terminal::confirm(std::string_view question) {
    const std::lock_guard lock(mutex_);
    clear_bar();
    const Fd tty = open_tty();
    const std::string text = fmt::format("{} [y/N] ", visible(question));
    if (!tty || !write_all(tty.get(), text)) return std::nullopt;
    TerminalModes modes(tty.get(), TerminalModes::Echo::as_is);
    const auto answer = read_line(tty.get(), text, modes);
    if (!answer) return false;
    const std::string_view word = text_of(answer->view());
    return word == "y" || word == "Y" || word == "yes";
}

std::unique_lock<std::mutex> Terminal::hush() {
    std::unique_lock lock(mutex_);
    clear_bar();
    return lock;
}

void Terminal::start_progress() {
    const std::lock_guard lock(mutex_);
    began_ = std::chrono::steady_clock::now();
}

void Terminal::progress(std::uint64_t done, std::optional<std::uint64_t> total) {
    const std::lock_guard lock(mutex_);
    if (!bar_is_due()) return;
    if (!total || *total == 0) return draw_bar(fmt::format("{} MiB", done >> 20U));
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total));
    draw_bar(fmt::format("{} {:3.0f}% of {} MiB", bar(part), part * 100, *total >> 20U));
}

void Terminal::count_progress(std::size_t done, std::size_t total) {
    const std::lock_guard lock(mutex_);
    if (!bar_is_due() || done == 0) return;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - *began_;
    const double rate = static_cast<double>(done) / passed.count();
    draw_bar(fmt::format("{} {} of {} mails, {:.{}f}/s, {} left",
                         bar(static_cast<double>(done) / static_cast<double>(total)), done, total, rate,
                         rate < 10 ? 1 : 0, span_text(static_cast<double>(total - done) / rate)));
}

void Terminal::end_progress() {
    const std::lock_guard lock(mutex_);
    began_.reset();
    clear_bar();
}

bool Terminal::bar_is_due() {
    const auto now = std::chrono::steady_clock::now();
    if (!began_ || now - *began_ < kQuiet || (bar_shown_ && now - drawn_ < kRedraw) || ::isatty(messages_) == 0)
        return false;
    drawn_ = now;
    return true;
}

void Terminal::draw_bar(std::string_view text) {
    bar_shown_ = true;
    (void)write_all(messages_, fmt::format("\r{}\x1b[K", text));
}

void Terminal::clear_bar() {
    if (bar_shown_) (void)write_all(messages_, "\r\x1b[K");
    bar_shown_ = false;
}

}  // namespace p11mime::cli
