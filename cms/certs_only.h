#pragma once

#include <span>

#include "cms/certificate.h"

namespace p11mime::cms {

/// certs_only is the DER of a ContentInfo with SignedData that holds certificates alone (RFC 8551 section 3.8).
Bytes certs_only(std::span<const Certificate> certificates);

}  // namespace p11mime::cms
