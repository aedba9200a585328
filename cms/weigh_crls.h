#pragma once

#include "cms/evidence_signer.h"
#include "cms/finding.h"

namespace p11mime::cms {

/// weigh_crls adds to a finding what CRLs say of the certificate (RFC 5280 section 6.3.3): complete ones, delta CRLs
/// that complete them, and those of other authorities that list it. All of the user's `own` are looked at, and of those
/// that came along as many as kMaxCarriedTried. Where the issuer has CRLs by several keys, those by the key that signed
/// the certificate count, and others for want of one.
void weigh_crls(const Certificate& certificate, const EvidenceContext& context, const std::vector<Crl>& own,
                const std::vector<Crl>& carried, Finding& finding);

}  // namespace p11mime::cms
