#pragma once

#include <string_view>

#include "cms/smime/openpgp_text.h"
#include "mime/header.h"
#include "mime/window.h"

namespace p11mime::cms::smime {

/// ciphertext_in says whether a leaf is encrypted, whatever its label: an S/MIME ContentInfo (bare, in base64 or in
/// PEM) or an OpenPGP message by what its body starts with once it is decoded, OpenPGP by its type, or in a text or
/// what has a boundary too (openpgp_in, and as uuencoded files), and what reads as a mail behind empty lines by its own
/// header and body, or the labels in that (LabelWatch). Other characters between those of base64 are passed over, as
/// mail programs do. What has an unknown transfer encoding is taken for a text, and under a name of S/MIME or OpenPGP
/// for encrypted. It reads no more of the body than it needs, of text all, and throws what the body throws.
Ciphertext ciphertext_in(const mime::Header& header, Source& body);

/// openpgp_protection says how an entity claims to be protected with OpenPGP, "signed" or "encrypted": by its type
/// (RFC 3156), or by the armour that its text begins with (RFC 9580 sections 6.2 and 7); "" where it does not. It
/// consumes nothing.
std::string_view openpgp_protection(const mime::Header& header, Window& body);

/// armoured_openpgp says so of text.
std::string_view armoured_openpgp(std::string_view text);

/// is_attachment says whether a part is labelled as an attachment that mail programs show for itself: a mail, or a file
/// under a name of its own. A file called smime.p7m is none, since that is what the text of an encrypted mail is called
/// (RFC 8551 section 3.2.1), nor is what has an smime-type, or a header that programs read differently.
bool is_attachment(const mime::Header& header);

}  // namespace p11mime::cms::smime
