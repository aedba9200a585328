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
          std::vector<std::string>{"token 'ID card': a wrong PIN was entered before, few tries are left"});
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
    CHECK(desk.pins.said == std::vector<std::string>{"token 'ID card': this is the last try before the PIN is locked"});
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
    card.set("");
    CHECK_NOTHROW(token->login("sign"));
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
        only_token(*tokens)->change_pin(SecretBytes(bytes_of(kUserPin)), SecretBytes(bytes_of("567890")));
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
    const Error error =
        error_of([&] { token->change_pin(SecretBytes(bytes_of("999999")), SecretBytes(bytes_of("567890"))); });
    CHECK(std::string(error.what()) == "PIN refused by token 'ID card'");
    CHECK_THROWS_AS(token->change_pin(SecretBytes(bytes_of("999999")), SecretBytes(bytes_of("567890"))), Error);
    CHECK(card.calls("C_Login") == 1);
    CHECK(card.calls("C_SetPIN") == 0);
    token->change_pin(SecretBytes(bytes_of(kUserPin)), SecretBytes(bytes_of("999999")));
    desk.pins.usual = "999999";
    CHECK_NOTHROW(token->login("sign"));
}

TEST_CASE("a new PIN that the token does not take is said to be that") {
    TokenDesk desk;
    const auto tokens = desk.open();
    const Error error =
        error_of([&] { only_token(*tokens)->change_pin(SecretBytes(bytes_of(kUserPin)), SecretBytes(bytes_of("1"))); });
    CHECK(
        std::string(error.what()) ==
        "token 'ID card': cannot set the new PIN: the PIN is too short or too long for the token (CKR_PIN_LEN_RANGE)");
}

TEST_CASE("the PUK sets a new PIN, and a wrong PUK is sent once") {
    TokenDesk desk;
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    token->login("sign");  // a session is open and logged in before
    const Error error =
        error_of([&] { token->unblock(SecretBytes(bytes_of("99999999")), SecretBytes(bytes_of("567890"))); });
    CHECK(std::string(error.what()) == "PUK refused by token 'ID card'");
    CHECK_THROWS_AS(token->unblock(SecretBytes(bytes_of("99999999")), SecretBytes(bytes_of("567890"))), Error);
    CHECK(card.calls("C_Login 0") == 1);
    token->unblock(SecretBytes(bytes_of(kSoPin)), SecretBytes(bytes_of("567890")));
    desk.pins.usual = "567890";
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
