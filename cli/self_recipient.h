#pragma once

#include <optional>

#include "cli/recipients.h"

namespace p11mime::cli {

/// self_recipient is the sender as a recipient, so that the copy in the sent folder can be read: the certificate of the
/// From address in the address book, or on a token. Where there is none a warning says so. Nothing with --no-self.
/// Throws Error(untrusted) where there is none but one that is not trusted.
std::optional<ChosenRecipient> self_recipient(Context& context);

/// own_abilities is what the private key of one's own certificate in the address book can undo: OAEP where the
/// certificate announces it and its token, if that is at hand, does not say otherwise.
cms::Abilities own_abilities(Context& context, const cms::Certificate& certificate);

/// announced_capabilities is what the owner of a certificate announces: `remembered` (DER) from a mail, else the
/// certificate's own extension; the first of them that names a cipher that is written, where one does.
std::optional<cms::smime::Capabilities> announced_capabilities(const cms::Certificate& certificate,
                                                               const std::optional<Bytes>& remembered);

}  // namespace p11mime::cli
