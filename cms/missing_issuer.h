#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cms/inherited_key.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// without_parameters is the fault of a certificate whose key lacks the parameters of its issuer's.
Fault without_parameters(const Certificate& certificate, std::string hint = {});

/// unknown_issuer says that a certificate's issuer is not at hand, and why.
std::string unknown_issuer(const Certificate& certificate, std::string_view why = {});

/// ways_to_certificate is how a certificate of an issuer's can be had.
std::string ways_to_certificate(const Certificate& issued, const Trust& trust, std::string_view which);

/// fault_without_path says why no path leads to an anchor, `chain` being the way up that there is.
Fault fault_without_path(const std::vector<Certificate>& chain, const InheritedKeys& inherited, bool has_namesake,
                         const Trust& trust);

}  // namespace p11mime::cms
