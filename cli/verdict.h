#pragma once

#include <string>
#include <vector>

#include "cms/smime/report.h"

namespace p11mime::cli {

/// verdict_sentence says in one plain sentence what holds of a mail and, where something does not, the one cause.
std::string verdict_sentence(const cms::smime::Report& report);

/// layer_lines tells the details of every layer, each line on its own; strings of others are not yet made safe. With
/// `judged` unset the lines of a signer leave trust out, as for inspect.
std::vector<std::string> layer_lines(const cms::smime::Report& report, bool judged);

}  // namespace p11mime::cli
