#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cms/certificate.h"
#include "cms/smime/report.h"
#include "mime/header.h"

namespace p11mime::cms::smime {

enum class SenderCheck { require, warn, off };

/// Doubt is why a mail whose signatures hold is not to be trusted all the same, and what could be done.
struct Doubt {
    std::string reason;
    std::string hint = {};
};

/// Sender is whom a mail says that it is from.
struct Sender {
    std::vector<std::string> mailboxes;
    SenderCheck check = SenderCheck::off;
    std::optional<Time> date = {};   ///< that the mail claims
    std::string contradiction = {};  ///< why nobody can match, where it is so
};

/// kMaxSenders bounds the senders of one mail; with more, nobody matches.
inline constexpr std::size_t kMaxSenders = 100;

/// add_senders adds the mailboxes of a From field, each once.
void add_senders(Sender& sender, std::string_view from);

/// judge_sender holds all senders against the addresses of a signer's certificate (RFC 8550 section 3). Addresses are
/// compared as mime::same_mailbox does.
SenderState judge_sender(const Certificate& certificate, const Sender& sender);

/// KnownAddresses gives the addresses of one's correspondents.
using KnownAddresses = std::function<std::vector<std::string>()>;

/// SenderView is what a reader's eyes make of the fields that say who sent a mail.
struct SenderView {
    std::vector<Doubt> doubts;
    std::vector<Warning> warnings;
};

/// kMaxViewedBytes bounds the fields that view_sender looks at: longer From fields are doubted, others warned of.
inline constexpr std::size_t kMaxViewedBytes = 64 * 1024;

/// view_sender looks for what misleads in the fields From, Sender and Reply-To of `fields`: an address beside the
/// sender's own in a display name, a comment, a group's name or a route, "ceo (at) bank.example" too; entries that
/// cannot be read; text in a charset that cannot be; letters of mixed scripts; an address that looks like a known one
/// and is not. `signers` is the addresses of the signers' certificates: answers may go to them where no From field is
/// there. `known` may be empty. ICU is loaded only for letters beyond ASCII: the fields', or those of an address known.
SenderView view_sender(const std::vector<mime::Field>& fields, const std::vector<std::string>& signers,
                       const KnownAddresses& known);

}  // namespace p11mime::cms::smime
