// PINs that are changed, and tokens that are unblocked with the PUK.

#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

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
