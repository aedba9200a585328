#pragma once

#include <memory>
#include <vector>

#include "cli/context.h"
#include "cli/report_json.h"
#include "cms/smime/sign.h"

namespace p11mime::cli {

/// Signing is what signing takes, chosen from the command line and the mail: keys, and how to sign.
struct Signing {
    std::vector<std::unique_ptr<cms::Signer>> signers;
    std::vector<UsedCertificate> used;
    cms::smime::SignOptions options;

    std::vector<cms::Signer*> pointers() const;
};

/// prepare_signing picks the keys (--key, --from, the From field), says which where there was a choice, and collects
/// the chain and the sender's encryption certificate. Throws Error(token) where no key fits, after telling why each
/// certificate seen was passed over, and Error(untrusted) where a key named has a certificate that does not hold.
Signing prepare_signing(Context& context);

}  // namespace p11mime::cli
