#include "token/decrypt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cms/algorithms.h"
#include "token/ckr.h"
#include "token/mechanisms.h"
#include "token/rsa_padding.h"

namespace p11mime::token {

namespace {

/// may_mean_bad_ciphertext: modules answer bad padding in many ways (SoftHSM with CKR_GENERAL_ERROR), and some of these
/// are trouble with the token as well.
bool may_mean_bad_ciphertext(CK_RV code) {
    constexpr std::array kCodes = {CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_DATA_INVALID,
                                   CKR_DATA_LEN_RANGE,         CKR_FUNCTION_FAILED,          CKR_GENERAL_ERROR};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

/// still_works says whether the token is in order after a failure, whose session was discarded: a new one is logged in
/// and takes the key. A token's only session is not new, and a key that it takes would stay in it.
bool still_works(KeySession& key, CK_RV discarded, const Mechanism& mechanism, const cms::Intent& intent) {
    const bool only_session = discarded == CKR_SESSION_COUNT;
    if (discarded != CKR_OK && !only_session) return false;
    try {
        const Session& session = key.open(intent.what);
        const CK_STATE state = session.state();
        const bool logged_in = state == CKS_RO_USER_FUNCTIONS || state == CKS_RW_USER_FUNCTIONS;
        const bool works = (logged_in || !key.core().info().login_required) &&
                           (only_session || session.decrypt_init(mechanism, key.key().handle) == CKR_OK);
        key.discard();  // ends the operation just begun
        return works;
    } catch (const Error&) {
        key.discard();
        return false;
    }
}

/// decrypt_block runs one decryption. CKR_OK with nothing is a bad ciphertext; an unsupported mechanism is its code.
Answer<std::optional<SecretBytes>> decrypt_block(KeySession& key, const Mechanism& mechanism, ByteView block,
                                                 const cms::Intent& intent) {
    const Session& session = key.open(intent.what);
    const CK_RV begun = session.decrypt_init(mechanism, key.key().handle);
    if (is_unsupported(begun)) return {begun, std::nullopt};
    check(begun, key.name(), "decrypt");
    key.begin(intent.what);
    Answer<SecretBytes> answer = session.decrypt(block);
    if (answer.code == CKR_OK) return {CKR_OK, std::move(answer.value)};
    const CK_RV discarded = key.discard();
    if (is_unsupported(answer.code)) return {answer.code, std::nullopt};
    if (may_mean_bad_ciphertext(answer.code) && still_works(key, discarded, mechanism, intent))
        return {CKR_OK, std::nullopt};
    throw CkrError(answer.code, key.name(), "decrypt");
}

/// left_padded fills up to the modulus' size: leading zeros get lost in some encoders and modules.
SecretBytes left_padded(ByteView bytes, std::size_t size) {
    SecretBytes padded(size);
    std::copy(bytes.begin(), bytes.end(), padded.data() + (size - bytes.size()));
    return padded;
}

std::optional<SecretBytes> raw_rsa(KeySession& key, std::size_t modulus_size, ByteView block,
                                   const cms::Intent& intent) {
    auto answer = decrypt_block(key, Mechanism(CKM_RSA_X_509), block, intent);
    check(answer.code, key.name(), "decrypt");
    if (!answer.value || answer.value->size() > modulus_size) return std::nullopt;
    return left_padded(*answer.value, modulus_size);
}

[[noreturn]] void throw_unsupported(const KeySession& key, CK_RV code, const std::string& mechanism) {
    throw CkrError(code, key.name(), fmt::format("decrypt by {}", mechanism));
}

}  // namespace

std::optional<SecretBytes> recover_rsa_v15(KeySession& key, const cms::RsaV15& recovery, std::size_t modulus_size,
                                           ByteView encrypted_key, const cms::Intent& intent) {
    if (encrypted_key.size() > modulus_size) return std::nullopt;
    const SecretBytes block = left_padded(encrypted_key, modulus_size);
    CK_RV unsupported = CKR_MECHANISM_INVALID;
    std::optional<SecretBytes> content_key;
    if (key.core().offers(CKM_RSA_PKCS)) {
        auto answer = decrypt_block(key, Mechanism(CKM_RSA_PKCS), block, intent);
        unsupported = answer.code;
        content_key = std::move(answer.value);
    }
    if (unsupported != CKR_OK) {
        if (!key.core().offers(CKM_RSA_X_509)) throw_unsupported(key, unsupported, mechanism_name(CKM_RSA_PKCS));
        const std::optional<SecretBytes> padded = raw_rsa(key, modulus_size, block, intent);
        content_key = padded ? unpad_pkcs1(*padded) : std::nullopt;
    }
    if (content_key && content_key->size() != recovery.key_size.value_or(content_key->size())) return std::nullopt;
    return content_key;
}

std::optional<SecretBytes> recover_rsa_oaep(KeySession& key, const cms::RsaOaep& recovery, std::size_t modulus_size,
                                            ByteView encrypted_key, const cms::Intent& intent) {
    if (encrypted_key.size() > modulus_size) return std::nullopt;
    const SecretBytes block = left_padded(encrypted_key, modulus_size);
    const bool raw = key.core().offers(CKM_RSA_X_509);
    const bool may_ignore_label = raw && !recovery.label.empty();  // as SoftHSM does without a word
    const HashMechanisms* hash = mechanisms_of(recovery.hash);
    const HashMechanisms* mgf = mechanisms_of(recovery.mgf);
    CK_RV unsupported = CKR_MECHANISM_INVALID;
    if (key.core().offers(CKM_RSA_PKCS_OAEP) && hash != nullptr && mgf != nullptr && !may_ignore_label) {
        const CK_RSA_PKCS_OAEP_PARAMS parameters{
            hash->digest, mgf->mgf1, CKZ_DATA_SPECIFIED,
            recovery.label.empty() ? nullptr : const_cast<Byte*>(recovery.label.data()), recovery.label.size()};
        auto answer = decrypt_block(key, Mechanism(CKM_RSA_PKCS_OAEP, parameters), block, intent);
        if (answer.code == CKR_OK) return std::move(answer.value);
        unsupported = answer.code;
    }
    if (!raw)
        throw_unsupported(
            key, unsupported,
            fmt::format("{} with {}", mechanism_name(CKM_RSA_PKCS_OAEP), cms::digest_algorithm(recovery.hash).name));
    const std::optional<SecretBytes> padded = raw_rsa(key, modulus_size, block, intent);
    return padded ? unpad_oaep(*padded, recovery) : std::nullopt;
}

}  // namespace p11mime::token
