#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/key_management.h"
#include "cms/smime/capabilities.h"
#include "cms/smime/sign.h"

namespace p11mime::cms::smime {

using cms::Recipient;

struct EncryptOptions {
    Form form = Form::smime;
    bool entity = false;
    bool compress = false;  ///< the content first (RFC 8551 section 3.6); of seal_job, `sign` is not asked
    bool protect_headers =
        false;  ///< a mail's header fields go inside too, some of them there alone (RFC 9788); likewise
    bool protection_required = false;            ///< a mail where they cannot is refused: Error(usage); likewise
    const Algorithm* cipher = default_cipher();  ///< a row of the table
    std::vector<std::string> drop_fields;        ///< transport fields left out of the output, e.g. "Bcc"
};

/// encrypt_job makes a job that encrypts a mail or entity to all recipients. Throws Error(usage) for more than
/// kMaxRecipients.
std::unique_ptr<MakeJob> encrypt_job(const std::vector<Recipient>& recipients, const EncryptOptions& options);

/// seal_job signs and then encrypts in one stream; `triple` signs once more outside (RFC 2634 section 1.1). The inner
/// signature takes `sign` as sign_job does; its form is ignored.
std::unique_ptr<MakeJob> seal_job(const std::vector<Signer*>& signers, const Clock& clock, SignOptions sign,
                                  const std::vector<Recipient>& recipients, const EncryptOptions& encrypt, bool triple);

}  // namespace p11mime::cms::smime
