// Keys whose certificate is not beside them: retired ones, and those of old cards.

#include <openssl/x509.h>

#include "cms/memory_certificates.h"
#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

using Certificates = std::vector<cms::Certificate>;

cms::RecipientIdentifier named(const cms::Certificate& certificate) {
    return {.issuer_der = certificate.issuer_der(), .serial_der = certificate.serial_der(), .key_identifier = {}};
}

std::shared_ptr<cms::CertificateSource> source(Certificates certificates) {
    return std::make_shared<cms::MemoryCertificates>(std::move(certificates));
}

Leaf leaf(const std::string& name, KeyKind kind = KeyKind::rsa2048) {
    return {.name = name, .email = name + "@example.gov", .kind = kind};
}

std::string id_of(const cms::Certificate& certificate) {
    return hex(certificate.subject_key_identifier().value());
}

/// Drawer is several cards at once and what was asked about them.
struct Drawer : TokenDesk {
    explicit Drawer(const std::vector<std::string>& labels) : TokenDesk("ALL", labels.front()) {
        for (std::size_t i = 1; i < labels.size(); ++i)
            hsm.add_token(labels[i]);
    }

    void put_public_key(const Identity& identity, const std::string& id, const std::string& label) {
        const BioHandle bio(BIO_new(BIO_s_mem()));
        REQUIRE(PEM_write_bio_PUBKEY(bio.get(), certificate_of(identity).public_key().get()) == 1);
        char* pem = nullptr;
        const long size = BIO_get_mem_data(bio.get(), &pem);
        write_file(files / "public.pem", std::string_view(pem, static_cast<std::size_t>(size)));
        hsm.import_public_key(label, files / "public.pem", identity.name, id);
    }

    /// find looks for the keys of a certificate and returns the name of the first.
    std::string find(const cms::Certificate& certificate, token::OtherCertificates others,
                     const std::string& module = SoftHsm::module()) {
        tokens = token::Tokens::open({.modules = {module}, .token = std::nullopt, .others = std::move(others)}, pins);
        const std::vector<cms::RecipientIdentifier> recipients{named(certificate)};
        const auto keys = tokens->find(recipients, {"open a test"});
        if (keys.empty()) return "";
        CHECK(keys.front()->is_named_by(recipients.front()));
        return keys.front()->name();
    }
    /// asked is the tokens whose PIN was wanted, in order.
    std::vector<std::string> asked() const {
        std::vector<std::string> labels;
        for (const auto& request : pins.requests)
            labels.push_back(request.token.label);
        return labels;
    }
    std::string skipped() const {
        std::string lines;
        for (const std::string& line : tokens->skipped())
            lines += line + "\n";
        return lines;
    }

    std::unique_ptr<token::Tokens> tokens;
};

using Labels = std::vector<std::string>;

/// reissued is another certificate for the key of an identity.
cms::Certificate reissued(const TestPki& pki, const Identity& identity) {
    const Handle<X509_REQ, X509_REQ_free> request(X509_REQ_new());
    const KeyHandle key = private_key_of(identity);
    X509_REQ_set_pubkey(request.get(), key.get());
    REQUIRE(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0);
    const BioHandle bio(BIO_new(BIO_s_mem()));
    REQUIRE(PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1);
    char* pem = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &pem);
    return cms::Certificate::from_file_bytes(
               bytes_of(pki.issue_for_request(std::string_view(pem, static_cast<std::size_t>(size)))))
        .front();
}

}  // namespace

TEST_CASE("a key whose certificate is in the address book alone is found by the public key beside it") {
    Drawer drawer({"New card", "Old card", "Stranger's card"});
    const KeyKind kind = GENERATE(KeyKind::rsa2048, KeyKind::p256);
    const Identity alice = drawer.pki.issue(leaf("alice", kind));
    drawer.put(drawer.pki.issue(leaf("alice")), "01", "New card");
    drawer.put(drawer.pki.issue(leaf("carol")), "01", "Stranger's card");
    drawer.put_key(alice, "07", "Old card");
    drawer.put_public_key(alice, "07", "Old card");
    const cms::Certificate certificate = certificate_of(alice);
    CHECK(drawer.find(certificate, {.own = nullptr, .known = source({certificate})}) ==
          "key 'CN=alice,O=Example' on token 'Old card'");
    CHECK(drawer.asked() == Labels{"Old card"});
    CHECK(drawer.pins.requests.front().what ==
          "use the key of CN=alice,O=Example, whose certificate is in the address book, to open a test");
}

TEST_CASE("a key that was certified once more opens what was encrypted to its first certificate") {
    Drawer drawer({"Card", "Other card"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    const cms::Certificate second = reissued(drawer.pki, alice);
    drawer.put_key(alice, "01", "Card");
    drawer.open()->tokens();
    {
        const auto tokens = drawer.open();
        for (const auto& token : tokens->tokens())
            if (token->info().label == "Card") token->import_certificate(second, "second", {0x01});
    }
    drawer.pins.requests.clear();
    const cms::Certificate first = certificate_of(alice);
    CHECK(drawer.find(first, {.own = source({first}), .typed = false}).empty());
    CHECK(drawer.asked().empty());
    drawer.tokens.reset();
    CHECK(drawer.find(first, {.own = source({first}), .typed = true}) == "key 'CN=alice,O=Example' on token 'Card'");
    CHECK(drawer.asked() == Labels{"Card"});
}

TEST_CASE("an EC key that does not tell its public half is found by the id that was derived from it, and by no other") {
    Drawer drawer({"Old card"});
    const Identity alice = drawer.pki.issue(leaf("alice", KeyKind::p256));
    const cms::Certificate certificate = certificate_of(alice);
    const bool derived = GENERATE(true, false);
    drawer.put_key(alice, derived ? id_of(certificate) : "07", "Old card");
    CHECK(drawer.find(certificate, {.own = source({certificate})}) ==
          (derived ? "key 'CN=alice,O=Example' on token 'Old card'" : ""));
}

TEST_CASE("a token that hides its keys is asked for one's own certificate, and not for anybody's") {
    Drawer drawer({"Old card"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    const cms::Certificate certificate = certificate_of(alice);
    drawer.put_key(alice, "07", "Old card");
    drawer.hsm.add_token("Another");
    drawer.tokens.reset();

    CHECK(drawer.find(certificate, {.own = nullptr, .known = source({certificate}), .typed = true}).empty());
    CHECK(drawer.asked().empty());
    CHECK_THAT(drawer.skipped(), Catch::Contains("token 'Old card', certificate 'CN=alice,O=Example': nothing shows "
                                                 "its key there; where the certificate is your own, --own-cert FILE "
                                                 "says so\n"));
    drawer.tokens.reset();
    CHECK(drawer.find(certificate, {.own = source({certificate}), .typed = true}).find("Old card") !=
          std::string::npos);
    CHECK(drawer.pins.requests.back().token.label == "Old card");
    CHECK(drawer.pins.requests.back().what ==
          "look for the key of CN=alice,O=Example, whose certificate is in --own-cert, to open a test");
}

TEST_CASE("a token with another certificate of the holder is asked before those that merely hide their keys") {
    Drawer drawer({"Blank 1", "Alice's card", "Blank 2"});
    const Identity old = drawer.pki.issue(leaf("alice"));
    const cms::Certificate certificate = certificate_of(old);
    drawer.put(drawer.pki.issue(leaf("alice", KeyKind::p256)), "01", "Alice's card");
    drawer.put_key(old, "07", "Alice's card");
    const bool own = GENERATE(true, false);
    CHECK(drawer.find(certificate, {.own = own ? source({certificate}) : nullptr,
                                    .known = own ? nullptr : source({certificate}),
                                    .typed = true}) == "key 'CN=alice,O=Example' on token 'Alice's card'");
    CHECK(drawer.asked() == Labels{"Alice's card"});
}

TEST_CASE("one token after the other is asked by a person, until one has the key, and a stored PIN goes to none") {
    Drawer drawer({"One", "Two", "Three"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    const cms::Certificate certificate = certificate_of(alice);
    const auto all = drawer.open()->tokens();
    const std::string last = all.back()->info().label;  // slots have no order of their own
    drawer.put_key(alice, "07", last);

    CHECK(drawer.find(certificate, {.own = source({certificate}), .typed = false}).empty());
    CHECK(drawer.asked().empty());
    CHECK_THAT(drawer.skipped(), Catch::Contains("its key may be there or on another token, and a stored PIN is for "
                                                 "one; --token names it"));
    drawer.tokens.reset();
    CHECK(drawer.find(certificate, {.own = source({certificate}), .typed = true}) ==
          "key 'CN=alice,O=Example' on token '" + last + "'");
    REQUIRE(drawer.asked().size() == 3);
    CHECK(drawer.asked().back() == last);
    CHECK_THAT(drawer.skipped(), Catch::Contains("its key is not on this token"));
}

TEST_CASE("a PIN that one token refuses leaves the next to be asked") {
    Drawer drawer({"One", "Two"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    const cms::Certificate certificate = certificate_of(alice);
    const std::string last = drawer.open()->tokens().back()->info().label;
    drawer.put_key(alice, "07", last);
    drawer.pins.queued = {"999999"};
    CHECK(drawer.find(certificate, {.own = source({certificate}), .typed = true}) ==
          "key 'CN=alice,O=Example' on token '" + last + "'");
    CHECK(drawer.asked().size() == 2);
}

TEST_CASE("a locked token is not asked whether it has a key") {
    Drawer drawer({"Old card"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    const cms::Certificate certificate = certificate_of(alice);
    drawer.put_key(alice, "07", "Old card");
    const PoorCard card("locked");
    CHECK(drawer.find(certificate, {.own = source({certificate}), .typed = true}, PoorCard::module()).empty());
    CHECK(drawer.asked().empty());
    CHECK(card.calls("C_Login") == 0);
    CHECK_THAT(drawer.skipped(), Catch::Contains("its key may be there, but the PIN is locked"));
}

TEST_CASE("a certificate on one token leads to its key on another") {
    Drawer drawer({"New card", "Old card", "Stranger's card"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    drawer.put_certificate(alice, "01", "New card");
    drawer.put_key(alice, "02", "Old card");
    drawer.put_public_key(alice, "02", "Old card");
    drawer.put(drawer.pki.issue(leaf("carol")), "01", "Stranger's card");
    const bool typed = GENERATE(true, false);
    CHECK(drawer.find(certificate_of(alice), {.typed = typed}) == "key 'alice' on token 'Old card'");
    CHECK(drawer.asked() == (typed ? Labels{"New card", "Old card"} : Labels{"Old card"}));
}

TEST_CASE("a key beside its certificate is taken without a look at what is elsewhere") {
    Drawer drawer({"Card", "Old card"});
    const Identity alice = drawer.pki.issue(leaf("alice"));
    drawer.put(alice, "01", "Card");
    struct Untouched final : cms::CertificateSource {
        std::vector<cms::Certificate> by_subject(ByteView) override { throw std::logic_error("asked"); }
        std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier&) override {
            throw std::logic_error("asked");
        }
    };
    CHECK(drawer.find(certificate_of(alice),
                      {.own = std::make_shared<Untouched>(), .known = std::make_shared<Untouched>(), .typed = true}) ==
          "key 'alice' on token 'Card'");
    CHECK(drawer.asked() == Labels{"Card"});
}
