#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cms/smime/encrypt.h"

namespace p11mime::cli {

/// ChosenRecipient is one certificate to encrypt to.
struct ChosenRecipient {
    std::string name;  ///< address or file, for people
    cms::Certificate certificate;
    std::optional<cms::smime::Capabilities> announced;  ///< nothing where nothing is known
};

/// Recipients is whom a mail is encrypted to. Each of `bcc` gets a copy of its own.
struct Recipients {
    std::vector<ChosenRecipient> main;
    std::vector<ChosenRecipient> bcc;
};

/// choose_recipients finds and checks all certificates (-r, --recipient-cert, or To, Cc and Bcc of the mail; the
/// sender). All or nothing: throws Error(no_key) naming all who have none, Error(untrusted) naming those who are not
/// trusted, Error(usage) where nobody or only Bcc is named without --bcc-separately.
Recipients choose_recipients(Context& context);

/// choose_cipher is --cipher, or what all of the recipients announce. It tells the person where recipients announce
/// nothing.
const cms::Algorithm& choose_cipher(Context& context, const std::vector<ChosenRecipient>& recipients);

/// to_encrypt adds to each certificate how its content key is to be encrypted (--oaep, or as announced).
std::vector<cms::smime::Recipient> to_encrypt(const Context& context, const std::vector<ChosenRecipient>& recipients);

}  // namespace p11mime::cli
