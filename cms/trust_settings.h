#pragma once

#include <string>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// TrustSettings are the uses that PEM's "TRUSTED CERTIFICATE" gives or takes away from an anchor (openssl x509
/// -addtrust, -addreject), by the names of RFC 5280 section 4.2.1.12 or as dotted OIDs.
struct TrustSettings {
    bool limited = false;               ///< it is trusted for nothing but `trusted`
    std::vector<std::string> trusted;   ///< empty where it is not limited
    std::vector<std::string> rejected;  ///< counts for more than `trusted`
    bool any() const { return limited || !rejected.empty(); }
};
TrustSettings trust_settings(const Certificate& certificate);

/// combine_settings gives each certificate once, as it stands first, with the settings of all its copies: it is
/// rejected for what one of them rejects, else trusted for what one of them trusts; one without settings trusts all.
std::vector<Certificate> combine_settings(const std::vector<Certificate>& certificates);

/// der_with_settings is the DER of a certificate and, where it has them, of its settings after it, as in PEM's "TRUSTED
/// CERTIFICATE". from_der_with_settings reads both forms and throws Error(malformed).
Bytes der_with_settings(const Certificate& certificate);
Certificate from_der_with_settings(ByteView der);

}  // namespace p11mime::cms
