#include <fmt/format.h>

#include <thread>

#include "softhsm-tests/support/leaks.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

std::shared_ptr<token::Token> only_token(token::Tokens& tokens) {
    const auto all = tokens.tokens();
    REQUIRE(all.size() == 1);
    return all.front();
}

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
    CHECK(desk.pins.outcomes == std::vector{token::LoginOutcome::refused});
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

TEST_CASE("an always-authenticate key asks for its PIN before each operation") {
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:prime256v1", "Signature", "09", {"--always-auth"});
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const auto keys = token->private_keys(true);
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].always_authenticate);
    const auto signer = token->raw_signer(keys[0]);
    const Bytes message(100, 'm');
    for (int i = 1; i <= 3; ++i) {
        signer->sign(cms::Ecdsa{cms::Hash::sha256}, message, {fmt::format("sign mail {}", i)}, {});
        CHECK(card.calls("C_Login 2") == i);
        CHECK(desk.pins.requests.back().key_label == "Signature");
        CHECK(desk.pins.requests.back().what == fmt::format("sign mail {}", i));
    }
    CHECK(card.calls("C_Login 1") == 1);
}

TEST_CASE("threads that sign with an always-authenticate key take turns from C_SignInit to C_Sign") {
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:prime256v1", "Signature", "09", {"--always-auth"});
    const PoorCard card("slow-sign-init");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const auto signer = token->raw_signer(token->private_keys(true).at(0));
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 2; ++i)
            threads.emplace_back([&] {
                const auto own = signer->clone();
                for (int n = 0; n < 3; ++n)
                    own->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(100, 'm'), {"sign"}, {});
            });
    }
    std::string order;
    for (const std::string& call : card.log())
        for (const auto& [begin, sign] :
             {std::pair("C_SignInit", 'i'), std::pair("C_Login 2", 'l'), std::pair("C_Sign", 's')})
            if (call == begin || call.starts_with(std::string(begin) + " ")) order += sign;
    CHECK(order == "ilsilsilsilsilsils");
}

TEST_CASE("an always-authenticate RSA key asks for its PIN before each decryption") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    write_file(desk.files / "key.pem", alice.key_pem);
    desk.hsm.tool("ID card", {"--write-object", desk.files / "key.pem", "--type", "privkey", "--label", "Alice", "--id",
                              "01", "--usage-decrypt", "--always-auth"});
    desk.put_certificate(alice, "01");
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const auto decrypter = token->decrypter(token->certificates().at(0));
    for (int i = 1; i <= 2; ++i) {
        CHECK_FALSE(decrypter->recover(cms::RsaV15{32}, Bytes(256, 0x11), {"open"}, {}));
        CHECK(card.calls("C_Login 2") >= i);
    }
}

TEST_CASE("a wrong PIN for one operation leaves the key usable with the right one") {
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:prime256v1", "Signature", "09", {"--always-auth"});
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    const auto signer = token->raw_signer(token->private_keys(true).at(0));
    desk.pins.queued = {"999999"};
    const Error error = error_of([&] { signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {"sign"}, {}); });
    CHECK(std::string(error.what()) == "PIN refused by token 'ID card'");
    CHECK_FALSE(signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {"sign"}, {}).empty());
}

TEST_CASE("keys without the always-authenticate attribute are used after one login") {
    const std::string faults = GENERATE("no-always-authenticate", "no-always-authenticate unsure-attributes");
    CAPTURE(faults);
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:prime256v1", "Key", "09");
    const PoorCard card(faults);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const auto keys = token->private_keys(true);
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].label == "Key");
    CHECK(hex(keys[0].id) == "09");
    CHECK(keys[0].type == token::KeyType::ec);
    CHECK_FALSE(keys[0].always_authenticate);
    CHECK_FALSE(token->raw_signer(keys[0])->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {""}, {}).empty());
    CHECK(card.calls("C_Login") == 1);
}

TEST_CASE("the PIN is changed, and the old one no longer works") {
    TokenDesk desk;
    {
        const auto tokens = desk.open();
        only_token(*tokens)->change_pin();
        CHECK(desk.pins.requests.at(0).kind == token::PinKind::old_user);
        CHECK(desk.pins.requests.at(1).kind == token::PinKind::new_user);
        CHECK(desk.pins.outcomes == std::vector{token::LoginOutcome::accepted, token::LoginOutcome::replaced});
    }
    {
        const auto tokens = desk.open();
        CHECK_THROWS_AS(only_token(*tokens)->login("sign"), Error);
        desk.pins.usual = "567890";
        CHECK_NOTHROW(only_token(*tokens)->login("sign"));
    }
}

TEST_CASE("a wrong old PIN is refused once, and a PIN set anew counts as right again") {
    TokenDesk desk;
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    desk.pins.usual = "999999";
    const Error error = error_of([&] { token->change_pin(); });
    CHECK(std::string(error.what()) == "PIN refused by token 'ID card'");
    CHECK(desk.pins.outcomes == std::vector{token::LoginOutcome::refused});
    CHECK_THROWS_AS(token->change_pin(), Error);
    CHECK(card.calls("C_Login") == 1);
    CHECK(card.calls("C_SetPIN") == 0);
    desk.pins.usual = std::string(kUserPin);
    desk.pins.new_pin = "999999";
    token->change_pin();
    desk.pins.usual = "999999";
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("a wrong old PIN is not sent again as a PIN for a login") {
    TokenDesk desk;
    desk.pins.usual = "999999";
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    CHECK_THROWS_AS(only_token(*tokens)->change_pin(), Error);
    CHECK(std::string(error_of([&] { only_token(*tokens)->login("sign"); }).what()) ==
          "token 'ID card' has refused this PIN before, and it is not sent again");
    CHECK(card.calls("C_Login") == 1);
}

TEST_CASE("a new PIN of a length that the token does not take is refused before anything is sent") {
    const auto [pin, message, hint] = GENERATE(std::tuple("123", "the new PIN is too short for token 'ID card'",
                                                          "it takes at least 4 characters; the old one stays as it is"),
                                               std::tuple("1234567890", "the new PIN is too long for token 'ID card'",
                                                          "it takes at most 8 characters; the old one stays as it is"));
    TokenDesk desk;
    const PoorCard card("longest-pin=8");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    desk.pins.new_pin = pin;
    const auto work = GENERATE(&token::Token::change_pin, &token::Token::unblock);
    const Error error = error_of([&] { (*token.*work)(); });
    CHECK(error.what() == std::string(message));
    CHECK(error.hint() == hint);
    CHECK(card.calls("C_SetPIN") == 0);
    CHECK(card.calls("C_Login") == 0);
}

TEST_CASE("a new PIN that the token does not take is said to be that") {
    TokenDesk desk;
    const PoorCard card("C_SetPIN=0xa1");
    const auto tokens = desk.open(PoorCard::module());
    CHECK(std::string(error_of([&] { only_token(*tokens)->change_pin(); }).what()) ==
          "token 'ID card': cannot set the new PIN: the PIN has characters that the token does not take "
          "(CKR_PIN_INVALID)");
}

TEST_CASE("to change a PIN costs no try that the login would not") {
    TokenDesk desk;
    const PoorCard card("locked");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    CHECK(std::string(error_of([&] { token->change_pin(); }).what()) == "token 'ID card' is locked");
    CHECK(desk.pins.requests.empty());
    card.set("last-try");
    CHECK(std::string(error_of([&] { token->change_pin(); }).what()) ==
          "token 'ID card' has one try left, and a stored PIN is not sent on the last try");
    CHECK(desk.pins.said ==
          std::vector<std::string>{"PIN of token 'ID card': this is the last try before it is locked"});
    CHECK(card.calls("C_SetPIN") == 0);
    CHECK(card.calls("C_Login") == 0);
    desk.pins.typed = true;
    token->change_pin();
    CHECK(card.calls("C_SetPIN") == 1);
}

TEST_CASE("the PUK sets a new PIN, and a wrong PUK is sent once") {
    TokenDesk desk;
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    token->login("sign");  // a session is open and logged in before
    desk.pins.puk = "99999999";
    const Error error = error_of([&] { token->unblock(); });
    CHECK(std::string(error.what()) == "PUK refused by token 'ID card'");
    CHECK_THROWS_AS(token->unblock(), Error);
    CHECK(card.calls("C_Login 0") == 1);
    desk.pins.puk = std::string(kSoPin);
    token->unblock();
    desk.pins.usual = "567890";
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("the tries that a PUK has left are heeded as those of a PIN are") {
    TokenDesk desk;
    const PoorCard card("puk-locked");
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const Error error = error_of([&] { token->unblock(); });
    CHECK(std::string(error.what()) == "the PUK of token 'ID card' is locked");
    CHECK(error.hint() == "ask whoever issued the token");
    CHECK(desk.pins.requests.empty());
    card.set("puk-few-tries puk-last-try");
    CHECK(std::string(error_of([&] { token->unblock(); }).what()) ==
          "token 'ID card' has one try left, and a stored PUK is not sent on the last try");
    CHECK(desk.pins.said ==
          std::vector<std::string>{"PUK of token 'ID card': this is the last try before it is locked"});
    CHECK(card.calls("C_Login") == 0);
    card.set("puk-few-tries");
    token->unblock();
    CHECK(desk.pins.said.back() == "PUK of token 'ID card': a wrong one was entered before, few tries are left");
}

TEST_CASE("a module that has no login with a PUK gets it as old PIN where the PIN is locked, and else not at all") {
    TokenDesk desk;
    // As with OpenSC's user_pin_unblock_style = set_pin_in_unlogged_session: C_SetPIN takes the PUK for the old PIN.
    const std::string no_login = GENERATE("C_Login=0x103", "C_Login=0x54", "C_InitPIN=0x54");
    CAPTURE(no_login);
    const PoorCard card(no_login);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const Error error = error_of([&] { token->unblock(); });
    CHECK_THAT(error.what(), Catch::Contains("does not unblock token 'ID card' with a PUK"));
    CHECK(card.calls("C_SetPIN") == 0);
    card.set(no_login + " locked set-pin-takes-puk");
    token->unblock();
    CHECK(card.calls("C_SetPIN") == 1);
    card.set("");
    desk.pins.usual = "567890";
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("a module that takes no PUK at all says so") {
    TokenDesk desk;
    const PoorCard card("locked C_Login=0x54 C_SetPIN=0xa4");
    const auto tokens = desk.open(PoorCard::module());
    const Error error = error_of([&] { only_token(*tokens)->unblock(); });
    CHECK_THAT(error.what(), Catch::Contains("does not unblock token 'ID card' with a PUK, or the PUK is locked"));
    CHECK(error.hint() == "use the tool that came with the token");
}

TEST_CASE("a PUK is not sent a second time where the token may have counted it") {
    const std::string code = GENERATE("0x5", "0x6", "0x7", "0x20", "0x30", "0x32");
    CAPTURE(code);
    TokenDesk desk;
    const PoorCard card("locked C_Login=" + code);
    const auto tokens = desk.open(PoorCard::module());
    CHECK_THROWS_AS(only_token(*tokens)->unblock(), Error);
    CHECK(card.calls("C_Login") == 1);
    CHECK(card.calls("C_SetPIN") == 0);
}

TEST_CASE("on a PIN pad the PIN is changed and unblocked without a PIN from the host") {
    TokenDesk desk;
    const PoorCard card("pin-pad");
    setenv("P11MIME_POOR_CARD_PAD", std::string(kUserPin).c_str(), 1);
    setenv("P11MIME_POOR_CARD_PAD_NEW", "567890", 1);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    token->change_pin();
    CHECK(card.calls("C_SetPIN (pad)") == 1);
    setenv("P11MIME_POOR_CARD_PAD", std::string(kSoPin).c_str(), 1);
    setenv("P11MIME_POOR_CARD_PAD_NEW", "999999", 1);
    token->unblock();
    CHECK(card.calls("C_InitPIN (pad)") == 1);
    setenv("P11MIME_POOR_CARD_PAD", "999999", 1);
    token->login("sign");
    CHECK(desk.pins.requests.empty());
    CHECK(desk.pins.reader_requests.size() == 3);
    unsetenv("P11MIME_POOR_CARD_PAD");
    unsetenv("P11MIME_POOR_CARD_PAD_NEW");
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

TEST_CASE("before a login for one operation the tries are heeded too") {
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:prime256v1", "Signature", "09", {"--always-auth"});
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const auto signer = token->raw_signer(token->private_keys(true).at(0));
    const auto sign = [&] { signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {"sign"}, {}); };
    card.set("few-tries");
    sign();
    CHECK(desk.pins.said ==
          std::vector<std::string>{"PIN of token 'ID card': a wrong one was entered before, few tries are left"});
    card.set("last-try");
    CHECK(std::string(error_of(sign).what()) ==
          "token 'ID card' has one try left, and a stored PIN is not sent on the last try");
    card.set("locked");
    CHECK(std::string(error_of(sign).what()) == "token 'ID card' is locked");
    CHECK(card.calls("C_Login 2") == 1);
    card.set("last-try");
    desk.pins.typed = true;
    sign();
    CHECK(card.calls("C_Login 2") == 2);
}

TEST_CASE("a PIN refused for one operation is not sent again, for this key or another, or for a login") {
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:prime256v1", "Signature", "09", {"--always-auth"});
    desk.hsm.generate("ID card", "EC:prime256v1", "Other", "0a", {"--always-auth"});
    const PoorCard card;
    {
        const auto tokens = desk.open(PoorCard::module());
        const auto token = only_token(*tokens);
        const auto keys = token->private_keys(true);
        desk.pins.usual = "999999";
        for (const auto& key : keys) {
            const auto signer = token->raw_signer(key);
            CHECK_THROWS_AS(signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {"sign"}, {}), Error);
        }
    }
    CHECK(card.calls("C_Login 2") == 1);
    const auto tokens = desk.open(PoorCard::module());
    CHECK_THROWS_AS(only_token(*tokens)->login("sign"), Error);
    CHECK(card.calls("C_Login 1") == 1);
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
