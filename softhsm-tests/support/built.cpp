#include "softhsm-tests/support/built.h"

namespace p11mime::test {

std::string source_path(std::string_view name) {
    return std::string(P11MIME_SOURCE_DIR "/").append(name);
}

std::string built_path(std::string_view name) {
    return std::string(P11MIME_BUILT_DIR "/").append(name);
}

}  // namespace p11mime::test
