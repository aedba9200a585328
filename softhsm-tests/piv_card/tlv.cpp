#include "softhsm-tests/piv_card/tlv.h"

namespace p11mime::piv_card {

namespace {

void append_number(Bytes& to, std::size_t number) {
    if (number > 0xff) append_number(to, number >> 8);
    to.push_back(static_cast<Byte>(number));
}

std::optional<unsigned> take_tag(ByteView& from) {
    if (from.empty()) return std::nullopt;
    unsigned tag = from[0];
    std::size_t size = 1;
    if ((tag & 0x1f) == 0x1f) {
        do {
            if (size == from.size() || size == 3) return std::nullopt;
            tag = tag << 8 | from[size];
        } while ((from[size++] & 0x80) != 0);
    }
    from = from.subspan(size);
    return tag;
}

std::optional<std::size_t> take_length(ByteView& from) {
    if (from.empty()) return std::nullopt;
    const std::size_t further = from[0] < 0x80 ? 0 : from[0] & 0x7f;
    if (further > 2 || further >= from.size()) return std::nullopt;
    std::size_t length = further == 0 ? from[0] : 0;
    for (std::size_t i = 1; i <= further; ++i)
        length = length << 8 | from[i];
    from = from.subspan(1 + further);
    return length;
}

}  // namespace

Bytes tlv(unsigned tag, ByteView value) {
    Bytes object;
    append_number(object, tag);
    if (value.size() > 0xff)
        object.push_back(0x82);
    else if (value.size() > 0x7f)
        object.push_back(0x81);
    append_number(object, value.size());
    object.insert(object.end(), value.begin(), value.end());
    return object;
}

Bytes joined(std::initializer_list<Bytes> objects) {
    Bytes all;
    for (const Bytes& object : objects)
        all.insert(all.end(), object.begin(), object.end());
    return all;
}

std::optional<ByteView> value_of(ByteView objects, unsigned tag) {
    while (!objects.empty()) {
        const auto found = take_tag(objects);
        const auto length = found ? take_length(objects) : std::nullopt;
        if (!length || *length > objects.size()) return std::nullopt;
        if (*found == tag) return objects.first(*length);
        objects = objects.subspan(*length);
    }
    return std::nullopt;
}

}  // namespace p11mime::piv_card
