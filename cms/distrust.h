#pragma once

#include <optional>
#include <vector>

#include "cms/candidate_paths.h"
#include "cms/path_rules.h"

namespace p11mime::cms {

/// settings_fault is that of an anchor that is not trusted for a purpose, by what its file says.
Fault settings_fault(const Certificate& anchor, Purpose purpose, std::size_t at);

/// distrust_fault finds a certificate of a path that has the name and key of one that its user rejects for the purpose,
/// or of an anchor that is trusted for nothing which it issues after a date, where the end certificate begins later:
/// what is distrusted is the holder of the key, whoever else certifies it. `candidates` are what the path was built
/// from. Evidence is taken still from what has such a date, for what it issued before.
std::optional<Fault> distrust_fault(const std::vector<Certificate>& chain, const Candidates& candidates,
                                    Purpose purpose, Use use);

}  // namespace p11mime::cms
