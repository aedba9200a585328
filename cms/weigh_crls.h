#pragma once

#include "cms/evidence_signer.h"
#include "cms/finding.h"

namespace p11mime::cms {

/// weigh_crls adds to a finding what CRLs say of the certificate (RFC 5280 section 6.3.3): complete ones, delta CRLs
/// that complete them, and those of other authorities that list it. All of the user's `own` are looked at, and of those
/// that came along as many as kMaxCarriedTried. What one by another key of the issuer lists counts; that it does not
/// list the certificate counts where the certificate's own distribution point gave it or is named in it, and the user
/// has none in force by the key that signed the certificate.
void weigh_crls(const Certificate& certificate, const EvidenceContext& context, const RevocationEvidence& own,
                const RevocationEvidence& carried, Finding& finding);

}  // namespace p11mime::cms
