#pragma once

#include "cms/signed_data.h"
#include "cms/sources.h"

namespace p11mime::cms {

/// carried_evidence is what came along in a SignedData to tell of revocation; what cannot be parsed is as good as
/// missing.
RevocationEvidence carried_evidence(const SignedDataReader& reader);

/// archived_evidence is what a signer has put into a signed attribute of Adobe's (adbe-revocationInfoArchival, ISO
/// 32000-1 section 12.8.3.3.2): CRLs and OCSP responses, kMaxCrls of each at most.
RevocationEvidence archived_evidence(const asn1::SignerInfo& signer);

}  // namespace p11mime::cms
