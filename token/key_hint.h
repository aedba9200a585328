#pragma once

#include "token/pkcs11_token.h"

namespace p11mime::token {

/// KeyHint is what a token lets on, without a login, about having the private key of a certificate that is not on it.
enum class KeyHint {
    none,      ///< it shows all its keys, and this one is not among them
    hidden,    ///< it shows its private keys after a login only
    holder,    ///< it does, and it has a certificate of the same holder
    evidence,  ///< it shows the key, its public half, an object with its id or a certificate for it
};

/// key_hint asks a token for it; the certificates on it are read. Throws Error(token).
KeyHint key_hint(Pkcs11Token& token, const cms::Certificate& certificate);

}  // namespace p11mime::token
