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

/// find_certificates finds whom a message may name: among the certificates that came along, else, or where those are
/// too many, with trust, among its intermediates. A key identifier names all certificates of a key, and anybody can
/// make a certificate that an identifier fits, so what verifies the signature decides; those whose key's hash it is
/// come first.
Named find_certificates(const RecipientIdentifier& identifier, std::span<const Certificate> certificates,
                        const Trust* trust);

}  // namespace p11mime::cms
