// Any bytes as a time-stamp token over a few bytes, with and without somebody who would be trusted.
#include <cstdlib>

#include "cms/timestamp.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    cms::Trust trust;
    trust.clock = std::make_shared<cms::SystemClock>();
    for (const cms::Trust* judge : {static_cast<const cms::Trust*>(nullptr), static_cast<const cms::Trust*>(&trust)})
        if (judge_timestamp({data, size}, bytes_of("stamped"), judge).integrity == cms::Integrity::valid) std::abort();
    return 0;
}
