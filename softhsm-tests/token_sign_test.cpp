#include <set>
#include <thread>

#include "softhsm-tests/support/leaks.h"
#include "softhsm-tests/token_signing.h"

using namespace p11mime;
using namespace p11mime::test;

TEST_CASE("RSA signatures by a token verify with OpenSSL, every hash, PKCS#1 v1.5 and PSS") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::rsa2048}), "01");
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    for (const cms::Hash hash : kAllHashes) {
        check_signs(*signer, cms::RsaPkcs1{hash});
        check_signs(*signer, cms::RsaPss{hash, hash, static_cast<unsigned>(EVP_MD_get_size(evp(hash)))});
    }
    check_signs(*signer, cms::RsaPss{cms::Hash::sha256, cms::Hash::sha256, 0});
    CHECK_FALSE(signer->supports(cms::Ecdsa{cms::Hash::sha256}));
}

TEST_CASE("a PSS signature with another hash for the mask, or one that Cryptoki does not name, is padded on the host") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::rsa2048}), "01");
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    check_signs(*signer, cms::RsaPss{cms::Hash::sha256, cms::Hash::sha1, 20});
    check_signs(*signer, cms::RsaPss{cms::Hash::sha512_256, cms::Hash::sha512_256, 32});
    check_signs(*signer, cms::RsaPss{cms::Hash::sha256, cms::Hash::sha512_224, 32});
    check_signs(*signer, cms::RsaPkcs1{cms::Hash::sha512_256});
}

TEST_CASE("ECDSA signatures by a token verify with OpenSSL on all three curves, every hash") {
    TokenDesk desk;
    const auto [kind, bits] =
        GENERATE(std::pair(KeyKind::p256, 256), std::pair(KeyKind::p384, 384), std::pair(KeyKind::p521, 521));
    CAPTURE(bits);
    desk.put(desk.pki.issue({.kind = kind}), "01");
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    for (const cms::Hash hash : kAllHashes)
        check_signs(*signer, cms::Ecdsa{hash});
    CHECK_FALSE(signer->supports(cms::RsaPkcs1{cms::Hash::sha256}));
}

TEST_CASE("tokens without SHA-3 sign over a digest that is made on the host") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::rsa2048}), "01");
    desk.put(desk.pki.issue({.name = "Brainpool", .kind = KeyKind::brainpool384}), "02");
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    for (const auto& certificate : token->certificates()) {
        const auto signer = token->signer(certificate);
        for (const cms::Hash hash : {cms::Hash::sha3_256, cms::Hash::sha3_512}) {
            if (certificate.label == "Brainpool") {
                check_signs(*signer, cms::Ecdsa{hash});
                continue;
            }
            check_signs(*signer, cms::RsaPkcs1{hash});
            check_signs(*signer, cms::RsaPss{hash, hash, static_cast<unsigned>(cms::hash_size(hash))});
        }
    }
}

TEST_CASE("a digest longer than the curve's order is cut for modules that refuse it") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card("signs-32-bytes");
    const auto tokens = desk.open(PoorCard::module());
    check_signs(*signer_of(*tokens), cms::Ecdsa{cms::Hash::sha512});
}

TEST_CASE("many ECDSA signatures have the right form, short r and s too") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p521}), "01");
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    for (int i = 0; i < 100; ++i)
        REQUIRE(verifies(signer->certificate(), cms::Ecdsa{cms::Hash::sha512},
                         sign(*signer, cms::Ecdsa{cms::Hash::sha512})));
}

TEST_CASE("tokens with few mechanisms sign RSA by what they have") {
    const std::string mechanisms = GENERATE("CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS", "CKM_RSA_X_509");
    CAPTURE(mechanisms);
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::rsa2048}), "01");
    desk.hsm.restrict(mechanisms);
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    check_signs(*signer, cms::RsaPkcs1{cms::Hash::sha256});
    CHECK(signer->supports(cms::RsaPss{cms::Hash::sha256, cms::Hash::sha256, 32}) == (mechanisms == "CKM_RSA_X_509"));
}

TEST_CASE("tokens with few mechanisms sign RSA-PSS by what they have") {
    const std::string mechanisms = GENERATE("CKM_RSA_PKCS_PSS", "CKM_SHA256_RSA_PKCS_PSS", "CKM_RSA_X_509");
    CAPTURE(mechanisms);
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::rsa2048}), "01");
    desk.hsm.restrict(mechanisms);
    const auto tokens = desk.open();
    check_signs(*signer_of(*tokens), cms::RsaPss{cms::Hash::sha256, cms::Hash::sha256, 32});
}

TEST_CASE("a signature that the token has no mechanism for is refused by the names of key, token and mechanisms") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::rsa2048}), "01");
    desk.put(desk.pki.issue({.name = "Eve", .kind = KeyKind::p256}), "02");
    desk.hsm.restrict("CKM_SHA256_RSA_PKCS");
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    const auto refusal = [&](const std::string& label, const cms::SignScheme& scheme) {
        const auto signer = token->signer(token->find_certificates({.label = label}).at(0));
        const Error error = error_of([&] { sign(*signer, scheme); });
        CHECK(error.kind() == ErrorKind::token);
        CHECK(error.what() == signer->obstacle(scheme));
        return signer->obstacle(scheme);
    };
    CHECK(
        refusal("Alice", cms::RsaPkcs1{cms::Hash::sha512}) ==
        "key 'Alice' on token 'ID card' cannot sign with RSA PKCS#1 v1.5 with sha512: the token offers no CKM_RSA_PKCS "
        "or CKM_SHA512_RSA_PKCS or CKM_RSA_X_509");
    CHECK(refusal("Alice", cms::RsaPss{cms::Hash::sha3_256, cms::Hash::sha3_256, 32}) ==
          "key 'Alice' on token 'ID card' cannot sign with RSA-PSS with sha3-256: the token offers no CKM_RSA_PKCS_PSS "
          "or CKM_SHA3_256_RSA_PKCS_PSS or CKM_RSA_X_509");
    CHECK(refusal("Alice", cms::RsaPss{cms::Hash::sha512_256, cms::Hash::sha512_256, 32}) ==
          "key 'Alice' on token 'ID card' cannot sign with RSA-PSS with sha512-256: the token offers no CKM_RSA_X_509");
    CHECK(refusal("Eve", cms::Ecdsa{cms::Hash::sha256}) ==
          "key 'Eve' on token 'ID card' cannot sign with ECDSA with sha256: the token offers no CKM_ECDSA or "
          "CKM_ECDSA_SHA256");
}

TEST_CASE("a mechanism that the token offers and refuses is named with its code") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card("C_SignInit=0x70");
    desk.hsm.restrict("CKM_ECDSA");
    const auto tokens = desk.open(PoorCard::module());
    const auto signer = signer_of(*tokens);
    CHECK(
        std::string(error_of([&] { sign(*signer, cms::Ecdsa{cms::Hash::sha256}); }).what()) ==
        "key 'Alice' on token 'ID card': cannot sign with ECDSA with sha256 by CKM_ECDSA: the token does not offer the "
        "mechanism (CKR_MECHANISM_INVALID)");
}

TEST_CASE("keys that may not sign are said not to") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card("may-not-sign");
    const auto tokens = desk.open(PoorCard::module());
    CHECK_FALSE(signer_of(*tokens)->supports(cms::Ecdsa{cms::Hash::sha256}));
}

TEST_CASE("a clone signs in a session of its own, in another thread") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    std::vector<std::unique_ptr<cms::Signer>> clones;
    for (int i = 0; i < 4; ++i)
        clones.push_back(signer->clone());
    std::vector<Bytes> signatures(clones.size() * 20);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < clones.size(); ++i)
            threads.emplace_back([&, i] {
                for (std::size_t n = 0; n < 20; ++n)
                    signatures[i * 20 + n] = sign(*clones[i], cms::Ecdsa{cms::Hash::sha256});
            });
    }
    for (const Bytes& signature : signatures)
        REQUIRE(verifies(signer->certificate(), cms::Ecdsa{cms::Hash::sha256}, signature));
    CHECK(desk.pins.requests.size() == 1);
}

TEST_CASE("signers outlive the tokens that they come from") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    tokens.reset();
    check_signs(*signer, cms::Ecdsa{cms::Hash::sha256});
}

TEST_CASE("a stop request ends signing before the token is asked") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const auto tokens = desk.open();
    const auto signer = signer_of(*tokens);
    std::stop_source stop;
    stop.request_stop();
    const Error error =
        error_of([&] { signer->sign(cms::Ecdsa{cms::Hash::sha256}, bytes_of(kMessage), {""}, stop.get_token()); });
    CHECK(error.kind() == ErrorKind::token);
}

TEST_CASE("a private key that does not belong to its certificate gives no signature") {
    TokenDesk desk;
    const Identity small = desk.pki.issue({.name = "Small", .kind = KeyKind::rsa1024});
    const Identity large = desk.pki.issue({.name = "Large", .kind = KeyKind::rsa2048});
    desk.put_key(small, "01");
    desk.put_certificate(large, "01");
    const auto tokens = desk.open();
    const Error error = error_of([&] { sign(*signer_of(*tokens), cms::RsaPkcs1{cms::Hash::sha256}); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(error.hint() == "the private key does not belong to its certificate");
}

TEST_CASE("the key of another pair under a certificate's id gives no signature, of whatever type") {
    const auto [kind, scheme] = GENERATE(
        std::pair<KeyKind, cms::SignScheme>(KeyKind::rsa2048, cms::RsaPkcs1{cms::Hash::sha256}),
        std::pair<KeyKind, cms::SignScheme>(KeyKind::rsa2048, cms::RsaPss{cms::Hash::sha256, cms::Hash::sha256, 32}),
        std::pair<KeyKind, cms::SignScheme>(KeyKind::p256, cms::Ecdsa{cms::Hash::sha256}));
    TokenDesk desk;
    desk.put_key(desk.pki.issue({.name = "Old", .kind = kind}), "01");
    desk.put_certificate(desk.pki.issue({.name = "New", .kind = kind}), "01");
    const auto tokens = desk.open();
    const Error error = error_of([&, scheme = scheme] { sign(*signer_of(*tokens), scheme); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK_THAT(error.what(), Catch::Contains("gave a signature that does not verify"));
    CHECK(error.hint() == "the private key does not belong to its certificate");
}

TEST_CASE("a module that gives garbage of the right length gives no signature, of a key without a certificate either") {
    TokenDesk desk;
    const token::KeySpec spec = GENERATE(token::KeySpec::rsa2048, token::KeySpec::p256, token::KeySpec::ed25519);
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = tokens->tokens().at(0);
    const auto key = token->generate(spec, "Key", {});
    const Bytes spki = token->public_key_spki(key);
    const auto signer = token->raw_signer(key);
    const ModuleLeaks leaks;
    CHECK_FALSE(sign(*signer, cms::default_scheme(spki)).empty());
    card.set("signs-garbage");
    const Error error = error_of([&] { sign(*signer, cms::default_scheme(spki)); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK_THAT(error.what(), Catch::Contains("gave a signature that does not verify"));
    CHECK(error.hint() == "the private key does not belong to its public key");
    card.set("");
    CHECK_FALSE(sign(*signer, cms::default_scheme(spki)).empty());
}

TEST_CASE("after a failure half-way the next signature works, without another login") {
    const std::string faults = GENERATE("", "sessions=1 ended");
    CAPTURE(faults);
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card(faults);
    const auto tokens = desk.open(PoorCard::module());
    const auto signer = signer_of(*tokens);
    card.set(faults + " C_Sign=0x30");
    const Error error = error_of([&] { sign(*signer, cms::Ecdsa{cms::Hash::sha256}); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()) ==
          "key 'Alice' on token 'ID card': cannot sign: the device reports an error (CKR_DEVICE_ERROR)");
    card.set(faults);
    check_signs(*signer, cms::Ecdsa{cms::Hash::sha256});
    CHECK(card.calls("C_Login") == 1);
}

TEST_CASE("threads that search and sign share the only session of a token") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const PoorCard card(GENERATE("sessions=1", "sessions=1 says-sessions=1"));
    const auto tokens = desk.open(PoorCard::module());
    const auto token = tokens->tokens().at(0);
    const auto signer = signer_of(*tokens);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                const auto own = signer->clone();
                for (int n = 0; n < 10; ++n) {
                    token->find_certificates({.id = Bytes{0x01}});
                    sign(*own, cms::Ecdsa{cms::Hash::sha256});
                }
            });
    }
    CHECK(card.calls("C_SignInit") == 40);
    CHECK(card.calls("C_Login") == 1);
}
