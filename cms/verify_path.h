#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/path_rules.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// VerifiedPath is OpenSSL's answer about one path.
struct VerifiedPath {
    std::optional<Fault> fault;         ///< nothing where the path is good
    std::vector<std::string> policies;  ///< as of PathVerdict
    bool off_policy = false;            ///< policies were asked for, and it is valid for none of them
};

/// JudgedTime is the time that a path is judged at.
struct JudgedTime {
    Time at;
    bool asked_for = false;       ///< it is another than now, which --at names
    std::optional<Time> claimed;  ///< as for validate()
};

/// verify_path has OpenSSL validate exactly the path given, end certificate first and anchor last, at a time: dates,
/// signatures, basic constraints, name constraints but for internationalized addresses, policies, and what the anchor
/// is trusted for, where its file says so. Critical extensions are left to path_fault. Without `policy` none is looked
/// at.
VerifiedPath verify_path(std::vector<Certificate> path, const PolicyDemands* policy, Purpose purpose,
                         const JudgedTime& time);

/// held_when_claimed says whether all of a path was valid at the time, in the past, that it is said to have been used.
bool held_when_claimed(const std::vector<Certificate>& path, const JudgedTime& time);

}  // namespace p11mime::cms
