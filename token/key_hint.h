#pragma once

#include "token/pkcs11_token.h"

namespace p11mime::token {

/// KeyHint is what a token lets on, without a login, about having a private key.
enum class KeyHint {
    none,      ///< it shows all its keys, and this one is not among them
    hidden,    ///< it shows its private keys after a login only
    holder,    ///< it does, and it has a certificate of the same holder
    likely,    ///< it shows a certificate for the key, or an object with the id that a URI names
    evidence,  ///< it shows the key, its public half or an object with an id that was derived from it
};

/// is_chance says whether nothing shows that the key is on the token.
inline bool is_chance(KeyHint hint) {
    return hint < KeyHint::likely;
}

/// may_ask_on_chance says whether such a token is worth a login, where there are so many: a stored PIN is for one of
/// them, and would cost the others a try.
bool may_ask_on_chance(Pkcs11Token& token, std::size_t chances, bool typed);

/// key_hint asks a token for the key of a certificate; the certificates on it are read. Throws Error(token).
KeyHint key_hint(Pkcs11Token& token, const cms::Certificate& certificate);

/// key_hint asks a token for the key that a URI names. Throws Error(token).
KeyHint key_hint(Pkcs11Token& token, const Uri& uri);

}  // namespace p11mime::token
