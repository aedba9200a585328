// A PKCS#11 module over SoftHSM that behaves as real cards do and SoftHSM never does: it locks, reads the PIN on its
// own pad, lacks attributes, fails half-way. P11MIME_POOR_CARD_FAULTS holds the faults, words separated by blanks, read
// at each call:
//   locked last-try few-tries pin-pad     the token's flags; with pin-pad the PIN entered is P11MIME_POOR_CARD_PAD, and
//                                         a new one P11MIME_POOR_CARD_PAD_NEW
//   puk-locked puk-last-try puk-few-tries the same of the PUK
//   longest-pin=N                         C_GetTokenInfo says so
//   set-pin-takes-puk                     C_SetPIN unblocks with the PUK
//   no-plain-keys                         C_CreateObject takes no private keys
//   creates=N                             C_CreateObject makes no more than N objects
//   throws                                it runs out of memory then, as a module in C++ may say it
//   FUNCTION=CODE                         the function fails with this return value
//   ended                                 a C_Sign or C_Decrypt that fails so ends the operation, as the standard says
//   no-always-authenticate                keys do not have the attribute
//   eddsa-parameters=yes, =no             C_SignInit takes CKM_EDDSA with or without parameters only
//   slow-sign-init                        C_SignInit takes 20 ms, so that threads which may overlap do
//   signs-32-bytes                        C_Sign takes no more
//   signs-garbage                         C_Sign gives as many bytes as it should, of no signature
//   slots=N                               C_GetSlotList says that there are N
//   mechanisms=N objects=N                C_GetMechanismList and C_FindObjects say that they gave N
//   attribute-size=N                      C_GetAttributeValue says that each attribute has N bytes
//   may-not-sign                          CKA_SIGN is false
//   unreadable-distrust-date              C_GetAttributeValue gives no time where NSS's roots have one (CK_FALSE stays)
//   unsure-attributes                     C_GetAttributeValue fills in nothing once one attribute is missing
//   wrapped-point, raw-point              C_DeriveKey takes the peer's point only so
//   no-value-len, needs-value-len         C_DeriveKey refuses or wants CKA_VALUE_LEN
//   oaep-with-any-hash                    C_DecryptInit takes OAEP with hashes that SoftHSM does not
//   stripped                              raw RSA and derived secrets come without leading zeros
//   logged-out                            C_GetSessionInfo says so
//   other-token                           C_GetTokenInfo tells of another serial number
//   sessions=N says-sessions=N            C_OpenSession opens no more than N; C_GetTokenInfo says that there are N
// P11MIME_POOR_CARD_LOG names a file that gets one line for each call of the functions here.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "softhsm-tests/wrapped_module.h"
#include "token/cryptoki.h"

namespace {

constexpr CK_ATTRIBUTE_TYPE kNoSuchAttribute = CKA_VENDOR_DEFINED + 1;

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST functions;
CK_MECHANISM_TYPE decrypting = 0;

std::atomic<CK_ULONG> sessions{0};

std::vector<std::string> faults() {
    const char* text = std::getenv("P11MIME_POOR_CARD_FAULTS");
    std::istringstream words(text != nullptr ? text : "");
    std::vector<std::string> list;
    for (std::string word; words >> word;)
        list.push_back(word);
    return list;
}

bool has(const std::string& fault) {
    const std::vector<std::string> list = faults();
    return std::find(list.begin(), list.end(), fault) != list.end();
}

/// number reads the fault NAME=NUMBER.
std::optional<CK_ULONG> number(const std::string& name) {
    for (const std::string& fault : faults())
        if (fault.starts_with(name + "=")) return std::strtoul(fault.c_str() + name.size() + 1, nullptr, 0);
    return std::nullopt;
}

/// enter logs a call and returns the failure set for it.
std::optional<CK_RV> enter(const std::string& function, const std::string& details = {}) {
    if (const char* path = std::getenv("P11MIME_POOR_CARD_LOG"); path != nullptr) {
        if (std::FILE* log = std::fopen(path, "a"); log != nullptr) {
            std::fprintf(log, "%s%s%s\n", function.c_str(), details.empty() ? "" : " ", details.c_str());
            std::fclose(log);
        }
    }
    return number(function);
}

CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
    if (const auto failure = enter("C_GetTokenInfo")) return *failure;
    const CK_RV code = real->C_GetTokenInfo(slot, info);
    if (code != CKR_OK) return code;
    if (has("locked")) info->flags |= CKF_USER_PIN_LOCKED;
    if (has("last-try")) info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (has("few-tries")) info->flags |= CKF_USER_PIN_COUNT_LOW;
    if (has("puk-locked")) info->flags |= CKF_SO_PIN_LOCKED;
    if (has("puk-last-try")) info->flags |= CKF_SO_PIN_FINAL_TRY;
    if (has("puk-few-tries")) info->flags |= CKF_SO_PIN_COUNT_LOW;
    if (const auto longest = number("longest-pin")) info->ulMaxPinLen = *longest;
    if (has("pin-pad")) info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    if (const auto most = number("says-sessions")) info->ulMaxSessionCount = *most;
    if (has("other-token")) std::memset(info->serialNumber, '9', sizeof info->serialNumber);
    return code;
}

/// entered is what comes from the pad where no PIN is given.
std::string entered(const CK_UTF8CHAR* pin, CK_ULONG size, const char* variable) {
    if (pin != nullptr) return {reinterpret_cast<const char*>(pin), size};
    const char* pad = std::getenv(variable);
    return pad != nullptr ? pad : "";
}

CK_UTF8CHAR* bytes(std::string& text) {
    return reinterpret_cast<CK_UTF8CHAR*>(text.data());
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size) {
    const std::string sent = pin != nullptr ? std::string(reinterpret_cast<char*>(pin), size) : "(pad)";
    if (const auto failure = enter("C_Login", std::to_string(user) + " " + sent)) return *failure;
    std::string used = entered(pin, size, "P11MIME_POOR_CARD_PAD");
    return real->C_Login(session, user, bytes(used), used.size());
}

CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* list, CK_ULONG count) {
    if (const auto failure = enter("C_GetAttributeValue")) return *failure;
    std::vector<CK_ATTRIBUTE> asked(list, list + count);
    bool missing = false;
    for (CK_ATTRIBUTE& attribute : asked) {
        if (attribute.type == CKA_ALWAYS_AUTHENTICATE && has("no-always-authenticate"))
            attribute.type = kNoSuchAttribute;
        missing = missing || attribute.type == kNoSuchAttribute;
    }
    if (missing && has("unsure-attributes")) return CKR_ATTRIBUTE_TYPE_INVALID;  // the lengths stay what they were
    const CK_RV code = real->C_GetAttributeValue(session, object, asked.data(), count);
    for (CK_ULONG i = 0; i < count; ++i)
        list[i].ulValueLen = number("attribute-size").value_or(asked[i].ulValueLen);
    for (CK_ULONG i = 0; i < count; ++i)
        if (list[i].type == CKA_SIGN && has("may-not-sign") && list[i].pValue != nullptr && list[i].ulValueLen == 1)
            *static_cast<CK_BBOOL*>(list[i].pValue) = CK_FALSE;
    if (has("unreadable-distrust-date"))
        for (CK_ULONG i = 0; i < count; ++i)
            if (list[i].type == p11mime::token::kNssEmailDistrustAfter && list[i].pValue != nullptr &&
                list[i].ulValueLen > 1 && list[i].ulValueLen != CK_UNAVAILABLE_INFORMATION)
                *static_cast<char*>(list[i].pValue) = '?';
    if (has("stripped") && count == 1 && list[0].type == CKA_VALUE && code == CKR_OK && list[0].pValue != nullptr) {
        auto* value = static_cast<unsigned char*>(list[0].pValue);
        const unsigned char* begin =
            std::find_if(value, value + list[0].ulValueLen, [](unsigned char c) { return c != 0; });
        const auto kept = static_cast<CK_ULONG>(value + list[0].ulValueLen - begin);
        std::memmove(value, begin, kept);
        list[0].ulValueLen = kept;
    }
    return code;
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
    if (const auto failure = enter("C_SignInit", std::to_string(mechanism->mechanism))) return *failure;
    if (has("slow-sign-init")) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const bool parameters = mechanism->ulParameterLen != 0;
    if (mechanism->mechanism == CKM_EDDSA && has(parameters ? "eddsa-parameters=no" : "eddsa-parameters=yes"))
        return CKR_MECHANISM_PARAM_INVALID;
    return real->C_SignInit(session, mechanism, key);
}

CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* signature, CK_ULONG* signature_size) {
    if (const auto failure = enter("C_Sign")) {
        if (has("ended")) real->C_Sign(session, data, size, signature, signature_size);
        return *failure;
    }
    if (size > 32 && has("signs-32-bytes")) return CKR_DATA_LEN_RANGE;
    const CK_RV code = real->C_Sign(session, data, size, signature, signature_size);
    if (code == CKR_OK && has("signs-garbage")) std::memset(signature, 0x11, *signature_size);
    return code;
}

/// The counts below are what a module may claim; it writes no more than it has.
CK_RV get_slot_list(CK_BBOOL with_token, CK_SLOT_ID* list, CK_ULONG* count) {
    if (const auto failure = enter("C_GetSlotList")) return *failure;
    const CK_RV code = real->C_GetSlotList(with_token, list, count);
    *count = number("slots").value_or(*count);
    return code;
}

CK_RV get_mechanism_list(CK_SLOT_ID slot, CK_MECHANISM_TYPE* list, CK_ULONG* count) {
    if (const auto failure = enter("C_GetMechanismList")) return *failure;
    const CK_RV code = real->C_GetMechanismList(slot, list, count);
    *count = number("mechanisms").value_or(*count);
    return code;
}

CK_RV find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* list, CK_ULONG most, CK_ULONG* count) {
    if (const auto failure = enter("C_FindObjects")) return *failure;
    const CK_RV code = real->C_FindObjects(session, list, most, count);
    *count = number("objects").value_or(*count);
    return code;
}

CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
    if (const auto failure = enter("C_DecryptInit", std::to_string(mechanism->mechanism))) return *failure;
    decrypting = mechanism->mechanism;
    if (mechanism->mechanism == CKM_RSA_PKCS_OAEP && has("oaep-with-any-hash")) return CKR_OK;
    return real->C_DecryptInit(session, mechanism, key);
}

CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG size, CK_BYTE* plain, CK_ULONG* plain_size) {
    if (const auto failure = enter("C_Decrypt")) {
        if (has("ended")) real->C_Decrypt(session, data, size, plain, plain_size);
        return *failure;
    }
    const CK_RV code = real->C_Decrypt(session, data, size, plain, plain_size);
    if (code == CKR_OK && plain != nullptr && decrypting == CKM_RSA_X_509 && has("stripped")) {
        const CK_BYTE* begin = std::find_if(plain, plain + *plain_size, [](CK_BYTE c) { return c != 0; });
        const auto kept = static_cast<CK_ULONG>(plain + *plain_size - begin);
        std::memmove(plain, begin, kept);
        *plain_size = kept;
    }
    return code;
}

CK_RV derive_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key, CK_ATTRIBUTE* list,
                 CK_ULONG count, CK_OBJECT_HANDLE* derived) {
    if (const auto failure = enter("C_DeriveKey")) return *failure;
    const bool has_length =
        std::any_of(list, list + count, [](const CK_ATTRIBUTE& a) { return a.type == CKA_VALUE_LEN; });
    if (has_length && has("no-value-len")) return CKR_TEMPLATE_INCONSISTENT;
    if (!has_length && has("needs-value-len")) return CKR_TEMPLATE_INCOMPLETE;
    auto* parameters = static_cast<CK_ECDH1_DERIVE_PARAMS*>(mechanism->pParameter);
    const bool wrapped = parameters->ulPublicDataLen > 0 && parameters->pPublicData[0] == 0x04 &&
                         parameters->ulPublicDataLen % 2 == 1 && parameters->pPublicData[2] == 0x04 &&
                         parameters->pPublicData[1] == parameters->ulPublicDataLen - 2;
    if (wrapped && has("raw-point")) return CKR_MECHANISM_PARAM_INVALID;
    if (!wrapped && has("wrapped-point")) return CKR_MECHANISM_PARAM_INVALID;
    return real->C_DeriveKey(session, mechanism, key, list, count, derived);
}

CK_RV create_object(CK_SESSION_HANDLE session, CK_ATTRIBUTE* list, CK_ULONG count, CK_OBJECT_HANDLE* object) {
    if (const auto failure = enter("C_CreateObject")) return *failure;
    static CK_ULONG created = 0;
    if (const auto most = number("creates"); most && created >= *most) {
        if (has("throws")) throw std::bad_alloc();
        return CKR_DEVICE_MEMORY;
    }
    const bool is_private_key = std::any_of(list, list + count, [](const CK_ATTRIBUTE& a) {
        return a.type == CKA_CLASS && *static_cast<CK_OBJECT_CLASS*>(a.pValue) == CKO_PRIVATE_KEY;
    });
    if (is_private_key && has("no-plain-keys")) return CKR_TEMPLATE_INCONSISTENT;
    const CK_RV code = real->C_CreateObject(session, list, count, object);
    if (code == CKR_OK) ++created;
    return code;
}

CK_RV unwrap_key(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key, CK_BYTE* wrapped,
                 CK_ULONG size, CK_ATTRIBUTE* list, CK_ULONG count, CK_OBJECT_HANDLE* object) {
    if (const auto failure = enter("C_UnwrapKey", std::to_string(mechanism->mechanism))) return *failure;
    return real->C_UnwrapKey(session, mechanism, key, wrapped, size, list, count, object);
}

CK_RV destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
    if (const auto failure = enter("C_DestroyObject")) return *failure;
    return real->C_DestroyObject(session, object);
}

CK_RV get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) {
    if (const auto failure = enter("C_GetSessionInfo")) return *failure;
    const CK_RV code = real->C_GetSessionInfo(session, info);
    if (has("logged-out")) info->state = CKS_RO_PUBLIC_SESSION;
    return code;
}

CK_RV set_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
              CK_ULONG new_size) {
    if (const auto failure = enter("C_SetPIN", old_pin == nullptr ? "(pad)" : "")) return *failure;
    std::string from = entered(old_pin, old_size, "P11MIME_POOR_CARD_PAD");
    std::string to = entered(new_pin, new_size, "P11MIME_POOR_CARD_PAD_NEW");
    if (!has("set-pin-takes-puk")) return real->C_SetPIN(session, bytes(from), from.size(), bytes(to), to.size());
    CK_RV code = real->C_Login(session, CKU_SO, bytes(from), from.size());
    if (code == CKR_OK) code = real->C_InitPIN(session, bytes(to), to.size());
    real->C_Logout(session);
    return code;
}

CK_RV init_pin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG size) {
    if (const auto failure = enter("C_InitPIN", pin == nullptr ? "(pad)" : "")) return *failure;
    std::string used = entered(pin, size, "P11MIME_POOR_CARD_PAD_NEW");
    return real->C_InitPIN(session, bytes(used), used.size());
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify, CK_SESSION_HANDLE* session) {
    if (const auto failure = enter("C_OpenSession")) return *failure;
    const auto most = number("sessions");
    if (++sessions > most.value_or(ULONG_MAX)) {
        --sessions;
        return CKR_SESSION_COUNT;
    }
    return real->C_OpenSession(slot, flags, application, notify, session);
}

CK_RV close_session(CK_SESSION_HANDLE session) {
    if (const auto failure = enter("C_CloseSession")) return *failure;
    --sessions;
    return real->C_CloseSession(session);
}

CK_RV finalize(void* reserved) {
    if (const auto failure = enter("C_Finalize")) return *failure;
    return real->C_Finalize(reserved);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
    if (real == nullptr) {
        if (const CK_RV code = p11mime::test::load_module("P11MIME_POOR_CARD_MODULE", real); code != CKR_OK)
            return code;
        functions = *real;
        functions.C_GetFunctionList = C_GetFunctionList;
        functions.C_GetTokenInfo = get_token_info;
        functions.C_GetSlotList = get_slot_list;
        functions.C_GetMechanismList = get_mechanism_list;
        functions.C_FindObjects = find_objects;
        functions.C_Login = login;
        functions.C_GetAttributeValue = get_attribute_value;
        functions.C_SignInit = sign_init;
        functions.C_Sign = sign;
        functions.C_DecryptInit = decrypt_init;
        functions.C_Decrypt = decrypt;
        functions.C_DeriveKey = derive_key;
        functions.C_CreateObject = create_object;
        functions.C_UnwrapKey = unwrap_key;
        functions.C_DestroyObject = destroy_object;
        functions.C_GetSessionInfo = get_session_info;
        functions.C_SetPIN = set_pin;
        functions.C_InitPIN = init_pin;
        functions.C_OpenSession = open_session;
        functions.C_CloseSession = close_session;
        functions.C_Finalize = finalize;
    }
    *list = &functions;
    return CKR_OK;
}
