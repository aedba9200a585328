#include "softhsm-tests/support/program.h"

#include <cstdlib>

namespace p11mime::test {

std::string program() {
    const char* given = std::getenv("P11MIME_PROGRAM");
    return given != nullptr ? given : P11MIME_BUILT_PROGRAM;
}

bool is_sanitized() {
    return std::getenv("P11MIME_SANITIZED") != nullptr;
}

}  // namespace p11mime::test
