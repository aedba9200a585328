#pragma once

#include <initializer_list>
#include <optional>

#include "mime/bytes.h"

namespace p11mime::piv_card {

/// tlv encodes one BER-TLV data object. The tag is given as its bytes are read: 0x53, 0x5f2f.
Bytes tlv(unsigned tag, ByteView value);

/// joined puts data objects one after another.
Bytes joined(std::initializer_list<Bytes> objects);

/// value_of finds the first data object with a tag among those that follow each other in `objects`; nothing where there
/// is none, or where they are not well formed up to there.
std::optional<ByteView> value_of(ByteView objects, unsigned tag);

}  // namespace p11mime::piv_card
