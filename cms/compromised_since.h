#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "cms/path_rules.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// below_compromised is how many certificates of a path, end certificate first, are below one whose key others may know
/// since: they can make certificates and evidence of whatever date.
std::size_t below_compromised(const std::vector<RevokedSince>& revoked_since);

/// unproven finds a certificate below such a key that the time-stamp, at whose time the path is judged, does not show
/// to have been there by then: it is over the signature, which others' certificates explain as well (ETSI EN 319 102-1
/// section 5.6.2.2). The verdict tells then what was revoked. Of an authority that has ended nobody knows whether its
/// key is guarded still: the end certificate is to be shown then, of which nobody can make another later.
std::optional<Fault> unproven(PathVerdict& verdict, const Trust& trust);

}  // namespace p11mime::cms
