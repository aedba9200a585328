#pragma once

#include "cms/certificate.h"

namespace p11mime::test {

/// with_other_signature is a certificate by a P-256 key with the other signature (r, -s) that verifies as well: anybody
/// can write that.
cms::Certificate with_other_signature(const cms::Certificate& certificate);

}  // namespace p11mime::test
