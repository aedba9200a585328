#pragma once

#include <optional>
#include <span>

#include "cms/certificate.h"

namespace p11mime::cms {

/// lacks_parameters tells a certificate with a DSA key whose parameters are those of its issuer's key (RFC 3279 section
/// 2.3.2).
bool lacks_parameters(const Certificate& certificate);

/// with_parameters is such a certificate with the parameters filled in, so that OpenSSL can work with it. They come
/// from the first of `issuers` that has really signed the certificate; nothing where none has.
std::optional<Certificate> with_parameters(const Certificate& certificate, std::span<const Certificate> issuers);

/// inherits_from says whether `issuer` has signed `certificate` and `completed`, made by with_parameters, has the
/// parameters of its key.
bool inherits_from(const Certificate& certificate, const Certificate& completed, const Certificate& issuer);

}  // namespace p11mime::cms
