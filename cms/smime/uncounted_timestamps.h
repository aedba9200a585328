#pragma once

#include <span>

#include "cms/timestamp.h"

namespace p11mime::cms::smime {

/// explain_by_timestamps adds to why a path does not hold now, something in it having ended or been revoked since, why
/// none of the signature's time-stamps helps, and what could be done: nobody signs an old mail with another
/// certificate.
void explain_by_timestamps(PathVerdict& path, std::span<const TimestampVerdict> timestamps, Time now);

}  // namespace p11mime::cms::smime
