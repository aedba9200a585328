#include "cms/smime/workload.h"

#include <fmt/format.h>

#include "mime/limit.h"

namespace p11mime::cms::smime {

namespace {

constexpr const char* kHint = "it is made to exhaust whoever reads it";

}  // namespace

void Workload::add_work(std::uint64_t bytes) {
    work_ += bytes;
    if (work_ > kFreeWork && (work_ - kFreeWork) / kMaxWork > input_)
        throw LimitExceeded("the layers and parts of the mail ask for too much work for its size", kHint);
}

void Workload::add_verifications(std::size_t count) {
    verifications_ += count;
    if (verifications_ > kMaxVerifications)
        throw LimitExceeded(fmt::format("the mail asks for more than {} signatures to be verified", kMaxVerifications),
                            kHint);
}

}  // namespace p11mime::cms::smime
