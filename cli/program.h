#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace p11mime::cli {

/// run does what a command line (without the program's name) says and returns the exit status.
int run(const std::vector<std::string>& arguments, Terminal& terminal);

/// sysexit is the status of sysexits.h that stands for an exit code (README), for mail systems.
int sysexit(int status);

}  // namespace p11mime::cli
