// Login: each PIN is sent once, to the token that it is for, and the tries are heeded.

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "softhsm-tests/support/leaks.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

/// Spy is pkcs11-spy in front of SoftHSM, and its log.
class Spy {
  public:
    Spy() {
        std::filesystem::copy_file(SoftHsm::spy_module(), module());
        setenv("PKCS11SPY", SoftHsm::module().c_str(), 1);
        setenv("PKCS11SPY_OUTPUT", (directory_ / "log").c_str(), 1);
    }
    ~Spy() {
        unsetenv("PKCS11SPY");
        unsetenv("PKCS11SPY_OUTPUT");
    }
    Spy(const Spy&) = delete;
    Spy& operator=(const Spy&) = delete;

    /// module is a copy of pkcs11-spy: one that stays loaded from an earlier test would write to that test's log.
    std::string module() const { return directory_ / "spy.so"; }

    int calls(const std::string& function = {}) const { return SpyLog(read_file(directory_ / "log")).calls(function); }

  private:
    TemporaryDirectory directory_;
    ModuleLeaks leaks_;
};

}  // namespace

TEST_CASE("a wrong PIN is sent once and never again, by the count of pkcs11-spy") {
    TokenDesk desk;
    desk.pins.usual = "999999";
    const Spy spy;
    {
        const auto tokens = desk.open(spy.module());
        const auto token = only_token(*tokens);
        const Error error = error_of([&] { token->login("sign"); });
        CHECK(error.kind() == ErrorKind::token);
        CHECK(std::string(error.what()) == "PIN refused by token 'ID card'");
        CHECK(error.hint() == "few tries are left before the token locks");
        const Error again = error_of([&] { token->login("sign"); });
        CHECK(std::string(again.what()) == "token 'ID card' has refused this PIN before, and it is not sent again");
    }
    CHECK(spy.calls("C_Login") == 1);
    {
        const auto tokens = desk.open(spy.module());  // the process remembers, whoever asks
        CHECK_THROWS_AS(only_token(*tokens)->login("sign"), Error);
    }
    CHECK(spy.calls("C_Login") == 1);
    CHECK(spy.calls("C_Finalize") == 2);
}

TEST_CASE("after a refused PIN the right one still works, and few tries are said before") {
    TokenDesk desk;
    desk.pins.queued = {"999999"};
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    CHECK_THROWS_AS(token->login("sign"), Error);
    CHECK(desk.pins.said.empty());
    token->login("sign");
    CHECK(desk.pins.said ==
          std::vector<std::string>{"PIN of token 'ID card': a wrong one was entered before, few tries are left"});
    CHECK(desk.pins.requests.at(1).token.pin_state == token::PinState::few_tries);
}

TEST_CASE("a PIN refused by one token may be right for another") {
    TokenDesk desk;
    desk.hsm.add_token("Second", "999999");
    desk.pins.usual = "999999";
    const auto tokens = desk.open();
    for (const auto& token : tokens->tokens()) {
        if (token->info().label == "Second")
            CHECK_NOTHROW(token->login("sign"));
        else
            CHECK_THROWS_AS(token->login("sign"), Error);
    }
}

namespace {

/// LateOutcome gives out PINs, and gives a second thread time to come between one and its outcome.
class LateOutcome final : public token::PinProvider {
  public:
    std::optional<token::Pin> pin(const token::PinRequest&) override {
        std::unique_lock lock(mutex_);
        if (++open_ > 1) overlapped = true;
        changed_.notify_all();
        changed_.wait_for(lock, std::chrono::milliseconds(300), [&] { return open_ > 1; });
        return token::Pin{.value = SecretBytes(bytes_of(std::string(kUserPin))), .typed_by_person = true};
    }
    bool use_reader(const token::PinRequest&) override { return true; }
    void say(const std::string&) override {}
    void ended(const token::PinRequest&, const token::Pin*, token::LoginOutcome) override {
        const std::lock_guard lock(mutex_);
        --open_;
        ++outcomes;
    }
    bool overlapped = false;
    int outcomes = 0;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int open_ = 0;
};

}  // namespace

TEST_CASE("of two threads that log in to a token through two modules, the second waits for the first's outcome") {
    TokenDesk desk;
    const std::string copy = desk.files / "another-softhsm.so";
    std::filesystem::copy_file(SoftHsm::module(), copy);
    LateOutcome pins;
    const auto tokens = token::Tokens::open({.modules = {SoftHsm::module(), copy}, .token = std::nullopt}, pins);
    const auto all = tokens->tokens();
    REQUIRE(all.size() == 2);
    std::atomic<int> failed{0};
    {
        std::vector<std::jthread> threads;
        for (const auto& token : all)
            threads.emplace_back([&, token] {
                try {
                    token->login("sign");
                } catch (const Error&) {
                    ++failed;
                }
            });
    }
    CHECK(failed == 0);
    CHECK(pins.outcomes == 2);
    CHECK_FALSE(pins.overlapped);
}

TEST_CASE("the PIN is asked for once a token, with what it is for") {
    TokenDesk desk;
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    token->login("sign the mail to bob@example.org");
    token->login("sign another");
    REQUIRE(desk.pins.requests.size() == 1);
    CHECK(desk.pins.requests[0].what == "sign the mail to bob@example.org");
    CHECK(desk.pins.requests[0].token.label == "ID card");
    CHECK(desk.pins.requests[0].key_label.empty());
}

TEST_CASE("without a PIN the error names the remedy") {
    TokenDesk desk;
    desk.pins.usual = std::nullopt;
    const auto tokens = desk.open();
    const Error error = error_of([&] { only_token(*tokens)->login("sign"); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()) == "no PIN for token 'ID card'");
    CHECK(error.hint().find("--pin-source") != std::string::npos);
}

TEST_CASE("a locked token is sent no PIN") {
    TokenDesk desk;
    const PoorCard card("locked");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK(token->info().pin_state == token::PinState::locked);
    const Error error = error_of([&] { token->login("sign"); });
    CHECK(std::string(error.what()) == "token 'ID card' is locked");
    CHECK(error.hint() == "unblock it with the PUK: p11mime key unblock");
    CHECK(desk.pins.requests.empty());
    CHECK(card.calls("C_Login") == 0);
}

TEST_CASE("the state of the PIN is read again before each login") {
    TokenDesk desk;
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    card.set("locked");
    CHECK(std::string(error_of([&] { token->login("sign"); }).what()) == "token 'ID card' is locked");
    CHECK(card.calls("C_Login") == 0);
}

TEST_CASE("on the last try only a PIN that a person has typed is sent") {
    TokenDesk desk;
    const PoorCard card("last-try");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const Error error = error_of([&] { token->login("sign"); });
    CHECK(std::string(error.what()) ==
          "token 'ID card' has one try left, and a stored PIN is not sent on the last try");
    CHECK(card.calls("C_Login") == 0);
    CHECK(desk.pins.said ==
          std::vector<std::string>{"PIN of token 'ID card': this is the last try before it is locked"});
    desk.pins.typed = true;
    token->login("sign");
    CHECK(card.calls("C_Login") == 1);
}

TEST_CASE("a PIN that locks the token says so") {
    TokenDesk desk;
    const PoorCard card("C_Login=0xa4");
    const auto tokens = desk.open(PoorCard::module());
    const Error error = error_of([&] { only_token(*tokens)->login("sign"); });
    CHECK(std::string(error.what()) == "token 'ID card' is locked");
    CHECK(error.hint() == "unblock it with the PUK: p11mime key unblock");
}

TEST_CASE("a refusal that locks the token says so in its hint") {
    TokenDesk desk;
    desk.pins.usual = "999999";
    desk.pins.typed = true;
    const PoorCard card("last-try C_Login=0xa0");
    const auto tokens = desk.open(PoorCard::module());
    CHECK(error_of([&] { only_token(*tokens)->login("sign"); }).hint() == "one try is left before the token locks");
}

TEST_CASE("PINs of a length or with characters that the token refuses count as refused") {
    const std::string code = GENERATE("0xa1", "0xa2");
    TokenDesk desk;
    const PoorCard card("C_Login=" + code);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK_THROWS_AS(token->login("sign"), Error);
    CHECK_THROWS_AS(token->login("sign"), Error);
    CHECK(card.calls("C_Login") == 1);
}

TEST_CASE("trouble during a login is no refusal of the PIN") {
    TokenDesk desk;
    const PoorCard card("C_Login=0x30");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK(std::string(error_of([&] { token->login("sign"); }).what()) ==
          "token 'ID card': cannot log in: the device reports an error (CKR_DEVICE_ERROR)");
    CHECK(desk.pins.outcomes.empty());
    card.set("");
    desk.pins.typed = true;
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("a PIN that locks the token has been refused") {
    TokenDesk desk;
    const PoorCard card("C_Login=0xa4");
    const auto tokens = desk.open(PoorCard::module());
    CHECK(std::string(error_of([&] { only_token(*tokens)->login("sign"); }).what()) == "token 'ID card' is locked");
    CHECK(desk.pins.outcomes == std::vector{token::LoginOutcome::locked});
}

TEST_CASE("a token that is logged in already is taken as it is") {
    TokenDesk desk;
    const PoorCard card("C_Login=0x100");
    const auto tokens = desk.open(PoorCard::module());
    CHECK_NOTHROW(only_token(*tokens)->login("sign"));
}

TEST_CASE("with a PIN pad the PIN is entered on the reader, and none is asked for") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card("pin-pad");
    setenv("P11MIME_POOR_CARD_PAD", std::string(kUserPin).c_str(), 1);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK(token->signer(token->certificates().at(0)));
    CHECK(desk.pins.requests.empty());
    REQUIRE(desk.pins.reader_requests.size() == 1);
    CHECK(desk.pins.reader_requests[0].token.label == "ID card");
    CHECK(card.calls("C_Login 1 (pad)") == 1);
    unsetenv("P11MIME_POOR_CARD_PAD");
}

TEST_CASE("another token in the same slot gets no PIN") {
    TokenDesk desk;
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    card.set("other-token");
    CHECK(std::string(error_of([&] { token->login("sign"); }).what()) ==
          "token 'ID card' was replaced by another token");
    CHECK(desk.pins.requests.empty());
    CHECK(card.calls("C_Login") == 0);
}

TEST_CASE("a person who has mistyped may try again, with the reason, and the token is told each PIN once") {
    TokenDesk desk;
    desk.pins.typed = true;
    desk.pins.queued = {"999999"};
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    only_token(*tokens)->login("sign");
    REQUIRE(desk.pins.requests.size() == 2);
    CHECK(desk.pins.requests[0].refused.empty());
    CHECK(desk.pins.requests[1].refused == "PIN refused by token 'ID card'");
    CHECK(desk.pins.requests[1].token.pin_state == token::PinState::few_tries);
    CHECK(desk.pins.outcomes == std::vector{token::LoginOutcome::refused, token::LoginOutcome::accepted});
    CHECK(card.calls("C_Login") == 2);
}

TEST_CASE("the same wrong PIN typed again is not sent again") {
    TokenDesk desk;
    desk.pins.typed = true;
    desk.pins.usual = "999999";
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    CHECK(std::string(error_of([&] { only_token(*tokens)->login("sign"); }).what()) ==
          "token 'ID card' has refused this PIN before, and it is not sent again");
    CHECK(card.calls("C_Login") == 1);
}

TEST_CASE("three wrong PINs are enough, and none is asked for in the same run once the next may be the last") {
    TokenDesk desk;
    desk.pins.typed = true;
    desk.pins.queued = {"999999", "888888", "777777"};
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK(std::string(error_of([&] { token->login("sign"); }).what()) == "PIN refused by token 'ID card'");
    CHECK(card.calls("C_Login") == 3);
    desk.pins.queued = {"666666"};
    card.set("last-try");
    const Error error = error_of([&] { token->login("sign"); });
    CHECK(error.hint() == "one try is left before the token locks");
    CHECK(card.calls("C_Login") == 4);
}

TEST_CASE("a token that is removed during the login has not refused the PIN, and a person may type it again") {
    const std::string code = GENERATE("0x32", "0xe0", "0xb3");  // CKR_DEVICE_REMOVED, _TOKEN_NOT_PRESENT, ...
    TokenDesk desk;
    const PoorCard card("C_Login=" + code);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK_THROWS_AS(token->login("sign"), Error);
    CHECK(desk.pins.outcomes == std::vector{token::LoginOutcome::removed});
    card.set("");
    desk.pins.typed = true;
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("a stored PIN is sent a second time only where the module has not sent the first") {
    struct Row {
        const char* code;
        bool sent;
    };
    const Row row = GENERATE(Row{"0x32", true}, Row{"0xe0", true}, Row{"0x30", true}, Row{"0x5", true},
                             Row{"0x6", true}, Row{"0xb3", false});
    CAPTURE(row.code);
    TokenDesk desk;
    const PoorCard card(std::string("C_Login=") + row.code);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK_THROWS_AS(token->login("sign"), Error);
    const int logins = card.calls("C_Login");
    card.set("");
    if (!row.sent) {
        CHECK_NOTHROW(token->login("sign"));
        return;
    }
    const Error error = error_of([&] { token->login("sign"); });
    CHECK_THAT(error.what(), Catch::Contains("was pulled, or failed, while it checked the PIN") &&
                                 Catch::Contains("a stored PIN is not sent a second time"));
    CHECK(error.hint() == "run the command again");
    CHECK(card.calls("C_Login") == logins);
    desk.pins.typed = true;
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("one signature with a key named by its id takes no more calls than OpenSSL's engine makes") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.name = "Alice", .kind = KeyKind::p256}), "01");
    for (int i = 2; i < 6; ++i)
        desk.put_certificate(desk.pki.issue({.name = "Other", .email = "other@example.gov", .kind = KeyKind::p256}),
                             fmt::format("{:02}", i));
    const Spy spy;
    {
        const auto tokens = desk.open(spy.module());
        const token::Uri uri = token::Uri::parse("pkcs11:token=ID%20card;id=%01;type=private");
        const auto found = choose_key(*tokens, {.address = "", .uri = &uri, .at = cms::SystemClock().now()});
        REQUIRE(found.key);
        const auto signer = found.key->token->signer(found.key->certificate);
        CHECK_FALSE(signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(100, 'm'), {"sign"}, {}).empty());
    }
    CAPTURE(spy.calls());
    CHECK(spy.calls() <= 30);
    CHECK(spy.calls("C_Login") == 1);
    CHECK(spy.calls("C_OpenSession") == spy.calls("C_CloseSession"));
}
