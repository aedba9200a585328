#include <set>

#include "softhsm-tests/support/leaks.h"
#include "softhsm-tests/token_signing.h"
#include "token/session.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

KeyHandle key_of(const Bytes& spki) {
    const Byte* at = spki.data();
    return KeyHandle(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
}

/// generate_montgomery makes an X25519 key, which p11mime itself does not; SoftHSM keeps it as an Edwards key.
void generate_montgomery(const token::Token& token, const std::string& label) {
    const Bytes params = {0x06, 0x03, 0x2b, 0x65, 0x6e};
    token::Template public_half;
    public_half.add_bool(CKA_TOKEN, true).add(CKA_EC_PARAMS, params).add(CKA_ID, label).add(CKA_LABEL, label);
    token::Template private_half;
    private_half.add_bool(CKA_TOKEN, true).add_bool(CKA_PRIVATE, true).add(CKA_ID, label).add(CKA_LABEL, label);
    token::Session(token::Module::load(SoftHsm::module()), token.info(), token::Session::Access::read_write)
        .generate_pair(token::Mechanism(CKM_EC_EDWARDS_KEY_PAIR_GEN), public_half, private_half);
}

bool verifies_whole(const Bytes& spki, ByteView signature) {
    const KeyHandle key = key_of(spki);
    const DigestContext context(EVP_MD_CTX_new());
    REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(kMessage).data(),
                            kMessage.size()) == 1;
}

}  // namespace

TEST_CASE("a token that also holds Edwards and Montgomery keys signs with its RSA and EC keys") {
    TokenDesk desk;
    desk.hsm.generate("ID card", "EC:edwards25519", "Edward", "ed");
    desk.put(desk.pki.issue({.name = "Rita", .kind = KeyKind::rsa2048}), "01");
    desk.put(desk.pki.issue({.name = "Eve", .kind = KeyKind::p256}), "02");
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    token->generate(token::KeySpec::ed448, "Ed448", {});
    generate_montgomery(*token, "X25519");
    for (const auto& certificate : token->certificates()) {
        const auto signer = token->signer(certificate);
        if (certificate.label == "Rita")
            check_signs(*signer, cms::RsaPkcs1{cms::Hash::sha256});
        else
            check_signs(*signer, cms::Ecdsa{cms::Hash::sha256});
    }
    std::set<std::string> descriptions;
    for (const auto& key : token->private_keys(true))
        descriptions.insert(key.description);
    CHECK(descriptions == std::set<std::string>{"Ed25519", "Ed448", "P-256", "RSA-2048", "X25519"});
}

TEST_CASE("Ed25519 and Ed448 keys sign, and OpenSSL verifies it") {
    TokenDesk desk;
    const auto [spec, name] =
        GENERATE(std::pair(token::KeySpec::ed25519, "ED25519"), std::pair(token::KeySpec::ed448, "ED448"));
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    const auto key = token->generate(spec, name, {});
    CHECK(key.type == token::KeyType::edwards);
    const auto signer = token->raw_signer(key);
    const Bytes spki = token->public_key_spki(key);
    CHECK(std::string(EVP_PKEY_get0_type_name(key_of(spki).get())) == name);
    const cms::SignScheme scheme = cms::default_scheme(spki);
    REQUIRE(std::holds_alternative<cms::Pure>(scheme));
    REQUIRE(signer->supports(scheme));
    CHECK_FALSE(signer->supports(cms::Ecdsa{cms::Hash::sha256}));
    const auto* other =
        cms::algorithm_named(cms::AlgorithmKind::signature, spec == token::KeySpec::ed448 ? "ed25519" : "ed448");
    CHECK_FALSE(signer->supports(cms::Pure{other, *other->hash}));
    const ModuleLeaks leaks;  // SoftHSM's C_SignInit leaks the curve's name
    CHECK(verifies_whole(spki, sign(*signer, scheme)));
}

TEST_CASE("Ed448 signs with and without mechanism parameters, whichever the module takes") {
    const std::string fault = GENERATE("eddsa-parameters=yes", "eddsa-parameters=no");
    CAPTURE(fault);
    TokenDesk desk;
    const PoorCard card(fault);
    const auto tokens = desk.open(PoorCard::module());
    const auto token = tokens->tokens().at(0);
    const auto key = token->generate(token::KeySpec::ed448, "Ed448", {});
    const Bytes spki = token->public_key_spki(key);
    const ModuleLeaks leaks;
    CHECK(verifies_whole(spki, sign(*token->raw_signer(key), cms::default_scheme(spki))));
}

TEST_CASE("a token without CKM_EDDSA does not sign with an Edwards key, and says by what it cannot") {
    TokenDesk desk;
    Bytes spki;
    {
        const auto tokens = desk.open();
        const auto token = tokens->tokens().at(0);
        spki = token->public_key_spki(token->generate(token::KeySpec::ed25519, "Edward", {}));
    }
    desk.hsm.restrict("CKM_ECDSA");
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    const auto signer = token->raw_signer(token->private_keys(true).at(0));
    const cms::SignScheme scheme = cms::default_scheme(spki);
    CHECK_FALSE(signer->supports(scheme));
    CHECK_THAT(error_of([&] { sign(*signer, scheme); }).what(), Catch::Contains("the token offers no CKM_EDDSA"));
}
