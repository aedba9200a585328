// A PKCS#11 module over SoftHSM of which one call fails, whichever it is, as when a card is pulled just then.
//   P11MIME_FAILING_MODULE the module that does the work, where it is not SoftHSM
//   P11MIME_FAILING_CALL   the call's number, from 1; C_GetFunctionList is none
//   P11MIME_FAILING_CODE   the return value that it has
//   P11MIME_FAILING_ON     set: so do all calls that follow, but for C_CloseSession and C_Finalize, as without a card
//   P11MIME_FAILING_KILL   "SIGNAL PID": instead of failing, the call is made after a process got a signal; PID 0 is
//                          the process that makes the call
//   P11MIME_FAILING_LOG    a file that gets a line for each call: its function, and "failed" where it was made to

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "softhsm-tests/wrapped_module.h"

namespace {

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST functions;
std::atomic<unsigned long> calls{0};

unsigned long number(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtoul(text, nullptr, 0) : 0;
}

void log(const std::string& line) {
    const char* path = std::getenv("P11MIME_FAILING_LOG");
    std::FILE* file = path != nullptr ? std::fopen(path, "a") : nullptr;
    if (file == nullptr) return;
    std::fputs(line.c_str(), file);
    std::fclose(file);
}

/// fails says whether the call that is made now is to fail.
bool fails(const std::string& function) {
    const unsigned long call = ++calls, failing = number("P11MIME_FAILING_CALL");
    const bool ends = function == "C_CloseSession" || function == "C_Finalize";
    const bool stays = failing != 0 && call > failing && std::getenv("P11MIME_FAILING_ON") != nullptr && !ends;
    const bool failed = call == failing || stays;
    log(function + (failed ? " failed\n" : "\n"));
    return failed;
}

/// kills sends the signal where there is one to send.
bool kills() {
    const char* text = std::getenv("P11MIME_FAILING_KILL");
    int signal = 0;
    long process = 0;
    if (text == nullptr || std::sscanf(text, "%d %ld", &signal, &process) != 2) return false;
    kill(process != 0 ? static_cast<pid_t>(process) : getpid(), signal);
    return true;
}

/// Counted stands for one function of the list.
template <auto Function, class Type>
struct Counted;

template <auto Function, class... Parameters>
struct Counted<Function, CK_RV (*CK_FUNCTION_LIST::*)(Parameters...)> {
    static inline const char* name = nullptr;

    static CK_RV call(Parameters... parameters) {
        if (fails(name) && !kills()) return number("P11MIME_FAILING_CODE");
        return (real->*Function)(parameters...);
    }
};

template <auto Function>
void count(const char* name) {
    Counted<Function, decltype(Function)>::name = name;
    functions.*Function = Counted<Function, decltype(Function)>::call;
}

#define COUNT(function) count<&CK_FUNCTION_LIST::function>(#function)

void count_all() {
    COUNT(C_Initialize);
    COUNT(C_Finalize);
    COUNT(C_GetInfo);
    COUNT(C_GetSlotList);
    COUNT(C_GetSlotInfo);
    COUNT(C_GetTokenInfo);
    COUNT(C_GetMechanismList);
    COUNT(C_GetMechanismInfo);
    COUNT(C_InitPIN);
    COUNT(C_SetPIN);
    COUNT(C_OpenSession);
    COUNT(C_CloseSession);
    COUNT(C_CloseAllSessions);
    COUNT(C_GetSessionInfo);
    COUNT(C_Login);
    COUNT(C_Logout);
    COUNT(C_CreateObject);
    COUNT(C_DestroyObject);
    COUNT(C_GetAttributeValue);
    COUNT(C_SetAttributeValue);
    COUNT(C_FindObjectsInit);
    COUNT(C_FindObjects);
    COUNT(C_FindObjectsFinal);
    COUNT(C_DecryptInit);
    COUNT(C_Decrypt);
    COUNT(C_SignInit);
    COUNT(C_Sign);
    COUNT(C_GenerateKeyPair);
    COUNT(C_UnwrapKey);
    COUNT(C_DeriveKey);
    COUNT(C_GenerateRandom);
    COUNT(C_WaitForSlotEvent);
}

#undef COUNT

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
    if (real == nullptr) {
        if (const CK_RV code = p11mime::test::load_module("P11MIME_FAILING_MODULE", real); code != CKR_OK) return code;
        functions = *real;
        functions.C_GetFunctionList = C_GetFunctionList;
        count_all();
    }
    *list = &functions;
    return CKR_OK;
}
