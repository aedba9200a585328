#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cms/key_management.h"
#include "cms/smime/encrypt.h"

namespace p11mime::cli {

/// ChosenRecipient is one certificate to encrypt to.
struct ChosenRecipient {
    std::string name;  ///< address or file, for people
    cms::Certificate certificate;
    std::optional<cms::smime::Capabilities> announced;  ///< nothing where nothing is known
};

/// Audience is who can read one encrypted mail: owners of certificates, and whoever shares a secret.
struct Audience {
    std::vector<ChosenRecipient> recipients;
    cms::GivenSecrets secrets;
};

/// Recipients is whom a mail is encrypted to. Each of `bcc` gets a copy of its own.
struct Recipients {
    Audience main;
    std::vector<ChosenRecipient> bcc;
};

/// Objection is what there is to say against encrypting to a certificate.
struct Objection {
    std::string reason = {};     ///< why it is not to be done; empty where it may
    std::string hint = {};       ///< what could be done about it; may be empty
    cms::PathVerdict path = {};  ///< that tells; without a chain where none was looked for
};

/// trust_to_encrypt is the trust that recipients' certificates are judged by: whoever has the key now can read what is
/// encrypted now, so --at counts for a later time alone.
cms::Trust trust_to_encrypt(Context& context);

/// objection_to judges a recipient's certificate. `surplus` are further certificates for its path.
Objection objection_to(Context& context, const cms::Certificate& certificate,
                       std::span<const cms::Certificate> surplus);

/// tell_remarks warns of what is off about a path that is trusted all the same.
void tell_remarks(Context& context, const cms::PathVerdict& path);

/// add_hint adds one unless it is empty or there already.
void add_hint(std::vector<std::string>& hints, const std::string& hint);

/// choose_recipients finds and checks all certificates (-r, --recipient-cert, or To, Cc and Bcc of the mail; the
/// sender). Where secrets are shared (--kek, --password-source) those of the mail and the sender are left out. All or
/// nothing: throws Error(no_key) naming all who have none, Error(untrusted) naming those who are not trusted,
/// Error(usage) where nobody or only Bcc is named without --bcc-separately.
Recipients choose_recipients(Context& context);

/// choose_cipher is --cipher, or what all of the recipients announce. It tells the person where recipients announce
/// nothing, or nothing that is written.
const cms::Algorithm& choose_cipher(Context& context, const Audience& audience);

/// to_encrypt adds to each recipient how the key of a content cipher is to be encrypted: as announced, or --oaep. It
/// tells the person where that is weaker than the cipher, or not announced though something is.
std::vector<cms::smime::Recipient> to_encrypt(Context& context, const Audience& audience, const cms::Algorithm& cipher);

}  // namespace p11mime::cli
