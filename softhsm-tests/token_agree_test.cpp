#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "cms/key_management.h"
#include "cms/key_wrap.h"
#include "cms/recipient_info.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/leaks.h"
#include "softhsm-tests/support/software_key.h"
#include "softhsm-tests/token_decrypters.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

/// Agreement is what a sender does with OpenSSL: an ephemeral key, ECDH, a KDF and AES key wrap.
struct Agreement {
    cms::Agree recovery;
    Bytes wrapped;
};

Bytes derive(EVP_PKEY* own, EVP_PKEY* peer) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
    REQUIRE(EVP_PKEY_derive_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_derive_set_peer(context.get(), peer) == 1);
    std::size_t size = 256;
    Bytes secret(size);
    REQUIRE(EVP_PKEY_derive(context.get(), secret.data(), &size) == 1);
    secret.resize(size);
    return secret;
}

Bytes derive_key(const cms::KeyDerivation& kdf, Bytes secret, std::size_t size) {
    const bool x963 = kdf.kind == cms::KeyDerivation::Kind::x963;
    const Handle<EVP_KDF, EVP_KDF_free> algorithm(EVP_KDF_fetch(nullptr, x963 ? "X963KDF" : "HKDF", nullptr));
    const Handle<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(algorithm.get()));
    Bytes info = kdf.info;
    std::string digest = EVP_MD_get0_name(evp(kdf.hash));
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()), OSSL_PARAM_construct_end()};
    Bytes key(size);
    REQUIRE(EVP_KDF_derive(context.get(), key.data(), size, parameters) == 1);
    return key;
}

Bytes wrap(ByteView wrapping_key, ByteView content_key) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    const EVP_CIPHER* cipher = wrapping_key.size() == 16   ? EVP_aes_128_wrap()
                               : wrapping_key.size() == 24 ? EVP_aes_192_wrap()
                                                           : EVP_aes_256_wrap();
    REQUIRE(EVP_EncryptInit_ex(context.get(), cipher, nullptr, wrapping_key.data(), nullptr) == 1);
    Bytes wrapped(content_key.size() + 8);
    int size = 0;
    REQUIRE(EVP_EncryptUpdate(context.get(), wrapped.data(), &size, content_key.data(),
                              static_cast<int>(content_key.size())) == 1);
    return wrapped;
}

Bytes spki_of(const EVP_PKEY* key) {
    Byte* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    REQUIRE(size > 0);
    Bytes spki(der, der + size);
    OPENSSL_free(der);
    return spki;
}

KeyHandle ephemeral(const EVP_PKEY* like) {
    char group[64] = {};
    REQUIRE(EVP_PKEY_get_group_name(like, group, sizeof group, nullptr) == 1);
    return KeyHandle(EVP_EC_gen(group));
}

Agreement agree(const cms::Certificate& certificate, ByteView content_key, cms::KeyDerivation kdf,
                std::size_t wrap_size, EVP_PKEY* own = nullptr, bool cofactor = false) {
    const KeyHandle peer = certificate.public_key();
    const KeyHandle fresh = own == nullptr ? ephemeral(peer.get()) : nullptr;
    EVP_PKEY* sender = own == nullptr ? fresh.get() : own;
    const Bytes wrapping_key = derive_key(kdf, derive(sender, peer.get()), wrap_size);
    return {.recovery = {.peer_spki = spki_of(sender),
                         .cofactor = cofactor,
                         .kdf = std::move(kdf),
                         .wrap = &cms::aes_wrap(wrap_size)},
            .wrapped = wrap(wrapping_key, content_key)};
}

/// ephemeral_that makes keys until one fits.
KeyHandle ephemeral_that(const EVP_PKEY* like, const std::function<bool(EVP_PKEY*)>& fits) {
    while (true)
        if (KeyHandle key = ephemeral(like); fits(key.get())) return key;
}

}  // namespace

TEST_CASE("content keys agreed on by ECDH with OpenSSL are recovered on all curves, KDFs, hashes and wraps") {
    const KeyKind kind = GENERATE(KeyKind::p256, KeyKind::p384, KeyKind::p521);
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = kind});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    for (const auto derivation : {cms::KeyDerivation::Kind::x963, cms::KeyDerivation::Kind::hkdf})
        for (const cms::Hash hash : kAllHashes)
            for (const std::size_t wrap_size : {16U, 24U, 32U}) {
                CAPTURE(static_cast<int>(kind), static_cast<int>(hash), wrap_size);
                const Agreement agreement =
                    agree(certificate_of(alice), key, {derivation, hash, random_bytes(25)}, wrap_size);
                check_recovers(*decrypter, agreement.recovery, agreement.wrapped, key);
            }
}

TEST_CASE("changed wrapped keys and agreement parameters are bad ciphertexts") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const Bytes key = random_bytes(kKeySize);
    const Agreement agreement =
        agree(certificate_of(alice), key, {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16);
    Bytes changed = agreement.wrapped;
    changed[3] ^= 1;
    CHECK_FALSE(recover(*decrypter, agreement.recovery, changed));
    cms::Agree other = agreement.recovery;
    other.kdf.info[0] ^= 1;
    CHECK_FALSE(recover(*decrypter, other, agreement.wrapped));
    check_recovers(*decrypter, agreement.recovery, agreement.wrapped, key);
}

TEST_CASE("peer keys that are no point on the key's curve never reach the token") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto decrypter = decrypter_of(*tokens);
    const Agreement agreement = agree(certificate_of(alice), random_bytes(kKeySize),
                                      {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16);
    cms::Agree off_curve = agreement.recovery;
    off_curve.peer_spki.back() ^= 1;
    CHECK_FALSE(recover(*decrypter, off_curve, agreement.wrapped));
    cms::Agree other_curve = agreement.recovery;
    other_curve.peer_spki = spki_of(KeyHandle(EVP_EC_gen("P-384")).get());
    CHECK_FALSE(recover(*decrypter, other_curve, agreement.wrapped));
    cms::Agree same_size = agreement.recovery;
    same_size.peer_spki = spki_of(KeyHandle(EVP_EC_gen("brainpoolP256r1")).get());
    CHECK_FALSE(recover(*decrypter, same_size, agreement.wrapped));
    cms::Agree rsa = agreement.recovery;
    rsa.peer_spki = spki_of(KeyHandle(EVP_RSA_gen(1024)).get());
    CHECK_FALSE(recover(*decrypter, rsa, agreement.wrapped));
    cms::Agree garbage = agreement.recovery;
    garbage.peer_spki = {0x30, 0x03, 0x01};
    CHECK_FALSE(recover(*decrypter, garbage, agreement.wrapped));
    CHECK(card.calls("C_DeriveKey") == 0);
}

TEST_CASE("modules that want the peer's point or the template in another form get it") {
    const std::string faults =
        GENERATE("raw-point", "wrapped-point", "no-value-len", "needs-value-len", "wrapped-point no-value-len");
    CAPTURE(faults);
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const PoorCard card(faults);
    const auto tokens = desk.open(PoorCard::module());
    const Bytes key = random_bytes(kKeySize);
    const Agreement agreement =
        agree(certificate_of(alice), key, {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16);
    check_recovers(*decrypter_of(*tokens), agreement.recovery, agreement.wrapped, key);
}

TEST_CASE("a shared secret that begins with zeros is used in full length") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const std::string faults = GENERATE("", "stripped", "stripped no-value-len");
    const PoorCard card(faults);
    const auto tokens = desk.open(PoorCard::module());
    const KeyHandle own = certificate_of(alice).public_key();
    const KeyHandle sender =
        ephemeral_that(own.get(), [&](EVP_PKEY* key) { return derive(key, own.get()).front() == 0; });
    const Bytes key = random_bytes(kKeySize);
    const Agreement agreement =
        agree(certificate_of(alice), key, {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16,
              sender.get());
    check_recovers(*decrypter_of(*tokens), agreement.recovery, agreement.wrapped, key);
}

TEST_CASE("a point that SoftHSM takes for an OCTET STRING is given to it as one") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::brainpool512});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    constexpr std::size_t kPointSize = 1 + 2 * 64;  // 0x04, and then what could be the length of the rest
    const KeyHandle sender = ephemeral_that(certificate_of(alice).public_key().get(), [](EVP_PKEY* key) {
        const Bytes spki = spki_of(key);
        return spki[spki.size() - kPointSize + 1] == kPointSize - 2;
    });
    const Bytes key = random_bytes(kKeySize);
    const Agreement agreement =
        agree(certificate_of(alice), key, {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16,
              sender.get());
    check_recovers(*decrypter_of(*tokens), agreement.recovery, agreement.wrapped, key);
}

TEST_CASE("a compressed point of the peer is given to the token uncompressed") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const auto tokens = desk.open();
    const KeyHandle sender = ephemeral(certificate_of(alice).public_key().get());
    const Bytes key = random_bytes(kKeySize);
    Agreement agreement =
        agree(certificate_of(alice), key, {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16,
              sender.get());
    REQUIRE(EVP_PKEY_set_utf8_string_param(sender.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed") ==
            1);
    const std::size_t uncompressed = agreement.recovery.peer_spki.size();
    agreement.recovery.peer_spki = spki_of(sender.get());
    REQUIRE(agreement.recovery.peer_spki.size() == uncompressed - 32);
    check_recovers(*decrypter_of(*tokens), agreement.recovery, agreement.wrapped, key);
}

TEST_CASE("ECDH with the cofactor works where the curve's is one, and is refused by name where the token has no ECDH") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const Bytes key = random_bytes(kKeySize);
    const Agreement agreement =
        agree(certificate_of(alice), key, {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16,
              nullptr, true);
    {
        const auto tokens = desk.open();
        check_recovers(*decrypter_of(*tokens), agreement.recovery, agreement.wrapped, key);
    }
    desk.hsm.restrict("CKM_ECDSA");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    CHECK_FALSE(decrypter->supports(agreement.recovery));
    const Error error = error_of([&] { recover(*decrypter, agreement.recovery, agreement.wrapped); });
    CHECK(std::string(error.what()).find("cannot agree on a key by CKM_ECDH1_") != std::string::npos);
}

TEST_CASE("a derivation leaves no object behind") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    desk.put(alice, "01");
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const Agreement agreement = agree(certificate_of(alice), random_bytes(kKeySize),
                                      {cms::KeyDerivation::Kind::x963, cms::Hash::sha256, random_bytes(25)}, 16);
    REQUIRE(recover(*decrypter_of(*tokens), agreement.recovery, agreement.wrapped));
    CHECK(card.calls("C_DeriveKey") == 1);
    CHECK(card.calls("C_DestroyObject") == 1);
}

TEST_CASE("X25519 and X448 keys are generated on the token and recover content keys") {
    const auto [name, oid] = GENERATE(std::pair("x25519", "X25519"), std::pair("x448", "X448"));
    CAPTURE(name);
    TokenDesk desk;
    const auto tokens = desk.open();
    const std::shared_ptr<token::Token> token = tokens->tokens().at(0);
    const token::KeyObject made = token->generate(token::key_spec(name).value(), "Agreeing", {0x01});
    CHECK(made.description == oid);
    CHECK(made.can_derive);
    CHECK_FALSE(made.can_sign);
    CHECK_FALSE(made.can_decrypt);

    const Bytes spki = token->public_key_spki(made);
    const Byte* at = spki.data();
    const PrivateKey public_half(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())), EVP_PKEY_free);
    REQUIRE(public_half);
    const SoftwareKey root = certify(authority_spec("Root"));
    const cms::Certificate certificate = certify_key(public_half, {}, &root);
    token->import_certificate(certificate, "Agreeing", {});
    const auto decrypter = decrypter_of(*tokens);
    const ModuleLeaks leaks;  // SoftHSM's C_DeriveKey leaks the points of X25519 and X448

    const SecretBytes key(ByteView(random_bytes(kKeySize)));
    for (const cms::Hash hash : {cms::Hash::sha256, cms::Hash::sha384, cms::Hash::sha512}) {
        const cms::Recipient to(certificate, cms::KeyAgreement{.hash = hash, .wrap_size = 32});
        const auto entry = cms::read_recipient_info(cms::make_recipient_infos({to}, key).at(0), kKeySize).at(0);
        CHECK(entry.key_management == "xdh");
        check_recovers(*decrypter, *entry.recovery, entry.encrypted_key, key);
        Bytes changed = entry.encrypted_key;
        changed[3] ^= 1;
        CHECK_FALSE(recover(*decrypter, *entry.recovery, changed));
    }
    // The point at zero has low order: every key agrees with it on nothing but zeros.
    cms::Agree low = std::get<cms::Agree>(
        *cms::read_recipient_info(cms::make_recipient_infos({certificate}, key).at(0), kKeySize).at(0).recovery);
    const std::size_t size = low.peer_spki.size() - 12;
    std::fill(low.peer_spki.end() - static_cast<std::ptrdiff_t>(size), low.peer_spki.end(), Byte{0});
    CHECK_FALSE(recover(*decrypter, low, Bytes(40)));
}

TEST_CASE("X25519 and X448 keys on a token come to the shared secrets of RFC 7748 section 6") {
    struct Example {
        const char* algorithm;
        std::string own, own_public, peer_public, secret;
    };
    const Example example = GENERATE(
        Example{"X25519", "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
                "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
        Example{"X448",
                "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2"
                "d8c0a598726b",
                "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f"
                "80e532c41fa0",
                "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bd"
                "c1c67bf33609",
                "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a"
                "5037514a879d"});
    CAPTURE(example.algorithm);
    const auto raw = [&](auto make, const std::string& text) {
        const Bytes bytes = from_hex(text);
        return make(nullptr, example.algorithm, nullptr, bytes.data(), bytes.size());
    };
    const SoftwareKey issuer = certify(authority_spec("Root"));
    const PrivateKey key(raw(EVP_PKEY_new_raw_private_key_ex, example.own), EVP_PKEY_free);
    const SoftwareKey alice{key, certify_key(key, {}, &issuer)};
    TokenDesk desk;
    desk.put({.name = "Alice", .key_pem = alice.key_pem(), .certificate_pem = alice.certificate.pem()}, "01");
    const auto tokens = desk.open();
    const auto decrypter = decrypter_of(*tokens);
    const ModuleLeaks leaks;

    const cms::KeyDerivation kdf{cms::KeyDerivation::Kind::hkdf, cms::Hash::sha256, random_bytes(25)};
    const Bytes content_key = random_bytes(kKeySize);
    const Bytes wrapped = wrap(derive_key(kdf, from_hex(example.secret), 32), content_key);
    cms::Agree recovery{.peer_spki = spki_of(KeyHandle(raw(EVP_PKEY_new_raw_public_key_ex, example.peer_public)).get()),
                        .cofactor = false,
                        .kdf = kdf,
                        .wrap = &cms::aes_wrap(32)};
    check_recovers(*decrypter, recovery, wrapped, content_key);
    recovery.peer_spki = spki_of(KeyHandle(raw(EVP_PKEY_new_raw_public_key_ex, example.own_public)).get());
    CHECK_FALSE(recover(*decrypter, recovery, wrapped));
}
