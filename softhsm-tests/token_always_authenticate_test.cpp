// Keys that ask for their PIN before each operation, and those that do not.

#include <fmt/format.h>

#include <thread>

#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

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
