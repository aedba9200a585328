// What a token can do decides: p11mime asks nobody for mail that its own key cannot open, and opens a mail with
// whichever key at hand can.

#include <catch2/catch.hpp>
#include <map>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

constexpr const char* kOaep = "rsaesOaep";
constexpr const char* kAgreement = "dhSinglePass-stdDH-sha256kdf-scheme";

constexpr const char* kAlicesKey = "pkcs11:token=Desk;id=%01;type=private";

/// printed is what openssl sees in a mail.
std::string printed(const Office& office, const std::string& message) {
    return done(office.desk.run({"openssl", "cms", "-cmsout", "-print"}, message));
}

/// announced is what the owner of a token signs along.
std::string announced(const Office& office, const Identity& owner) {
    return printed(office, done(office.desk.p11mime({"sign"}, mail(owner.email, "bob@example.org"))));
}

/// to_and_fro signs a mail by the owner of a token, has a correspondent encrypt an answer to what it announces, and
/// opens that with the token.
Outcome to_and_fro(const Office& office, const Office& correspondent, const Identity& owner) {
    const std::string signed_mail = done(office.desk.p11mime({"sign"}, mail(owner.email, "bob@example.org")));
    const Outcome remembered =
        correspondent.desk.p11mime(Arguments{"verify", "--remember", "-n"} + office.trust(), signed_mail);
    INFO(remembered.err);
    REQUIRE(remembered.status == 0);
    const std::string answer = done(correspondent.desk.p11mime(
        Arguments{"encrypt", "--no-self", "-r", owner.email} + office.trust(), mail("bob@example.org", owner.email)));
    return office.desk.p11mime({"decrypt"}, answer);
}

}  // namespace

TEST_CASE("a signed mail announces OAEP with SHA-256 only where the token can undo it", "[e2e]") {
    Office office;
    const Office correspondent;
    const Identity alice = office.employ({.name = "Alice"});
    const auto [mechanisms, oaep] = GENERATE(table<std::string, bool>(
        {{"ALL", true},
         {"CKM_RSA_PKCS,CKM_RSA_X_509,CKM_SHA256_RSA_PKCS", true},
         {"CKM_RSA_PKCS,CKM_SHA256_RSA_PKCS", false},
         {"CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP,CKM_SHA256_RSA_PKCS", false}}));  // SoftHSM's OAEP is with SHA-1 alone
    CAPTURE(mechanisms);
    office.desk.restrict(mechanisms);
    const std::string list = announced(office, alice);
    CHECK_THAT(list, Catch::Contains("aes-256-gcm") && !Catch::Contains(kAgreement));
    CHECK((list.find(kOaep) != std::string::npos) == oaep);
    const Outcome opened = to_and_fro(office, correspondent, alice);
    INFO(opened.err);
    CHECK(opened.status == 0);
}

TEST_CASE("what is announced is what the key to encrypt with can do, on whichever token it is", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .key_usage = "digitalSignature"});
    const KeyKind kind = GENERATE(KeyKind::p256, KeyKind::rsa2048);
    office.employ(
        {.name = "Alice", .kind = kind, .key_usage = kind == KeyKind::p256 ? "keyAgreement" : "keyEncipherment"});
    for (const char* mechanisms : {"ALL", "CKM_RSA_PKCS"}) {
        CAPTURE(mechanisms);
        office.desk.restrict(mechanisms);
        const std::string list = announced(office, alice);
        const bool all = mechanisms == std::string("ALL");
        CHECK((list.find(kOaep) != std::string::npos) == (all && kind == KeyKind::rsa2048));
        CHECK((list.find(kAgreement) != std::string::npos) == (all && kind == KeyKind::p256));
    }
}

TEST_CASE("a certificate and its request announce OAEP only where the key's token can undo it", "[e2e]") {
    Office office;
    office.employ({.name = "Alice"});
    const std::string der_oid("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07");  // id-RSAES-OAEP (RFC 4055)
    for (const auto& [mechanisms, oaep] :
         std::map<std::string, bool>{{"ALL", true}, {"CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP,CKM_SHA256_RSA_PKCS", false}}) {
        CAPTURE(mechanisms);
        office.desk.restrict(mechanisms);
        for (const char* command : {"csr", "self-sign"}) {
            const std::string der = done(office.desk.p11mime(
                {"key", command, "--key", kAlicesKey, "--email", "me@example.gov", "--form", "der"}));
            CHECK((der.find(der_oid) != std::string::npos) == oaep);
        }
    }
}

TEST_CASE("one's own copy opens although the certificate announces an OAEP that the token has no more", "[e2e]") {
    Office office;
    office.employ({.name = "Alice"});
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    done(office.desk.p11mime({"key", "self-sign", "--key", kAlicesKey, "--email", "me@example.gov"}));
    for (const auto& [mechanisms, oaep] :
         std::map<std::string, bool>{{"ALL", true}, {"CKM_RSA_PKCS,CKM_SHA256_RSA_PKCS", false}}) {
        CAPTURE(mechanisms);
        office.desk.restrict(mechanisms);
        const std::string encrypted =
            done(office.desk.p11mime(Arguments{"encrypt", "--recipient-cert", office.certificate(bob)} + office.trust(),
                                     mail("me@example.gov", bob.email)));
        CHECK((printed(office, encrypted).find(kOaep) != std::string::npos) == oaep);
        const Outcome opened = office.desk.p11mime({"decrypt"}, encrypted);
        INFO(opened.err);
        CHECK(opened.status == 0);
    }
}

TEST_CASE("a mail that one key at hand cannot open is opened with another, and why is said", "[e2e]") {
    Office office;
    const Identity zoe = office.employ({.name = "Zoe", .email = "zoe@example.gov"});
    const Identity yan = office.employ({.name = "Yan", .email = "yan@example.gov", .kind = KeyKind::p256});
    const Arguments to_zoe{"-recip",  office.certificate(zoe), "-keyopt", "rsa_padding_mode:oaep",
                           "-keyopt", "rsa_oaep_md:sha256"};
    const Arguments to_yan{"-recip", office.certificate(yan)};
    const std::string entity = office.desk.file("entity", kText);
    const auto encrypted = [&](const Arguments& recipients) {
        return done(
            office.desk.run(Arguments{"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity} + recipients));
    };
    office.desk.restrict("CKM_RSA_PKCS,CKM_RSA_PKCS_OAEP,CKM_SHA256_RSA_PKCS,CKM_ECDH1_DERIVE,CKM_ECDSA");
    const auto why = Catch::Contains("key 'Zoe' on token 'Desk': cannot decrypt by CKM_RSA_PKCS_OAEP with sha256");
    for (const Arguments& both : {to_zoe + to_yan, to_yan + to_zoe}) {
        const Outcome outcome = office.desk.p11mime({"decrypt"}, encrypted(both));
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(outcome.out.find("K=C3=B6ln") != std::string::npos);
        CHECK_THAT(outcome.err, why);  // openssl sorts the RecipientInfos: Zoe's comes first
    }
    const Outcome alone = office.desk.p11mime({"decrypt"}, encrypted(to_zoe));
    CHECK(alone.status == 4);
    CHECK_THAT(alone.err, why && Catch::Contains("use a token that has the mechanism"));
}
