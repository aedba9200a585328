#pragma once

#include <span>

#include "cms/path_rules.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// check_revocation judges each certificate of a trusted path below its anchor, at the time that the path was judged
/// at, by the evidence `carried` with the message, what the trust's source has at hand, and what it fetches. It fills
/// in the verdict's revocation and gives the fault: a certificate is revoked, or it is not known and the trust requires
/// that, unless its issuer offers none (RFC 9608). However much a message carries, all that the source has is looked
/// at. `surplus` are certificates that signers of evidence may be among.
///
/// A certificate is revoked where a CRL (RFC 5280 section 6.3, complete, delta, indirect, or for some reasons) or an
/// OCSP response (RFC 6960) says so, and since no later than the judged time; it is good where all reasons are covered
/// or a response says so; else it is unknown. Evidence counts where it was signed by the issuer or whom it lets sign,
/// and is of the judged time or later; that a certificate is revoked counts whatever time it is of, whoever had asked,
/// and where the signer's certificate has ended since; that it is on hold does until something newer says otherwise. A
/// certificate that ended before the evidence was made is unknown to it, unless the evidence says that it keeps those.
/// Where the issuer has CRLs by several keys, those by the key that signed the certificate count, and for want of one
/// those that name a distribution point that the certificate has. Of the first `doubtful` certificates of the path,
/// which are below one whose key others may know since, what came along tells alone that they are revoked: whatever
/// date it bears, it may be made today.
std::optional<Fault> check_revocation(PathVerdict& verdict, std::span<const Certificate> surplus, const Trust& trust,
                                      const RevocationEvidence& carried, std::size_t doubtful = 0);

}  // namespace p11mime::cms
