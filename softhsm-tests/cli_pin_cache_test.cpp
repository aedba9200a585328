// The PIN cache in the kernel's keyring, each case in a session keyring of its own so that none sees another's.

#include <fmt/format.h>
#include <keyutils.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "cli/pin_cache.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

token::TokenInfo card(const std::string& label, const std::string& serial) {
    token::TokenInfo token;
    token.module = "/modules/card.so";
    token.label = label;
    token.serial = fmt::format("{}-{}", serial, getpid());  // of this test alone: all of a user's keys are seen
    return token;
}

SecretBytes secret(std::string_view text) {
    return SecretBytes(bytes_of(text));
}

std::string text(const std::optional<SecretBytes>& pin) {
    return pin ? std::string(text_of(pin->view())) : "none";
}

/// starts_session puts the process into a session of its own; false, with a word, where there is no keyring.
bool starts_session() {
    if (keyctl_join_session_keyring(nullptr) >= 0) return true;
    test::skip("no keyring in this kernel or container");
    return false;
}

/// find looks for the key of a token's PIN by its name.
long find(key_serial_t keyring, const token::TokenInfo& token) {
    const std::string name =
        fmt::format("p11mime:pkcs11:token={};serial={}?module-path=/modules/card.so", token.label, token.serial);
    return keyctl_search(keyring, "user", name.c_str(), 0);
}

std::string describe(long key) {
    char* text = nullptr;
    if (keyctl_describe_alloc(static_cast<key_serial_t>(key), &text) < 0) return "";
    std::string description = text;
    free(text);
    return description;
}

constexpr auto kLong = std::chrono::minutes(10);

}  // namespace

TEST_CASE("a PIN is kept for its token alone: the same module, serial and label", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice", "1");
    CHECK(text(cached_pin(alice)) == "none");
    cache_pin(alice, secret("1234"), kLong);
    CHECK(text(cached_pin(alice)) == "1234");
    CHECK(text(cached_pin(card("Bob", "1"))) == "none");
    CHECK(text(cached_pin(card("Alice", "2"))) == "none");
    token::TokenInfo elsewhere = alice;
    elsewhere.module = "/modules/other.so";
    CHECK(text(cached_pin(elsewhere)) == "none");
    token::TokenInfo moved = alice;
    moved.slot_id = 7;
    CHECK(text(cached_pin(moved)) == "1234");
    forget_cached_pin(alice);
}

TEST_CASE("a module is known by where it is, not by a link to it or the directory one is in", "[cli]") {
    if (!starts_session()) return;
    const test::TemporaryDirectory directory;
    test::write_file(directory / "card.so", "");
    std::filesystem::create_symlink(directory / "card.so", directory / "link.so");
    token::TokenInfo alice = card("Alice", "1");
    alice.module = directory / "link.so";
    cache_pin(alice, secret("1234"), kLong);
    alice.module = directory / "card.so";
    CHECK(text(cached_pin(alice)) == "1234");
    CHECK(forget_cached_pin(alice) == 1);
}

TEST_CASE("a token's PINs are forgotten whichever module they were for, and no other token's", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice", "1");
    const token::TokenInfo second = card("Alice", "2");
    token::TokenInfo elsewhere = alice;
    elsewhere.module = "/modules/other.so";
    for (const token::TokenInfo& token : {alice, elsewhere, second})
        cache_pin(token, secret("1234"), kLong);
    CHECK(forget_cached_pin(elsewhere) == 2);
    CHECK(text(cached_pin(alice)) == "none");
    CHECK(text(cached_pin(elsewhere)) == "none");
    CHECK(forget_cached_pin(second) == 1);
}

TEST_CASE("a PIN kept anew takes the place of the one before", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice", "1");
    cache_pin(alice, secret("1234"), kLong);
    cache_pin(alice, secret("567890"), kLong);
    CHECK(text(cached_pin(alice)) == "567890");
    CHECK(forget_cached_pin(alice) == 1);
    CHECK(text(cached_pin(alice)) == "none");
}

TEST_CASE("the kernel drops a PIN when its time is over", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice", "1");
    cache_pin(alice, secret("1234"), std::chrono::seconds(1));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (cached_pin(alice) && std::chrono::steady_clock::now() < deadline)
        usleep(20'000);
    CHECK(text(cached_pin(alice)) == "none");
}

TEST_CASE("only whoever possesses the key of a PIN may read it, and others of the user may drop it", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice", "1");
    cache_pin(alice, secret("1234"), kLong);
    const long key = find(KEY_SPEC_SESSION_KEYRING, alice);
    const std::string found = describe(key);
    INFO(found);
    // keyctl_describe(3): type;uid;gid;perm;description. 2f: all but linking; 09: view and search; group and others:
    // none.
    CHECK(found.starts_with(fmt::format("user;{};{};2f090000;", geteuid(), getegid())));
    const pid_t other_session = fork();
    if (other_session == 0) {
        keyctl_join_session_keyring(nullptr);
        const bool reads = cached_pin(alice).has_value();
        char byte = 0;
        const bool reads_by_number = keyctl_read(static_cast<key_serial_t>(key), &byte, 1) > 0;
        _exit(!reads && !reads_by_number && forget_cached_pin(alice) == 1 ? 0 : 1);
    }
    int status = -1;
    waitpid(other_session, &status, 0);
    CHECK(status == 0);
    CHECK(text(cached_pin(alice)) == "none");
}

TEST_CASE("PINs are forgotten by a URI's token, serial and module, whatever else it says", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice; Ä", "1");
    const token::TokenInfo bob = card("Bob", "2");
    const auto keep = [&] {
        cache_pin(alice, secret("1234"), kLong);
        cache_pin(bob, secret("5678"), kLong);
    };
    keep();
    CHECK(forget_cached_pins(token::Uri::parse("pkcs11:token=Carol")) == 0);
    CHECK(forget_cached_pins(token::Uri::parse("pkcs11:serial=" + bob.serial + "?module-path=/modules/card.so")) == 1);
    CHECK(text(cached_pin(bob)) == "none");
}

TEST_CASE("a session keyring of one's own comes before the user's", "[cli]") {
    if (!starts_session()) return;
    const token::TokenInfo alice = card("Alice", "1");
    cache_pin(alice, secret("1234"), kLong);
    CHECK(find(KEY_SPEC_SESSION_KEYRING, alice) > 0);
    CHECK(find(KEY_SPEC_USER_KEYRING, alice) < 0);
    CHECK(forget_cached_pin(alice) == 1);
}

TEST_CASE("without a session keyring of its own a process uses the user's", "[cli]") {
    const long session = keyctl_get_keyring_ID(KEY_SPEC_SESSION_KEYRING, 0);
    if (session < 0 || session != keyctl_get_keyring_ID(KEY_SPEC_USER_SESSION_KEYRING, 0)) {
        test::skip("no keyring, or a session keyring that cannot be left");
        return;
    }
    const token::TokenInfo alice = card("Alice", "1");
    cache_pin(alice, secret("1234"), kLong);
    CHECK(find(KEY_SPEC_USER_KEYRING, alice) > 0);
    CHECK(text(cached_pin(alice)) == "1234");
    CHECK(forget_cached_pin(alice) == 1);
}
