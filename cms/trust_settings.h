#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// TrustSettings are what is said of an anchor besides its certificate: the uses that PEM's "TRUSTED CERTIFICATE" gives
/// or takes away (openssl x509 -addtrust, -addreject), by the names of RFC 5280 section 4.2.1.12 or as dotted OIDs, and
/// since when Mozilla trusts nothing that it issues (CKA_NSS_EMAIL_DISTRUST_AFTER).
struct TrustSettings {
    bool limited = false;                ///< it is trusted for nothing but `trusted`
    std::vector<std::string> trusted;    ///< empty where it is not limited
    std::vector<std::string> rejected;   ///< counts for more than `trusted`
    std::optional<Time> distrust_after;  ///< of end certificates that begin later
    bool any() const { return limited || !rejected.empty() || distrust_after; }
};
TrustSettings trust_settings(const Certificate& certificate);

/// trusts_all_mail says whether a copy of an anchor is trusted for e-mail of any date, but for what it rejects.
bool trusts_all_mail(const Certificate& certificate);

/// distrusted_after is an anchor with such a date; kDistrusted is that of one that nothing may come from at all.
Certificate distrusted_after(const Certificate& anchor, Time date);
inline constexpr Time kDistrusted = Time::min();

/// combine_settings gives each certificate once, as it stands first, with the settings of all its copies: it is
/// rejected for what one of them rejects, else trusted for what one of them trusts; one without settings trusts all.
/// The date to distrust after is the last, and none where a copy that is trusted for e-mail has none.
std::vector<Certificate> combine_settings(const std::vector<Certificate>& certificates);

/// der_with_settings is the DER of a certificate and, where it has them, of its settings after it, as in PEM's "TRUSTED
/// CERTIFICATE"; a date to distrust after is not kept. from_der_with_settings reads both forms and throws
/// Error(malformed).
Bytes der_with_settings(const Certificate& certificate);
Certificate from_der_with_settings(ByteView der);

}  // namespace p11mime::cms
