#include <catch2/catch.hpp>

#include "mime/hex.h"

using namespace p11mime;

TEST_CASE("hexadecimal digits are written in lower case and read in either") {
    CHECK(hex(Bytes{0x00, 0x0a, 0xff}) == "000aff");
    CHECK(hex({}).empty());
    CHECK(parse_hex("000aFf") == Bytes{0x00, 0x0a, 0xff});
    CHECK(parse_hex("") == Bytes{});
    for (const char* text : {"0", "0g", "g0", "000", "00 1", " 00", "-1", "+1", "0x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_hex(text));
    }
    CHECK(hex_byte("41zz") == Byte{0x41});
    CHECK_FALSE(hex_byte("4"));
}
