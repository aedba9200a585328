#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <string>
#include <vector>

#include "cli/option_table.h"

namespace p11mime::cli {

/// store_config adds what a config file sets for a command to `map`, where nothing is set yet. The file is INI: keys
/// are long option names and hold for every command that has the option; in a section named after a command they hold
/// for that command alone, and win there. A file that does not exist sets nothing. Throws Error(usage) naming file and
/// line for an unknown key or a bad value.
void store_config(const std::string& file, const CommandSpec& command,
                  const boost::program_options::options_description& options,
                  boost::program_options::variables_map& map);

/// secret_variables are the environment's variables that config files name as sources of PINs and passwords
/// ("env:VAR"), whichever command that is for. Throws Error(usage) for a file that is none, Error(io) for one that
/// cannot be read.
std::vector<std::string> secret_variables(const std::vector<std::string>& files);

}  // namespace p11mime::cli
