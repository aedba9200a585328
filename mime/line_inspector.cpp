#include "mime/line_inspector.h"

#include <algorithm>
#include <cstring>

#include "mime/text.h"

namespace p11mime::mime {

namespace {

constexpr std::uint64_t kMaxLine = 998;
constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;
constexpr std::uint64_t kLowBits = 0x0101'0101'0101'0101;

struct Kinds {
    bool eight_bit;
    bool nul;
};

// Looks at eight bytes at a time: a byte borrows from its high bit only if it is 0 or has that bit set.
Kinds kinds_of(ByteView bytes) {
    std::uint64_t all = 0, borrowed = 0;
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t word;
        std::memcpy(&word, &bytes[at], 8);
        all |= word;
        borrowed |= (word - kLowBits) & ~word;
    }
    Kinds kinds{(all & kHighBits) != 0, (borrowed & kHighBits) != 0};
    for (; at < bytes.size(); ++at) {
        kinds.eight_bit = kinds.eight_bit || bytes[at] >= 0x80;
        kinds.nul = kinds.nul || bytes[at] == 0;
    }
    return kinds;
}

std::uint64_t escapes_in(ByteView bytes) {
    return static_cast<std::uint64_t>(std::count_if(bytes.begin(), bytes.end(), [](Byte b) {
        return b >= 127 || b == '=' || (b < 32 && b != '\t' && b != '\r' && b != '\n');
    }));
}

}  // namespace

void LineInspector::push(ByteView bytes) {
    if (bytes.empty()) return;
    size_ += bytes.size();
    const Kinds kinds = kinds_of(bytes);
    eight_bit_ = eight_bit_ || kinds.eight_bit;
    nul_ = nul_ || kinds.nul;
    if (count_escapes_) escapes_ += escapes_in(bytes);

    for (std::string_view rest = text_of(bytes); !rest.empty();) {
        const std::size_t lf = rest.find('\n');
        segment(rest.substr(0, lf));
        if (lf == rest.npos) break;
        rest.remove_prefix(lf + 1);
        if (last_ == '\r') {
            last_ = before_last_;
            --line_size_;
        } else {
            lone_lf_ = true;
        }
        end_line();
    }
}

// Takes a piece of a line, without its LF.
void LineInspector::segment(std::string_view text) {
    if (text.empty()) return;
    const bool held_cr = last_ == '\r' && line_size_ > 0;
    lone_cr_ = lone_cr_ || held_cr || text.substr(0, text.size() - 1).find('\r') != text.npos;
    for (std::size_t i = 0; line_size_ + i < line_start_.size() && i < text.size(); ++i)
        line_start_[line_size_ + i] = text[i];
    before_last_ = text.size() > 1 ? text[text.size() - 2] : last_;
    last_ = text.back();
    line_size_ += text.size();
}

void LineInspector::end_line() {
    long_line_ = long_line_ || line_size_ > kMaxLine;
    trailing_space_ = trailing_space_ || (line_size_ > 0 && is_wsp(last_));
    from_line_ = from_line_ || (line_size_ >= line_start_.size() &&
                                std::string_view(line_start_.data(), line_start_.size()) == "From ");
    line_size_ = 0;
    last_ = before_last_ = 0;
}

void LineInspector::finish() {
    if (last_ == '\r') lone_cr_ = true;
    end_line();
}

std::string_view LineInspector::problem() const {
    if (eight_bit_) return "8-bit bytes";
    if (nul_) return "NUL bytes";
    if (lone_cr_) return "a carriage return that ends no line";
    if (lone_lf_) return "a line feed without a carriage return";
    if (long_line_) return "a line over 998 bytes";
    if (trailing_space_) return "white space at the end of a line";
    if (from_line_) return "a line that starts with \"From \"";
    return {};
}

}  // namespace p11mime::mime
