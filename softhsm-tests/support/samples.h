#pragma once

#include <string>

namespace p11mime::test {

/// samples is the directory of sample data written by others: P11MIME_SAMPLES, or ../shared/data beside the source.
/// "" where it is absent, after a warning that makes ctest report the case as skipped.
std::string samples();

}  // namespace p11mime::test
