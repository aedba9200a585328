#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

using Use = token::KeyChoice::Use;

token::KeyChoiceResult choose(token::Tokens& tokens, const std::string& address, Use use = Use::signing) {
    return choose_key(tokens, {.address = address, .uri = nullptr, .at = cms::SystemClock().now(), .use = use});
}

token::KeyChoiceResult choose_uri(token::Tokens& tokens, const std::string& text, Use use = Use::signing) {
    const token::Uri uri = token::Uri::parse(text);
    return choose_key(tokens, {.address = "", .uri = &uri, .at = cms::SystemClock().now(), .use = use});
}

std::string why(const token::KeyChoiceResult& result) {
    std::string lines;
    for (const std::string& line : result.passed_over)
        lines += line + "\n";
    return lines;
}

Leaf leaf(const std::string& name, const std::string& email = "alice@example.gov") {
    return {.name = name, .email = email, .kind = KeyKind::p256};
}

}  // namespace

TEST_CASE("of the certificates that fit the newest-issued one is chosen") {
    TokenDesk desk;
    Leaf old_leaf = leaf("Old");
    old_leaf.begins_in_days = -100;
    desk.put(desk.pki.issue(old_leaf), "01");
    desk.put(desk.pki.issue(leaf("New")), "02");
    Leaf middle = leaf("Middle");
    middle.begins_in_days = -50;
    desk.put(desk.pki.issue(middle), "03");
    desk.put(desk.pki.issue(leaf("Bob", "bob@example.gov")), "04");
    const auto tokens = desk.open();
    const auto result = choose(*tokens, "alice@example.gov");
    REQUIRE(result.key);
    CHECK(result.key->certificate.label == "New");
    CHECK(result.key->alternatives == 2);
    CHECK(result.key->token->info().label == "ID card");
}

TEST_CASE("what does not fit is passed over, and it is said why") {
    TokenDesk desk;
    Leaf expired = leaf("Expired");
    expired.begins_in_days = -100;
    expired.ends_in_days = -10;
    Leaf future = leaf("Future");
    future.begins_in_days = 10;
    Leaf encryption = leaf("Encryption");
    encryption.key_usage = "critical,keyAgreement";
    Leaf web = leaf("Web");
    web.extended_key_usage = "serverAuth";
    const Identity expired_identity = desk.pki.issue(expired);
    const Identity future_identity = desk.pki.issue(future);
    desk.put(expired_identity, "01");
    desk.put(future_identity, "02");
    desk.put(desk.pki.issue(encryption), "03");
    desk.put(desk.pki.issue(web), "04");
    desk.put(desk.pki.issue(leaf("Bob", "bob@example.gov")), "05");
    desk.put_certificate(desk.pki.issue(leaf("Keyless")), "06");
    const auto tokens = desk.open();
    const auto result = choose(*tokens, "alice@example.gov");
    CHECK_FALSE(result.key);
    const std::string lines = why(result);
    const auto line = [&](const Identity& identity, const std::string& reason) {
        return "token 'ID card', certificate '" + certificate_of(identity).subject() + "': " + reason + "\n";
    };
    const auto day = [](cms::Time time) { return cms::format_time(time).substr(0, 10); };
    CAPTURE(lines);
    CHECK(lines.find(line(expired_identity, "expired on " + day(certificate_of(expired_identity).not_after()))) !=
          std::string::npos);
    CHECK(lines.find(line(future_identity, "not valid before " + day(certificate_of(future_identity).not_before()))) !=
          std::string::npos);
    CHECK(lines.find("CN=Encryption") != std::string::npos);
    CHECK(lines.find("': key usage does not allow signing\n") != std::string::npos);
    CHECK(lines.find("': extended key usage does not allow e-mail\n") != std::string::npos);
    CHECK(lines.find("': no e-mail address alice@example.gov\n") != std::string::npos);
    CHECK(lines.find("': no private key with its id on the token\n") != std::string::npos);
    CHECK(result.passed_over.size() == 6);
}

TEST_CASE("for encryption the private key is not needed and no PIN is asked for") {
    TokenDesk desk;
    Leaf signing = leaf("Signing");
    signing.key_usage = "critical,digitalSignature";
    desk.put(desk.pki.issue(signing), "01");
    Leaf encryption = leaf("Encryption");
    encryption.key_usage = "critical,keyAgreement";
    encryption.begins_in_days = -100;
    desk.put_certificate(desk.pki.issue(encryption), "02");
    const auto tokens = desk.open();
    const auto result = choose(*tokens, "alice@example.gov", Use::encryption);
    REQUIRE(result.key);
    CHECK(result.key->certificate.label == "Encryption");
    CHECK(why(result).find("': key usage does not allow encryption\n") != std::string::npos);
    CHECK(desk.pins.requests.empty());
}

TEST_CASE("a URI picks by id, by certificate label and by key label") {
    TokenDesk desk;
    const Identity alice = desk.pki.issue(leaf("Alice"));
    desk.put(alice, "0a");
    const Identity carol = desk.pki.issue(leaf("Carol", "carol@example.gov"));
    write_file(desk.files / "carol.pem", carol.key_pem);
    desk.hsm.import_key("ID card", desk.files / "carol.pem", "Carol's key", "0b");
    desk.put_certificate(carol, "0b");
    const auto tokens = desk.open();
    CHECK(choose_uri(*tokens, "pkcs11:id=%0A").key->certificate.label == "Alice");
    CHECK(choose_uri(*tokens, "pkcs11:id=%0B;type=private").key->certificate.label == "Carol");
    CHECK(choose_uri(*tokens, "pkcs11:object=Carol").key->certificate.label == "Carol");
    CHECK(choose_uri(*tokens, "pkcs11:object=Carol's%20key").key->certificate.label == "Carol");
    CHECK(choose_uri(*tokens, "pkcs11:object=Carol's%20key;type=private;id=%0B").key->certificate.label == "Carol");
    CHECK(choose_uri(*tokens, "pkcs11:token=ID%20card;object=Alice;type=cert").key->certificate.label == "Alice");
    CHECK_FALSE(choose_uri(*tokens, "pkcs11:object=Carol's%20key;type=cert").key);
    CHECK_FALSE(choose_uri(*tokens, "pkcs11:id=%0C").key);
    CHECK_FALSE(choose_uri(*tokens, "pkcs11:token=Other;id=%0A").key);
}

TEST_CASE("a listed URI of a key or certificate picks that one") {
    TokenDesk desk;
    desk.put(desk.pki.issue(leaf("Alice & 100% ;/?")), "0a");
    desk.put(desk.pki.issue(leaf("Other")), "0b");
    const auto tokens = desk.open();
    const auto token = tokens->tokens().at(0);
    for (const auto& certificate : token->certificates())
        CHECK(choose_uri(*tokens, certificate.uri).key->certificate.label == certificate.label);
    for (const auto& key : token->private_keys(true))
        CHECK(choose_uri(*tokens, key.uri).key->certificate.label == key.label);
}

TEST_CASE("a certificate that a URI names is taken though expired, one that it does not name is not") {
    TokenDesk desk;
    Leaf expired = leaf("Expired");
    expired.begins_in_days = -100;
    expired.ends_in_days = -10;
    desk.put(desk.pki.issue(expired), "01");
    const auto tokens = desk.open();
    const auto named = choose_uri(*tokens, "pkcs11:id=%01");
    REQUIRE(named.key);
    CHECK(why(named).find("expired on ") != std::string::npos);
    CHECK_FALSE(choose_uri(*tokens, "pkcs11:token=ID%20card").key);
}

TEST_CASE("where a renewed certificate has the same id, the URI's id picks the one that is valid") {
    TokenDesk desk;
    Leaf expired = leaf("Alice");
    expired.begins_in_days = -100;
    expired.ends_in_days = -10;
    desk.put_certificate(desk.pki.issue(expired), "01");
    desk.put(desk.pki.issue(leaf("Alice")), "01");
    const auto tokens = desk.open();
    const auto result = choose_uri(*tokens, "pkcs11:id=%01");
    REQUIRE(result.key);
    CHECK(result.key->certificate.certificate->valid_at(cms::SystemClock().now()));
}

TEST_CASE("trouble with one token does not keep another from being chosen") {
    TokenDesk desk;
    desk.hsm.add_token("Second", "567890");
    Leaf older = leaf("Older");
    older.begins_in_days = -100;
    desk.put(desk.pki.issue(older), "01", "ID card");
    const Identity newer = desk.pki.issue(leaf("Newer"));
    write_file(desk.files / "newer.pem", newer.key_pem);
    write_file(desk.files / "newer.der", newer.certificate_der());
    desk.hsm.import_key("Second", desk.files / "newer.pem", "Newer", "01", "567890");
    desk.hsm.import_certificate("Second", desk.files / "newer.der", "Newer", "01", "567890");
    {
        const auto tokens = desk.open_for_person();
        const auto result = choose(*tokens, "alice@example.gov");
        REQUIRE(result.key);
        CHECK(result.key->certificate.label == "Older");
        CHECK(why(result) == "PIN refused by token 'Second'\n");
    }
    const auto tokens = desk.open();
    const token::Uri uri = token::Uri::parse("pkcs11:token=Second");
    const Error error =
        error_of([&] { choose_key(*tokens, {.address = "", .uri = &uri, .at = cms::SystemClock().now()}); });
    CHECK(error.kind() == ErrorKind::token);
}

TEST_CASE("a token whose login failed is not asked again for its other certificates") {
    TokenDesk desk;
    desk.put(desk.pki.issue(leaf("One")), "01");
    desk.put(desk.pki.issue(leaf("Two")), "02");
    desk.pins.usual = std::nullopt;
    const auto tokens = desk.open();
    CHECK(error_of([&] { choose(*tokens, "alice@example.gov"); }).what() == std::string("no PIN for token 'ID card'"));
    CHECK(desk.pins.requests.size() == 1);
}

TEST_CASE("with no token or no certificate nothing is chosen") {
    TokenDesk desk;
    const auto tokens = desk.open();
    const auto result = choose(*tokens, "alice@example.gov");
    CHECK_FALSE(result.key);
    CHECK(result.passed_over.empty());
    CHECK(desk.pins.requests.empty());
}
