#include <openssl/rsa.h>

#include "softhsm-tests/token_decrypters.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

/// encrypt is OpenSSL's RSA encryption, with OAEP parameters where given.
Bytes encrypt(const cms::Certificate& certificate, ByteView plain, const cms::RsaOaep* oaep = nullptr) {
    const KeyHandle key = certificate.public_key();
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    REQUIRE(EVP_PKEY_encrypt_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING) == 1);
    if (oaep != nullptr) {
        REQUIRE(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), evp(oaep->hash)) == 1);
        REQUIRE(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), evp(oaep->mgf)) == 1);
        if (!oaep->label.empty()) {
            auto* label = static_cast<Byte*>(OPENSSL_memdup(oaep->label.data(), oaep->label.size()));
            REQUIRE(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), label, static_cast<int>(oaep->label.size())) == 1);
        }
    }
    std::size_t size = 1024;
    Bytes encrypted(size);
    REQUIRE(EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, plain.data(), plain.size()) == 1);
    encrypted.resize(size);
    return encrypted;
}

/// raw_encrypt is OpenSSL's RSA without padding.
Bytes raw_encrypt(const cms::Certificate& certificate, ByteView block) {
    const KeyHandle key = certificate.public_key();
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    REQUIRE(EVP_PKEY_encrypt_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
    std::size_t size = block.size();
    Bytes encrypted(size);
    REQUIRE(EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, block.data(), block.size()) == 1);
    return encrypted;
}

}  // namespace

TEST_CASE("content keys encrypted with OpenSSL by RSA PKCS#1 v1.5 are recovered, natively or by raw RSA") {
    const std::string mechanisms = GENERATE("CKM_RSA_PKCS", "CKM_RSA_X_509");
    CAPTURE(mechanisms);
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    desk.hsm.restrict(mechanisms);
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    for (const std::size_t size : {16U, 24U, 32U}) {
        const Bytes key = random_bytes(size);
        const Bytes encrypted = encrypt(certificate_of(alice), key);
        check_recovers(*decrypter, cms::RsaV15{size}, encrypted, key);
        CHECK_FALSE(recover(*decrypter, cms::RsaV15{size + 8}, encrypted));
    }
    CHECK(decrypter->name() == "key 'Alice' on token 'ID card'");
}

TEST_CASE("bad RSA ciphertexts are told from trouble with the token, and the token works afterwards") {
    const std::string mechanisms = GENERATE("CKM_RSA_PKCS", "CKM_RSA_X_509");
    CAPTURE(mechanisms);
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    desk.hsm.restrict(mechanisms);
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    const Bytes good = encrypt(certificate_of(alice), key);
    Bytes flipped = good;
    flipped[100] ^= 1;
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{kKeySize}, flipped));
    check_recovers(*decrypter, cms::RsaV15{kKeySize}, good, key);
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{kKeySize}, Bytes(256, 0xff)));  // beyond the modulus
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{kKeySize}, Bytes(257, 0x01)));
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{kKeySize}, {}));
    check_recovers(*decrypter, cms::RsaV15{kKeySize}, good, key);
    CHECK(desk.pins.requests.size() == 1);
}

TEST_CASE("a ciphertext that lost its leading zeros is padded") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::rsa1024});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const Bytes key = random_bytes(16);
    Bytes encrypted;
    do {
        encrypted = encrypt(certificate_of(alice), key);
    } while (encrypted.front() != 0);
    encrypted.erase(encrypted.begin());
    check_recovers(*decrypter_of(*tokens), cms::RsaV15{16}, encrypted, key);
}

TEST_CASE("content keys encrypted with OpenSSL by OAEP are recovered, every hash, mask and label") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    for (const cms::Hash hash : kAllHashes)
        for (const cms::Hash mgf : kAllHashes)
            for (const std::string label : {"", "a label"}) {
                CAPTURE(static_cast<int>(hash), static_cast<int>(mgf), label);
                const cms::RsaOaep oaep{hash, mgf, to_bytes(bytes_of(label))};
                check_recovers(*decrypter, oaep, encrypt(certificate_of(alice), key, &oaep), key);
            }
}

TEST_CASE("bad OAEP ciphertexts and wrong parameters are bad ciphertexts") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    for (const cms::Hash hash : {cms::Hash::sha1, cms::Hash::sha256}) {
        const cms::RsaOaep oaep{hash, hash, {}};
        Bytes encrypted = encrypt(certificate_of(alice), key, &oaep);
        CHECK_FALSE(recover(*decrypter, cms::RsaOaep{hash, cms::Hash::sha512, {}}, encrypted));
        CHECK_FALSE(recover(*decrypter, cms::RsaOaep{hash, hash, {0x01}}, encrypted));
        check_recovers(*decrypter, oaep, encrypted, key);
        encrypted[7] ^= 1;
        CHECK_FALSE(recover(*decrypter, oaep, encrypted));
    }
}

TEST_CASE("OAEP is refused by name where the token has neither it nor raw RSA") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    desk.hsm.restrict("CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const cms::RsaOaep sha256{cms::Hash::sha256, cms::Hash::sha256, {}};
    const Error error = error_of([&] { recover(*decrypter, sha256, Bytes(256, 1)); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK_THROWS_AS(recover(*decrypter, sha256, Bytes(256, 1)), cms::Unsupported);
    CHECK(std::string(error.what()).find("cannot decrypt by CKM_RSA_PKCS_OAEP with sha256") != std::string::npos);
    const cms::RsaOaep sha512_256{cms::Hash::sha512_256, cms::Hash::sha1, {}};  // Cryptoki has no name for it
    CHECK_THAT(error_of([&] { recover(*decrypter, sha512_256, Bytes(256, 1)); }).what(),
               Catch::Contains("CKM_RSA_PKCS_OAEP with sha512-256"));
    const cms::RsaOaep sha1{cms::Hash::sha1, cms::Hash::sha1, {}};
    const Bytes key = random_bytes(kKeySize);
    check_recovers(*decrypter, sha1, encrypt(certificate_of(alice), key, &sha1), key);
}

TEST_CASE("raw RSA results without leading zeros are padded before the padding is judged") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    desk.hsm.restrict("CKM_RSA_X_509");
    const PoorCard card("stripped");
    const auto tokens = desk.open(PoorCard::module());
    const Bytes key = random_bytes(kKeySize);
    check_recovers(*decrypter_of(*tokens), cms::RsaV15{kKeySize}, encrypt(certificate_of(alice), key), key);
}

TEST_CASE("codes that modules give for bad ciphertexts mean that, others mean trouble") {
    const std::string faults = GENERATE("", "sessions=1 ended ");
    const std::string mechanisms = GENERATE("CKM_RSA_PKCS", "CKM_RSA_X_509");
    CAPTURE(faults, mechanisms);
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    desk.hsm.restrict(mechanisms);
    const PoorCard card(faults);
    const auto tokens = desk.open(PoorCard::module());
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    const Bytes good = encrypt(certificate_of(alice), key);
    for (const char* bad_ciphertext : {"0x05", "0x06", "0x20", "0x21", "0x40", "0x41"}) {
        CAPTURE(bad_ciphertext);
        card.set(faults + "C_Decrypt=" + bad_ciphertext);
        CHECK_FALSE(recover(*decrypter, cms::RsaV15{kKeySize}, good));
    }
    for (const char* trouble : {"0x30", "0x32", "0x101", "0xb3", "0x80000001"}) {
        CAPTURE(trouble);
        card.set(faults + "C_Decrypt=" + trouble);
        CHECK(error_of([&] { recover(*decrypter, cms::RsaV15{kKeySize}, good); }).kind() == ErrorKind::token);
    }
    card.set(faults);
    check_recovers(*decrypter, cms::RsaV15{kKeySize}, good, key);
}

TEST_CASE("a token that refuses RSA PKCS#1 v1.5 after it has judged the padding is in trouble") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    const PoorCard card;
    const Bytes encrypted = encrypt(certificate_of(alice), random_bytes(kKeySize));
    const auto ends_in_trouble = [&](const std::string& mechanisms, const std::string& fault) {
        desk.hsm.restrict(mechanisms);
        const auto tokens = desk.open(PoorCard::module());
        const auto decrypter = decrypter_of(*tokens);
        card.set(fault);
        try {
            recover(*decrypter, cms::RsaV15{kKeySize}, encrypted);
        } catch (const cms::Unsupported&) {
            return false;
        } catch (const Error& error) {
            return error.kind() == ErrorKind::token;
        }
        return false;
    };
    CHECK(ends_in_trouble("CKM_RSA_PKCS", "C_Decrypt=0x07"));
    CHECK_FALSE(ends_in_trouble("CKM_RSA_PKCS", "C_DecryptInit=0x07"));
    CHECK_FALSE(ends_in_trouble("CKM_RSA_X_509", "C_Decrypt=0x07"));
    CHECK(ends_in_trouble("CKM_RSA_X_509", "C_Decrypt=0x32"));
}

TEST_CASE("what a key can undo follows from its type and the token's mechanisms, and no session is left behind") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({}), yan = desk.pki.issue({.name = "Yan", .kind = KeyKind::p256});
    desk.put(alice, "01");
    desk.put(yan, "02");
    const PoorCard card;
    const auto abilities = [&](const std::string& mechanisms, const Identity& identity, bool login = true) {
        desk.hsm.restrict(mechanisms);
        const auto tokens = desk.open(PoorCard::module());
        const auto token = tokens->tokens().at(0);
        if (login) token->login("see");
        return token->abilities(certificate_of(identity).spki_der());
    };
    CHECK(abilities("ALL", alice, false).oaep);
    CHECK_FALSE(abilities("ALL", alice).agreement);
    CHECK(abilities("CKM_RSA_X_509", alice).oaep);
    CHECK_FALSE(abilities("CKM_RSA_PKCS", alice).oaep);
    CHECK_FALSE(abilities("CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP", alice).oaep);  // SHA-1 alone on SoftHSM
    CHECK(abilities("CKM_ECDH1_DERIVE", yan, false).agreement);
    CHECK_FALSE(abilities("CKM_ECDSA", yan).agreement);
    CHECK_FALSE(abilities("ALL", yan).oaep);

    card.set("oaep-with-any-hash");
    CHECK(abilities("CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP", alice).oaep);
    CHECK_FALSE(abilities("CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP", alice, false).oaep);
    CHECK(card.calls("C_OpenSession") == card.calls("C_CloseSession"));
    CHECK(card.calls("C_Decrypt") == card.calls("C_DecryptInit"));  // one begins like the other: there is none
}

TEST_CASE("a general error is trouble where the token takes no new operation either") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto decrypter = decrypter_of(*tokens);
    const Bytes good = encrypt(certificate_of(alice), random_bytes(kKeySize));
    CHECK(recover(*decrypter, cms::RsaV15{kKeySize}, good));
    card.set("C_Decrypt=0x05 C_OpenSession=0x32");
    const Error error = error_of([&] { recover(*decrypter, cms::RsaV15{kKeySize}, good); });
    CHECK(std::string(error.what()).find("CKR_GENERAL_ERROR") != std::string::npos);
    card.set("C_Decrypt=0x05 logged-out");
    CHECK(error_of([&] { recover(*decrypter, cms::RsaV15{kKeySize}, good); }).kind() == ErrorKind::token);
    card.set("C_Decrypt=0x05");
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{kKeySize}, good));
}

TEST_CASE("keys say which recoveries they support") {
    TokenDesk desk;
    const Identity rita = desk.pki.issue({.name = "Rita"});
    desk.put(rita, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    CHECK(decrypter->supports(cms::RsaV15{32}));
    CHECK(decrypter->supports(cms::RsaOaep{cms::Hash::sha512, cms::Hash::sha512, {}}));
    CHECK_FALSE(decrypter->supports(cms::Agree{}));
}

TEST_CASE("a stop request ends decryption, and clones work in sessions of their own") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    const Bytes encrypted = encrypt(certificate_of(alice), key);
    std::stop_source stop;
    stop.request_stop();
    CHECK(error_of([&] { decrypter->recover(cms::RsaV15{kKeySize}, encrypted, {""}, stop.get_token()); }).kind() ==
          ErrorKind::token);
    check_recovers(*decrypter->clone(), cms::RsaV15{kKeySize}, encrypted, key);
    CHECK(desk.pins.requests.size() == 1);
}

TEST_CASE("a block without padding bytes of the right form is no content key") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({});
    desk.put(alice, "01");
    desk.hsm.restrict("CKM_RSA_X_509");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    Bytes block(256, 0xaa);
    block[0] = 0;
    block[1] = 2;
    block[256 - 33] = 0;
    check_recovers(*decrypter, cms::RsaV15{32}, raw_encrypt(certificate_of(alice), block),
                   ByteView(block).subspan(256 - 32));
    block[1] = 1;
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{32}, raw_encrypt(certificate_of(alice), block)));
    block[1] = 2;
    block[5] = 0;  // the separator may not come before eight padding bytes
    CHECK_FALSE(recover(*decrypter, cms::RsaV15{250}, raw_encrypt(certificate_of(alice), block)));
}
