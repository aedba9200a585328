#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cms/decrypter.h"
#include "token/pkcs11_token.h"

namespace p11mime::token {

/// FoundKeys is the outcome of looking for recipients' keys.
struct FoundKeys {
    std::vector<std::unique_ptr<cms::Decrypter>> keys;
    std::vector<std::string> skipped;  ///< one line for each certificate or key seen that did not fit
};

/// find_recipient_keys looks on all tokens for private keys that match a recipient: certificates by issuer and serial
/// number or subject key identifier, and keys whose id is the subject key identifier (retired ones). Only tokens with a
/// match are logged in to, and only until one key has been found; further ones wait with the login until they are used.
/// Where none has been found, keys are looked for whose certificate is elsewhere: on another token or among `others`;
/// tokens that show the key come first, then those that have another certificate of its holder, then those that show
/// no key before a login. Throws the Error(token) of a token only where no other has a key, and likewise Error(usage)
/// where a stored PIN may be for another token than that with the certificate.
FoundKeys find_recipient_keys(std::span<const std::shared_ptr<Pkcs11Token>> tokens,
                              std::span<const cms::RecipientIdentifier> recipients, const cms::Intent& intent,
                              const OtherCertificates& others = {});

}  // namespace p11mime::token
