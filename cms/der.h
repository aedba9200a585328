#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "mime/bytes.h"

namespace p11mime::cms {

/// The identifier octets that CMS structures are made of (X.690 section 8.1.2).
namespace tag {
inline constexpr Byte kInteger = 0x02, kOctetString = 0x04, kOid = 0x06, kSequence = 0x30, kSet = 0x31;
inline constexpr Byte kContext = 0x80, kConstructed = 0x20;
/// context is the identifier octet of a context-specific tag below 31.
constexpr Byte context(unsigned number, bool constructed) {
    return static_cast<Byte>(kContext | (constructed ? kConstructed : 0) | number);
}
}  // namespace tag

/// kNull is the DER of NULL.
inline constexpr std::array<Byte, 2> kNull{0x05, 0x00};

/// concat joins byte strings.
Bytes concat(std::initializer_list<ByteView> parts);

/// der_header is identifier and definite length octets; der_value is a whole TLV.
Bytes der_header(Byte identifier, std::uint64_t length);
Bytes der_value(Byte identifier, ByteView content);
Bytes der_value(Byte identifier, std::initializer_list<ByteView> parts);

Bytes der_integer(unsigned value);
Bytes der_oid(std::string_view dotted);  ///< must be valid

/// der_algorithm is an AlgorithmIdentifier; parameters are DER, or absent where empty.
Bytes der_algorithm(std::string_view oid, ByteView parameters = {});

/// der_set_of encodes a SET OF in DER order (X.690 section 11.6) under an identifier octet.
Bytes der_set_of(Byte identifier, std::vector<Bytes> elements);

}  // namespace p11mime::cms
