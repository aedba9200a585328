#include "cms/smime/armour.h"

#include <algorithm>

#include "mime/error.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----";

// is_label takes what programs write ("CMS", "PKCS #7 SIGNED DATA", "CERTIFICATE") and nothing that is a sentence: no
// signature covers the label.
bool is_label(std::string_view text) {
    constexpr std::size_t kLongest = 64;
    return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), [](char c) {
        constexpr std::string_view kOthers = " #/.-";
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.find(c) != std::string_view::npos;
    });
}

// shows_nothing takes what editors and other systems leave at the end of a file: blanks, form feeds, an end-of-file
// mark.
bool shows_nothing(std::string_view text) {
    constexpr std::string_view kNothing = " \t\r\n\v\f\x1a";
    return text.find_first_not_of(kNothing) == std::string_view::npos;
}

}  // namespace

ByteView PemSource::pull() {
    if (state_ == State::after) return {};
    if (state_ == State::before) take_begin_line();
    const ByteView piece = from_.peek(1);
    if (piece.empty()) throw Error(ErrorKind::malformed, "malformed PEM: it ends without an end line");
    const std::size_t dash = text_of(piece).find('-');
    if (dash == 0) {
        take_end_line();
        return {};
    }
    const ByteView inside = piece.first(std::min(dash, piece.size()));
    from_.consume(inside.size());
    return inside;
}

void PemSource::take_begin_line() {
    const std::string_view front = text_of(from_.peek(kMaxLine));
    const std::size_t begin = front.find(kBegin);
    const std::size_t end = front.find('\n', begin);
    if (begin == std::string_view::npos || end == std::string_view::npos)
        throw Error(ErrorKind::malformed, "malformed PEM: no begin line");
    const std::string_view label = mime::trim(front.substr(begin + kBegin.size(), end - begin - kBegin.size()));
    if (!label.ends_with(kDashes) || !is_label(label.substr(0, label.size() - kDashes.size())))
        throw Error(ErrorKind::malformed, "malformed PEM: its begin line has more than a label, or none");
    end_line_ = std::string("-----END ").append(label);
    from_.consume(end + 1);
    state_ = State::inside;
}

void PemSource::take_end_line() {
    if (!text_of(from_.peek(end_line_.size())).starts_with(end_line_))
        throw Error(ErrorKind::malformed, "malformed PEM: its end line is not that of its begin line");
    from_.consume(end_line_.size());
    for (ByteView rest = from_.pull(); !rest.empty(); rest = from_.pull())
        if (!shows_nothing(text_of(rest)))
            throw Error(ErrorKind::malformed, "something stands behind the end of the PEM, and nothing protects it",
                        "look at what stands there; without it the rest can be checked");
    state_ = State::after;
}

}  // namespace p11mime::cms::smime
