#pragma once

#include <memory>
#include <optional>

#include "cms/decrypter.h"
#include "token/key_session.h"

namespace p11mime::token {

/// throw_refused throws Unsupported where a return value means that the key cannot be used so, else CkrError.
[[noreturn]] void throw_refused(CK_RV code, const KeySession& key, std::string_view what);

/// recover_rsa_v15 unwraps a content key by PKCS#1 v1.5: raw RSA with the padding removed here, or CKM_RSA_PKCS.
/// Nothing where the ciphertext is bad; Unsupported or another Error(token) for everything else.
std::optional<SecretBytes> recover_rsa_v15(KeySession& key, const cms::RsaV15& recovery, std::size_t modulus_size,
                                           ByteView encrypted_key, const cms::Intent& intent);

/// recover_rsa_oaep unwraps a content key by OAEP: CKM_RSA_PKCS_OAEP, or raw RSA where the token does not do this hash,
/// mask generation function or label.
std::optional<SecretBytes> recover_rsa_oaep(KeySession& key, const cms::RsaOaep& recovery, std::size_t modulus_size,
                                            ByteView encrypted_key, const cms::Intent& intent);

/// recover_by_agreement derives the shared secret with ECDH on the token and unwraps the content key here. `own` is the
/// key's public half.
std::optional<SecretBytes> recover_by_agreement(KeySession& key, const EVP_PKEY* own, const cms::Agree& recovery,
                                                ByteView encrypted_key, const cms::Intent& intent);

/// key_abilities is what a private key can undo, by its public half and the token's mechanisms. Whether these do OAEP
/// with kOaep's hash is tried where nothing else tells; without a login it is taken for not so.
cms::Abilities key_abilities(TokenCore& core, const EVP_PKEY* own);

/// begins_oaep tries whether the token begins a decryption with the private key, in a session of its own that ends with
/// it; false without a login.
bool begins_oaep(TokenCore& core, const EVP_PKEY* own, const cms::RsaOaep& oaep);

/// agreement_mechanism is the token's mechanism for ECDH with this key and cofactor setting; nothing where it has none.
std::optional<CK_MECHANISM_TYPE> agreement_mechanism(TokenCore& core, const EVP_PKEY* own, bool cofactor);

}  // namespace p11mime::token
