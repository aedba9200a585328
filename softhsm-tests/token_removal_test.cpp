// Tokens that are pulled, exchanged and inserted again, as the module tells, and the way back to them.

#include "softhsm-tests/token_fixture.h"
#include "token/readers.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr const char* kEmptySlot = "C_GetTokenInfo=0xE0";  // CKR_TOKEN_NOT_PRESENT

Bytes sign(token::Token& token) {
    const auto signer = token.signer(token.certificates().at(0));
    return signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {""}, {});
}

}  // namespace

TEST_CASE("a token that was pulled, exchanged, or pulled and inserted again is lost, each in its own words") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    CHECK_FALSE(sign(*tokens->tokens().at(0)).empty());
    CHECK(tokens->lost().empty());
    for (const auto& [faults, words] :
         {std::pair<std::string, std::string>{kEmptySlot, "token 'ID card' was removed"},
          {"other-token", "token 'ID card' was replaced by token 'ID card' (serial 9999999999999999)"},
          {"logged-out", "token 'ID card' was removed and inserted again"},
          {"C_OpenSession=0x32", "token 'ID card' was removed and inserted again"}}) {
        INFO(faults);
        card.set(faults);
        const auto lost = tokens->lost();
        REQUIRE(lost.size() == 1);
        CHECK(lost[0].token.label == "ID card");
        CHECK(lost[0].why.kind() == ErrorKind::token);
        CHECK(std::string(lost[0].why.what()) == words);
        CHECK_FALSE(lost[0].why.hint().empty());
    }
    card.set("");
    CHECK(tokens->lost().empty());
    CHECK(desk.pins.requests.size() == 1);  // none of it asks for a PIN
}

TEST_CASE("an operation that fails on a token that stays is no loss of the token") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    card.set("C_Sign=0x5");
    CHECK(error_of([&] { sign(*tokens->tokens().at(0)); }).kind() == ErrorKind::token);
    CHECK(tokens->lost().empty());
}

TEST_CASE("after a fresh look the token signs again with a login of its own, and what was held before is dead") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    PoorCard card;
    {
        const auto tokens = desk.open(PoorCard::module());
        const auto before = tokens->tokens().at(0);
        const auto signer = before->signer(before->certificates().at(0));
        CHECK_FALSE(sign(*before).empty());
        card.set(kEmptySlot);
        tokens->refresh();
        CHECK(tokens->tokens().empty());
        card.set("");
        tokens->refresh();
        REQUIRE(tokens->tokens().size() == 1);
        const auto after = tokens->tokens().at(0);
        CHECK(token::same_token(after->info(), before->info()));
        CHECK_FALSE(sign(*after).empty());
        CHECK(desk.pins.requests.size() == 2);
        const int opened = card.calls("C_OpenSession");
        const Error error = error_of([&] { signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {""}, {}); });
        CHECK(std::string(error.what()).find("the token was removed") != std::string::npos);
        CHECK(error_of([&] { before->certificates(); }).kind() == ErrorKind::token);
        CHECK(card.calls("C_OpenSession") == opened);  // the module hears nothing of it
    }
    CHECK(card.calls("C_OpenSession") == card.calls("C_CloseSession"));
}

TEST_CASE("a token that is made while the program runs is found by a fresh look") {
    TokenDesk desk;
    const auto tokens = desk.open();
    CHECK(tokens->tokens().size() == 1);
    desk.hsm.add_token("Second");
    CHECK(tokens->tokens().size() == 1);
    tokens->refresh();
    CHECK(tokens->tokens().size() == 2);
}

TEST_CASE("without pcscd the readers say so and name the remedy") {
    const TemporaryDirectory directory;
    setenv("PCSCLITE_CSOCK_NAME", (directory / "pcscd.comm").c_str(), 1);
    const Error error = error_of([] { token::Readers().list(); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()) == "pcscd, which reaches smart card readers, is not running");
    CHECK(error.hint().find("systemctl start pcscd") != std::string::npos);
    unsetenv("PCSCLITE_CSOCK_NAME");
}
