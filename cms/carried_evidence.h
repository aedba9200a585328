#pragma once

#include "cms/signed_data.h"
#include "cms/sources.h"

namespace p11mime::cms {

/// carried_evidence is what came along in a SignedData to tell of revocation; what cannot be parsed is as good as
/// missing.
RevocationEvidence carried_evidence(const SignedDataReader& reader);

}  // namespace p11mime::cms
