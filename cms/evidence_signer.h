#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "cms/evidence_work.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// EvidenceContext is what signers of evidence are judged by: of the certificate that the evidence is about, its issuer
/// and the path that both are on.
struct EvidenceContext {
    const Trust& trust;
    std::span<const Certificate> surplus;
    std::span<const Certificate> path;
    const Certificate& certificate;
    const Certificate& issuer;
    Time at;
    /// Whether a signer that is not on the path is known not to be revoked.
    std::function<RevocationState(const Certificate& signer, const Certificate& its_issuer)> state;
    bool of_signer;         ///< the evidence is about who has signed other evidence
    bool carried_doubtful;  ///< what came along may be made today, whatever date it bears: it revokes alone
    EvidenceWork& work;     ///< of all evidence about the path
};

/// kMadeByOthers is why what came along does not count where it is doubtful.
inline constexpr const char* kMadeByOthers = "it came along, and others may have made it since";

/// has_name says whether a name is a certificate's subject, as RFC 5280 section 7.1 compares names.
bool has_name(const Certificate& certificate, const X509_NAME* name);

/// crl_signer finds who has signed a CRL: the issuer itself, or a certificate of the CRL's issuer that leads to the
/// same anchor as the path (RFC 5280 section 6.3.3 (f)), over no authority of limited names or purposes; either may
/// sign CRLs by its key usage. Anchors of one name are one that was renewed. A certificate of the issuer's name and
/// another key stands for the issuer only if it was certified along the issuer's own path. Nobody vouches for himself
/// through a signer that he has certified.
EvidenceSigner crl_signer(const Crl& crl, const EvidenceContext& context);

/// ocsp_signer finds who has signed a response: the issuer itself, or whom it has directly certified to sign OCSP
/// responses (RFC 6960 section 4.2.2.2). `carried` is one that came along, with whatever certificates it holds.
EvidenceSigner ocsp_signer(const OcspResponse& response, const EvidenceContext& context, bool carried);

}  // namespace p11mime::cms
