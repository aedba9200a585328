#include "cms/der.h"

#include <algorithm>
#include <string>

#include "cms/encode.h"
#include "cms/handle.h"

namespace p11mime::cms {

namespace {

void append(Bytes& to, ByteView bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

Bytes concat(std::initializer_list<ByteView> parts) {
    std::size_t size = 0;
    for (const ByteView part : parts)
        size += part.size();
    Bytes all;
    all.reserve(size);
    for (const ByteView part : parts)
        append(all, part);
    return all;
}

Bytes der_header(Byte identifier, std::uint64_t length) {
    if (length < 0x80) return {identifier, static_cast<Byte>(length)};
    Bytes octets;
    for (std::uint64_t rest = length; rest > 0; rest >>= 8)
        octets.insert(octets.begin(), static_cast<Byte>(rest));
    Bytes header{identifier, static_cast<Byte>(0x80 | octets.size())};
    append(header, octets);
    return header;
}

Bytes der_value(Byte identifier, ByteView content) {
    return concat({der_header(identifier, content.size()), content});
}

Bytes der_value(Byte identifier, std::initializer_list<ByteView> parts) {
    return der_value(identifier, concat(parts));
}

Bytes der_integer(unsigned value) {
    Bytes octets{static_cast<Byte>(value)};
    for (value >>= 8; value > 0; value >>= 8)
        octets.insert(octets.begin(), static_cast<Byte>(value));
    if (octets.front() >= 0x80) octets.insert(octets.begin(), 0);  // or it would be negative
    return der_value(tag::kInteger, octets);
}

Bytes der_oid(std::string_view dotted) {
    const ObjectHandle object(OBJ_txt2obj(std::string(dotted).c_str(), 1));
    require(object != nullptr, "not an object identifier");
    return encode(object.get(), i2d_ASN1_OBJECT);
}

Bytes der_algorithm(std::string_view oid, ByteView parameters) {
    return der_value(tag::kSequence, {der_oid(oid), parameters});
}

Bytes der_set_of(Byte identifier, std::vector<Bytes> elements) {
    std::sort(elements.begin(), elements.end());
    Bytes content;
    for (const Bytes& element : elements)
        append(content, element);
    return der_value(identifier, content);
}

}  // namespace p11mime::cms
