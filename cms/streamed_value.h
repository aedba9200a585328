#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cms/der.h"
#include "mime/stream.h"

namespace p11mime::cms {

/// FrameLayer is one constructed value around a streamed octet string: its identifier octet and what stands in it
/// before and after.
struct FrameLayer {
    Byte identifier;
    Bytes before;
    Bytes after;
};

/// StreamedValue writes an octet string of any size with constructed values around it. With a known length all is DER;
/// without one all lengths are indefinite and the octet string is in segments (BER), so that nothing needs to be known
/// beforehand.
class StreamedValue final : public Sink {
  public:
    /// `layers` are the values around, outermost first; `octets` is the octet string's identifier octet in primitive
    /// form. Writes everything before the content.
    StreamedValue(Sink& to, std::vector<FrameLayer> layers, Byte octets, std::optional<std::uint64_t> length);

    void push(ByteView content) override;

    /// set_after gives what stands after the content in a layer, where that shows only at the end; for values of
    /// indefinite length.
    void set_after(std::size_t layer, Bytes after) { layers_[layer].after = std::move(after); }

    /// finish writes everything after the content. Throws Error(io) where another amount of content came than was
    /// announced.
    void finish();

  private:
    void write_segment(ByteView content);

    Sink& to_;
    std::vector<FrameLayer> layers_;
    std::optional<std::uint64_t> length_;
    std::uint64_t written_ = 0;
    Bytes segment_;
};

}  // namespace p11mime::cms
