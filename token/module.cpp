#include "token/module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "token/ckr.h"
#include "token/mutexes.h"

namespace p11mime::token {

namespace {

constexpr CK_ULONG kSpareSlots = 16;     // for readers that come between two calls
constexpr CK_ULONG kMostSlots = 10'000;  // more is what a broken module says
constexpr const char* kWhichModule =
    "give the module's file with --module; 'p11-kit list-modules' shows those installed";
constexpr const char* kWantsArguments =
    "it may want arguments, as NSS does: --module \"libsoftokn3.so configdir='sql:DIRECTORY'\"";
constexpr const char* kOtherArguments = "the module does not understand what follows its file's name after --module";

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

PinState puk_state(CK_FLAGS flags) {
    if (flags & CKF_SO_PIN_LOCKED) return PinState::locked;
    if (flags & CKF_SO_PIN_FINAL_TRY) return PinState::last_try;
    if (flags & CKF_SO_PIN_COUNT_LOW) return PinState::few_tries;
    if (flags & CKF_SO_PIN_TO_BE_CHANGED) return PinState::to_be_changed;
    return PinState::ok;
}

// Sessions here are read-only ones, which the limit of all sessions counts too. CK_EFFECTIVELY_INFINITE is 0.
std::optional<std::size_t> most_sessions(const CK_TOKEN_INFO& info) {
    const bool limited =
        info.ulMaxSessionCount != CK_EFFECTIVELY_INFINITE && info.ulMaxSessionCount != CK_UNAVAILABLE_INFORMATION;
    return limited ? std::optional<std::size_t>(info.ulMaxSessionCount) : std::nullopt;
}

/// take_state takes over what changes while a token is in its slot.
void take_state(TokenInfo& info, const CK_TOKEN_INFO& raw) {
    info.pin_state = pin_state(raw.flags);
    info.puk_state = puk_state(raw.flags);
    info.shortest_pin = raw.ulMinPinLen;
    info.longest_pin = raw.ulMaxPinLen;
    info.initialized = raw.flags & CKF_TOKEN_INITIALIZED;
    info.login_required = raw.flags & CKF_LOGIN_REQUIRED;
    info.protected_authentication_path = raw.flags & CKF_PROTECTED_AUTHENTICATION_PATH;
    info.read_only = raw.flags & CKF_WRITE_PROTECTED;
    info.most_sessions = most_sessions(raw);
}

bool is_no_token(CK_RV code) {
    return code == CKR_TOKEN_NOT_PRESENT || code == CKR_TOKEN_NOT_RECOGNIZED;
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

}  // namespace

struct Module::Library {
    explicit Library(const std::string& path) : handle(dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
        if (handle == nullptr)
            throw Error(ErrorKind::token, fmt::format("cannot load PKCS#11 module '{}': {}", path, dlerror()),
                        kWhichModule);
    }
    ~Library() { dlclose(handle); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    void* handle;
};

/// Instance is the module's functions. p11-kit's proxy hands out a fresh instance with each list, so there is one list.
struct Module::Instance {
    Instance(const CK_FUNCTION_LIST& list, const std::string& started_with, const std::string& who) : calls(list) {
        CK_RV code = initialize(CKF_OS_LOCKING_OK, started_with);
        if (code == CKR_CANT_LOCK) {
            threads = false;
            code = started_with.empty() ? calls.C_Initialize(nullptr) : initialize(0, started_with);
        }
        ours = code != CKR_CRYPTOKI_ALREADY_INITIALIZED;  // else something else in this process needs it
        if (code == CKR_ARGUMENTS_BAD)
            throw Error(ErrorKind::token, CkrError(code, who, "initialise").what(),
                        started_with.empty() ? kWantsArguments : kOtherArguments);
        if (ours) check(code, who, "initialise");
    }
    ~Instance() {
        if (ours) calls.C_Finalize(nullptr);
    }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    /// initialize lays out the arguments as NSS's softoken reads them: where there is a string, a null pointer follows.
    CK_RV initialize(CK_FLAGS flags, std::string started_with) const {
        struct {
            CK_C_INITIALIZE_ARGS standard{};
            void* reserved = nullptr;
        } arguments;
        arguments.standard.flags = flags;
        if (flags & CKF_OS_LOCKING_OK) offer_mutexes(arguments.standard);
        if (!started_with.empty()) arguments.standard.pReserved = started_with.data();
        return calls.C_Initialize(&arguments.standard);
    }

    const CK_FUNCTION_LIST& calls;
    bool threads = true;
    bool ours = true;
};

std::shared_ptr<Module> Module::load(const ModuleFile& file, std::shared_ptr<Turns> turns) {
    Loaded& loaded = loaded_modules();
    const std::lock_guard lock(loaded.mutex);
    std::weak_ptr<Module>& known = loaded.modules[canonical(file.path)];
    if (std::shared_ptr<Module> module = known.lock()) {
        if (module->arguments_ == file.arguments) return module;
        throw Error(ErrorKind::token, fmt::format("{} is in use with other arguments", module->name()),
                    "name the module once");
    }
    std::shared_ptr<Module> module(new Module(file, std::move(turns)));
    known = module;
    return module;
}

Module::Module(const ModuleFile& file, std::shared_ptr<Turns> turns)
    : path_(file.path),
      arguments_(file.arguments),
      library_(std::make_unique<Library>(file.path)),
      turns_(turns ? std::move(turns) : std::make_shared<Turns>("")) {
    const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_->handle, "C_GetFunctionList"));
    if (get_list == nullptr)
        throw Error(ErrorKind::token, fmt::format("'{}' is no PKCS#11 module: it has no C_GetFunctionList", path_),
                    kWhichModule);
    const Turns::Turn reading(*turns_, Turns::Kind::reading);
    CK_FUNCTION_LIST* list = nullptr;
    check(get_list(&list), name(), "get its functions");
    instance_ = std::make_unique<Instance>(*list, arguments_, name());
    check(calls().C_GetInfo(&info_), name(), "describe itself");
}

Module::~Module() = default;

const CK_FUNCTION_LIST& Module::calls() const {
    return instance_->calls;
}

bool Module::threads() const {
    return instance_->threads;
}

std::string Module::name() const {
    return fmt::format("module '{}'", path_);
}

std::vector<Slot> Module::slots() const {
    const Turns::Turn reading(*turns_, Turns::Kind::reading);
    std::vector<Slot> slots;
    for (const CK_SLOT_ID id : slot_ids()) {
        CK_SLOT_INFO info{};
        check(calls().C_GetSlotInfo(id, &info), name(), "describe its slots");
        slots.push_back({.id = id,
                         .description = trimmed(info.slotDescription),
                         .removable = (info.flags & CKF_REMOVABLE_DEVICE) != 0,
                         .token = token_in(id, info)});
    }
    return slots;
}

/// slot_ids asks for the number first, which is when modules look for new readers (PKCS#11 2.40 section 5.5).
std::vector<CK_SLOT_ID> Module::slot_ids() const {
    CK_ULONG count = 0;
    check(calls().C_GetSlotList(CK_FALSE, nullptr, &count), name(), "list its slots");
    if (count > kMostSlots)
        throw Error(ErrorKind::token, fmt::format("{} says that it has {} slots", name(), count), kWhichModule);
    count += kSpareSlots;
    std::vector<CK_SLOT_ID> ids(count);
    check(calls().C_GetSlotList(CK_FALSE, ids.data(), &count), name(), "list its slots");
    ids.resize(std::min<std::size_t>(count, ids.size()));
    return ids;
}

std::optional<TokenInfo> Module::token_in(CK_SLOT_ID slot, const CK_SLOT_INFO& slot_info) const {
    if (!(slot_info.flags & CKF_TOKEN_PRESENT)) return std::nullopt;
    CK_TOKEN_INFO raw{};
    const CK_RV code = calls().C_GetTokenInfo(slot, &raw);
    if (is_no_token(code)) return std::nullopt;
    check(code, name(), "describe its tokens");
    TokenInfo token;
    token.module = path_;
    token.slot_id = slot;
    token.slot_description = trimmed(slot_info.slotDescription);
    token.slot_manufacturer = trimmed(slot_info.manufacturerID);
    token.removable = slot_info.flags & CKF_REMOVABLE_DEVICE;
    token.label = trimmed(raw.label);
    token.manufacturer = trimmed(raw.manufacturerID);
    token.model = trimmed(raw.model);
    token.serial = trimmed(raw.serialNumber);
    token.library_manufacturer = trimmed(info_.manufacturerID);
    token.library_description = trimmed(info_.libraryDescription);
    token.library_version = fmt::format("{}.{}", info_.libraryVersion.major, info_.libraryVersion.minor);
    take_state(token, raw);
    return token;
}

TokenInfo read_token_info(const Module& module, const TokenInfo& known) {
    const Turns::Turn reading(module.turns(), Turns::Kind::reading);
    CK_TOKEN_INFO raw{};
    check(module.calls().C_GetTokenInfo(known.slot_id, &raw), token_name(known), "read its state");
    if (trimmed(raw.serialNumber) != known.serial || trimmed(raw.label) != known.label)
        throw Error(ErrorKind::token, fmt::format("{} was replaced by another token", token_name(known)),
                    "insert it again and repeat the command");
    TokenInfo info = known;
    take_state(info, raw);
    return info;
}

std::string token_name(const TokenInfo& token) {
    return fmt::format("token '{}'", token.label);
}

}  // namespace p11mime::token
