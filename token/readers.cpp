#include "token/readers.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <winscard.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "mime/error.h"

namespace p11mime::token {

namespace {

constexpr const char* kLibrary = "libpcsclite.so.1";
constexpr const char* kSocket = "/run/pcscd/pcscd.comm";
constexpr const char* kProcess = "/run/pcscd/pcscd.pid";       // of systemd's pcscd too, whose socket stays
constexpr const char* kAnyReader = "\\\\?PnP?\\Notification";  // stands for readers that come and go

constexpr std::array kPrograms = {"/usr/sbin/pcscd", "/usr/local/sbin/pcscd", "/sbin/pcscd"};

/// kLongestSleep bounds what a reader that comes between two calls can be missed for.
constexpr std::chrono::milliseconds kLongestSleep = std::chrono::minutes(10);

/// Api is pcsc-lite's functions. It is loaded at first use, since most runs have no use for it.
class Api {
  public:
    Api() : library_(dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL)) {
        if (library_ == nullptr)
            throw Error(ErrorKind::token, "pcsc-lite, which reaches smart card readers, is not installed",
                        "apt install pcscd");
        take(establish, "SCardEstablishContext");
        take(release, "SCardReleaseContext");
        take(list_readers, "SCardListReaders");
        take(status_change, "SCardGetStatusChange");
        take(cancel, "SCardCancel");
    }
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    decltype(&SCardEstablishContext) establish = nullptr;
    decltype(&SCardReleaseContext) release = nullptr;
    decltype(&SCardListReaders) list_readers = nullptr;
    decltype(&SCardGetStatusChange) status_change = nullptr;
    decltype(&SCardCancel) cancel = nullptr;

  private:
    template <class Function>
    void take(Function& function, const char* name) {
        function = reinterpret_cast<Function>(dlsym(library_, name));
        if (function == nullptr)
            throw Error(ErrorKind::token, fmt::format("{} has no {}", kLibrary, name), "apt install pcscd");
    }

    void* library_;  // stays loaded: modules use it too
};

const Api& api() {
    static const Api loaded;
    return loaded;
}

Error no_pcscd() {
    const std::string who = "pcscd, which reaches smart card readers, is not";
    if (!pcscd_installed()) return {ErrorKind::token, who + " installed", "apt install pcscd"};
    return {ErrorKind::token, who + " running", "start it: sudo systemctl start pcscd.socket"};
}

void check(LONG code) {
    switch (code) {
        case SCARD_S_SUCCESS:
            return;
        case SCARD_E_NO_SERVICE:
        case SCARD_E_SERVICE_STOPPED:
        case SCARD_F_COMM_ERROR:
        case SCARD_E_INVALID_HANDLE:
            throw no_pcscd();
        case SCARD_W_SECURITY_VIOLATION:
        case SCARD_E_NO_ACCESS:
            throw Error(ErrorKind::token, "pcscd refuses this user the smart card readers",
                        "have polkit allow the action org.debian.pcsc-lite.access_pcsc");
        default:
            throw Error(ErrorKind::token,
                        fmt::format("pcscd reports an error: 0x{:08X}", static_cast<unsigned long>(code)),
                        "restart it: sudo systemctl restart pcscd");
    }
}

/// states_of asks for news of readers that are as `known` has them, and of readers that come and go.
std::vector<SCARD_READERSTATE> states_of(std::span<const Reader> known) {
    std::vector<SCARD_READERSTATE> states(known.size() + 1);
    for (std::size_t i = 0; i < known.size(); ++i) {
        const Reader& reader = known[i];
        states[i].szReader = reader.name.c_str();
        states[i].dwCurrentState = reader.movements << 16U | (reader.card ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY);
        if (reader.mute) states[i].dwCurrentState |= SCARD_STATE_MUTE;
    }
    states.back().szReader = kAnyReader;
    return states;
}

Reader reader_of(const SCARD_READERSTATE& state) {
    Reader reader{.name = state.szReader, .card = (state.dwEventState & SCARD_STATE_PRESENT) != 0};
    reader.mute = reader.card && (state.dwEventState & SCARD_STATE_MUTE) != 0;
    if (reader.card && !reader.mute)
        reader.atr.assign(state.rgbAtr, state.rgbAtr + std::min<std::size_t>(state.cbAtr, sizeof state.rgbAtr));
    reader.movements = state.dwEventState >> 16U;
    return reader;
}

}  // namespace

bool may_be_slot_of(std::string_view slot_description, const Reader& reader) {
    constexpr std::string_view kCut = "...";
    if (slot_description.empty()) return false;
    if (reader.name.starts_with(slot_description)) return true;
    if (!slot_description.ends_with(kCut) || slot_description == kCut) return false;
    slot_description.remove_suffix(kCut.size());
    return reader.name.starts_with(slot_description);
}

bool pcscd_installed() {
    return std::any_of(kPrograms.begin(), kPrograms.end(),
                       [](const char* program) { return access(program, X_OK) == 0; });
}

struct Readers::Connection {
    Connection() {
        LONG code = api().establish(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
        // A pcscd that is about to end looks like one that refuses.
        for (int tries = 0; tries < 10 && code == SCARD_W_SECURITY_VIOLATION; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            code = api().establish(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
        }
        check(code);
    }
    ~Connection() { api().release(context); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    std::vector<std::string> names() const;

    SCARDCONTEXT context = 0;
};

Readers::Readers() : connection_(std::make_unique<Connection>()) {}

Readers::~Readers() = default;

std::vector<std::string> Readers::Connection::names() const {
    DWORD size = 0;
    LONG code = api().list_readers(context, nullptr, nullptr, &size);
    std::string list;
    while (code == SCARD_S_SUCCESS) {
        list.resize(size);
        code = api().list_readers(context, nullptr, list.data(), &size);
        if (code == SCARD_S_SUCCESS) break;
        if (code != SCARD_E_INSUFFICIENT_BUFFER) break;
        code = api().list_readers(context, nullptr, nullptr, &size);  // one came meanwhile
    }
    if (code == SCARD_E_NO_READERS_AVAILABLE) return {};
    check(code);
    std::vector<std::string> names;
    for (std::size_t at = 0; at < list.size() && list[at] != '\0'; at += names.back().size() + 1)
        names.emplace_back(list.c_str() + at);
    return names;
}

std::vector<Reader> Readers::list() const {
    for (;;) {
        const std::vector<std::string> names = connection_->names();
        if (names.empty()) return {};
        std::vector<SCARD_READERSTATE> states(names.size());
        for (std::size_t i = 0; i < names.size(); ++i)
            states[i].szReader = names[i].c_str();
        const LONG code = api().status_change(connection_->context, 0, states.data(), states.size());
        if (code == SCARD_E_UNKNOWN_READER || code == SCARD_E_READER_UNAVAILABLE) continue;  // one went meanwhile
        if (code != SCARD_E_TIMEOUT) check(code);
        std::vector<Reader> readers;
        std::transform(states.begin(), states.end(), std::back_inserter(readers), reader_of);
        return readers;
    }
}

void Readers::wait(std::span<const Reader> known, std::optional<std::chrono::milliseconds> longest,
                   const std::stop_token& stop) const {
    const auto now = list();
    if (stop.stop_requested() || !std::equal(now.begin(), now.end(), known.begin(), known.end())) return;
    std::atomic<bool> over = false;
    const auto waiter = std::this_thread::get_id();
    // A cancellation finds nothing to cancel before the wait has begun, so it is repeated.
    const std::stop_callback cancel(stop, [&] {
        while (!over && std::this_thread::get_id() != waiter) {
            api().cancel(connection_->context);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    });
    std::vector<SCARD_READERSTATE> states = states_of(known);
    const auto sleep = std::min(longest.value_or(kLongestSleep), kLongestSleep);
    const LONG code = stop.stop_requested()
                          ? SCARD_S_SUCCESS
                          : api().status_change(connection_->context, static_cast<DWORD>(sleep.count()), states.data(),
                                                states.size());
    over = true;
    const bool ended = code == SCARD_E_TIMEOUT || code == SCARD_E_CANCELLED || code == SCARD_E_UNKNOWN_READER ||
                       code == SCARD_E_READER_UNAVAILABLE;
    if (!ended) check(code);
}

std::string pcscd_mark() {
    const char* named = std::getenv("PCSCLITE_CSOCK_NAME");
    std::string mark;
    for (const char* file : {named != nullptr ? named : kSocket, kProcess}) {
        struct stat found {};
        if (::stat(file, &found) == 0)
            mark += fmt::format("{}:{}.{:09}/", found.st_ino, found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
    }
    return mark;
}

}  // namespace p11mime::token
