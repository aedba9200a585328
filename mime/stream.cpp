#include "mime/stream.h"

#include <fmt/format.h>

#include "mime/limit.h"

namespace p11mime {

std::uint64_t copy(Source& from, Sink& to) {
    std::uint64_t count = 0;
    for (ByteView piece = from.pull(); !piece.empty(); piece = from.pull()) {
        to.push(piece);
        count += piece.size();
    }
    return count;
}

void drain(Source& from) {
    while (!from.pull().empty()) {
    }
}

Bytes read_all(Source& from, std::size_t limit, const char* what) {
    Bytes all;
    for (ByteView piece = from.pull(); !piece.empty(); piece = from.pull()) {
        if (piece.size() > limit - all.size())
            throw LimitExceeded(fmt::format("{} is longer than the limit of {} bytes", what, limit));
        all.insert(all.end(), piece.begin(), piece.end());
    }
    return all;
}

ByteView TeeSource::pull() {
    ByteView piece = from_.pull();
    if (!piece.empty()) copy_to_.push(piece);
    return piece;
}

}  // namespace p11mime
