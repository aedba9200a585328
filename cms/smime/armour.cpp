#include "cms/smime/armour.h"

#include "mime/error.h"

namespace p11mime::cms::smime {

namespace {
constexpr std::size_t kMaxLine = 4096;
}  // namespace

ByteView PemSource::pull() {
    if (state_ == State::after) return {};
    if (state_ == State::before) {
        const std::string_view front = text_of(from_.peek(kMaxLine));
        const std::size_t begin = front.find("-----BEGIN ");
        const std::size_t end = front.find('\n', begin);
        if (begin == std::string_view::npos || end == std::string_view::npos)
            throw Error(ErrorKind::malformed, "malformed PEM: no begin line");
        from_.consume(end + 1);
        state_ = State::inside;
    }
    const ByteView piece = from_.peek(1);
    if (piece.empty()) throw Error(ErrorKind::malformed, "malformed PEM: it ends without an end line");
    const std::size_t dash = text_of(piece).find('-');
    if (dash == 0) {
        state_ = State::after;
        return {};
    }
    const ByteView inside = piece.first(std::min(dash, piece.size()));
    from_.consume(inside.size());
    return inside;
}

}  // namespace p11mime::cms::smime
