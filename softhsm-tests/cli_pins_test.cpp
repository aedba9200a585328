#include <fcntl.h>
#include <keyutils.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "cli/pin_record.h"
#include "cli/pins.h"
#include "mime/error.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;
using token::LoginOutcome;

namespace {

std::string text(const SecretBytes& secret) {
    return std::string(text_of(secret.view()));
}

SecretBytes secret_of(std::string_view of) {
    return SecretBytes(bytes_of(of));
}

token::PinRequest request(const std::string& label, const std::string& serial) {
    token::PinRequest wanted;
    wanted.token.module = "module.so";
    wanted.token.label = label;
    wanted.token.serial = serial;
    return wanted;
}

struct Rig {
    Rig() : fd(open("/dev/null", O_WRONLY)), terminal(fd, fd) {
        setenv("XDG_STATE_HOME", (directory / "state").c_str(), 1);
    }
    ~Rig() {
        unsetenv("XDG_STATE_HOME");
        close(fd);
    }
    Pins pins(std::optional<std::string> source, const std::vector<std::string>& uris = {}) {
        PinSettings settings;
        if (source) settings.source = PinSource::parse(*source);
        for (const std::string& uri : uris)
            settings.uris.push_back(token::Uri::parse(uri));
        settings.batch = true;
        settings.reuse = reuse;
        settings.cache = cache;
        return {terminal, std::move(settings)};
    }
    bool reuse = false;
    std::optional<std::chrono::seconds> cache;
    test::TemporaryDirectory directory;
    int fd;
    Terminal terminal;
};

}  // namespace

TEST_CASE("a PIN file gives its first line without the line ending", "[cli]") {
    const test::TemporaryDirectory directory;
    const auto pin_of = [&](std::string_view content) {
        test::write_file(directory / "pin", content);
        return text(read_secret(PinSource::parse("file:" + directory / "pin"), "PIN"));
    };
    CHECK(pin_of("1234\n") == "1234");
    CHECK(pin_of("1234") == "1234");
    CHECK(pin_of("1234\r\nmore\n") == "1234");
    CHECK(pin_of(" 12 34 \n") == " 12 34 ");
    CHECK_THROWS_WITH(pin_of("\n"), Catch::Contains("empty"));
    CHECK_THROWS_WITH(pin_of(std::string(5000, '1')), Catch::Contains("no PIN"));
    CHECK_THROWS_WITH(read_secret(PinSource::parse("file:/nonexistent/pin"), "PIN"),
                      Catch::Contains("/nonexistent/pin"));
}

TEST_CASE("a PIN from the environment is taken out of it", "[cli]") {
    setenv("P11MIME_TEST_PIN", "1234", 1);
    CHECK(text(read_secret(PinSource::parse("env:P11MIME_TEST_PIN"), "PIN")) == "1234");
    CHECK(getenv("P11MIME_TEST_PIN") == nullptr);
    CHECK_THROWS_WITH(read_secret(PinSource::parse("env:P11MIME_TEST_PIN"), "PIN"),
                      Catch::Contains("P11MIME_TEST_PIN"));
}

TEST_CASE("a descriptor gives one line at a time", "[cli]") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], "1234\n5678\n", 10) == 10);
    close(ends[1]);
    const PinSource source = PinSource::parse("fd:" + std::to_string(ends[0]));
    CHECK(text(read_secret(source, "PIN")) == "1234");
    CHECK(text(read_secret(source, "PIN")) == "5678");
    close(ends[0]);
}

TEST_CASE("PIN sources that are none are refused without being repeated", "[cli]") {
    for (const std::string source : {"1234", "env:", "env:A=B", "file:", "file:-", "fd:", "fd:x", "fd:-1", "tty:x"}) {
        INFO(source);
        CHECK_THROWS_AS(PinSource::parse(source), Error);
    }
    CHECK_THROWS_WITH(PinSource::parse("1234"), !Catch::Contains("1234"));
}

TEST_CASE("a PIN that names no token goes to the first token that asks, and to it alone", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin");
    const auto first = pins.pin(request("Alice", "1"));
    REQUIRE(first);
    CHECK(text(first->value) == "1234");
    CHECK_FALSE(first->typed_by_person);
    CHECK_FALSE(pins.pin(request("Bob", "2")));
    CHECK_FALSE(pins.pin(request("Alice", "2")));
}

TEST_CASE("a token that asks for its login again has refused it, and gets no PIN, but a key may ask each time",
          "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin");
    token::PinRequest of_key = request("Alice", "1");
    of_key.key_label = "signing key";
    CHECK(pins.pin(of_key));
    CHECK(pins.pin(of_key));
    CHECK(pins.pin(request("Alice", "1")));
    CHECK_THROWS_WITH(pins.pin(request("Alice", "1")), Catch::Contains("Alice") && Catch::Contains("not tried again"));
}

TEST_CASE("a token may ask for its login again once it has accepted one or was removed, but not once it refused",
          "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin");
    const token::PinRequest alice = request("Alice", "1");
    for (const auto outcome : {LoginOutcome::accepted, LoginOutcome::unchecked, LoginOutcome::removed}) {
        const auto pin = pins.pin(alice);
        REQUIRE(pin);
        pins.ended(alice, &*pin, outcome);
    }
    const auto pin = pins.pin(alice);
    REQUIRE(pin);
    pins.ended(alice, &*pin, LoginOutcome::refused);
    CHECK_THROWS_WITH(pins.pin(alice), Catch::Contains("not tried again"));
}

TEST_CASE("with --pin-reuse a typed PIN serves the keys of its token that ask each time, until it is refused",
          "[cli]") {
    Rig rig;
    rig.reuse = true;
    Pins pins = rig.pins(std::nullopt);
    const token::PinRequest login = request("Alice", "1");
    token::PinRequest key = login;
    key.key_label = "signing key";
    const token::Pin typed{secret_of("1234"), true};
    const token::Pin stored{secret_of("1234"), false};
    CHECK_FALSE(pins.pin(key));
    pins.ended(login, &stored, LoginOutcome::accepted);
    CHECK_FALSE(pins.pin(key));
    pins.ended(login, &typed, LoginOutcome::unchecked);
    CHECK_FALSE(pins.pin(key));

    pins.ended(login, &typed, LoginOutcome::accepted);
    const auto reused = pins.pin(key);
    REQUIRE(reused);
    CHECK(text(reused->value) == "1234");
    CHECK_FALSE(reused->typed_by_person);
    CHECK_FALSE(pins.pin(login));  // it is asked for, and nobody is there
    token::PinRequest other = key;
    other.token.serial = "2";
    CHECK_FALSE(pins.pin(other));
    token::PinRequest last = key;
    last.token.pin_state = token::PinState::last_try;
    CHECK_FALSE(pins.pin(last));

    for (const auto outcome : {LoginOutcome::refused, LoginOutcome::removed, LoginOutcome::replaced}) {
        pins.ended(key, &typed, LoginOutcome::accepted);
        CHECK(pins.pin(key));
        pins.ended(key, &*reused, outcome);
        CHECK_FALSE(pins.pin(key));
    }
}

TEST_CASE("without --pin-reuse a typed PIN serves once", "[cli]") {
    Rig rig;
    Pins pins = rig.pins(std::nullopt);
    token::PinRequest key = request("Alice", "1");
    key.key_label = "signing key";
    const token::Pin typed{secret_of("1234"), true};
    pins.ended(key, &typed, LoginOutcome::accepted);
    CHECK_FALSE(pins.pin(key));
}

TEST_CASE("only a PIN that was typed and accepted for a login is cached, and it is not used on the last try", "[cli]") {
    if (keyctl_join_session_keyring(nullptr) < 0) {
        test::skip("no keyring in this kernel or container");
        return;
    }
    Rig rig;
    rig.cache = std::chrono::minutes(10);
    const token::PinRequest login = request("Alice", std::to_string(getpid()));
    token::PinRequest key = login;
    key.key_label = "signing key";
    const auto cached = [&](token::PinRequest wanted) { return rig.pins(std::nullopt).pin(wanted); };
    const token::Pin typed{secret_of("1234"), true};
    const token::Pin stored{secret_of("1234"), false};
    const auto ended = [&](const token::PinRequest& of, const token::Pin& pin, LoginOutcome outcome) {
        rig.pins(std::nullopt).ended(of, &pin, outcome);
    };
    ended(login, stored, LoginOutcome::accepted);
    CHECK_FALSE(cached(login));
    ended(login, typed, LoginOutcome::unchecked);
    CHECK_FALSE(cached(login));
    ended(key, typed, LoginOutcome::accepted);
    CHECK_FALSE(cached(login));
    token::PinRequest old = login;
    old.kind = token::PinKind::old_user;
    ended(old, typed, LoginOutcome::accepted);
    CHECK_FALSE(cached(login));

    ended(login, typed, LoginOutcome::accepted);
    const auto found = cached(login);
    REQUIRE(found);
    CHECK(text(found->value) == "1234");
    CHECK_FALSE(found->typed_by_person);
    CHECK_FALSE(cached(key));
    CHECK_FALSE(cached(old));
    token::PinRequest last = login;
    last.token.pin_state = token::PinState::last_try;
    CHECK_FALSE(cached(last));
    rig.cache = std::nullopt;
    CHECK_FALSE(cached(login));

    for (const auto outcome : {LoginOutcome::refused, LoginOutcome::removed, LoginOutcome::replaced}) {
        rig.cache = std::chrono::minutes(10);
        ended(login, typed, LoginOutcome::accepted);
        CHECK(cached(login));
        rig.cache = std::nullopt;  // whoever does not use the cache keeps it right all the same
        ended(login, *found, outcome);
        rig.cache = std::chrono::minutes(10);
        CHECK_FALSE(cached(login));
    }
}

TEST_CASE("the pad of a reader is used unless the PIN comes from elsewhere, and with --batch only where asked for",
          "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    const token::PinRequest alice = request("Alice", "1");
    CHECK(rig.pins("pad").use_reader(alice));
    CHECK_FALSE(rig.pins("file:" + rig.directory / "pin").use_reader(alice));
    CHECK_FALSE(rig.pins("tty").use_reader(alice));
    CHECK_FALSE(rig.pins(std::nullopt, {"pkcs11:token=Alice?pin-value=1234"}).use_reader(alice));
    CHECK_THROWS_WITH(rig.pins(std::nullopt).use_reader(alice), Catch::Contains("--batch asks nobody"));
    CHECK_THROWS_WITH(rig.pins("pad").pin(alice), Catch::Contains("no PIN pad"));
}

TEST_CASE("a PUK and a new PIN come from their own sources, never from the PIN's", "[cli]") {
    Rig rig;
    PinSettings settings;
    settings.batch = true;
    for (auto [source, name] :
         {std::pair(&settings.source, "pin"), {&settings.puk_source, "puk"}, {&settings.new_source, "new"}}) {
        test::write_file(rig.directory / name, std::string("the ") + name);
        *source = PinSource::parse("file:" + rig.directory / name);
    }
    token::PinRequest alice = request("Alice", "1");
    Pins pins(rig.terminal, std::move(settings));
    for (const auto& [kind, expected] : {std::pair(token::PinKind::user, "the pin"),
                                         {token::PinKind::old_user, "the pin"},
                                         {token::PinKind::puk, "the puk"},
                                         {token::PinKind::new_user, "the new"}}) {
        alice.kind = kind;
        CHECK(text(pins.pin(alice).value().value) == expected);
    }
    Pins without = rig.pins("file:" + rig.directory / "pin", {"pkcs11:token=Alice?pin-value=1234"});
    alice.kind = token::PinKind::puk;
    CHECK_FALSE(without.pin(alice));
    alice.kind = token::PinKind::new_user;
    CHECK_FALSE(without.pin(alice));
}

TEST_CASE("a PIN goes to every token that the URIs name", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin", {"pkcs11:token=Alice", "pkcs11:token=Bob"});
    CHECK(pins.pin(request("Alice", "1")));
    CHECK(pins.pin(request("Bob", "2")));
}

TEST_CASE("of several tokens that a URI fits, the first alone gets a PIN that nobody typed", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    const std::string source = "file:" + rig.directory / "pin";
    for (const std::string uri : {"pkcs11:token=Alice", "pkcs11:token=Alice;id=%01", "pkcs11:slot-id=0"}) {
        INFO(uri);
        Pins pins = rig.pins(source, {uri});
        CHECK(pins.pin(request("Alice", "1")));
        CHECK_FALSE(pins.pin(request("Alice", "2")));
        token::PinRequest elsewhere = request("Alice", "1");
        elsewhere.token.module = "other.so";
        elsewhere.key_label = "signing key";
        CHECK_FALSE(pins.pin(elsewhere));
    }
    Pins of_value = rig.pins(std::nullopt, {"pkcs11:token=Alice?pin-value=1111"});
    CHECK(of_value.pin(request("Alice", "1")));
    CHECK_FALSE(of_value.pin(request("Alice", "2")));
    Pins of_module = rig.pins(source, {"pkcs11:token=Alice?module-path=/lib/other.so"});
    CHECK_FALSE(of_module.pin(request("Alice", "1")));
    Pins of_alice = rig.pins(source, {"pkcs11:token=Alice"});
    CHECK_FALSE(of_alice.pin(request("Bob", "3")));
}

TEST_CASE("a stored PIN that a token has refused is not given for it in a later run, until it is right again",
          "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    const std::string source = "file:" + rig.directory / "pin";
    const token::PinRequest alice = request("Alice", "1");
    const token::Pin wrong{secret_of("1234"), false};
    const auto given = [&](const token::PinRequest& wanted) { return rig.pins(source).pin(wanted).has_value(); };
    const auto refuse = [&] { rig.pins(source).ended(alice, &wrong, LoginOutcome::refused); };
    const token::Pin typed{secret_of("1234"), true};
    rig.pins(source).ended(alice, &typed, LoginOutcome::refused);
    rig.pins(source).ended(alice, &wrong, LoginOutcome::locked);
    CHECK(given(alice));

    refuse();
    CHECK_THROWS_WITH(given(alice), Catch::Contains("has refused this PIN before") && !Catch::Contains("1234"));
    CHECK(given(request("Alice", "2")));
    CHECK_FALSE(test::read_file(rig.directory / "state/p11mime/refused-pins.sqlite").find("1234") != std::string::npos);
    test::write_file(rig.directory / "pin", "5678\n");  // another one, and not the one in 4096 that looks the same
    int passed = 0;
    for (const char* other : {"5678\n", "5679\n", "5680\n"}) {
        test::write_file(rig.directory / "pin", other);
        try {
            passed += given(alice) ? 1 : 0;
        } catch (const Error&) {
        }
    }
    CHECK(passed > 0);
    test::write_file(rig.directory / "pin", "1234\n");
    for (const auto outcome : {LoginOutcome::accepted, LoginOutcome::replaced}) {
        refuse();
        CHECK_THROWS_AS(given(alice), Error);
        rig.pins(source).ended(alice, &typed, outcome);
        CHECK(given(alice));
    }
    refuse();
    CHECK(forget_refused_pins(token::Uri::parse("pkcs11:token=Bob")) == 0);
    CHECK(forget_refused_pins(token::Uri::parse("pkcs11:token=Alice")) == 1);
    CHECK(given(alice));
}

TEST_CASE("pin-source and pin-value of a URI serve the tokens that it matches", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1111\n");
    Pins pins = rig.pins(std::nullopt, {"pkcs11:token=Alice?pin-source=file:" + rig.directory / "pin",
                                        "pkcs11:token=Bob?pin-value=2222"});
    CHECK(text(pins.pin(request("Alice", "1")).value().value) == "1111");
    CHECK(text(pins.pin(request("Bob", "2")).value().value) == "2222");
    CHECK_FALSE(pins.pin(request("Carol", "3")));
}

TEST_CASE("with --batch nothing is asked", "[cli]") {
    Rig rig;
    Pins pins = rig.pins(std::nullopt);
    CHECK_FALSE(pins.pin(request("Alice", "1")));
    CHECK_THROWS_WITH(pins.secret(std::nullopt, "PUK", false), Catch::Contains("--batch"));
}
