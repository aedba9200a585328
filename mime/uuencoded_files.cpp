#include "mime/uuencoded_files.h"

#include <algorithm>

#include "mime/text.h"

namespace p11mime::mime {

namespace {

// kLongestLine is what counts of a line: one of a file has 85 characters, its name has more.
constexpr std::size_t kLongestLine = 64 * 1024;

constexpr std::string_view kBegin = "begin";

// begins_file knows a line by the word and the mode, in octal digits: sentences begin with the word too.
bool begins_file(std::string_view line) {
    if (!line.starts_with(kBegin) || line.size() == kBegin.size() || !is_wsp(line[kBegin.size()])) return false;
    line = trim(line.substr(kBegin.size()));
    const std::size_t mode = std::min(line.find_first_not_of("01234567"), line.size());
    return mode > 0 && mode < line.size() && is_wsp(line[mode]);
}

}  // namespace

ByteView UuencodedFiles::pull() {
    const ByteView piece = from_.pull();
    for (std::string_view text = text_of(piece); !text.empty();) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        line_ += text.substr(0, std::min(end, kLongestLine - line_.size()));
        if (end < text.size()) take_line();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (piece.empty()) {
        take_line();
        end_file();
    }
    return piece;
}

void UuencodedFiles::take_line() {
    if (begins_file(line_)) {
        end_file();
        in_file_ = true;
        label_ = trim(std::string_view(line_).substr(kBegin.size()));
        label_.erase(std::min(label_.find_last_not_of("\"'") + 1, label_.size()));
    } else if (trim(line_) == "end") {
        end_file();
    } else if (in_file_ && !line_.empty()) {
        decode_line();
    }
    line_.clear();
}

// decode_line takes blanks for granted that relays may have cut off.
void UuencodedFiles::decode_line() {
    const auto value = [&](std::size_t at) {
        return at < line_.size() ? static_cast<unsigned>(line_[at] - ' ') & 0x3f : 0U;
    };
    std::size_t left = std::min<std::size_t>(value(0), most_ - front_.size());
    for (std::size_t at = 1; left > 0; at += 4) {
        const unsigned group = value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3);
        for (const unsigned shift : {16U, 8U, 0U}) {
            if (left == 0) break;
            front_.push_back(static_cast<Byte>(group >> shift));
            --left;
        }
    }
}

void UuencodedFiles::end_file() {
    if (!front_.empty()) take_(label_, front_);
    front_.clear();
    in_file_ = false;
}

}  // namespace p11mime::mime
