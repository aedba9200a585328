#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cms/decrypter.h"
#include "cms/job.h"
#include "cms/signer.h"
#include "cms/smime/form.h"
#include "cms/smime/report.h"
#include "cms/sources.h"
#include "cms/timestamp.h"

namespace p11mime::cms::smime {

struct SignOptions {
    Form form = Form::smime;
    bool opaque = false;               ///< application/pkcs7-mime instead of multipart/signed
    bool detached = false;             ///< with der and pem: the signature alone
    bool compress = false;             ///< the content first (RFC 8551 section 3.6)
    bool entity = false;               ///< the input is a MIME entity even if it looks like a mail
    bool protect_headers = false;      ///< a mail's header fields go inside too (RFC 9788)
    bool protection_required = false;  ///< a mail where they cannot is refused: Error(usage)
    std::optional<Hash> digest;        ///< the key's natural digest where unset
    bool pss = false;
    std::vector<Certificate> chain;  ///< intermediates to enclose, for all signers
    std::optional<Certificate>
        encryption_certificate;                   ///< of the sender, enclosed and preferred (RFC 8551 section 2.5.3)
    Abilities abilities{};                        ///< announced: of the key that mail to the sender is encrypted to
    std::shared_ptr<TimestampSource> timestamps;  ///< stamps each signature, or null
    std::string intent;                           ///< for PIN prompts; made from the mail's header where empty
};

/// MakeJob is a job that signs or encrypts a mail.
class MakeJob : public Job {
  public:
    /// warnings is complete once pass() has returned true. Kind "doubtful": why readers will not take the mail for
    /// valid although its signatures hold (preview); "header-left-outside": why its header fields are not protected.
    virtual std::vector<Warning> warnings() const = 0;
};

/// mail_name is what a PIN prompt calls a mail that is signed: "the mail to bob@example.gov, 'Budget 2027'".
/// `recipients` are those of the To field, "" for none; `subject` is UTF-8.
std::string mail_name(const std::string& recipients, const std::optional<std::string>& subject);

/// natural_scheme is the scheme that a key signs with: the digest asked for, or SHA-256 for RSA and P-256, SHA-384 for
/// P-384, SHA-512 for P-521. Throws Error(usage) where the key cannot do what is asked, Error(token) where its token
/// cannot.
SignScheme natural_scheme(const Signer& signer, std::optional<Hash> digest, bool pss);

/// sign_job makes a job that signs a mail or entity. Signers and clock must outlive it. Throws Error(usage) for more
/// than kMaxSigners, and as natural_scheme().
std::unique_ptr<MakeJob> sign_job(const std::vector<Signer*>& signers, const Clock& clock, const SignOptions& options);

}  // namespace p11mime::cms::smime
