#include "cli/visible_sink.h"

#include <algorithm>

#include "cli/terminal.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestRun = 64 * 1024;

// Where the last character begins, which more bytes may belong to; a line end may begin there too.
std::size_t start_of_last_character(std::string_view text) {
    constexpr std::size_t kLongestCharacter = 4;
    const std::size_t first = text.size() - std::min(text.size(), kLongestCharacter);
    for (std::size_t start = text.size(); start-- > first;)
        if ((static_cast<unsigned char>(text[start]) & 0xc0U) != 0x80) return start;
    return first;  // no UTF-8
}

}  // namespace

void VisibleSink::push(ByteView bytes) {
    std::string_view text = text_of(bytes);
    for (std::size_t end; (end = text.find_first_of("\t\n")) != std::string_view::npos; text.remove_prefix(end + 1)) {
        run_ += text.substr(0, end);
        end_run(text[end]);
    }
    run_ += text;
    if (run_.size() <= kLongestRun) return;
    const std::size_t whole = start_of_last_character(run_);
    pass(visible(std::string_view(run_).substr(0, whole)));
    run_.erase(0, whole);
}

void VisibleSink::finish() {
    pass(visible(run_));
    run_.clear();
    if (last_ != '\n') pass("\n");
}

void VisibleSink::end_run(char separator) {
    const bool crlf = separator == '\n' && run_.ends_with('\r');
    if (crlf) run_.pop_back();
    pass(visible(run_));
    run_.clear();
    pass(crlf ? "\r\n" : std::string_view(&separator, 1));
}

void VisibleSink::pass(std::string_view text) {
    if (text.empty()) return;
    last_ = text.back();
    terminal_.push(bytes_of(text));
}

}  // namespace p11mime::cli
