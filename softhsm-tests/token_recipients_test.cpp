#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "softhsm-tests/token_fixture.h"
#include "token/attributes.h"
#include "token/session.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

cms::RecipientIdentifier by_serial(const Identity& identity) {
    const cms::Certificate certificate = certificate_of(identity);
    return {.issuer_der = certificate.issuer_der(), .serial_der = certificate.serial_der(), .key_identifier = {}};
}

cms::RecipientIdentifier by_key_identifier(const Identity& identity) {
    return {.issuer_der = {},
            .serial_der = {},
            .key_identifier = certificate_of(identity).subject_key_identifier().value()};
}

std::vector<std::unique_ptr<cms::Decrypter>> find(token::Tokens& tokens,
                                                  const std::vector<cms::RecipientIdentifier>& recipients) {
    return tokens.find(recipients, {"open a test"});
}

/// check_opens encrypts to an RSA identity with OpenSSL and has the key found recover it.
void check_opens(cms::Decrypter& decrypter, const Identity& identity) {
    const KeyHandle key = certificate_of(identity).public_key();
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    REQUIRE(EVP_PKEY_encrypt_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
    const Bytes plain(16, 'k');
    std::size_t size = 512;
    Bytes encrypted(size);
    REQUIRE(EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, plain.data(), plain.size()) == 1);
    encrypted.resize(size);
    const auto recovered = decrypter.recover(cms::RsaV15{16}, encrypted, {"open a test"}, {});
    REQUIRE(recovered);
    CHECK(hex(*recovered) == hex(plain));
}

Leaf leaf_of(const std::string& name) {
    return {.name = name, .email = name + "@example.gov", .kind = KeyKind::rsa2048};
}

std::string why(const token::Tokens& tokens) {
    std::string lines;
    for (const std::string& line : tokens.skipped())
        lines += line + "\n";
    return lines;
}

std::string public_pem(const Identity& identity) {
    const KeyHandle key = private_key_of(identity);
    const BioHandle bio(BIO_new(BIO_s_mem()));
    REQUIRE(PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1);
    char* pem = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &pem);
    return {pem, static_cast<std::size_t>(size)};
}

}  // namespace

TEST_CASE("a recipient's key is found by issuer and serial number, reading no other certificate") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    desk.put(alice, "01");
    desk.put(desk.pki.issue(leaf_of("other")), "02");
    const PoorCard card;
    const auto tokens = desk.open(PoorCard::module());
    const auto keys = find(*tokens, {by_serial(desk.pki.issue(leaf_of("stranger"))), by_serial(alice)});
    REQUIRE(keys.size() == 1);
    CHECK(card.calls("C_GetAttributeValue") == 2);  // the certificate and the private key
    CHECK(keys[0]->is_named_by(by_serial(alice)));
    CHECK_FALSE(keys[0]->is_named_by(by_serial(desk.pki.issue(leaf_of("stranger")))));
    check_opens(*keys[0], alice);
}

TEST_CASE("a recipient's key is found by subject key identifier, whatever its id") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    const std::string id =
        GENERATE_COPY(as<std::string>{}, "01", hex(certificate_of(alice).subject_key_identifier().value()));
    desk.put(alice, id);
    const auto tokens = desk.open();
    const auto keys = find(*tokens, {by_key_identifier(alice)});
    REQUIRE(keys.size() == 1);
    check_opens(*keys[0], alice);
}

TEST_CASE("a retired key without certificate is found by its id") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    const std::string id = hex(certificate_of(alice).subject_key_identifier().value());
    desk.put_key(alice, id);
    write_file(desk.files / "public.pem", public_pem(alice));
    desk.hsm.import_public_key("ID card", desk.files / "public.pem", "alice", id);
    const auto tokens = desk.open();
    const auto keys = find(*tokens, {by_key_identifier(alice)});
    REQUIRE(keys.size() == 1);
    CHECK(keys[0]->is_named_by(by_key_identifier(alice)));
    CHECK_FALSE(keys[0]->is_named_by(by_serial(alice)));
    CHECK_FALSE(keys[0]->is_named_by(by_key_identifier(desk.pki.issue(leaf_of("stranger")))));
    CHECK(keys[0]->name() == "key 'alice' on token 'ID card'");
    check_opens(*keys[0], alice);
    check_opens(*keys[0]->clone(), alice);
}

TEST_CASE("a serial number stored raw is found by reading the certificates") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    const cms::Certificate certificate = certificate_of(alice);
    desk.put_key(alice, "01");
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    token->login("store");
    const Bytes serial = certificate.serial_der();
    token::Template object = token::objects_of_class(CKO_CERTIFICATE);
    object.add(CKA_CERTIFICATE_TYPE, CK_ULONG{CKC_X_509})
        .add_bool(CKA_TOKEN, true)
        .add_bool(CKA_PRIVATE, false)
        .add(CKA_ID, Bytes{0x01})
        .add(CKA_SUBJECT, certificate.subject_der())
        .add(CKA_ISSUER, certificate.issuer_der())
        .add(CKA_SERIAL_NUMBER, ByteView(serial).subspan(2))
        .add(CKA_VALUE, certificate.der());
    token::Session(token::Module::load(SoftHsm::module()), token->info(), token::Session::Access::read_write)
        .create(object);
    const auto keys = find(*tokens, {by_serial(alice)});
    REQUIRE(keys.size() == 1);
    check_opens(*keys[0], alice);
}

TEST_CASE("a token without a matching certificate is not logged in to, and each object seen is named") {
    TokenDesk desk;
    desk.put(desk.pki.issue(leaf_of("alice")), "01");
    desk.put(desk.pki.issue(leaf_of("bob")), "02");
    const auto tokens = desk.open();
    CHECK(
        find(*tokens, {by_serial(desk.pki.issue(leaf_of("carol"))), by_key_identifier(desk.pki.issue(leaf_of("dave")))})
            .empty());
    CHECK(desk.pins.requests.empty());
    CHECK(tokens->skipped().size() == 2);
    CHECK(why(*tokens).find("token 'ID card', certificate 'alice': not a recipient\n") != std::string::npos);
    CHECK(why(*tokens).find("token 'ID card', certificate 'bob': not a recipient\n") != std::string::npos);
}

TEST_CASE("once logged in, keys without certificate are named among those skipped") {
    TokenDesk desk;
    desk.put_key(desk.pki.issue(leaf_of("bare")), "01");
    const auto tokens = desk.open();
    tokens->tokens().at(0)->login("look");
    CHECK(find(*tokens, {by_serial(desk.pki.issue(leaf_of("carol")))}).empty());
    CHECK(why(*tokens) == "token 'ID card', key 'bare': no certificate, and its id is no recipient's\n");
}

TEST_CASE("a recipient's certificate without its private key is skipped") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    desk.put_certificate(alice, "01");
    const auto tokens = desk.open();
    CHECK(find(*tokens, {by_serial(alice)}).empty());
    CHECK(why(*tokens).find("token 'ID card', certificate 'alice': no private key with its id on the token\n") !=
          std::string::npos);
}

TEST_CASE("with keys on two tokens one PIN is asked for, and the other's when it is used") {
    TokenDesk desk;
    desk.hsm.add_token("Second");
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    const Identity bob = desk.pki.issue(leaf_of("bob"));
    desk.put(alice, "01", "ID card");
    desk.put(bob, "01", "Second");
    const auto tokens = desk.open_for_person();
    const auto keys = find(*tokens, {by_serial(alice), by_serial(bob)});
    REQUIRE(keys.size() == 2);
    CHECK(desk.pins.requests.size() == 1);
    for (const auto& key : keys) {
        CHECK(key->supports(cms::RsaV15{16}));
        CHECK_FALSE(key->supports(cms::Agree{}));
        check_opens(*key, key->is_named_by(by_serial(alice)) ? alice : bob);
    }
    CHECK(desk.pins.requests.size() == 2);
    CHECK(desk.pins.requests.back().what == "open a test");
}

TEST_CASE("trouble with one token is kept to itself where another has a key, and thrown where none has") {
    TokenDesk desk;
    desk.hsm.add_token("Second", "567890");
    const Identity alice = desk.pki.issue(leaf_of("alice"));
    desk.put(alice, "01", "ID card");
    const Identity bob = desk.pki.issue(leaf_of("bob"));
    write_file(desk.files / "bob.der", bob.certificate_der());
    desk.hsm.import_certificate("Second", desk.files / "bob.der", "bob", "01", "567890");
    const std::string wrong_for_both = "999999";
    {
        const auto tokens = desk.open_for_person();
        const auto keys = find(*tokens, {by_serial(bob), by_serial(alice)});
        REQUIRE_FALSE(keys.empty());
        check_opens(*keys[0], alice);
    }
    desk.pins.usual = wrong_for_both;
    const auto tokens = desk.open_for_person();
    const Error error = error_of([&] { find(*tokens, {by_serial(bob), by_serial(alice)}); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK(std::string(error.what()).starts_with("PIN refused by token "));
    CHECK(desk.pins.requests.size() <= 4);
}
