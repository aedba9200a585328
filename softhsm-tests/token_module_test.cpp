#include "softhsm-tests/p11kit_configuration.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/token_fixture.h"
#include "token/ckr.h"
#include "token/module.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr const char* kProxy = "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so";

std::size_t count_tokens(token::Tokens& tokens, const std::string& label) {
    std::size_t count = 0;
    for (const auto& token : tokens.tokens())
        count += token->info().label == label ? 1 : 0;
    return count;
}

void check_signs(token::Token& token) {
    const auto signer = token.signer(token.certificates().at(0));
    const Bytes signature = signer->sign(cms::Ecdsa{cms::Hash::sha256}, Bytes(10, 'm'), {""}, {});
    CHECK_FALSE(signature.empty());
}

}  // namespace

TEST_CASE("a module that is not there or none is refused with the remedy") {
    TokenDesk desk;
    const Error missing = error_of([&] { desk.open("/nowhere/module.so"); });
    CHECK(missing.kind() == ErrorKind::token);
    CHECK(std::string(missing.what()).starts_with("cannot load PKCS#11 module '/nowhere/module.so': "));
    CHECK(missing.hint().find("--module") != std::string::npos);
    const Error none = error_of([&] { desk.open("libm.so.6"); });
    CHECK(std::string(none.what()) == "'libm.so.6' is no PKCS#11 module: it has no C_GetFunctionList");
}

TEST_CASE("a module that does not initialise is refused by its code") {
    TokenDesk desk;
    write_file(desk.hsm.configuration(), "directories.tokendir = /nowhere\n");
    const Error error = error_of([&] { desk.open(); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()).find("cannot initialise") != std::string::npos);
    CHECK(std::string(error.what()).find("(CKR_GENERAL_ERROR)") != std::string::npos);
}

TEST_CASE("tokens and slots are listed with what they say of themselves") {
    TokenDesk desk;
    desk.hsm.add_token("Second");
    const auto tokens = desk.open();
    REQUIRE(tokens->tokens().size() == 2);  // the third slot's token is not initialised
    CHECK(tokens->slots().size() == 3);
    for (const auto& token : tokens->tokens()) {
        const token::TokenInfo& info = token->info();
        CHECK((info.label == "ID card" || info.label == "Second"));
        CHECK(info.manufacturer == "SoftHSM project");
        CHECK(info.model == "SoftHSM v2");
        CHECK(info.serial.size() == 16);
        CHECK(info.module == SoftHsm::module());
        CHECK(info.initialized);
        CHECK(info.login_required);
        CHECK_FALSE(info.read_only);
        CHECK_FALSE(info.protected_authentication_path);
        CHECK(info.pin_state == token::PinState::ok);
        CHECK(info.library_version == "2.6");
        CHECK(token->uri().to_string() ==
              "pkcs11:token=" + std::string(info.label == "Second" ? "Second" : "ID%20card") +
                  ";manufacturer=SoftHSM%20project;model=SoftHSM%20v2;serial=" + info.serial);
    }
}

TEST_CASE("a token URI narrows what is seen, and its module-path names the module") {
    TokenDesk desk;
    desk.hsm.add_token("Second");
    const auto tokens = token::Tokens::open(
        {.modules = {}, .token = token::Uri::parse("pkcs11:token=Second?module-path=" + SoftHsm::module())}, desk.pins);
    REQUIRE(tokens->tokens().size() == 1);
    CHECK(tokens->tokens()[0]->info().label == "Second");
}

TEST_CASE("the pin-source of the URI goes along with the request for the PIN") {
    TokenDesk desk;
    const auto tokens = token::Tokens::open(
        {.modules = {SoftHsm::module()}, .token = token::Uri::parse("pkcs11:token=ID%20card?pin-source=file:/run/pin")},
        desk.pins);
    tokens->tokens().at(0)->login("sign");
    CHECK(desk.pins.requests.at(0).pin_source == "file:/run/pin");
}

TEST_CASE("a module named twice is loaded once") {
    TokenDesk desk;
    const std::string other_name = desk.files / "other-name.so";
    std::filesystem::create_symlink(SoftHsm::module(), other_name);
    const auto tokens =
        token::Tokens::open({.modules = {SoftHsm::module(), other_name}, .token = std::nullopt}, desk.pins);
    CHECK(tokens->tokens().size() == 1);
}

TEST_CASE("a module in use twice stays initialised until both are done") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card;
    auto first = desk.open(PoorCard::module());
    {
        const auto second = desk.open(PoorCard::module());
        check_signs(*first->tokens().at(0));
        check_signs(*second->tokens().at(0));
    }
    CHECK(card.calls("C_Finalize") == 0);
    check_signs(*first->tokens().at(0));
    first.reset();
    CHECK(card.calls("C_Finalize") == 1);
}

TEST_CASE("every session is closed and the module finalised at the end, after errors too") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    PoorCard card;
    for (const std::string fault : {"", "C_Sign=0x30", "C_Login=0x30", "C_SignInit=0x32"}) {
        CAPTURE(fault);
        const int opened = card.calls("C_OpenSession");
        const int closed = card.calls("C_CloseSession");
        const int finalized = card.calls("C_Finalize");
        card.set(fault);
        try {
            const auto tokens = desk.open(PoorCard::module());
            check_signs(*tokens->tokens().at(0));
        } catch (const Error&) {
        }
        CHECK(card.calls("C_OpenSession") - opened == card.calls("C_CloseSession") - closed);
        CHECK(card.calls("C_Finalize") - finalized == 1);
    }
}

TEST_CASE("looking at the tokens again closes no session and keeps the login") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    PoorCard card;
    const auto module = token::Module::load(PoorCard::module());
    const auto tokens = desk.open(PoorCard::module());
    check_signs(*tokens->tokens().at(0));
    CHECK(module->slots().size() == 2);
    CHECK(module->slots().size() == 2);
    CHECK(card.calls("C_Close") == 0);
    check_signs(*tokens->tokens().at(0));
    CHECK(desk.pins.requests.size() == 1);
}

TEST_CASE("without --module the modules that p11-kit has configured are used, save those for trust alone") {
    TokenDesk desk;
    P11KitConfiguration configuration;
    configuration.add("token-under-test", "module: " + PoorCard::module() + "\n");
    configuration.add("anchors-under-test", "module: " + SoftHsm::module() + "\ntrust-policy: yes\n");
    configuration.add("broken-under-test", "module: /nowhere/broken.so\n");
    const PoorCard card;
    const auto tokens = token::Tokens::open({}, desk.pins);
    CHECK(count_tokens(*tokens, "ID card") == 1);
    for (const auto& slot : tokens->slots())
        CHECK(slot.module == PoorCard::module());
    std::string warnings;
    for (const std::string& warning : tokens->warnings())
        warnings += warning + "\n";
    CHECK(warnings.find("broken") != std::string::npos);
}

TEST_CASE("p11-kit's proxy module, which hands out an instance of its own, signs and is finalised") {
    if (!std::filesystem::exists(kProxy)) {
        skip("p11-kit-proxy.so is not installed");
        return;
    }
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    P11KitConfiguration configuration;
    configuration.add("token-under-test", "module: " + PoorCard::module() + "\npriority: 10\n");
    PoorCard card;
    {
        const auto tokens = desk.open(kProxy);
        REQUIRE(count_tokens(*tokens, "ID card") == 1);
        check_signs(*tokens->tokens().at(0));
    }
    CHECK(card.calls("C_OpenSession") > 0);
    CHECK(card.calls("C_OpenSession") == card.calls("C_CloseSession"));
    CHECK(card.calls("C_Finalize") == 1);
}

TEST_CASE("return values have their names, words and hints, and unknown ones their number") {
    CHECK(token::ckr_name(CKR_PIN_LOCKED) == "CKR_PIN_LOCKED");
    CHECK(token::ckr_name(0x1b8) == "CKR_PIN_TOO_WEAK");
    CHECK(token::ckr_name(0x80000001) == "CKR 0x80000001");
    CHECK(token::ckr_name(0x7777) == "CKR 0x00007777");
    CHECK(token::ckr_message(0x80000001) == "the module reports an error of its own");
    CHECK(token::ckr_message(0x7777) == "the module reports an unknown error");
    const token::CkrError removed(CKR_DEVICE_REMOVED, "token 'ID card'", "sign");
    CHECK(removed.kind() == ErrorKind::token);
    CHECK(removed.code() == CKR_DEVICE_REMOVED);
    CHECK(std::string(removed.what()) == "token 'ID card': cannot sign: the token was removed (CKR_DEVICE_REMOVED)");
    CHECK(removed.hint() == "insert the token again and repeat the command");
}

TEST_CASE("PIN states have the names that listings use") {
    using token::PinState;
    CHECK(name(PinState::ok) == "ok");
    CHECK(name(PinState::few_tries) == "few tries left");
    CHECK(name(PinState::last_try) == "last try");
    CHECK(name(PinState::locked) == "locked");
    CHECK(name(PinState::not_set) == "not set");
    CHECK(name(PinState::to_be_changed) == "must be changed");
}

TEST_CASE("a module that says it has more slots than there can be is refused") {
    TokenDesk desk;
    const PoorCard card(GENERATE("slots=0xffffffffffffffff", "slots=0x4000000000000000", "slots=10001"));
    const auto tokens = desk.open(PoorCard::module());
    const Error error = error_of([&] { tokens->tokens(); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK_THAT(error.what(), Catch::StartsWith("module '") && Catch::EndsWith(" slots"));
    CHECK_FALSE(error.hint().empty());
}

TEST_CASE("a module that says it gave more mechanisms, objects or bytes than it was asked for is not believed") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card(GENERATE("mechanisms=0x2000000000000000", "mechanisms=0xffffffffffffffff",
                                 "objects=0x1000000000000000", "attribute-size=0x7fffffffffffffff"));
    const auto tokens = desk.open(PoorCard::module());
    const auto token = tokens->tokens().at(0);
    try {
        for (const auto& certificate : token->certificates())
            if (certificate.certificate) check_signs(*token);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::token);
    }
}

TEST_CASE("among several modules one that says it has too many slots is passed over with a warning") {
    P11KitConfiguration configuration;
    TokenDesk desk;
    const PoorCard card("slots=0xffffffffffffffff");
    configuration.add("poor", "module: " + PoorCard::module() + "\n");
    configuration.add("softhsm", "module: " + SoftHsm::module() + "\n");
    const auto tokens = token::Tokens::open({.modules = {}, .token = std::nullopt}, desk.pins);
    CHECK(count_tokens(*tokens, "ID card") == 1);
    REQUIRE(tokens->warnings().size() == 1);
    CHECK_THAT(tokens->warnings()[0], Catch::Contains(PoorCard::module()) && Catch::EndsWith(" slots"));
}
