#include "token/lock_advice.h"

#include <fmt/format.h>

#include "token/module.h"

namespace p11mime::token {

namespace {

constexpr const char* kUnblock = "unblock it with the PUK: p11mime key unblock";
constexpr const char* kUnlockTpm =
    "a TPM that has seen too many wrong PINs locks for all its keys and unlocks by itself after a while "
    "('tpm2_getcap properties-variable' says when), or at once with 'tpm2_dictionarylockout -c' by whoever administers "
    "it";

bool is_tpm(const TokenInfo& token) {
    return token.library_manufacturer.starts_with("tpm2-software");
}

/// is_over_p11kit says whether p11-kit stands between, so that the module behind it is not known.
bool is_over_p11kit(const TokenInfo& token) {
    return token.library_manufacturer.starts_with("PKCS#11 Kit") || token.library_manufacturer.starts_with("p11-kit");
}

}  // namespace

bool shows_tries(const TokenInfo& token) {
    return !is_tpm(token);
}

bool takes_puk(const TokenInfo& token) {
    return !(token.manufacturer.starts_with("Yubico") && token.model.starts_with("YubiKey"));
}

std::string unlock_hint(const TokenInfo& token) {
    if (is_tpm(token)) return kUnlockTpm;
    if (!takes_puk(token)) return kUnblockYubiKey;
    return is_over_p11kit(token) ? fmt::format("{}; or, if it is a TPM: {}", kUnblock, kUnlockTpm) : kUnblock;
}

Error locked_error(const TokenInfo& token, PinKind kind) {
    if (kind == PinKind::puk && !is_tpm(token))
        return Error(ErrorKind::token, fmt::format("the PUK of {} is locked", token_name(token)),
                     "ask whoever issued the token");
    return Error(ErrorKind::token, fmt::format("{} is locked", token_name(token)), unlock_hint(token));
}

}  // namespace p11mime::token
