#include "cms/smime/sign.h"

#include <openssl/cms.h>

#include <catch2/catch.hpp>

#include "cms/encode.h"
#include "cms/identifiers.h"
#include "cms/signed_data.h"
#include "cms/smime/capabilities.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

struct Case {
    KeyKind kind;
    bool pss;
    std::optional<Hash> digest;
    const char* micalg;
};

const Case kCases[] = {
    {KeyKind::rsa2048, false, std::nullopt, "sha-256"}, {KeyKind::rsa2048, false, Hash::sha384, "sha-384"},
    {KeyKind::rsa2048, false, Hash::sha512, "sha-512"}, {KeyKind::rsa2048, true, Hash::sha256, "sha-256"},
    {KeyKind::rsa2048, true, Hash::sha384, "sha-384"},  {KeyKind::rsa2048, true, Hash::sha512, "sha-512"},
    {KeyKind::p256, false, std::nullopt, "sha-256"},    {KeyKind::p256, false, Hash::sha512, "sha-512"},
    {KeyKind::p384, false, std::nullopt, "sha-384"},    {KeyKind::p384, false, Hash::sha256, "sha-256"},
    {KeyKind::p521, false, std::nullopt, "sha-512"},    {KeyKind::p521, false, Hash::sha384, "sha-384"},
};

// peer_verify has `openssl cms` verify a message and returns its content. With -binary it misreads multipart/signed
// with CRLF; without, it canonicalises, which changes nothing here.
std::string peer_verify(const CmsBench& bench, std::string_view message, const Arguments& options) {
    return bench.openssl(
        Arguments{"cms", "-verify", "-purpose", "smimesign", "-CAfile", bench.file(bench.root.certificate.pem())} +
            options,
        message);
}

CmsHandle parsed(std::string_view der) {
    const auto* at = reinterpret_cast<const Byte*>(der.data());
    CmsHandle cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
    REQUIRE(cms);
    REQUIRE(at == reinterpret_cast<const Byte*>(der.data() + der.size()));
    return cms;
}

CMS_SignerInfo* only_signer(CMS_ContentInfo* cms) {
    STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(cms);
    REQUIRE(sk_CMS_SignerInfo_num(signers) == 1);
    return sk_CMS_SignerInfo_value(signers, 0);
}

int attribute_count(const CMS_SignerInfo* signer, std::string_view oid) {
    const ObjectHandle object(OBJ_txt2obj(std::string(oid).c_str(), 1));
    int count = 0;
    for (int at = -1; (at = CMS_signed_get_attr_by_OBJ(signer, object.get(), at)) >= 0;)
        ++count;
    return count;
}

}  // namespace

TEST_CASE("OpenSSL verifies what is signed, with every key, digest and form") {
    const CmsBench bench;
    std::map<KeyKind, SoftwareKey> keys;
    for (const KeyKind kind : {KeyKind::rsa2048, KeyKind::p256, KeyKind::p384, KeyKind::p521}) {
        CertificateSpec spec;
        spec.kind = kind;
        keys.emplace(kind, bench.issue(spec));
    }
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    for (const Case& each : kCases) {
        CAPTURE(static_cast<int>(each.kind), each.pss, each.micalg);
        const std::vector<SoftwareKey> signers{keys.at(each.kind)};
        SignOptions options;
        options.digest = each.digest;
        options.pss = each.pss;
        options.chain = {bench.intermediate.certificate};

        const std::string clear = bench.sign(signers, text, options);
        CHECK(clear.find(std::string("micalg=") + each.micalg + ";") != std::string::npos);
        CHECK(peer_verify(bench, clear, {"-inform", "SMIME"}) == kText);

        options.opaque = true;
        const std::string opaque = bench.sign(signers, text, options);
        CHECK(field(opaque, "Content-Type").find("smime-type=signed-data") != std::string::npos);
        CHECK(peer_verify(bench, opaque, {"-inform", "SMIME"}) == kText);

        options.form = Form::der;
        const std::string der = bench.sign(signers, text, options);
        CHECK(peer_verify(bench, der, {"-inform", "DER"}) == kText);
        CHECK(encode(parsed(der).get(), i2d_CMS_ContentInfo) == to_bytes(bytes_of(der)));
        options.form = Form::pem;
        CHECK(peer_verify(bench, bench.sign(signers, text, options), {"-inform", "PEM"}) == kText);

        options.detached = true;
        const std::string content = bench.file(kText);
        CHECK(peer_verify(bench, bench.sign(signers, text, options), {"-inform", "PEM", "-content", content}) == kText);
        options.form = Form::der;
        const std::string signature = bench.sign(signers, text, options);
        CHECK(peer_verify(bench, signature, {"-inform", "DER", "-content", content}) == kText);
        CHECK(encode(parsed(signature).get(), i2d_CMS_ContentInfo) == to_bytes(bytes_of(signature)));
    }
}

TEST_CASE("the signed attributes are there, once each, and name the signer") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), encryption = bench.issue();
    SignOptions options;
    options.form = Form::der;
    options.opaque = true;
    options.encryption_certificate = encryption.certificate;
    options.abilities = {.oaep = true, .agreement = false};
    options.chain = {bench.intermediate.certificate};
    const std::string der = bench.sign({alice}, kText, options);
    const CmsHandle cms = parsed(der);
    const CMS_SignerInfo* signer = only_signer(cms.get());
    for (const std::string_view oid :
         {oid::kContentType, oid::kMessageDigest, oid::kSigningTime, oid::kSmimeCapabilities,
          oid::kSigningCertificateV2, oid::kEncryptionKeyPreference})
        CHECK(attribute_count(signer, oid) == 1);

    // -cades makes OpenSSL check the signing certificate attribute against the certificate.
    CHECK(peer_verify(bench, der, {"-inform", "DER", "-cades"}) == kText);

    const ReadMail read = bench.verify(der);
    CHECK(read.report.result == Result::valid);
    REQUIRE(read.signer().encryption_certificate);
    CHECK(*read.signer().encryption_certificate == encryption.certificate);
    REQUIRE(read.signer().capabilities);
    const Capabilities capabilities = parse_capabilities(*read.signer().capabilities);
    CHECK(capabilities.ciphers.front() == content_cipher("aes-256-gcm"));
    CHECK(capabilities.ciphers == content_ciphers());
    CHECK(capabilities.oaep == RsaOaep{Hash::sha256, Hash::sha256, {}});
    CHECK(capabilities.agreements.empty());
    REQUIRE(read.signer().signing_time);
    CHECK(std::chrono::abs(*read.signer().signing_time - SystemClock().now()) < std::chrono::minutes(5));
}

TEST_CASE("the signing time is UTCTime through 2049 and GeneralizedTime after") {
    struct At final : Clock {
        explicit At(const char* text) : time(*parse_time(text)) {}
        Time now() const override { return time; }
        Time time;
    };
    const auto [text, listed] =
        GENERATE(table<const char*, const char*>({{"2049-12-31T23:59:59Z", "UTCTIME           :491231235959Z"},
                                                  {"2050-01-01T00:00:00Z", "GENERALIZEDTIME   :20500101000000Z"}}));
    const CmsBench bench;
    SoftwareSigner alice(bench.issue());
    const At clock(text);
    SignOptions options;
    options.form = Form::der;
    options.opaque = true;
    const std::string der = run(*sign_job({&alice}, clock, options), kText);
    CHECK(bench.openssl({"asn1parse", "-inform", "DER"}, der).find(listed) != std::string::npos);
}

TEST_CASE("several signers sign one content, each with its own digest") {
    const CmsBench bench;
    CertificateSpec rsa;
    rsa.kind = KeyKind::rsa2048;
    CertificateSpec p384;
    p384.kind = KeyKind::p384;
    const std::vector<SoftwareKey> signers{bench.issue(rsa), bench.issue(p384), bench.issue()};
    SignOptions options;
    options.chain = {bench.intermediate.certificate};
    const std::string clear = bench.sign(signers, mail("alice@example.gov", "bob@example.gov"), options);
    CHECK(clear.find("micalg=\"sha-256,sha-384\";") != std::string::npos);
    CHECK(peer_verify(bench, clear, {"-inform", "SMIME"}) == kText);
    const ReadMail read = bench.verify(clear);
    CHECK(read.report.result == Result::valid);
    CHECK(read.report.layers.at(0).signers.size() == 3);

    options.opaque = true;
    CHECK(peer_verify(bench, bench.sign(signers, kText, options), {"-inform", "SMIME"}) == kText);
}

TEST_CASE("a key is asked for nothing that it cannot do") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    SignOptions options;
    options.pss = true;
    CHECK(caught([&] { bench.sign({alice}, kText, options); }).kind() == ErrorKind::usage);
}

TEST_CASE("as many signers as can be read can sign, and no more", "[limits]") {
    const CmsBench bench;
    std::vector<SoftwareKey> signers(kMaxSigners, bench.issue());
    CHECK(bench.verify(bench.sign(signers, mail("alice@example.gov", "bob@example.gov"))).report.result ==
          Result::valid);
    signers.push_back(signers.front());
    const Error refused = caught([&] { bench.sign(signers, kText); });
    CHECK(refused.kind() == ErrorKind::usage);
    CHECK_THAT(refused.what(), Catch::Contains("101 signers are more than the 100"));
}

TEST_CASE("the PIN prompt says what is being signed") {
    const CmsBench bench;
    SoftwareSigner alice(bench.issue());
    const SystemClock clock;
    run(*sign_job({&alice}, clock, {}), mail("alice@example.gov", "bob@example.gov"));
    CHECK(alice.intent ==
          "sign the mail to bob@example.gov, 'Gr\xc3\xbc\xc3\x9f"
          "e from the field'");
    CHECK(alice.signatures == 1);
}
