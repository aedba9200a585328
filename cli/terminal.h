#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cms/secret.h"

namespace p11mime::cli {

/// visible makes text that others wrote safe to show: control characters, escapes, bidirectional overrides, what shows
/// nothing, piles of combining marks and bytes that are no UTF-8 come out as "\x1b" or "\u{202e}", so that a name in a
/// certificate can neither drive the terminal nor pass for another one. What joins emoji stays between them.
std::string visible(std::string_view text);

inline constexpr std::size_t kLongestName = 200;  ///< characters that are shown of a name that others chose
inline constexpr std::size_t kLongestText = 600;  ///< of a warning, or another text that has such names in it

/// shortened is a text of others of which visible() shows no more than `most` characters, and "…" where there is more.
std::string shortened(std::string_view text, std::size_t most);

/// Tone is how good what is said is. On a terminal it shows as colour (not with NO_COLOR or TERM=dumb), beside words
/// that say the same.
enum class Tone { plain, good, caution, bad };

/// Terminal is the one place where text for people is written: messages to standard error, listings to standard output,
/// prompts to /dev/tty. Every line passes through visible(). Safe for several threads.
class Terminal {
  public:
    explicit Terminal(int messages = 2, int listing = 1) : messages_(messages), listing_(listing) {}

    bool interactive() const;  ///< messages go to a terminal, where somebody may read them

    void say(std::string_view line, Tone tone = Tone::plain);          ///< "p11mime: line"
    void detail(std::string_view line);                                ///< "  line"
    void warn(std::string_view line);                                  ///< "p11mime: warning: line"
    void error(std::string_view message, std::string_view hint = {});  ///< "p11mime: message; hint"

    /// print writes a line to standard output, print_text text of our own with its line breaks. Both throw Error(io).
    void print(std::string_view line);
    void print_text(std::string_view text);

    /// ask_secret reads a line from /dev/tty without echo; nothing where there is no terminal or nothing was typed.
    std::optional<SecretBytes> ask_secret(std::string_view prompt);
    /// confirm asks a yes-or-no question on /dev/tty; nothing where there is no terminal.
    std::optional<bool> confirm(std::string_view question);

    /// hush keeps others from writing, while another program uses the terminal.
    std::unique_lock<std::mutex> hush();

    /// start_progress begins a stretch of work; progress draws a bar once it has lasted a second, on a terminal only.
    void start_progress();
    void progress(std::uint64_t done, std::optional<std::uint64_t> total);
    /// count_progress is the bar of a batch: mails done of all, how many a second, and the time left.
    void count_progress(std::size_t done, std::size_t total);
    void end_progress();

  private:
    void write_line(std::string_view line);
    bool bar_is_due();
    void draw_bar(std::string_view text);
    void clear_bar();

    std::mutex mutex_;

    int messages_;
    int listing_;
    bool bar_shown_ = false;
    std::optional<std::chrono::steady_clock::time_point> began_;  // unset: no work under way
    std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace p11mime::cli
