#include "mime/near_delimiters.h"

#include <algorithm>

#include "mime/multipart.h"

namespace p11mime::mime {

namespace {

constexpr std::string_view kMark = "--", kBlanks = " \t";
constexpr std::size_t kMostOfLine = kMark.size() + kMaxBoundaryLength + kMark.size() + kMaxTransportPadding;

std::string_view without_blanks_behind(std::string_view text) {
    return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

}  // namespace

ByteView NearDelimiters::pull() {
    const ByteView piece = from_.pull();
    if (piece.empty()) end_line(ends_in_cr_ ? End::cr : End::none);
    for (std::string_view text = text_of(piece); !text.empty();) {
        const std::size_t lf = std::min(text.find('\n'), text.size());
        for (std::string_view line = text.substr(0, lf); !line.empty();) {
            const std::size_t cr = std::min(line.find('\r'), line.size());
            add(line.substr(0, cr));
            if (cr < line.size()) add("\r");
            line.remove_prefix(std::min(cr + 1, line.size()));
        }
        if (lf < text.size()) end_line(ends_in_cr_ ? End::crlf : End::lf);
        text.remove_prefix(std::min(lf + 1, text.size()));
    }
    return piece;
}

// add takes a CR by itself, or text without one.
void NearDelimiters::add(std::string_view text) {
    if (ends_in_cr_ && !text.empty()) end_line(End::cr);
    if (text == "\r") {
        ends_in_cr_ = true;
        return;
    }
    if (line_.size() < kMark.size()) {
        const std::string_view start = text.substr(0, kMark.size() - line_.size());
        line_ += start;
        text.remove_prefix(start.size());
    }
    if (text.empty() || !line_.starts_with(kMark)) return;
    const std::string_view kept = text.substr(0, kMostOfLine - line_.size());
    line_ += kept;
    goes_on_ = goes_on_ || kept.size() < text.size();
}

bool NearDelimiters::delimits(std::string_view boundary) const {
    std::string_view rest = std::string_view(line_).substr(kMark.size() + boundary.size());
    if (rest.starts_with(kMark)) rest.remove_prefix(kMark.size());
    return !goes_on_ && without_blanks_behind(rest).empty() && rest.size() <= kMaxTransportPadding;
}

void NearDelimiters::end_line(End end) {
    const auto starts_with = [&](const std::string& boundary) {
        return line_.starts_with(kMark) && std::string_view(line_).substr(kMark.size()).starts_with(boundary);
    };
    const bool at_cr = behind_cr_ || end == End::cr;
    const bool near = starts_with(boundary_) ? at_cr || !delimits(boundary_)
                                             : !sooner_.empty() && starts_with(sooner_) && delimits(sooner_);
    if (near) ++count_;
    line_.clear();
    goes_on_ = ends_in_cr_ = false;
    behind_cr_ = end == End::cr;
}

}  // namespace p11mime::mime
