#include "softhsm-tests/support/skip.h"

#include <iostream>

namespace p11mime::test {

namespace {

bool skipped = false;

}  // namespace

void skip(std::string_view why) {
    std::cout << "skipped: " << why << std::endl;
    skipped = true;
}

bool was_skipped() {
    return skipped;
}

}  // namespace p11mime::test
