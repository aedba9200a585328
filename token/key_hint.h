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

/// may_hide says whether a login to the token may bring the key to light, and sends a PIN.
bool may_hide(Pkcs11Token& token, KeyHint hint);

/// may_ask_on_chance says whether a token that does not show the key is worth a login, where so many may hide it: a
/// stored PIN is for one of them, and would cost the others a try.
bool may_ask_on_chance(Pkcs11Token& token, std::size_t chances, bool typed);

/// shows_key says whether a token shows the key of a certificate, its public half or an object with an id that was
/// derived from it. The certificates beside it count for nothing: they are put on tokens without their keys too. Throws
/// Error(token).
bool shows_key(Pkcs11Token& token, const cms::Certificate& certificate);

/// shows_key_with says whether a session shows an object with an id that is no certificate.
bool shows_key_with(const Session& session, const Bytes& id);

/// key_hint asks a token for the key of a certificate; the certificates on it are read. Throws Error(token).
KeyHint key_hint(Pkcs11Token& token, const cms::Certificate& certificate);

/// key_hint asks a token for the key that a URI names. Throws Error(token).
KeyHint key_hint(Pkcs11Token& token, const Uri& uri);

}  // namespace p11mime::token
