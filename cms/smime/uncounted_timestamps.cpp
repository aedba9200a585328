#include "cms/smime/uncounted_timestamps.h"

#include <fmt/format.h>

#include <algorithm>

namespace p11mime::cms::smime {

void explain_by_timestamps(PathVerdict& path, std::span<const TimestampVerdict> timestamps, Time now) {
    const auto counts = [](const TimestampVerdict& each) { return each.integrity == Integrity::valid; };
    if (path.trusted || timestamps.empty() || std::ranges::any_of(timestamps, counts)) return;
    const bool ended = path.at_fault && path.chain[*path.at_fault].not_after() <= now;
    if (!ended && path.revocation != RevocationState::revoked) return;
    const TimestampVerdict& stamp = timestamps.front();
    path.reason += fmt::format("; the time-stamp{} does not count: {}",
                               stamp.time ? fmt::format(" of {}", format_time(*stamp.time)) : "", stamp.reason);
    if (!stamp.hint.empty())
        path.hint = stamp.hint;
    else if (!path.key_compromised && !path.hint.starts_with("--at"))
        path.hint = "--at judges at another time, if you know by other means when it was signed";
}

}  // namespace p11mime::cms::smime
