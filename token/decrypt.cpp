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
/// Where the token itself judges PKCS#1 v1.5 padding, the calls after that are the same whatever it found: on a slow
/// card others could tell by the time that they take (RFC 3218).
Answer<std::optional<SecretBytes>> decrypt_block(KeySession& key, const Mechanism& mechanism, ByteView block,
                                                 const cms::Intent& intent) {
    const bool tells_nothing = mechanism.type() == CKM_RSA_PKCS;
    const Session& session = key.open(intent.what);
    const CK_RV begun = session.decrypt_init(mechanism, key.key().handle);
    if (is_unsupported(begun)) return {begun, std::nullopt};
    check(begun, key.name(), "decrypt");
    key.begin(intent.what);
    Answer<SecretBytes> answer = session.decrypt(block);
    if (answer.code == CKR_OK && !tells_nothing) return {CKR_OK, std::move(answer.value)};
    if (!tells_nothing) key.core().note_trouble();
    const CK_RV discarded = key.discard();
    if (is_unsupported(answer.code) && !tells_nothing) return {answer.code, std::nullopt};
    const bool works =
        (tells_nothing || may_mean_bad_ciphertext(answer.code)) && still_works(key, discarded, mechanism, intent);
    if (answer.code == CKR_OK) return {CKR_OK, std::move(answer.value)};
    if (may_mean_bad_ciphertext(answer.code) && works) return {CKR_OK, std::nullopt};
    throw CkrError(answer.code, key.name(), "decrypt");
}

/// left_padded fills up to the modulus' size: leading zeros get lost in some encoders and modules.
SecretBytes left_padded(ByteView bytes, std::size_t size) {
    SecretBytes padded(size);
    std::copy(bytes.begin(), bytes.end(), padded.data() + (size - bytes.size()));
    return padded;
}

/// raw_rsa is decrypt_block with the padding left in.
Answer<std::optional<SecretBytes>> raw_rsa(KeySession& key, std::size_t modulus_size, ByteView block,
                                           const cms::Intent& intent) {
    auto answer = decrypt_block(key, Mechanism(CKM_RSA_X_509), block, intent);
    if (answer.value && answer.value->size() > modulus_size) answer.value.reset();
    if (answer.value) answer.value = left_padded(*answer.value, modulus_size);
    return answer;
}

/// oaep_mechanism holds on to the label of `oaep`; nothing where Cryptoki has no name for one of its hashes.
std::optional<Mechanism> oaep_mechanism(const cms::RsaOaep& oaep) {
    const HashMechanisms* hash = mechanisms_of(oaep.hash);
    const HashMechanisms* mgf = mechanisms_of(oaep.mgf);
    if (hash == nullptr || mgf == nullptr) return std::nullopt;
    const CK_RSA_PKCS_OAEP_PARAMS parameters{hash->digest, mgf->mgf1, CKZ_DATA_SPECIFIED,
                                             oaep.label.empty() ? nullptr : const_cast<Byte*>(oaep.label.data()),
                                             oaep.label.size()};
    return Mechanism(CKM_RSA_PKCS_OAEP, parameters);
}

std::optional<SecretBytes> of_size(std::optional<SecretBytes> content_key, std::optional<std::size_t> size) {
    if (content_key && size && content_key->size() != *size) return std::nullopt;
    return content_key;
}

}  // namespace

bool begins_oaep(TokenCore& core, const EVP_PKEY* own, const cms::RsaOaep& oaep) {
    const auto mechanism = oaep_mechanism(oaep);
    if (!mechanism || !core.logged_in()) return false;
    try {
        const auto key = core.with_session(
            [&](const Session& session) { return find_key_by_public_key(session, core.info(), own); });
        if (!key) return false;
        const auto alone = core.exclusive();
        return core.open_session(Session::Access::read_only)->decrypt_init(*mechanism, key->handle) == CKR_OK;
    } catch (const CkrError&) {
        return false;  // trouble with the token shows where it is needed
    }
}

// The arguments are right: modules that find them bad, as SoftHSM does OAEP with SHA-256, lack what they ask for.
void throw_refused(CK_RV code, const KeySession& key, std::string_view what) {
    if (!is_unsupported(code)) throw CkrError(code, key.name(), what);
    const CK_RV meant = code == CKR_ARGUMENTS_BAD ? CKR_MECHANISM_PARAM_INVALID : code;
    throw cms::Unsupported(Error(
        ErrorKind::token, fmt::format("{}: cannot {}: {} ({})", key.name(), what, ckr_message(meant), ckr_name(code)),
        std::string(ckr_hint(meant))));
}

// Raw RSA comes first, since its answer does not depend on the padding: the token does not judge that at all.
std::optional<SecretBytes> recover_rsa_v15(KeySession& key, const cms::RsaV15& recovery, std::size_t modulus_size,
                                           ByteView encrypted_key, const cms::Intent& intent) {
    if (encrypted_key.size() > modulus_size) return std::nullopt;
    const SecretBytes block = left_padded(encrypted_key, modulus_size);
    Answer<std::optional<SecretBytes>> answer{CKR_MECHANISM_INVALID};
    if (key.core().offers(CKM_RSA_X_509)) {
        answer = raw_rsa(key, modulus_size, block, intent);
        if (answer.value) return of_size(unpad_pkcs1(*answer.value), recovery.key_size);
    }
    if (key.core().offers(CKM_RSA_PKCS)) answer = decrypt_block(key, Mechanism(CKM_RSA_PKCS), block, intent);
    if (answer.code != CKR_OK)
        throw_refused(answer.code, key, fmt::format("decrypt by {}", mechanism_name(CKM_RSA_PKCS)));
    return of_size(std::move(answer.value), recovery.key_size);
}

std::optional<SecretBytes> recover_rsa_oaep(KeySession& key, const cms::RsaOaep& recovery, std::size_t modulus_size,
                                            ByteView encrypted_key, const cms::Intent& intent) {
    if (encrypted_key.size() > modulus_size) return std::nullopt;
    const SecretBytes block = left_padded(encrypted_key, modulus_size);
    const bool raw = key.core().offers(CKM_RSA_X_509);
    const bool may_ignore_label = raw && !recovery.label.empty();  // as SoftHSM does without a word
    Answer<std::optional<SecretBytes>> answer{CKR_MECHANISM_INVALID};
    const auto native = oaep_mechanism(recovery);
    if (key.core().offers(CKM_RSA_PKCS_OAEP) && native && !may_ignore_label) {
        answer = decrypt_block(key, *native, block, intent);
        if (answer.code == CKR_OK) return std::move(answer.value);
    }
    if (raw) answer = raw_rsa(key, modulus_size, block, intent);
    if (answer.code != CKR_OK)
        throw_refused(answer.code, key,
                      fmt::format("decrypt by {} with {}", mechanism_name(CKM_RSA_PKCS_OAEP),
                                  cms::digest_algorithm(recovery.hash).name));
    return answer.value ? unpad_oaep(*answer.value, recovery) : std::nullopt;
}

cms::Abilities key_abilities(TokenCore& core, const EVP_PKEY* own) {
    switch (EVP_PKEY_get_base_id(own)) {
        case EVP_PKEY_RSA:
            return {.oaep = core.offers(CKM_RSA_X_509) ||
                            (core.offers(CKM_RSA_PKCS_OAEP) && begins_oaep(core, own, cms::kOaep))};
        case EVP_PKEY_EC:
        case EVP_PKEY_X25519:
        case EVP_PKEY_X448:
            return {.agreement = agreement_mechanism(core, own, false).has_value()};
        default:
            return {};
    }
}

}  // namespace p11mime::token
