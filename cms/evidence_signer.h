#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

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
    std::size_t& verifications;  ///< counts those of signatures
};

/// EvidenceSigner is who has signed it, or why nobody is known who has and may. With both, the signer might when it
/// signed: heard is alone what it says to be revoked for good, which stays so after its certificate has ended, and
/// where nobody tells whether that was revoked. So it is where the issuer itself has signed weakly, or without being
/// certified to sign CRLs.
struct EvidenceSigner {
    std::optional<Certificate> certificate;
    std::string reason;
};

/// has_name says whether a name is a certificate's subject, as RFC 5280 section 7.1 compares names.
bool has_name(const Certificate& certificate, const X509_NAME* name);

/// crl_signer finds who has signed a CRL: the issuer itself, or a certificate of the CRL's issuer that leads to the
/// same anchor as the path (RFC 5280 section 6.3.3 (f)), over no authority of limited names or purposes; either may
/// sign CRLs by its key usage. Anchors of one name are one that was renewed. A certificate of the issuer's name and
/// another key stands for the issuer only if it was certified along the issuer's own path. Nobody vouches for himself
/// through a signer that he has certified.
EvidenceSigner crl_signer(const Crl& crl, const EvidenceContext& context);

/// ocsp_signer finds who has signed a response: the issuer itself, or whom it has directly certified to sign OCSP
/// responses (RFC 6960 section 4.2.2.2).
EvidenceSigner ocsp_signer(const OcspResponse& response, const EvidenceContext& context);

}  // namespace p11mime::cms
