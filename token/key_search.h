#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "token/pkcs11_token.h"

namespace p11mime::token {

/// find_keys looks for private keys as Tokens::find_keys says. `typed` says that PINs are typed by a person, who may be
/// asked for those of several tokens on the mere chance.
std::vector<KeyOnToken> find_keys(std::span<const std::shared_ptr<Pkcs11Token>> tokens, const KeyQuery& query,
                                  bool typed);

/// why_not_ask says why a token gets no login for the private key of a certificate on it, as Tokens::why_not_ask says;
/// `tokens` are those among which it is.
std::optional<Error> why_not_ask(std::span<const std::shared_ptr<Pkcs11Token>> tokens, const Token& token,
                                 const cms::Certificate& certificate, bool typed);

}  // namespace p11mime::token
