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

/// uuencoded is content as a uuencoded file (POSIX uuencode).
inline std::string uuencoded(std::string_view content, const std::string& name = "file") {
    constexpr std::size_t kLineBytes = 45;
    const auto character = [](unsigned value) {
        return static_cast<char>((value & 0x3f) == 0 ? '`' : ' ' + (value & 0x3f));
    };
    std::string text = "begin 644 " + name + "\r\n";
    for (; !content.empty(); content.remove_prefix(std::min(content.size(), kLineBytes))) {
        std::string line(content.substr(0, kLineBytes));
        text += character(static_cast<unsigned>(line.size()));
        line.resize((line.size() + 2) / 3 * 3);
        for (std::size_t at = 0; at < line.size(); at += 3) {
            const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<Byte>(line[at + i])); };
            const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
            for (const unsigned shift : {18U, 12U, 6U, 0U})
                text += character(group >> shift);
        }
        text += "\r\n";
    }
    return text + "`\r\nend\r\n";
}

}  // namespace p11mime::test
