#pragma once

#include "cms/asn1.h"
#include "cms/key_management.h"

namespace p11mime::cms {

/// password_recipient_info encrypts a content key with a password; the DER of the whole PasswordRecipientInfo.
Bytes password_recipient_info(const Password& how, const SecretBytes& content_key);

/// read_password_recovery reads how a PasswordRecipientInfo (RFC 5652 section 6.2.4) is opened. Throws
/// Error(malformed), also "unsupported algorithm NAME".
PasswordUnwrap read_password_recovery(const asn1::PasswordRecipientInfo& info);

/// recover_with_password derives the key encryption key and unwraps the content key; nothing where the password or the
/// encrypted key is wrong.
std::optional<SecretBytes> recover_with_password(const PasswordUnwrap& recovery, const SecretBytes& password,
                                                 ByteView encrypted_key);

}  // namespace p11mime::cms
