#include "cli/pin_cache.h"

#include <fmt/format.h>
#include <keyutils.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/system_error.h"
#include "mime/error.h"
#include "mime/shared_library.h"
#include "token/loss.h"

namespace p11mime::cli {

namespace {

constexpr const char* kType = "user";
constexpr std::string_view kPrefix = "p11mime:";
constexpr std::size_t kLongestEntry = 1024;

// Another session of the same user may see that there is a PIN and drop it, but not read it.
constexpr key_perm_t kPermissions =
    KEY_POS_VIEW | KEY_POS_READ | KEY_POS_WRITE | KEY_POS_SEARCH | KEY_POS_SETATTR | KEY_USR_VIEW | KEY_USR_SEARCH;

// Keyutils is the library's functions, as far as they are used.
struct Keyutils {
    Keyutils() {
        const SharedLibrary file("libkeyutils.so.1", "libkeyutils1");
        file.take(add, "add_key");
        file.take(describe, "keyctl_describe_alloc");
        file.take(id_of_keyring, "keyctl_get_keyring_ID");
        file.take(invalidate, "keyctl_invalidate");
        file.take(read, "keyctl_read");
        file.take(search, "keyctl_search");
        file.take(set_permissions, "keyctl_setperm");
        file.take(set_timeout, "keyctl_set_timeout");
    }

    decltype(&::add_key) add{};
    decltype(&::keyctl_describe_alloc) describe{};
    decltype(&::keyctl_get_keyring_ID) id_of_keyring{};
    decltype(&::keyctl_invalidate) invalidate{};
    decltype(&::keyctl_read) read{};
    decltype(&::keyctl_search) search{};
    decltype(&::keyctl_setperm) set_permissions{};
    decltype(&::keyctl_set_timeout) set_timeout{};
};

const Keyutils& keyutils() {
    static const Keyutils library;
    return library;
}

// A module is known by where it really is, not by what it is called from some directory.
std::string real_path(const std::string& module) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::canonical(module, error);
    return error ? module : path.string();
}

std::string description(const token::TokenInfo& token) {
    token::Uri uri;
    uri.token = token.label;
    uri.serial = token.serial;
    uri.module_path = real_path(token.module);
    return std::string(kPrefix) + uri.to_string();
}

// An entry is the mark of the card that the PIN is for, a line feed and the PIN.
SecretBytes entry_of(const token::TokenInfo& token, const SecretBytes& pin) {
    const std::string head = token::card_mark(token) + '\n';
    SecretBytes entry(head.size() + pin.size());
    std::copy(head.begin(), head.end(), entry.data());
    std::copy(pin.data(), pin.data() + pin.size(), entry.data() + head.size());
    return entry;
}

// Without a session keyring of its own a process is given the user's default one (session-keyring(7)).
key_serial_t keyring() {
    const key_serial_t session = keyutils().id_of_keyring(KEY_SPEC_SESSION_KEYRING, 0);
    const key_serial_t fallback = keyutils().id_of_keyring(KEY_SPEC_USER_SESSION_KEYRING, 0);
    return session >= 0 && session != fallback ? KEY_SPEC_SESSION_KEYRING : KEY_SPEC_USER_KEYRING;
}

struct FreeMemory {
    void operator()(char* memory) const { std::free(memory); }
};

// The name that a key of ours has after the prefix; nothing for any other key. keyctl_describe(3) gives
// "type;uid;gid;permissions;name".
std::optional<token::Uri> token_of(key_serial_t key) {
    char* text = nullptr;
    if (keyutils().describe(key, &text) < 0) return std::nullopt;
    const std::unique_ptr<char, FreeMemory> owner(text);
    std::string name = text;
    for (int fields = 0; fields < 4; ++fields) {
        const auto semicolon = name.find(';');
        if (semicolon == std::string::npos) return std::nullopt;
        name.erase(0, semicolon + 1);
    }
    if (!name.starts_with(kPrefix)) return std::nullopt;
    try {
        return token::Uri::parse(name.substr(kPrefix.size()));
    } catch (const Error&) {
        return std::nullopt;
    }
}

// Every key that this process may see, other sessions' too (/proc/keys, see keyrings(7)).
std::vector<key_serial_t> visible_keys() {
    std::vector<key_serial_t> keys;
    std::ifstream list("/proc/keys");
    for (std::string line; std::getline(list, line);) {
        if (line.find(kPrefix) == std::string::npos) continue;
        keys.push_back(static_cast<key_serial_t>(std::strtoul(line.c_str(), nullptr, 16)));
    }
    return keys;
}

std::size_t forget(const std::function<bool(const token::Uri&)>& is_meant) {
    std::size_t count = 0;
    for (const key_serial_t key : visible_keys()) {
        const auto token = token_of(key);
        if (token && is_meant(*token) && keyutils().invalidate(key) == 0) ++count;
    }
    return count;
}

}  // namespace

void cache_pin(const token::TokenInfo& token, const SecretBytes& pin, std::chrono::seconds lifetime) {
    const auto failed = [](int cause) { return system_error("the kernel's keyring keeps no PIN", cause); };
    const SecretBytes entry = entry_of(token, pin);
    const key_serial_t key = keyutils().add(kType, description(token).c_str(), entry.data(), entry.size(), keyring());
    if (key < 0) throw failed(errno);
    if (keyutils().set_timeout(key, static_cast<unsigned>(lifetime.count())) == 0 &&
        keyutils().set_permissions(key, kPermissions) == 0)
        return;
    const int cause = errno;
    keyutils().invalidate(key);
    throw failed(cause);
}

std::optional<SecretBytes> cached_pin(const token::TokenInfo& token) {
    const long key = keyutils().search(keyring(), kType, description(token).c_str(), 0);
    if (key < 0) return std::nullopt;
    SecretBytes entry(kLongestEntry);
    const long size =
        keyutils().read(static_cast<key_serial_t>(key), reinterpret_cast<char*>(entry.data()), entry.size());
    if (size <= 0 || static_cast<std::size_t>(size) > entry.size()) return std::nullopt;
    entry.shrink(static_cast<std::size_t>(size));
    const std::string head = token::card_mark(token) + '\n';
    if (!text_of(entry.view()).starts_with(head)) {
        keyutils().invalidate(static_cast<key_serial_t>(key));
        return std::nullopt;
    }
    return SecretBytes(entry.view().subspan(head.size()));
}

std::size_t forget_cached_pin(const token::TokenInfo& token) {
    return forget([&](const token::Uri& kept) { return kept.token == token.label && kept.serial == token.serial; });
}

std::size_t forget_cached_pins(const std::optional<token::Uri>& tokens) {
    return forget([&](const token::Uri& kept) {
        if (!tokens) return true;
        const auto fits = [](const auto& wanted, const auto& value) { return !wanted || wanted == value; };
        return fits(tokens->token, kept.token) && fits(tokens->serial, kept.serial) &&
               (!tokens->module_path || real_path(*tokens->module_path) == kept.module_path);
    });
}

}  // namespace p11mime::cli
