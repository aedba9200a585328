#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "mime/stream.h"

namespace p11mime::test {

/// kPieceSizes are the sizes of pieces that a streaming test feeds; 0 is everything at once.
inline constexpr std::size_t kPieceSizes[] = {0, 1, 2, 3, 7, 64};

/// PieceSource gives content out in pieces of one size, each in memory of its own that is gone at the next pull, so
/// that a sanitizer sees who looks at a stale piece.
class PieceSource final : public Source {
  public:
    PieceSource(std::string_view content, std::size_t piece_size)
        : rest_(content), piece_size_(piece_size == 0 ? content.size() : piece_size) {}

    ByteView pull() override {
        const std::size_t size = std::min(rest_.size(), piece_size_);
        piece_ = std::make_unique<Bytes>(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(size));
        rest_.remove_prefix(size);
        return *piece_;
    }

  private:
    std::string_view rest_;
    std::size_t piece_size_;
    std::unique_ptr<Bytes> piece_;
};

/// text_from reads a source to its end.
inline std::string text_from(Source& source) {
    std::string text;
    for (ByteView piece = source.pull(); !piece.empty(); piece = source.pull())
        text += text_of(piece);
    return text;
}

/// push_in_pieces pushes content in pieces of one size; 0 pushes everything at once.
inline void push_in_pieces(Sink& sink, std::string_view content, std::size_t piece_size) {
    PieceSource source(content, piece_size);
    copy(source, sink);
}

}  // namespace p11mime::test
