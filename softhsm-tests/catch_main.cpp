#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "softhsm-tests/support/skip.h"

int main(int argc, char** argv) {
    const int failed = Catch::Session().run(argc, argv);
    return failed == 0 && p11mime::test::was_skipped() ? p11mime::test::kSkipped : failed;
}
