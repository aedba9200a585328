#pragma once

#include <memory>
#include <string>

#include "cli/context.h"
#include "cms/timestamp.h"

namespace p11mime::cli {

/// timestamps_from is the time-stamping authority at a URL (RFC 3161 section 3.4, over HTTP). It warns of time-stamps
/// that would not count where they are verified with the settings of the run. Throws Error(usage) where it is none of
/// http or https.
std::shared_ptr<cms::TimestampSource> timestamps_from(Context& context, const std::string& url);

}  // namespace p11mime::cli
