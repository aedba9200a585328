#include "cms/zlib.h"

#include <fmt/format.h>

#include <limits>
#include <new>

#include "mime/error.h"
#include "mime/limit.h"
#include "mime/shared_library.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kStep = 64 * 1024;  // bytes asked of zlib at once

// Zlib is the library's functions, as far as they are used.
struct Zlib {
    Zlib() {
        const SharedLibrary file("libz.so.1", "zlib1g");
        file.take(inflate_init, "inflateInit_");
        file.take(inflate, "inflate");
        file.take(inflate_end, "inflateEnd");
        file.take(deflate_init, "deflateInit_");
        file.take(deflate, "deflate");
        file.take(deflate_end, "deflateEnd");
    }

    decltype(&::inflateInit_) inflate_init{};
    decltype(&::inflate) inflate{};
    decltype(&::inflateEnd) inflate_end{};
    decltype(&::deflateInit_) deflate_init{};
    decltype(&::deflate) deflate{};
    decltype(&::deflateEnd) deflate_end{};
};

const Zlib& zlib() {
    static const Zlib library;
    return library;
}

constexpr int kStreamSize = sizeof(z_stream);

// take_input lends a piece to zlib, whose pointer to it is not const and whose count is narrow; the rest stays.
ByteView take_input(z_stream& stream, ByteView piece) {
    const ByteView step = piece.first(std::min<std::size_t>(piece.size(), std::numeric_limits<uInt>::max()));
    stream.next_in = const_cast<Byte*>(step.data());
    stream.avail_in = static_cast<uInt>(step.size());
    return piece.subspan(step.size());
}

}  // namespace

Inflation::Inflation(Source& compressed, ExpansionLimit& limit)
    : compressed_(compressed), limit_(limit), plain_(kStep) {
    if (zlib().inflate_init(&stream_, ZLIB_VERSION, kStreamSize) != Z_OK) throw std::bad_alloc();
}

Inflation::~Inflation() {
    zlib().inflate_end(&stream_);
}

ByteView Inflation::pull() {
    stream_.next_out = plain_.data();
    stream_.avail_out = static_cast<uInt>(plain_.size());
    while (!ended_ && stream_.avail_out == plain_.size()) {
        if (stream_.avail_in == 0) piece_ = take_input(stream_, piece_.empty() ? compressed_.pull() : piece_);
        if (stream_.avail_in == 0)
            throw Error(ErrorKind::malformed, "malformed CMS: the compressed content is cut off");
        const int code = zlib().inflate(&stream_, Z_NO_FLUSH);
        ended_ = code == Z_STREAM_END;
        if (code != Z_OK && !ended_)
            throw Error(ErrorKind::malformed, "malformed CMS: the compressed content is broken");
        if (ended_ && (stream_.avail_in > 0 || !piece_.empty() || !compressed_.pull().empty()))
            throw Error(ErrorKind::malformed, "malformed CMS: data after the end of the compressed content");
    }
    const ByteView piece = ByteView(plain_).first(plain_.size() - stream_.avail_out);
    limit_.add_output(piece.size());
    if (limit_.exceeded())
        throw LimitExceeded(fmt::format("the compressed content expands more than {} times", kMaxExpansion),
                            "it is made to exhaust whoever reads it");
    return piece;
}

Deflation::Deflation(Sink& to) : to_(to), compressed_(kStep) {
    if (zlib().deflate_init(&stream_, Z_DEFAULT_COMPRESSION, ZLIB_VERSION, kStreamSize) != Z_OK) throw std::bad_alloc();
}

Deflation::~Deflation() {
    zlib().deflate_end(&stream_);
}

void Deflation::deflate_all(int flush) {
    do {
        stream_.next_out = compressed_.data();
        stream_.avail_out = static_cast<uInt>(compressed_.size());
        zlib().deflate(&stream_, flush);
        const ByteView piece = ByteView(compressed_).first(compressed_.size() - stream_.avail_out);
        limit_.add_input(piece.size());
        if (!piece.empty()) to_.push(piece);
    } while (stream_.avail_out == 0);
}

void Deflation::push(ByteView plain) {
    while (!plain.empty()) {
        const ByteView rest = take_input(stream_, plain.first(std::min(plain.size(), kStep)));
        limit_.add_output(std::min(plain.size(), kStep));
        plain = plain.subspan(std::min(plain.size(), kStep) - rest.size());
        deflate_all(Z_NO_FLUSH);
        if (limit_.exceeded())
            throw Error(ErrorKind::malformed,
                        fmt::format("the content shrinks more than {} times, which readers refuse", kMaxExpansion),
                        "leave --compress out");
    }
}

void Deflation::finish() {
    deflate_all(Z_FINISH);
}

}  // namespace p11mime::cms
