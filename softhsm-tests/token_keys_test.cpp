#include "softhsm-tests/token_fixture.h"

#include <map>

using namespace p11mime;
using namespace p11mime::test;

namespace {

/// verifies asks OpenSSL whether a PKCS#1 v1.5 or ECDSA signature with SHA-256 is right for a SubjectPublicKeyInfo.
bool verifies(const Bytes& spki, ByteView message, ByteView signature) {
    const Byte* at = spki.data();
    const KeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
    REQUIRE(key);
    const DigestContext context(EVP_MD_CTX_new());
    REQUIRE(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

}  // namespace

TEST_CASE("every kind of key is generated on the token, stays there and signs") {
    struct Expected {
        const char* name;
        const char* description;
        token::KeyType type;
    };
    const Expected expected = GENERATE(
        Expected{"rsa2048", "RSA-2048", token::KeyType::rsa}, Expected{"rsa3072", "RSA-3072", token::KeyType::rsa},
        Expected{"rsa4096", "RSA-4096", token::KeyType::rsa}, Expected{"p256", "P-256", token::KeyType::ec},
        Expected{"p384", "P-384", token::KeyType::ec}, Expected{"p521", "P-521", token::KeyType::ec},
        Expected{"brainpool256", "brainpoolP256r1", token::KeyType::ec},
        Expected{"brainpool384", "brainpoolP384r1", token::KeyType::ec},
        Expected{"brainpool512", "brainpoolP512r1", token::KeyType::ec});
    CAPTURE(expected.name);
    TokenDesk desk;
    const auto spec = token::key_spec(expected.name);
    REQUIRE(spec);
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    const token::KeyObject key = token->generate(*spec, "New key", {0xab, 0xcd});
    CHECK(key.label == "New key");
    CHECK(hex(key.id) == "abcd");
    CHECK(key.description == expected.description);
    CHECK(key.type == expected.type);
    CHECK(key.can_sign);
    CHECK(key.can_decrypt == (expected.type == token::KeyType::rsa));
    CHECK(key.can_derive == (expected.type == token::KeyType::ec));
    CHECK(key.uri == token->uri().to_string() + ";object=New%20key;id=%AB%CD;type=private");

    const Bytes message(200, 'm');
    const auto signer = token->raw_signer(key);
    const cms::SignScheme scheme = expected.type == token::KeyType::rsa
                                       ? cms::SignScheme(cms::RsaPkcs1{cms::Hash::sha256})
                                       : cms::SignScheme(cms::Ecdsa{cms::Hash::sha256});
    CHECK(verifies(token->public_key_spki(key), message, signer->sign(scheme, message, {"test"}, {})));

    const std::string seen = desk.hsm.tool("ID card", {"--list-objects", "--type", "privkey"});
    CHECK(seen.find("New key") != std::string::npos);
    CHECK(seen.find("abcd") != std::string::npos);
    CHECK(seen.find("sensitive, always sensitive, never extractable, local") != std::string::npos);
    const std::string public_half = desk.hsm.tool("ID card", {"--list-objects", "--type", "pubkey"});
    CHECK(public_half.find("New key") != std::string::npos);
    CHECK(public_half.find("abcd") != std::string::npos);
}

TEST_CASE("RSA keys have the public exponent 65537") {
    TokenDesk desk;
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    const Bytes spki = token->public_key_spki(token->generate(token::KeySpec::rsa2048, "Key", {}));
    const Byte* at = spki.data();
    const KeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
    BIGNUM* exponent = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(key.get(), "e", &exponent) == 1);
    const BignumHandle owned(exponent);
    CHECK(BN_is_word(exponent, 65537));
}

TEST_CASE("kinds of keys go by their names") {
    CHECK(token::key_spec("p256") == token::KeySpec::p256);
    CHECK_FALSE(token::key_spec("P256"));
    CHECK_FALSE(token::key_spec("rsa1024"));
    CHECK_FALSE(token::key_spec(""));
}

TEST_CASE("without an id a key gets a random one of 20 bytes, and a taken one is refused") {
    TokenDesk desk;
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    const token::KeyObject first = token->generate(token::KeySpec::p256, "First", {});
    const token::KeyObject second = token->generate(token::KeySpec::p256, "Second", {});
    CHECK(first.id.size() == 20);
    CHECK(second.id.size() == 20);
    CHECK(first.id != second.id);
    const Error error = error_of([&] { token->generate(token::KeySpec::p256, "Third", first.id); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()) == "token 'ID card' has a key with this id already");
    CHECK(token->private_keys(true).size() == 2);
}

TEST_CASE("a certificate is imported beside the private key that it belongs to") {
    TokenDesk desk;
    const KeyKind kind = GENERATE(KeyKind::rsa2048, KeyKind::p384);
    const Identity alice = desk.pki.issue({.kind = kind});
    desk.put_key(desk.pki.issue({.name = "Other", .kind = kind}), "01");
    desk.put_key(alice, "0a0b");
    // Where the private key does not tell its public half, the public key object must.
    const KeyHandle key = private_key_of(alice);
    const BioHandle bio(BIO_new(BIO_s_mem()));
    REQUIRE(PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1);
    char* pem = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &pem);
    write_file(desk.files / "public.pem", std::string_view(pem, static_cast<std::size_t>(size)));
    desk.hsm.import_public_key("ID card", desk.files / "public.pem", "Alice", "0a0b");

    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    token->import_certificate(certificate_of(alice), "Alice's certificate", {});
    token->import_certificate(certificate_of(alice), "Alice's certificate", {});  // twice is once
    const auto certificates = token->certificates();
    REQUIRE(certificates.size() == 1);
    CHECK(hex(certificates[0].id) == "0a0b");
    CHECK(certificates[0].label == "Alice's certificate");
    CHECK(certificates[0].uri == token->uri().to_string() + ";object=Alice's%20certificate;id=%0A%0B;type=cert");
    CHECK(*certificates[0].certificate == certificate_of(alice));
    CHECK(token->signer(certificates[0]));

    desk.hsm.tool("ID card", {"--read-object", "--type", "cert", "--id", "0a0b", "-o", desk.files / "read.der"});
    CHECK(read_file(desk.files / "read.der") == alice.certificate_der());
    const std::string listed = desk.hsm.tool("ID card", {"--list-objects", "--type", "cert"});
    CHECK(listed.find("Alice's certificate") != std::string::npos);
    CHECK(listed.find("CN=Alice") != std::string::npos);
}

TEST_CASE("an imported certificate is found by issuer and serial number, by id and by label") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    token->import_certificate(certificate_of(alice), "Alice", {0x05});
    const cms::Certificate certificate = certificate_of(alice);
    CHECK(token->find_certificates({.id = Bytes{0x05}}).size() == 1);
    CHECK(token->find_certificates({.label = "Alice"}).size() == 1);
    CHECK(token->find_certificates({.issuer_der = certificate.issuer_der(), .serial_der = certificate.serial_der()})
              .size() == 1);
    CHECK(token->find_certificates({.id = Bytes{0x06}}).empty());
    CHECK(token->find_certificates({.label = "Bob"}).empty());
    CHECK(token->find_certificates({.issuer_der = certificate.subject_der(), .serial_der = certificate.serial_der()})
              .empty());
}

TEST_CASE("a certificate without its private key on the token is not imported unless given an id") {
    TokenDesk desk;
    desk.put_key(desk.pki.issue({.name = "Other", .kind = KeyKind::p256}), "01");
    const Identity alice = desk.pki.issue({.kind = KeyKind::p256});
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    const Error error = error_of([&] { token->import_certificate(certificate_of(alice), "Alice", {}); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()).starts_with("no private key on token 'ID card' belongs to the certificate of "));
    CHECK(token->certificates().empty());
    token->import_certificate(certificate_of(alice), "Alice", {0x07});
    CHECK(token->certificates().size() == 1);
    const Error missing = error_of([&] { token->signer(token->certificates().at(0)); });
    CHECK(std::string(missing.what()) == "token 'ID card' has no private key for certificate 'Alice'");
}

TEST_CASE("a key is deleted with its public half and its certificates, and what else has its id stays") {
    TokenDesk desk;
    const Identity goes = desk.pki.issue({.name = "Goes", .kind = KeyKind::rsa2048});
    desk.put(goes, "01");
    desk.put(desk.pki.issue({.name = "Stays", .kind = KeyKind::rsa2048}), "01");
    desk.put(desk.pki.issue({.name = "Elsewhere", .kind = KeyKind::p256}), "02");
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    token->import_certificate(certificate_of(goes), "Its certificate under another id", {0x07});
    const auto keys = token->private_keys(true);
    const auto key =
        std::find_if(keys.begin(), keys.end(), [](const token::KeyObject& one) { return one.label == "Goes"; });
    REQUIRE(key != keys.end());
    const token::Belongings belongings = token->belongings(*key);
    REQUIRE(belongings.certificates.size() == 2);
    for (const auto& one : belongings.certificates)
        CHECK(one.certificate == certificate_of(goes));
    CHECK(belongings.others == std::vector<std::string>{"Stays"});
    CHECK(token->destroy(*key) == 3);
    CHECK(error_of([&] { token->destroy(*key); }).kind() == ErrorKind::token);
    CHECK(token->private_keys(true).size() == 2);
    const auto certificates = token->certificates();
    REQUIRE(certificates.size() == 2);
    for (const auto& certificate : certificates)
        CHECK((certificate.label == "Stays" || certificate.label == "Elsewhere"));
}

TEST_CASE("a token that refuses to delete a private key keeps its certificate too") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.name = "Alice", .kind = KeyKind::p256}), "01");
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto token = only_token(*tokens);
    const token::KeyObject key = token->private_keys(true).at(0);
    card.set("C_DestroyObject=0x1b");  // CKR_ACTION_PROHIBITED
    const Error error = error_of([&] { token->destroy(key); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK_THAT(error.what(), Catch::Contains("cannot delete the key 'Alice'"));
    card.set("");
    CHECK(token->private_keys(true).size() == 1);
    CHECK(token->certificates().size() == 1);
}

TEST_CASE("private keys are not seen without a login") {
    TokenDesk desk;
    desk.put(desk.pki.issue({.kind = KeyKind::p256}), "01");
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    CHECK(token->certificates().size() == 1);
    CHECK(token->private_keys(false).empty());
    CHECK(desk.pins.requests.empty());
    CHECK(token->private_keys(true).size() == 1);
    CHECK(token->private_keys(false).size() == 1);
}

TEST_CASE("a certificate finds its private key by the public key where the ids differ") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue({.kind = KeyKind::rsa2048});
    desk.put_key(alice, "01");
    desk.put_key(desk.pki.issue({.name = "Other", .kind = KeyKind::p256}), "02");
    desk.put_certificate(alice, "02");
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    const auto signer = token->signer(token->certificates().at(0));
    CHECK(verifies(certificate_of(alice).spki_der(), Bytes(10, 'm'),
                   signer->sign(cms::RsaPkcs1{cms::Hash::sha256}, Bytes(10, 'm'), {""}, {})));
}

TEST_CASE("keys of both types with the same id are told apart") {
    TokenDesk desk;
    const Identity rita = desk.pki.issue({.name = "Rita", .kind = KeyKind::rsa2048});
    const Identity eve = desk.pki.issue({.name = "Eve", .kind = KeyKind::p256});
    desk.put(rita, "01");
    desk.put(eve, "01");
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    for (const auto& certificate : token->certificates())
        CHECK(token->signer(certificate)->supports(cms::RsaPkcs1{cms::Hash::sha256}) == (certificate.label == "Rita"));
}

TEST_CASE("keys made elsewhere serve on the token, brainpool, Edwards and Montgomery keys too") {
    TokenDesk desk;
    const std::map<std::string, KeyKind> kinds{{"brainpoolP256r1", KeyKind::brainpool256},
                                               {"brainpoolP512r1", KeyKind::brainpool512},
                                               {"Ed25519", KeyKind::ed25519},
                                               {"Ed448", KeyKind::ed448},
                                               {"X25519", KeyKind::x25519},
                                               {"X448", KeyKind::x448}};
    std::string id = "10";
    for (const auto& [name, kind] : kinds) {
        desk.put(desk.pki.issue({.name = name, .kind = kind}), id);
        ++id.back();
    }
    const auto tokens = desk.open();
    const auto token = only_token(*tokens);
    for (const token::CertificateObject& certificate : token->certificates())
        CHECK(token->has_private_key(certificate, "look"));
    for (const token::KeyObject& key : token->private_keys(true)) {
        INFO(key.label);
        CHECK(key.description == key.label);
        CHECK(key.can_sign == (natural_usage(kinds.at(key.label)).find("digitalSignature") != std::string::npos));
    }
}
