#include "cms/smime/encrypt.h"

#include <openssl/cms.h>

#include <catch2/catch.hpp>

#include "cms/encode.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

// peer_decrypt has `openssl cms` decrypt; -recip makes it look its own RecipientInfo up by issuer and serial number.
std::string peer_decrypt(const CmsBench& bench, std::string_view message, const char* form, const SoftwareKey& key) {
    return bench.openssl({"cms", "-decrypt", "-binary", "-inform", form, "-recip", bench.certificate_file(key),
                          "-inkey", bench.key_file(key)},
                         message);
}

}  // namespace

TEST_CASE("OpenSSL decrypts what is encrypted, for every key, cipher and form") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::rsa2048, KeyKind::p256, KeyKind::p384, KeyKind::p521);
    const SoftwareKey bob = bench.bob(kind);
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    for (const bool oaep : {false, true}) {
        if (oaep && kind != KeyKind::rsa2048) continue;
        for (const Algorithm* cipher : content_ciphers()) {
            CAPTURE(oaep, cipher->name);
            const Recipient to =
                oaep ? Recipient(bob.certificate, RsaOaep{Hash::sha256, Hash::sha256, {}}) : Recipient(bob.certificate);
            EncryptOptions options;
            options.cipher = cipher;
            const std::string encrypted = bench.encrypt({to}, text, options);
            const std::string type = cipher->authenticated ? "authEnveloped-data" : "enveloped-data";
            CHECK(field(encrypted, "Content-Type").find("smime-type=" + type + ";") != std::string::npos);
            CHECK(field(encrypted, "Subject") == field(text, "Subject"));
            CHECK(body_of(with_crlf(bench.decrypt(encrypted, {bob}).content)) == body_of(with_crlf(text)));
            if (cipher->name == "chacha20-poly1305") continue;  // not in OpenSSL's CMS
            CHECK(peer_decrypt(bench, encrypted, "SMIME", bob) == kText);

            options.form = Form::der;
            const std::string der = bench.encrypt({to}, text, options);
            CHECK(peer_decrypt(bench, der, "DER", bob) == kText);
            const auto* at = reinterpret_cast<const Byte*>(der.data());
            const CmsHandle cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
            REQUIRE(cms);
            CHECK(encode(cms.get(), i2d_CMS_ContentInfo) == to_bytes(bytes_of(der)));

            options.form = Form::pem;
            CHECK(peer_decrypt(bench, bench.encrypt({to}, text, options), "PEM", bob) == kText);
        }
    }
}

TEST_CASE("all recipients get the same mail") {
    const CmsBench bench;
    const SoftwareKey rsa = bench.bob(KeyKind::rsa2048), p256 = bench.bob(), p521 = bench.bob(KeyKind::p521);
    EncryptOptions options;
    options.cipher = GENERATE(content_cipher("aes-256-cbc"), content_cipher("aes-256-gcm"));
    options.form = Form::der;
    const std::string encrypted =
        bench.encrypt({{rsa.certificate}, {p256.certificate}, {p521.certificate}}, kText, options);
    for (const SoftwareKey& key : {rsa, p256, p521}) {
        CHECK(peer_decrypt(bench, encrypted, "DER", key) == kText);
        CHECK(bench.decrypt(encrypted, {key}).content == kText);
    }
}

TEST_CASE("content of any size round-trips through OpenSSL") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    // Around the blocks of AES, the steps of the cipher and the segments of BER.
    for (const std::size_t size : {0, 1, 15, 16, 17, 65'500, 65'536, 131'072, 200'000})
        for (const Algorithm* cipher : {content_cipher("aes-128-cbc"), content_cipher("aes-128-gcm")}) {
            CAPTURE(size, cipher->name);
            const std::string entity =
                "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: "
                "binary\r\n\r\n" +
                std::string(size, '\x91');
            EncryptOptions options;
            options.cipher = cipher;
            const std::string encrypted = bench.encrypt({{bob.certificate}}, entity, options);
            CHECK(peer_decrypt(bench, encrypted, "SMIME", bob) == entity);
            CHECK(bench.decrypt(encrypted, {bob}).content == entity);
        }
}

TEST_CASE("fields can be left out of an encrypted mail") {
    const CmsBench bench;
    EncryptOptions options;
    options.drop_fields = {"bcc", "X-Folded"};
    const std::string text = "Bcc: carol@example.gov\r\n" + mail("alice@example.gov", "bob@example.gov");
    const SoftwareKey bob = bench.bob();
    const std::string encrypted = bench.encrypt({{bob.certificate}}, text, options);
    CHECK(encrypted.find("carol") == std::string::npos);
    CHECK(encrypted.find("X-Folded") == std::string::npos);
    CHECK(bench.decrypt(encrypted, {bob}).content.find("carol") == std::string::npos);
}

TEST_CASE("a certificate without a key that can encrypt is refused") {
    const CmsBench bench;
    CertificateSpec spec;
    spec.kind = KeyKind::ed25519;
    spec.key_usage = "digitalSignature";
    CHECK(caught([&] { bench.encrypt({{bench.issue(spec).certificate}}, kText); }).kind() == ErrorKind::malformed);
}
