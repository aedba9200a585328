#pragma once

#include "cli/batch_plan.h"
#include "cli/run.h"

namespace p11mime::cli {

/// run_batch runs a command for each mail of a batch, several side by side, and returns the worst status: 7, 4, 1, 6,
/// 5, 2, 3, 0. Outputs of several mails are synced to disk together, recorded, renamed, and only then counted and
/// reported. A mail that an earlier run was done with is passed over. Throws Error where nothing was begun.
int run_batch(Run& run, int (*command)(Context& context));

}  // namespace p11mime::cli
