#include "softhsm-tests/support/samples.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/skip.h"

namespace p11mime::test {

std::string samples() {
    const char* named = std::getenv("P11MIME_SAMPLES");
    const std::string directory = named != nullptr ? named : source_path("../shared/data");
    if (std::filesystem::is_directory(directory)) return directory;
    skip("no sample data in " + directory);
    return "";
}

}  // namespace p11mime::test
