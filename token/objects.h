#pragma once

#include <optional>
#include <string>
#include <vector>

#include "token/session.h"
#include "token/token.h"

namespace p11mime::token {

/// PrivateKey is a private key on a token as operations need it. Handles of token objects hold for all sessions.
struct PrivateKey {
    CK_OBJECT_HANDLE handle = 0;
    Bytes id;
    std::string label;
    KeyType type = KeyType::other;
    std::optional<bool> sign, decrypt, derive;  ///< nothing where the token does not say
    bool always_authenticate = false;
};

/// token_uri is the URI of a token: label, manufacturer, model and serial.
Uri token_uri(const TokenInfo& token);

/// read_certificate reads a certificate object: one C_GetAttributeValue.
CertificateObject read_certificate(const Session& session, const TokenInfo& token, CK_OBJECT_HANDLE object);

/// read_private_key reads a private key.
PrivateKey read_private_key(const Session& session, CK_OBJECT_HANDLE object);

/// read_private_keys reads the private keys that match a template and that the session may see.
std::vector<PrivateKey> read_private_keys(const Session& session, const Template& search);

/// describe_key makes the listing of a private key, reading its public attributes.
KeyObject describe_key(const Session& session, const TokenInfo& token, const PrivateKey& key);

/// read_public_key returns the DER SubjectPublicKeyInfo that belongs to a private key: from the public key object with
/// its id, else from the private key's own attributes, else from a certificate with its id; empty where there is none.
Bytes read_public_key(const Session& session, const TokenInfo& token, const PrivateKey& key);

/// fits says whether a private key may belong to a public key, as far as their types tell.
bool fits(const PrivateKey& key, const EVP_PKEY* public_key);

/// read_public_object returns the DER SubjectPublicKeyInfo of a public key object; empty where it does not tell.
Bytes read_public_object(const Session& session, CK_OBJECT_HANDLE object);

/// ids_of_key are the ids (CKA_ID) that programs derive from a public key: the SHA-1 of its bits (a point's for
/// curves), which is mostly the subject key identifier of its certificate, and that of an RSA modulus.
std::vector<Bytes> ids_of_key(const EVP_PKEY* public_key);

/// find_key_by_public_key looks for the private key that belongs to a public key by its public half, whatever its id,
/// or, where the token does not tell that, by an id that was derived from it.
std::optional<PrivateKey> find_key_by_public_key(const Session& session, const TokenInfo& token,
                                                 const EVP_PKEY* public_key);

}  // namespace p11mime::token
