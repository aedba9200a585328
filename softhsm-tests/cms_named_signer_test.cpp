// Signers whom several certificates of a mail fit: what verifies decides, then what is trusted, then who sent it.

#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "mime/codec.h"
#include "mime/hex.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_revocation.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kPayment = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

// NamedSignerWorld is a key with a certificate that holds, and mail that names it by key. Certificates of a mail are
// in the order of their lengths, since they are a SET; an organization's name makes one come first or last.
struct NamedSignerWorld {
    CmsBench bench;
    CertificateSpec spec = [] {
        CertificateSpec named;
        named.organization = "Example of a usual length";
        return named;
    }();
    SoftwareKey alice = bench.issue(spec);
    std::string first_or_last = GENERATE("X", "Example of a length that puts its certificate behind others");

    CertificateSpec other() const {
        CertificateSpec named;
        named.organization = first_or_last;
        return named;
    }
    Certificate another_for_the_key(const CertificateSpec& named) const {
        return certify_key(alice.key, named, &bench.intermediate);
    }
    std::string message(const Certificate& beside, std::vector<Bytes> attributes = {}) const {
        attributes.push_back(craft::content_type());
        attributes.push_back(craft::message_digest(kPayment));
        const Bytes info = craft::signer_info(
            {.key = alice, .attributes = std::move(attributes), .content = kPayment, .by_key = true});
        return craft::signed_data({kPayment, {info}, {alice.certificate, beside}});
    }
};

}  // namespace

TEST_CASE("a signer named by key is who holds the certificate that has not ended") {
    const NamedSignerWorld world;
    CertificateSpec ended = world.other();
    ended.begins_in_days = -400;
    ended.ends_in_days = -5;
    const ReadMail read = world.bench.verify(world.message(world.another_for_the_key(ended)));
    INFO(read.report.reason);
    CHECK(read.report.result == Result::valid);
    CHECK(read.signer().certificate == world.alice.certificate);
}

TEST_CASE("a signer named by key is who sent the mail") {
    const NamedSignerWorld world;
    CertificateSpec home = world.other();
    home.alternative_name = "email:alice@home.example";
    const std::string message = world.message(world.another_for_the_key(home));
    const std::string entity =
        "From: alice@example.gov\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n" +
        mime::base64_text(bytes_of(message));
    const ReadMail read = world.bench.verify(entity);
    INFO(read.report.reason);
    CHECK(read.report.result == Result::valid);
    CHECK(read.signer().certificate == world.alice.certificate);
}

TEST_CASE("a signer named by key is whose certificate the signed attribute names") {
    const NamedSignerWorld world;
    CertificateSpec twin = world.other();
    const Certificate another = world.another_for_the_key(twin);
    const ReadMail read =
        world.bench.verify(world.message(another, {craft::signing_certificate_v2(world.alice.certificate)}));
    INFO(read.report.reason);
    CHECK(read.report.result == Result::valid);
    CHECK(read.signer().certificate == world.alice.certificate);
    const ReadMail twins = world.bench.verify(world.message(another, {craft::signing_certificate_v2(another)}));
    CHECK(twins.report.result == Result::valid);
    CHECK(twins.signer().certificate == another);
}

TEST_CASE("a signer named by key is who holds the certificate that is not revoked, which servers tell") {
    const NamedSignerWorld world;
    const Certificate old = world.another_for_the_key(world.other());
    Trust trust = world.bench.trust();
    const auto source = std::make_shared<TestSource>();
    trust.revocation = source;
    const auto judged = [&](const std::string& reason) {
        source->points.crls = {
            Crl::from_der(make_crl({.entries = {{.certificate = old, .reason = reason}}}, world.bench.intermediate))};
        return world.bench.verify(world.message(old), trust);
    };
    for (const char* reason : {"superseded", ""}) {
        const ReadMail renewed = judged(reason);
        INFO(renewed.report.reason);
        CHECK(renewed.report.result == Result::valid);
        CHECK(renewed.signer().certificate == world.alice.certificate);
        CHECK(renewed.signer().revocation_reason.value_or("").find("is revoked since") == std::string::npos);
    }
    CHECK(judged("keyCompromise").report.result == Result::untrusted);
}

TEST_CASE("a stranger's certificate with the signer's key identifier changes nothing") {
    const NamedSignerWorld world;
    CertificateSpec stranger = world.other();
    stranger.subject_key_identifier = hex(world.alice.certificate.subject_key_identifier().value());
    const KeyKind kind = GENERATE(KeyKind::p256, KeyKind::rsa2048);
    stranger.kind = kind;
    const ReadMail read = world.bench.verify(world.message(certify(stranger).certificate));
    INFO(read.report.reason);
    CHECK(read.report.result == Result::valid);
    CHECK(read.signer().certificate == world.alice.certificate);
}

TEST_CASE(
    "however many strangers' certificates have the signer's key identifier, they make no signature a changed one") {
    NamedSignerWorld world;
    const bool hash = GENERATE(true, false);  // of the key, as most authorities have it
    if (!hash) {
        world.spec.subject_key_identifier = "0102030405";
        world.alice = world.bench.issue(world.spec);
    }
    CertificateSpec stranger = world.other();
    stranger.subject_key_identifier = hex(world.alice.certificate.subject_key_identifier().value());
    std::vector<Certificate> along{world.alice.certificate};
    const PrivateKey key = new_private_key(KeyKind::p256);
    for (int i = 0; i < 25; ++i)
        along.push_back(certify_key(key, stranger, nullptr));
    const Bytes info = craft::signer_info(
        {.key = world.alice, .attributes = craft::usual_attributes(kPayment), .content = kPayment, .by_key = true});
    const std::string message = craft::signed_data({kPayment, {info}, along});
    const ReadMail read = world.bench.verify(message);
    INFO(read.report.reason);
    if (hash || world.first_or_last != "X") {
        CHECK(read.report.result == Result::valid);
        CHECK(read.signer().certificate == world.alice.certificate);
    } else {
        CHECK(read.report.result == Result::invalid);
        CHECK(read.signer().integrity == Integrity::not_checked);
        CHECK_FALSE(read.signer().certificate.has_value());
        CHECK_THAT(read.report.reason, Catch::StartsWith("the signature cannot be checked: of the many certificates "
                                                         "that claim the key"));
    }
    Trust trust = world.bench.trust();
    trust.intermediates.push_back(std::make_shared<MemoryCertificates>(std::vector{world.alice.certificate}));
    CHECK(world.bench.verify(message, trust).report.result == Result::valid);
    CHECK(world.bench.verify(replaced(message, "Pay 10", "Pay 99"), trust).report.result == Result::invalid);
}

TEST_CASE("of the certificates of a key that the user has, the one counts that holds") {
    NamedSignerWorld world;
    CertificateSpec ended = world.other();
    ended.begins_in_days = -400;
    ended.ends_in_days = -5;
    CertificateSpec stranger = world.other();
    stranger.subject_key_identifier = hex(world.alice.certificate.subject_key_identifier().value());
    const Bytes info = craft::signer_info(
        {.key = world.alice, .attributes = craft::usual_attributes(kPayment), .content = kPayment, .by_key = true});
    const std::string message = craft::signed_data({kPayment, {info}, {}});
    for (const Certificate& other : {world.another_for_the_key(ended), world.bench.issue(stranger).certificate})
        for (const auto& known : {std::vector{other, world.alice.certificate}, {world.alice.certificate, other}}) {
            Trust trust = world.bench.trust();
            trust.intermediates.push_back(std::make_shared<MemoryCertificates>(known));
            const ReadMail read = world.bench.verify(message, trust);
            INFO(read.report.reason);
            CHECK(read.report.result == Result::valid);
            CHECK(read.signer().certificate == world.alice.certificate);
        }
}

TEST_CASE("a made-up certificate of the signer's name hides none that the user has") {
    NamedSignerWorld world;
    const bool by_key = GENERATE(true, false);
    CertificateSpec stranger = world.other();
    stranger.subject_key_identifier = hex(world.alice.certificate.subject_key_identifier().value());
    const SoftwareKey made_up = certify(stranger);
    // Its issuer and serial number, which a certificate that nobody has signed may have.
    X509Handle copy(X509_dup(made_up.certificate.get()));
    X509_set_issuer_name(copy.get(), X509_get_issuer_name(world.alice.certificate.get()));
    X509_set_serialNumber(copy.get(), X509_get_serialNumber(world.alice.certificate.get()));
    const Certificate signed_anew = [&] {
        X509_sign(copy.get(), made_up.key.get(), EVP_sha256());
        return Certificate(std::move(copy));
    }();
    const Bytes info = craft::signer_info(
        {.key = world.alice, .attributes = craft::usual_attributes(kPayment), .content = kPayment, .by_key = by_key});
    const auto message = [&](std::vector<Certificate> along) {
        return craft::signed_data({kPayment, {info}, std::move(along)});
    };
    const std::string hidden = message({Certificate::from_der(signed_anew.der())});
    CHECK(world.bench.verify(hidden).report.result == Result::invalid);

    Trust trust = world.bench.trust();
    trust.intermediates.push_back(std::make_shared<MemoryCertificates>(std::vector{world.alice.certificate}));
    for (const std::string& honest : {message({}), hidden}) {
        const ReadMail read = world.bench.verify(honest, trust);
        INFO(read.report.reason);
        CHECK(read.report.result == Result::valid);
        CHECK(read.signer().certificate == world.alice.certificate);
    }
    const ReadMail changed = world.bench.verify(replaced(hidden, "Pay 10", "Pay 99"), trust);
    CHECK(changed.report.result == Result::invalid);
    CHECK(changed.signer().certificate == world.alice.certificate);
}

TEST_CASE("a certificate that fits beside the signer's does not make a changed mail valid") {
    const NamedSignerWorld world;
    std::string message = world.message(world.another_for_the_key(world.other()));
    message = replaced(message, "Pay 10", "Pay 99");
    const ReadMail read = world.bench.verify(message);
    CHECK(read.report.exit_status() == 1);
    CHECK(read.report.reason.find("changed") != std::string::npos);
}

TEST_CASE("a signer without a subject is named by the address, and one without a certificate by nobody's name") {
    const CmsBench bench;
    CertificateSpec spec;
    spec.name = spec.organization = "";
    spec.alternative_name = "critical,email:alice@example.gov";
    const SoftwareKey alice = bench.issue(spec);
    const Bytes info = craft::signer_info(alice, craft::usual_attributes(kPayment), kPayment);
    const std::string changed =
        replaced(craft::signed_data({kPayment, {info}, {alice.certificate}}), "Pay 10", "Pay 99");
    CHECK_THAT(bench.verify(changed).report.reason,
               Catch::StartsWith("the signature of alice@example.gov does not verify"));
    const std::string alone = craft::signed_data({kPayment, {info}, {}});
    CHECK_THAT(bench.verify(alone).report.reason,
               Catch::StartsWith("the signature cannot be checked: the signer's certificate is missing"));
}
