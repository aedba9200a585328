#include "token/ckr.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace p11mime::token {

namespace {

struct Row {
    CK_RV code;
    std::string_view name;
    std::string_view message;
    std::string_view hint = {};
};

constexpr std::string_view kReinsert = "insert the token again and repeat the command";
constexpr std::string_view kUnblock = "unblock it with the PUK: p11mime key unblock";
constexpr std::string_view kCheckPin = "check the PIN; it is not sent again";
constexpr std::string_view kFreeSpace = "delete keys or certificates that are not needed: p11mime key delete";
constexpr std::string_view kOtherProgram = "close other programs that use the token";
constexpr std::string_view kOtherKey = "use a key or token that offers it; p11mime tokens lists them";
constexpr std::string_view kOtherId = "try another --id or --label: a YubiKey takes the ids 01 to 19 of its places";
constexpr std::string_view kReport = "the PKCS#11 module is at fault; look for a newer version of it";

// Values are those of PKCS#11 3.0; where p11-kit's header has others for the same name, both are here.
constexpr std::array kRows = {
    Row{CKR_OK, "CKR_OK", "success"},
    Row{CKR_CANCEL, "CKR_CANCEL", "the operation was cancelled"},
    Row{CKR_HOST_MEMORY, "CKR_HOST_MEMORY", "the module ran out of memory"},
    Row{CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", "the reader is gone", "plug the reader in again"},
    Row{CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", "the module failed without saying why", kReinsert},
    Row{CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", "the token could not do it", kReinsert},
    Row{CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", "the module does not take these arguments", kReport},
    Row{CKR_NO_EVENT, "CKR_NO_EVENT", "no event happened"},
    Row{CKR_NEED_TO_CREATE_THREADS, "CKR_NEED_TO_CREATE_THREADS", "the module needs threads of its own"},
    Row{CKR_CANT_LOCK, "CKR_CANT_LOCK", "the module cannot be used by threads", kReport},
    Row{CKR_ATTRIBUTE_READ_ONLY, "CKR_ATTRIBUTE_READ_ONLY", "an attribute cannot be changed"},
    Row{CKR_ATTRIBUTE_SENSITIVE, "CKR_ATTRIBUTE_SENSITIVE", "an attribute is secret"},
    Row{CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID", "the object has no such attribute",
        "use the tool that came with the token"},
    Row{CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID", "the token refuses an attribute's value", kOtherId},
    Row{CKR_ACTION_PROHIBITED, "CKR_ACTION_PROHIBITED", "the token's policy forbids it"},
    Row{CKR_DATA_INVALID, "CKR_DATA_INVALID", "the token refuses the data"},
    Row{CKR_DATA_LEN_RANGE, "CKR_DATA_LEN_RANGE", "the data has the wrong length for the key"},
    Row{CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", "the device reports an error", kReinsert},
    Row{CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", "the token is full", kFreeSpace},
    Row{CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", "the token was removed", kReinsert},
    Row{CKR_ENCRYPTED_DATA_INVALID, "CKR_ENCRYPTED_DATA_INVALID", "the encrypted key does not decrypt"},
    Row{CKR_ENCRYPTED_DATA_LEN_RANGE, "CKR_ENCRYPTED_DATA_LEN_RANGE", "the encrypted key has the wrong length"},
    Row{0x42, "CKR_AEAD_DECRYPT_FAILED", "the authentication tag does not match"},
    Row{CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED", "the operation was cancelled on the device"},
    Row{CKR_FUNCTION_NOT_PARALLEL, "CKR_FUNCTION_NOT_PARALLEL", "no function runs in parallel"},
    Row{CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED", "the module does not offer the function", kOtherKey},
    Row{CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", "the key is gone", kReinsert},
    Row{CKR_KEY_SIZE_RANGE, "CKR_KEY_SIZE_RANGE", "the key's size is not supported for this", kOtherKey},
    Row{CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", "the key is of the wrong type for this", kOtherKey},
    Row{CKR_KEY_NOT_NEEDED, "CKR_KEY_NOT_NEEDED", "a key was given that is not needed"},
    Row{CKR_KEY_CHANGED, "CKR_KEY_CHANGED", "a key has changed"},
    Row{CKR_KEY_NEEDED, "CKR_KEY_NEEDED", "a key is needed"},
    Row{CKR_KEY_INDIGESTIBLE, "CKR_KEY_INDIGESTIBLE", "the key cannot be digested"},
    Row{CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", "the key may not be used for this",
        kOtherKey},
    Row{CKR_KEY_NOT_WRAPPABLE, "CKR_KEY_NOT_WRAPPABLE", "the key may not be wrapped"},
    Row{CKR_KEY_UNEXTRACTABLE, "CKR_KEY_UNEXTRACTABLE", "the key may not leave the token"},
    Row{CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", "the token does not offer the mechanism", kOtherKey},
    Row{CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID",
        "the token does not offer the mechanism with these parameters", kOtherKey},
    Row{CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", "the object is gone", kReinsert},
    Row{CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE", "another operation is under way in the session",
        "repeat the command"},
    Row{CKR_OPERATION_NOT_INITIALIZED, "CKR_OPERATION_NOT_INITIALIZED", "the operation was not begun", kReinsert},
    Row{CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", "the PIN is wrong", kCheckPin},
    Row{CKR_PIN_INVALID, "CKR_PIN_INVALID", "the PIN has characters that the token does not take"},
    Row{CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", "the PIN is too short or too long for the token"},
    Row{CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", "the PIN has expired", "change it: p11mime key change-pin"},
    Row{CKR_PIN_LOCKED, "CKR_PIN_LOCKED", "the PIN is locked", kUnblock},
    Row{CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", "the session was closed", kReinsert},
    Row{CKR_SESSION_COUNT, "CKR_SESSION_COUNT", "the token takes no more sessions", kOtherProgram},
    Row{CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", "the session is gone", kReinsert},
    Row{CKR_SESSION_PARALLEL_NOT_SUPPORTED, "CKR_SESSION_PARALLEL_NOT_SUPPORTED", "no parallel sessions"},
    Row{CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY", "the session cannot write"},
    Row{CKR_SESSION_EXISTS, "CKR_SESSION_EXISTS", "a session is open", kOtherProgram},
    Row{CKR_SESSION_READ_ONLY_EXISTS, "CKR_SESSION_READ_ONLY_EXISTS",
        "a read-only session is open, which keeps the PUK from being used", kOtherProgram},
    Row{CKR_SESSION_READ_WRITE_SO_EXISTS, "CKR_SESSION_READ_WRITE_SO_EXISTS", "a session with the PUK is open"},
    Row{CKR_SIGNATURE_INVALID, "CKR_SIGNATURE_INVALID", "the signature is invalid"},
    Row{CKR_SIGNATURE_LEN_RANGE, "CKR_SIGNATURE_LEN_RANGE", "the signature has the wrong length"},
    Row{CKR_TEMPLATE_INCOMPLETE, "CKR_TEMPLATE_INCOMPLETE", "the token wants more attributes", kReport},
    Row{CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT", "the token refuses this kind of object"},
    Row{CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", "the token is not in the reader", kReinsert},
    Row{CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", "the module does not know this kind of token",
        "use the module made for it: --module FILE"},
    Row{CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", "the token cannot be written to"},
    Row{CKR_UNWRAPPING_KEY_HANDLE_INVALID, "CKR_UNWRAPPING_KEY_HANDLE_INVALID", "the key is gone", kReinsert},
    Row{CKR_UNWRAPPING_KEY_SIZE_RANGE, "CKR_UNWRAPPING_KEY_SIZE_RANGE", "the key's size is not supported", kOtherKey},
    Row{CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT",
        "the key is of the wrong type for this", kOtherKey},
    Row{CKR_USER_ALREADY_LOGGED_IN, "CKR_USER_ALREADY_LOGGED_IN", "the token is logged in already"},
    Row{CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", "the token is no longer logged in", kReinsert},
    Row{CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED", "no PIN has been set",
        "set one with the PUK: p11mime key unblock"},
    Row{CKR_USER_TYPE_INVALID, "CKR_USER_TYPE_INVALID", "the module does not offer this kind of login", kReport},
    Row{CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
        "the token is logged in for someone else", kOtherProgram},
    Row{CKR_USER_TOO_MANY_TYPES, "CKR_USER_TOO_MANY_TYPES", "too many kinds of login at a time", kOtherProgram},
    Row{CKR_WRAPPED_KEY_INVALID, "CKR_WRAPPED_KEY_INVALID", "the encrypted key does not decrypt"},
    Row{CKR_WRAPPED_KEY_LEN_RANGE, "CKR_WRAPPED_KEY_LEN_RANGE", "the encrypted key has the wrong length"},
    Row{CKR_WRAPPING_KEY_HANDLE_INVALID, "CKR_WRAPPING_KEY_HANDLE_INVALID", "the key is gone", kReinsert},
    Row{CKR_WRAPPING_KEY_SIZE_RANGE, "CKR_WRAPPING_KEY_SIZE_RANGE", "the key's size is not supported", kOtherKey},
    Row{CKR_WRAPPING_KEY_TYPE_INCONSISTENT, "CKR_WRAPPING_KEY_TYPE_INCONSISTENT",
        "the key is of the wrong type for this", kOtherKey},
    Row{CKR_RANDOM_SEED_NOT_SUPPORTED, "CKR_RANDOM_SEED_NOT_SUPPORTED", "the random generator takes no seed"},
    Row{CKR_RANDOM_NO_RNG, "CKR_RANDOM_NO_RNG", "the token has no random generator"},
    Row{CKR_DOMAIN_PARAMS_INVALID, "CKR_DOMAIN_PARAMS_INVALID", "the token does not offer the curve", kOtherKey},
    Row{CKR_CURVE_NOT_SUPPORTED, "CKR_CURVE_NOT_SUPPORTED", "the token does not offer the curve", kOtherKey},
    Row{CKR_BUFFER_TOO_SMALL, "CKR_BUFFER_TOO_SMALL", "a result is larger than expected", kReport},
    Row{CKR_SAVED_STATE_INVALID, "CKR_SAVED_STATE_INVALID", "a saved state is invalid"},
    Row{CKR_INFORMATION_SENSITIVE, "CKR_INFORMATION_SENSITIVE", "the information is secret"},
    Row{CKR_STATE_UNSAVEABLE, "CKR_STATE_UNSAVEABLE", "the state cannot be saved"},
    Row{CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", "the module is not initialised", kReport},
    Row{CKR_CRYPTOKI_ALREADY_INITIALIZED, "CKR_CRYPTOKI_ALREADY_INITIALIZED", "the module is initialised already"},
    Row{CKR_MUTEX_BAD, "CKR_MUTEX_BAD", "the module's locking failed", kReport},
    Row{CKR_MUTEX_NOT_LOCKED, "CKR_MUTEX_NOT_LOCKED", "the module's locking failed", kReport},
    Row{CKR_NEW_PIN_MODE, "CKR_NEW_PIN_MODE", "the token wants a new PIN"},
    Row{CKR_NEXT_OTP, "CKR_NEXT_OTP", "the token wants the next one-time password"},
    Row{0x1b5, "CKR_EXCEEDED_MAX_ITERATIONS", "the token gave up after too many attempts"},
    Row{0x1b6, "CKR_FIPS_SELF_TEST_FAILED", "the token failed its self-test"},
    Row{0x1b7, "CKR_LIBRARY_LOAD_FAILED", "the module could not load a library that it needs"},
    Row{0x1b8, "CKR_PIN_TOO_WEAK", "the new PIN is too weak for the token"},
    Row{0x1b9, "CKR_PUBLIC_KEY_INVALID", "the public key is invalid"},
    Row{CKR_EXCEEDED_MAX_ITERATIONS, "CKR_EXCEEDED_MAX_ITERATIONS", "the token gave up after too many attempts"},
    Row{CKR_FIPS_SELF_TEST_FAILED, "CKR_FIPS_SELF_TEST_FAILED", "the token failed its self-test"},
    Row{CKR_LIBRARY_LOAD_FAILED, "CKR_LIBRARY_LOAD_FAILED", "the module could not load a library that it needs"},
    Row{CKR_PIN_TOO_WEAK, "CKR_PIN_TOO_WEAK", "the new PIN is too weak for the token"},
    Row{CKR_PUBLIC_KEY_INVALID, "CKR_PUBLIC_KEY_INVALID", "the public key is invalid"},
    Row{CKR_FUNCTION_REJECTED, "CKR_FUNCTION_REJECTED", "the person at the device refused it"},
    Row{0x201, "CKR_TOKEN_RESOURCE_EXCEEDED", "the token has run out of resources", kReinsert},
    Row{0x202, "CKR_OPERATION_CANCEL_FAILED", "the operation could not be cancelled"},
    Row{0x203, "CKR_KEY_EXHAUSTED", "the key may not be used any more", kOtherKey},
};

const Row* find(CK_RV code) {
    const auto row =
        std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) { return candidate.code == code; });
    return row == kRows.end() ? nullptr : &*row;
}

}  // namespace

std::string ckr_name(CK_RV code) {
    const Row* row = find(code);
    return row != nullptr ? std::string(row->name) : fmt::format("CKR 0x{:08X}", code);
}

std::string_view ckr_message(CK_RV code) {
    const Row* row = find(code);
    if (row != nullptr) return row->message;
    return (code & CKR_VENDOR_DEFINED) != 0 ? "the module reports an error of its own"
                                            : "the module reports an unknown error";
}

std::string_view ckr_hint(CK_RV code) {
    const Row* row = find(code);
    return row != nullptr ? row->hint : std::string_view{};
}

CkrError::CkrError(CK_RV code, std::string_view who, std::string_view what)
    : Error(ErrorKind::token, fmt::format("{}: cannot {}: {} ({})", who, what, ckr_message(code), ckr_name(code)),
            std::string(ckr_hint(code))),
      code_(code) {}

void check(CK_RV code, std::string_view who, std::string_view what) {
    if (code != CKR_OK) throw CkrError(code, who, what);
}

}  // namespace p11mime::token
