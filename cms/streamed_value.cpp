#include "cms/streamed_value.h"

#include <algorithm>

#include "mime/error.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kSegmentBytes = 64 * 1024;
constexpr Byte kIndefinite = 0x80;
constexpr Byte kEndOfContents[2]{0, 0};

// definite_prefix nests the headers from the inside out, where each length is known.
Bytes definite_prefix(const std::vector<FrameLayer>& layers, Byte octets, std::uint64_t length) {
    Bytes prefix = der_header(octets, length);
    std::uint64_t inside = prefix.size() + length;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        inside += layer->before.size() + layer->after.size();
        const Bytes header = der_header(layer->identifier, inside);
        prefix = concat({header, layer->before, prefix});
        inside += header.size();
    }
    return prefix;
}

Bytes indefinite_prefix(const std::vector<FrameLayer>& layers, Byte octets) {
    Bytes prefix;
    for (const FrameLayer& layer : layers) {
        const Byte header[]{layer.identifier, kIndefinite};
        prefix = concat({prefix, header, layer.before});
    }
    const Byte header[]{static_cast<Byte>(octets | tag::kConstructed), kIndefinite};
    return concat({prefix, header});
}

}  // namespace

StreamedValue::StreamedValue(Sink& to, std::vector<FrameLayer> layers, Byte octets, std::optional<std::uint64_t> length)
    : to_(to), layers_(std::move(layers)), length_(length) {
    to_.push(length_ ? definite_prefix(layers_, octets, *length_) : indefinite_prefix(layers_, octets));
}

void StreamedValue::write_segment(ByteView content) {
    to_.push(der_header(tag::kOctetString, content.size()));
    to_.push(content);
}

void StreamedValue::push(ByteView content) {
    written_ += content.size();
    if (length_) return to_.push(content);
    while (!content.empty()) {
        if (segment_.empty() && content.size() >= kSegmentBytes) {
            write_segment(content.first(kSegmentBytes));
            content = content.subspan(kSegmentBytes);
            continue;
        }
        const std::size_t take = std::min(content.size(), kSegmentBytes - segment_.size());
        segment_.insert(segment_.end(), content.begin(), content.begin() + static_cast<std::ptrdiff_t>(take));
        content = content.subspan(take);
        if (segment_.size() == kSegmentBytes) {
            write_segment(segment_);
            segment_.clear();
        }
    }
}

void StreamedValue::finish() {
    if (length_ && written_ != *length_) throw Error(ErrorKind::io, "the input changed while it was read");
    if (!segment_.empty()) write_segment(segment_);
    if (!length_) to_.push(kEndOfContents);
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
        if (!layer->after.empty()) to_.push(layer->after);
        if (!length_) to_.push(kEndOfContents);
    }
}

}  // namespace p11mime::cms
