#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/listing_json.h"

namespace p11mime::cli {

/// finish_key_command delivers the report of a key command without data output, and says what was done.
void finish_key_command(Context& context, const KeyReport& report, const std::string& line);

}  // namespace p11mime::cli
