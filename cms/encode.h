#pragma once

#include "cms/openssl_error.h"
#include "mime/bytes.h"

namespace p11mime::cms {

/// encode gives the DER of an OpenSSL object through its i2d function.
template <class T, class I2d>
Bytes encode(T* value, I2d i2d) {
    const int size = i2d(value, nullptr);
    require(size >= 0, "cannot encode an ASN.1 value");
    Bytes der(static_cast<std::size_t>(size));
    Byte* at = der.data();
    i2d(value, &at);
    return der;
}

}  // namespace p11mime::cms
