#include "softhsm-tests/support/program.h"

#include <cstdlib>

#include "softhsm-tests/support/built.h"

namespace p11mime::test {

std::string program() {
    const char* given = std::getenv("P11MIME_PROGRAM");
    return given != nullptr ? given : built_path("../p11mime");
}

bool is_sanitized() {
    return std::getenv("P11MIME_SANITIZED") != nullptr;
}

}  // namespace p11mime::test
