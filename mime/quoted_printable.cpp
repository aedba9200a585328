#include <algorithm>
#include <array>
#include <cstring>

#include "mime/base64.h"
#include "mime/hex.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

// White space at the end of a line is not part of the text, up to this many bytes; a longer run stays.
constexpr std::size_t kMaxPadding = 1024;

std::size_t find_byte(std::string_view text, char byte, std::size_t from) {
    return std::min(text.find(byte, from), text.size());
}

// QpDecoder decodes the front of what it is shown, up to where more has to be seen first.
class QpDecoder {
  public:
    struct Step {
        std::size_t read;
        std::size_t written;
    };

    // `last`: nothing follows `in`. `out` has room for in.size() bytes.
    Step decode(std::string_view in, bool last, char* out) {
        in_ = in;
        last_ = last;
        at_ = 0;
        out_ = out;
        std::size_t escape = find_byte(in, '=', 0), line_feed = find_byte(in, '\n', 0);
        for (bool go_on = true; go_on;) {
            const std::size_t stop = std::min(escape, line_feed);
            if (stop == in.size()) {
                take_tail();
                break;
            }
            if (stop == line_feed) {
                take_line_end(stop);
                line_feed = find_byte(in, '\n', at_);
            } else {
                go_on = take_escape(stop);
                escape = find_byte(in, '=', at_);
                if (line_feed < at_) line_feed = find_byte(in, '\n', at_);
            }
        }
        return {at_, static_cast<std::size_t>(out_ - out)};
    }

  private:
    void take(std::size_t end) {
        out_ = std::copy(in_.begin() + static_cast<std::ptrdiff_t>(at_), in_.begin() + static_cast<std::ptrdiff_t>(end),
                         out_);
        if (end > at_) long_run_ = false;
        at_ = end;
    }

    // Where the white space before `end` begins; `end` itself if it is too long to be dropped.
    std::size_t before_padding(std::size_t end) const {
        std::size_t begin = end;
        while (begin > at_ && is_wsp(in_[begin - 1]) && end - begin <= kMaxPadding)
            --begin;
        const bool too_long = end - begin > kMaxPadding || (begin == at_ && long_run_);
        return too_long ? end : begin;
    }

    void take_line_end(std::size_t line_feed) {
        const std::size_t line_end = line_feed > at_ && in_[line_feed - 1] == '\r' ? line_feed - 1 : line_feed;
        take(before_padding(line_end));
        at_ = line_end;
        take(line_feed + 1);
    }

    // Takes what stands in front of '=' and the escape itself; false where its rest is still to come.
    bool take_escape(std::size_t escape) {
        take(escape);
        long_run_ = false;
        const std::string_view after = in_.substr(escape + 1, kMaxPadding + 2);
        const int high = after.empty() ? -1 : hex_value(after[0]);
        const int low = after.size() < 2 ? -1 : hex_value(after[1]);
        if (high >= 0 && low >= 0) {
            *out_++ = static_cast<char>(high * 16 + low);
            at_ = escape + 3;
            return true;
        }
        if (high >= 0 && after.size() == 1 && !last_) return false;

        const std::size_t padding = std::min(after.find_first_not_of(" \t"), after.size());
        const std::string_view line_end = after.substr(padding);
        if (padding <= kMaxPadding) {
            if ((line_end.empty() || line_end == "\r") && !last_) return false;
            const std::size_t break_size = line_end.starts_with("\r\n") ? 2 : line_end.starts_with("\n") ? 1 : 0;
            if (break_size > 0 || line_end.empty()) {
                at_ = escape + 1 + padding + break_size;
                return true;
            }
        }
        take(escape + 1);
        return true;
    }

    // Neither an escape nor a line end is left. White space and CR at the end wait for what follows.
    void take_tail() {
        const std::size_t end = in_.size();
        const std::size_t text_end = end > at_ && in_[end - 1] == '\r' ? end - 1 : end;
        if (last_) {
            take(text_end == end ? before_padding(end) : end);
            at_ = end;
            return;
        }
        const std::size_t padding = before_padding(text_end);
        const bool long_run = padding == text_end && padding > at_ && is_wsp(in_[padding - 1]);
        take(padding);
        long_run_ = long_run;
    }

    std::string_view in_;
    bool last_ = false;
    std::size_t at_ = 0;
    char* out_ = nullptr;
    bool long_run_ = false;  // what was taken last was white space of a run too long to be dropped
};

class QpSource final : public Source {
  public:
    explicit QpSource(Source& from) : window_(from) {}

    ByteView pull() override {
        for (std::size_t wanted = 1;;) {
            const ByteView seen = window_.peek(wanted);
            if (seen.empty()) return {};
            const ByteView piece = seen.first(std::min(seen.size(), kPieceSize));
            const bool last = seen.size() < wanted;
            if (buffer_.size() < piece.size()) buffer_.resize(piece.size());
            const QpDecoder::Step step = decoder_.decode(text_of(piece), last, buffer_.data());
            window_.consume(step.read);
            if (step.written > 0) return bytes_of(std::string_view(buffer_).substr(0, step.written));
            wanted = step.read > 0 ? 1 : seen.size() + 1;
        }
    }

  private:
    Window window_;
    QpDecoder decoder_;
    std::string buffer_;
};

// Characters that may stand for themselves, white space within a line included.
constexpr std::array<bool, 256> make_literals() {
    std::array<bool, 256> literals{};
    for (std::size_t c = 33; c < 127; ++c)
        literals[c] = c != '=';
    literals[' '] = literals['\t'] = true;
    return literals;
}
constexpr std::array<bool, 256> kLiterals = make_literals();

class QpEncoder final : public Encoder {
  public:
    explicit QpEncoder(Sink& to) : to_(to) { out_.reserve(kPieceSize); }

    void push(ByteView bytes) override {
        while (!bytes.empty()) {
            const std::size_t run = after_cr_ ? 0 : take_run(text_of(bytes));
            if (run == 0) put(bytes.front());
            bytes = bytes.subspan(std::max<std::size_t>(run, 1));
        }
    }

    void finish() override {
        if (after_cr_) escape('\r');
        after_cr_ = false;
        end_line();
        flush();
    }

  private:
    static constexpr std::size_t kMaxLine = 75;  // leaves room for the '=' of a soft line break
    static constexpr std::size_t kLineStart = 5;

    std::size_t length() const { return out_.size() - line_; }

    // Takes literal characters at once, once the start of the line, where a few need care, is passed.
    std::size_t take_run(std::string_view text) {
        if (length() < kLineStart) return 0;
        const std::size_t room = std::min(text.size(), kMaxLine - std::min(length(), kMaxLine));
        std::size_t run = 0;
        while (run < room && kLiterals[static_cast<Byte>(text[run])])
            ++run;
        out_ += text.substr(0, run);
        return run;
    }

    void put(Byte byte) {
        const bool after_cr = std::exchange(after_cr_, byte == '\r');
        if (after_cr && byte == '\n') {
            end_line();
            out_ += "\r\n";
            start_line();
            return;
        }
        if (after_cr) escape('\r');
        if (byte == '\r') return;
        if (kLiterals[byte]) {
            literal(static_cast<char>(byte));
        } else {
            escape(static_cast<char>(byte));
        }
    }

    void literal(char c) {
        need_room(1);
        out_ += c;
        // A line must not look like mbox's "From " or like the delimiter of a multipart.
        const std::string_view line = std::string_view(out_).substr(line_);
        if (line == "From ") replace_line("=46rom ");
        if (line == "--") replace_line("=2D-");
    }

    void escape(char c) {
        constexpr std::string_view kHex = "0123456789ABCDEF";
        need_room(3);
        const Byte byte = static_cast<Byte>(c);
        out_ += {'=', kHex[byte >> 4], kHex[byte & 15]};
    }

    void need_room(std::size_t size) {
        if (length() + size <= kMaxLine) return;
        out_ += "=\r\n";
        start_line();
    }

    void replace_line(std::string_view line) {
        out_.resize(line_);
        out_ += line;
    }

    // Mail transport takes white space at the end of a line off and takes a lone dot for the end of the mail.
    void end_line() {
        if (length() == 0) return;
        const char last = out_.back();
        const bool lone_dot = length() == 1 && last == '.';
        if (!lone_dot && !is_wsp(last)) return;
        out_.pop_back();
        escape(last);
    }

    void start_line() {
        if (out_.size() > kPieceSize - 2 * kMaxLine) flush();
        line_ = out_.size();
    }

    void flush() {
        if (!out_.empty()) to_.push(bytes_of(out_));
        out_.clear();
        line_ = 0;
    }

    Sink& to_;
    std::string out_;
    std::size_t line_ = 0;  // where the current line starts in out_
    bool after_cr_ = false;
};

}  // namespace

std::unique_ptr<Source> quoted_printable_source(Source& from) {
    return std::make_unique<QpSource>(from);
}

std::unique_ptr<Encoder> quoted_printable_encoder(Sink& to) {
    return std::make_unique<QpEncoder>(to);
}

}  // namespace p11mime::mime
