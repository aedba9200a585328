#pragma once

#include <set>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/options.h"

namespace p11mime::cli {

/// is_batch says whether a command line is about several mails, or about ones whose outputs are remembered (-d,
/// --in-place).
bool is_batch(const Options& options);

/// check_batch_report throws Error(usage) where the report (--json) would replace an input or an output.
void check_batch_report(const Options& options);

/// BatchPlan is what a batch is to do.
struct BatchPlan {
    std::vector<Assignment> assignments;
    std::vector<std::string> directories;  ///< that get outputs
    std::string destination;               ///< names the outputs' place for the record of what was done; "" for none
    std::set<FileIdentity> inputs;         ///< those that are there
    unsigned jobs = 1;                     ///< how many mails are worked on at a time
    unsigned most_open = 1;                ///< how many outputs may be open meanwhile that wait for the disk
    std::string remark;                    ///< what a person should know of it, "" for nothing
};

/// plan_batch looks at all names before anything is done; it makes the directory of -d. Throws Error(usage) where two
/// outputs would go to one file, also where names differ by case alone, or one would replace an input; Error(io) where
/// -d is not a directory.
BatchPlan plan_batch(const Options& options);

}  // namespace p11mime::cli
