#pragma once

#include "cli/context.h"
#include "cms/smime/report.h"

namespace p11mime::cli {

/// remember puts the signers of a valid mail into the address book: the certificate with the capabilities announced,
/// and the encryption certificate that came along if it is of the same addresses and trusted itself. A mail that is not
/// valid is not remembered, nor a signer of whose path something was revoked since.
void remember(Context& context, const cms::smime::Report& report);

}  // namespace p11mime::cli
