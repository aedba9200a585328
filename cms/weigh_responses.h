#pragma once

#include "cms/evidence_signer.h"
#include "cms/finding.h"

namespace p11mime::cms {

/// weigh_responses adds to a finding what OCSP responses (RFC 6960) say of the certificate: all of the user's `own`,
/// and of those that came along as many as kMaxCarriedTried.
void weigh_responses(const Certificate& certificate, const EvidenceContext& context,
                     const std::vector<RevocationEvidence::Ocsp>& own,
                     const std::vector<RevocationEvidence::Ocsp>& carried, Finding& finding);

}  // namespace p11mime::cms
