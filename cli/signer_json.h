#pragma once

#include "cli/json.h"
#include "cms/smime/report.h"

namespace p11mime::cli {

/// signer_json is a signer in the report, and a countersigner (docs/json.md).
Json signer_json(const cms::smime::SignerVerdict& signer);

}  // namespace p11mime::cli
