#include "token/module.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "token/ckr.h"

namespace p11mime::token {

namespace {

std::string text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

template <std::size_t N>
std::string trimmed(const unsigned char (&padded)[N]) {
    std::string text(reinterpret_cast<const char*>(padded), N);
    text.erase(std::find(text.begin(), text.end(), '\0'), text.end());
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

PinState pin_state(CK_FLAGS flags) {
    if (flags & CKF_USER_PIN_LOCKED) return PinState::locked;
    if (!(flags & CKF_USER_PIN_INITIALIZED)) return PinState::not_set;
    if (flags & CKF_USER_PIN_FINAL_TRY) return PinState::last_try;
    if (flags & CKF_USER_PIN_COUNT_LOW) return PinState::few_tries;
    if (flags & CKF_USER_PIN_TO_BE_CHANGED) return PinState::to_be_changed;
    return PinState::ok;
}

CK_FLAGS flags_of(const PKCS11_TOKEN& token) {
    return (token.userPinLocked ? CKF_USER_PIN_LOCKED : 0) | (token.userPinSet ? CKF_USER_PIN_INITIALIZED : 0) |
           (token.userPinFinalTry ? CKF_USER_PIN_FINAL_TRY : 0) | (token.userPinCountLow ? CKF_USER_PIN_COUNT_LOW : 0) |
           (token.userPinToBeChanged ? CKF_USER_PIN_TO_BE_CHANGED : 0);
}

// Sessions here are read-only ones, which the limit of all sessions counts too.
std::optional<std::size_t> most_sessions(const CK_TOKEN_INFO& info) {
    const bool limited =
        info.ulMaxSessionCount != CK_EFFECTIVELY_INFINITE && info.ulMaxSessionCount != CK_UNAVAILABLE_INFORMATION;
    return limited ? std::optional<std::size_t>(info.ulMaxSessionCount) : std::nullopt;
}

/// Loaded is the modules in use: C_Initialize and C_Finalize are the whole process's, so a file is loaded once.
struct Loaded {
    std::mutex mutex;
    std::map<std::string, std::weak_ptr<Module>> modules;
};

Loaded& loaded_modules() {
    static Loaded loaded;
    return loaded;
}

std::string canonical(const std::string& path) {
    std::error_code error;
    const std::filesystem::path resolved = std::filesystem::canonical(path, error);
    return error ? path : resolved.string();
}

/// libp11_error makes the Error for a failed libp11 call, whose CKR code is in OpenSSL's queue.
Error libp11_error(const std::string& path, std::string_view what) {
    const unsigned long error = ERR_peek_last_error();
    const bool has_code = error != 0 && ERR_GET_LIB(error) == ERR_get_CKR_code();  // which names the library
    ERR_clear_error();
    if (has_code) return CkrError(static_cast<CK_RV>(ERR_GET_REASON(error)), fmt::format("module '{}'", path), what);
    return Error(ErrorKind::token, fmt::format("module '{}': cannot {}", path, what));
}

}  // namespace

struct Module::Library {
    explicit Library(const std::string& path) : handle(dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
        if (handle == nullptr)
            throw Error(ErrorKind::token, fmt::format("cannot load PKCS#11 module '{}': {}", path, dlerror()),
                        "give the module's file with --module; 'p11-kit list-modules' shows those installed");
    }
    ~Library() { dlclose(handle); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    void* handle;
};

struct Module::Context {
    explicit Context(const std::string& path) : context(PKCS11_CTX_new()) {
        if (context == nullptr) throw std::bad_alloc();
        if (PKCS11_CTX_load(context, path.c_str()) == 0) return;
        PKCS11_CTX_free(context);
        throw libp11_error(path, "initialise");
    }
    ~Context() {
        for (const auto& [slots, count] : lists)
            PKCS11_release_all_slots(context, slots, count);
        PKCS11_CTX_unload(context);
        PKCS11_CTX_free(context);
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    PKCS11_CTX* context;
    std::vector<std::pair<PKCS11_SLOT*, unsigned>> lists;
};

std::shared_ptr<Module> Module::load(const std::string& path) {
    Loaded& loaded = loaded_modules();
    const std::lock_guard lock(loaded.mutex);
    std::weak_ptr<Module>& known = loaded.modules[canonical(path)];
    if (std::shared_ptr<Module> module = known.lock()) return module;
    std::shared_ptr<Module> module(new Module(path));
    known = module;
    return module;
}

Module::Module(const std::string& path) : path_(path), library_(std::make_unique<Library>(path)) {
    const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_->handle, "C_GetFunctionList"));
    if (get_list == nullptr)
        throw Error(ErrorKind::token, fmt::format("'{}' is no PKCS#11 module: it has no C_GetFunctionList", path),
                    "give the module's file with --module; 'p11-kit list-modules' shows those installed");
    const std::string who = fmt::format("module '{}'", path);
    check(get_list(&calls_), who, "get its functions");
    // Most modules have one instance, which libp11 finalises; p11-kit's proxy hands out a fresh one each time.
    CK_FUNCTION_LIST* again = calls_;
    check(get_list(&again), who, "get its functions");
    initialize();
    own_instance_ = again != calls_;
    try {
        context_ = std::make_unique<Context>(path);
        CK_INFO info{};
        check(calls_->C_GetInfo(&info), who, "describe itself");
        library_version_ = fmt::format("{}.{}", info.libraryVersion.major, info.libraryVersion.minor);
    } catch (...) {
        if (own_instance_ || !context_) calls_->C_Finalize(nullptr);
        throw;
    }
}

/// initialize comes before libp11 does it, which would promise the module that one thread alone calls it.
void Module::initialize() {
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    CK_RV code = calls_->C_Initialize(&arguments);
    if (code == CKR_CANT_LOCK) {
        threads_ = false;
        code = calls_->C_Initialize(nullptr);
    }
    if (code != CKR_CRYPTOKI_ALREADY_INITIALIZED) check(code, fmt::format("module '{}'", path_), "initialise");
}

Module::~Module() {
    if (own_instance_) calls_->C_Finalize(nullptr);
}

std::vector<Slot> Module::slots() {
    PKCS11_SLOT* list = nullptr;
    unsigned count = 0;
    if (PKCS11_enumerate_slots(context_->context, &list, &count) != 0) throw libp11_error(path_, "list its slots");
    context_->lists.emplace_back(list, count);
    std::vector<Slot> slots;
    for (unsigned i = 0; i < count; ++i) {
        Slot slot{.id = PKCS11_get_slotid_from_slot(&list[i]),
                  .description = text_or_empty(list[i].description),
                  .token = std::nullopt};
        if (list[i].token != nullptr) slot.token = describe(list[i]);
        slots.push_back(std::move(slot));
    }
    return slots;
}

TokenInfo Module::describe(const PKCS11_SLOT& slot) const {
    const PKCS11_TOKEN& token = *slot.token;
    TokenInfo info;
    info.module = path_;
    info.slot_id = PKCS11_get_slotid_from_slot(const_cast<PKCS11_SLOT*>(&slot));
    info.slot_description = text_or_empty(slot.description);
    info.label = text_or_empty(token.label);
    info.manufacturer = text_or_empty(token.manufacturer);
    info.model = text_or_empty(token.model);
    info.serial = text_or_empty(token.serialnr);
    info.pin_state = pin_state(flags_of(token));
    info.initialized = token.initialized;
    info.login_required = token.loginRequired;
    info.protected_authentication_path = token.secureLogin;
    info.read_only = token.readOnly;
    info.removable = slot.removable;
    info.slot_manufacturer = text_or_empty(slot.manufacturer);
    info.library_manufacturer = text_or_empty(context_->context->manufacturer);
    info.library_description = text_or_empty(context_->context->description);
    info.library_version = library_version_;
    if (own_instance_) info.slot_id = slot_in_own_instance(info);
    return info;
}

/// slot_in_own_instance finds a token by serial and label, since slot numbers do not carry over between instances.
unsigned long Module::slot_in_own_instance(const TokenInfo& token) const {
    std::vector<CK_SLOT_ID> ids(256);
    CK_ULONG count = ids.size();
    check(calls_->C_GetSlotList(CK_TRUE, ids.data(), &count), fmt::format("module '{}'", path_), "list its slots");
    for (CK_ULONG i = 0; i < count; ++i) {
        CK_TOKEN_INFO info{};
        if (calls_->C_GetTokenInfo(ids[i], &info) != CKR_OK) continue;
        if (trimmed(info.serialNumber) == token.serial && trimmed(info.label) == token.label) return ids[i];
    }
    return token.slot_id;
}

TokenInfo read_token_info(const Module& module, const TokenInfo& known) {
    CK_TOKEN_INFO raw{};
    check(module.calls().C_GetTokenInfo(known.slot_id, &raw), token_name(known), "read its state");
    if (trimmed(raw.serialNumber) != known.serial || trimmed(raw.label) != known.label)
        throw Error(ErrorKind::token, fmt::format("{} was replaced by another token", token_name(known)),
                    "insert it again and repeat the command");
    TokenInfo info = known;
    info.pin_state = pin_state(raw.flags);
    info.initialized = raw.flags & CKF_TOKEN_INITIALIZED;
    info.login_required = raw.flags & CKF_LOGIN_REQUIRED;
    info.protected_authentication_path = raw.flags & CKF_PROTECTED_AUTHENTICATION_PATH;
    info.read_only = raw.flags & CKF_WRITE_PROTECTED;
    info.most_sessions = most_sessions(raw);
    return info;
}

std::string token_name(const TokenInfo& token) {
    return fmt::format("token '{}'", token.label);
}

}  // namespace p11mime::token
