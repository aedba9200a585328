#pragma once

#include <span>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// is_limited says whether an authority on a path (end certificate first) may certify some names alone.
bool is_limited(std::span<const Certificate> path);

/// tells_of_holder says whether what is told of the key of `other` is told of the holder of another certificate of that
/// key. Anybody can have a public key certified in his own name, and revoked: so the holder has to have the same name,
/// which a `limited` authority may have certified for nobody, or an address in common.
bool tells_of_holder(const Certificate& other, bool limited, const Certificate& certificate);

/// key_holders are the holders of a certificate's key, one for each name that it has; what is told of one is told of
/// every certificate that has it. A limited authority's certificate has addresses alone.
std::vector<Bytes> key_holders(const Certificate& certificate, bool limited);

}  // namespace p11mime::cms
