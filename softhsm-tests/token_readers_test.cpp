// Which reader a slot's description may mean.

#include "token/readers.h"

#include <catch2/catch.hpp>

using namespace p11mime::token;

namespace {

const std::string kShort = "Virtual PCD 00 00";
const std::string kLong = "HID Global OMNIKEY 3x21 Smart Card Reader [OMNIKEY 3x21 Smart Card Reader] 00 00";

constexpr std::size_t kDescription = 64;  // PKCS#11's CK_SLOT_INFO.slotDescription

bool fit(std::string_view slot_description, const std::string& reader) {
    return may_be_slot_of(slot_description, Reader{.name = reader});
}

}  // namespace

TEST_CASE("a slot's description means the reader of that name, whole or cut to 64 bytes, with dots or without") {
    CHECK(fit(kShort, kShort));
    CHECK(fit(kLong.substr(0, kDescription), kLong));
    CHECK(fit(kLong.substr(0, kDescription - 3) + "...", kLong));
}

TEST_CASE("a slot's description does not mean a reader of another name") {
    CHECK_FALSE(fit("Virtual PCD 00 01", kShort));
    CHECK_FALSE(fit(kShort, kLong));
    CHECK_FALSE(fit(kLong.substr(0, kDescription - 3) + "...", kShort));
    CHECK_FALSE(fit("Virtual PCD 00 00 and more", kShort));
    CHECK_FALSE(fit("SoftHSM slot ID 0x1", kShort));
    CHECK_FALSE(fit("", kShort));
    CHECK_FALSE(fit("...", kShort));
}

TEST_CASE("a slot's description that is cut means each of the readers that begin alike") {
    const std::string second = kLong.substr(0, kLong.size() - 1) + "1";
    for (const std::string& cut : {kLong.substr(0, kDescription), kLong.substr(0, kDescription - 3) + "..."}) {
        CHECK(fit(cut, kLong));
        CHECK(fit(cut, second));
    }
}
