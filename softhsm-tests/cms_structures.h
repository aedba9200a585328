#pragma once

#include <zlib.h>

#include <catch2/catch.hpp>

#include "mime/codec.h"
#include "softhsm-tests/support/cms_bench.h"

/// What the tests of the content types have in common.
namespace p11mime::test {

/// deflated is zlib's own compression.
inline Bytes deflated(std::string_view text) {
    uLongf size = compressBound(text.size());
    Bytes bytes(size);
    REQUIRE(compress2(bytes.data(), &size, bytes_of(text).data(), text.size(), 9) == Z_OK);
    bytes.resize(size);
    return bytes;
}

/// as_mail is a mail with CMS in it.
inline std::string as_mail(std::string_view cms) {
    return "From: alice@example.gov\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\n" +
           mime::base64_text(bytes_of(cms)) + "\r\n";
}

}  // namespace p11mime::test
