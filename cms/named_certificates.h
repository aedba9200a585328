#pragma once

#include <span>
#include <vector>

#include "cms/trust.h"

namespace p11mime::cms {

/// Named are the certificates that an identifier fits, each once, up to a limit; `too_many`: there are more.
struct Named {
    std::vector<Certificate> certificates;
    bool too_many = false;
};

/// find_certificates finds whom a message may name: with trust, among its intermediates, and among the certificates
/// that came along. A key identifier names all certificates of a key, and anybody can make a certificate that an
/// identifier fits, so what verifies the signature decides. The user's own come first, then those whose key's hash it
/// is.
Named find_certificates(const RecipientIdentifier& identifier, std::span<const Certificate> certificates,
                        const Trust* trust);

}  // namespace p11mime::cms
