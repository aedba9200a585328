#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// NameBreach is a name that a certificate authority further up a path may not certify.
struct NameBreach {
    std::size_t at = 0;     ///< index into the chain
    std::size_t above = 0;  ///< index of who may not certify it
    std::string name;       ///< the address as the certificate has it; "" where it is a name of another kind
};

/// name_breach finds the first name of a chain (end certificate first) that a name constraint forbids or that cannot be
/// compared with it (RFC 5280 sections 4.2.1.10 and 6.1.3). It looks at addresses: rfc822Name, SmtpUTF8Mailbox (RFC
/// 9598 sections 6 and 7) and the subject's emailAddress. Where a certificate has a SmtpUTF8Mailbox, about which
/// OpenSSL errs, it holds its other names against the constraints too.
std::optional<NameBreach> name_breach(const std::vector<Certificate>& chain);

/// has_internationalized_mailbox tells a certificate with a SmtpUTF8Mailbox.
bool has_internationalized_mailbox(const Certificate& certificate);

}  // namespace p11mime::cms
