// Recipients by key agreement, with openssl as the peer and the vectors of RFCs.
#include <openssl/cms.h>

#include "cms/content_info.h"
#include "cms/der.h"
#include "cms/encode.h"
#include "cms/enveloped_data.h"
#include "cms/key_agreement.h"
#include "cms/key_wrap.h"
#include "cms/recipient_info.h"
#include "softhsm-tests/cms_recipients.h"
#include "softhsm-tests/support/hex.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

}  // namespace

TEST_CASE("OpenSSL agrees on every curve, hash and wrap, with and without the cofactor") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::p256, KeyKind::p384, KeyKind::p521, KeyKind::brainpool256,
                                  KeyKind::brainpool384, KeyKind::brainpool512);
    const SoftwareKey bob = bench.bob(kind);
    for (const Hash hash : {Hash::sha1, Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512}) {
        const bool cofactor = hash == Hash::sha384 || hash == Hash::sha1;
        const std::size_t wrap_size = hash == Hash::sha512 ? 32 : hash == Hash::sha384 ? 24 : 16;
        CAPTURE(digest_algorithm(hash).name);
        const Recipient to(bob.certificate, KeyAgreement{.hash = hash, .wrap_size = wrap_size, .cofactor = cofactor});
        const std::string ours = bench.encrypt({to}, kText);
        CHECK(peer_decrypt(bench, ours, bob) == kText);
        CHECK(bench.decrypt(ours, {bob}).content == kText);
    }
    const std::string theirs = peer_encrypt(bench, {"-recip", bench.certificate_file(bob)});
    CHECK(bench.decrypt(theirs, {bob}).content == kText);
}

TEST_CASE("the key wrap with 3DES that OpenSSL puts beside 3DES is read, and what was changed in it does not open") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const std::string theirs = bench.openssl(
        {"cms", "-encrypt", "-binary", "-outform", "DER", "-des3", "-recip", bench.certificate_file(bob)}, kText);
    CHECK(bench.decrypt(theirs, {bob}).content == kText);

    ViewSource source(bytes_of(theirs));
    BerReader reader(source);
    enter_content_info(reader);
    const EnvelopedDataReader envelope(reader, EncryptedKind::enveloped);
    const RecipientEntry& entry = envelope.recipients().at(0);
    CHECK(std::get<Agree>(*entry.recovery).wrap->name == "3des-wrap");
    const std::size_t at = theirs.find(text_of(entry.encrypted_key));
    for (const std::size_t offset : {0U, 20U, 39U}) {
        std::string changed = theirs;
        changed[at + offset] ^= 1;
        CHECK(caught([&] { bench.decrypt(changed, {bob}); }).kind() == ErrorKind::failed);
    }
}

TEST_CASE("those who agree alike share one KeyAgreeRecipientInfo, and OpenSSL reads each key in it") {
    const CmsBench bench;
    const std::vector<SoftwareKey> alike{bench.bob(), bench.bob(), bench.bob()};
    const SoftwareKey p384 = bench.bob(KeyKind::p384);
    EncryptOptions options;
    options.form = Form::der;
    const auto to = [](const SoftwareKey& key) {
        return Recipient(key.certificate, KeyAgreement{.hash = Hash::sha256, .shared = true});
    };
    const std::string der = bench.encrypt({to(alike[0]), to(p384), to(alike[1]), to(alike[2])}, kText, options);
    const auto* at = reinterpret_cast<const Byte*>(der.data());
    const CmsHandle cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
    REQUIRE(cms);
    CHECK(sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get())) == 2);
    for (const SoftwareKey& key : {alike[0], alike[1], alike[2], p384}) {
        CHECK(bench.openssl({"cms", "-decrypt", "-binary", "-inform", "DER", "-recip", bench.certificate_file(key),
                             "-inkey", bench.key_file(key)},
                            der) == kText);
        CHECK(bench.decrypt(der, {key}).content == kText);
    }
}

TEST_CASE("X25519 and X448 recipients are written and read with HKDF") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::x25519, KeyKind::x448);
    const SoftwareKey bob = bench.bob(kind), carol = bench.bob(kind);
    for (const Hash hash : {Hash::sha256, Hash::sha384, Hash::sha512}) {
        const KeyAgreement how{.hash = hash, .wrap_size = 32};
        const std::string ours = bench.encrypt({{bob.certificate, how}, {carol.certificate, how}}, kText);
        for (const SoftwareKey& key : {bob, carol})
            CHECK(bench.decrypt(ours, {key}).used() == "xdh");
        CHECK(caught([&] { bench.decrypt(ours, {bench.bob(kind)}); }).kind() == ErrorKind::no_key);
    }
    CHECK_THROWS_AS(bench.encrypt({{bob.certificate, KeyAgreement{Hash::sha1}}}, kText), Error);
    CHECK_THROWS_AS(bench.encrypt({{bob.certificate, RsaPkcs1Transport{}}}, kText), Error);
}

TEST_CASE("the shared information is OpenSSL's, and HKDF is that of RFC 5869") {
    const Handle<X509_ALGOR, X509_ALGOR_free> wrap(X509_ALGOR_new());
    REQUIRE(X509_ALGOR_set0(wrap.get(), OBJ_nid2obj(NID_id_aes256_wrap), V_ASN1_UNDEF, nullptr) == 1);
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> ukm(ASN1_OCTET_STRING_new());
    REQUIRE(ASN1_OCTET_STRING_set(ukm.get(), reinterpret_cast<const Byte*>("material"), 8) == 1);
    for (ASN1_OCTET_STRING* material : {static_cast<ASN1_OCTET_STRING*>(nullptr), ukm.get()}) {
        Byte* der = nullptr;
        const int size = CMS_SharedInfo_encode(&der, wrap.get(), material, 32);
        REQUIRE(size > 0);
        const auto own = material == nullptr ? std::nullopt : std::optional(bytes_of("material"));
        CHECK(shared_info(encode(wrap.get(), i2d_X509_ALGOR), own, aes_wrap(32)) == Bytes(der, der + size));
        OPENSSL_free(der);
    }

    // Appendix A.1; the first 32 bytes of OKM are what L = 32 gives.
    const SecretBytes okm(from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
    const SecretBytes key(from_hex("00112233445566778899aabbccddeeff"));
    const KeyDerivation kdf{.kind = KeyDerivation::Kind::hkdf,
                            .hash = Hash::sha256,
                            .info = from_hex("f0f1f2f3f4f5f6f7f8f9"),
                            .salt = from_hex("000102030405060708090a0b0c")};
    const auto opened =
        derive_and_unwrap(SecretBytes(ByteView(Bytes(22, 0x0b))), kdf, aes_wrap(32), wrap_key(aes_wrap(32), okm, key));
    REQUIRE(opened);
    CHECK(to_bytes(*opened) == to_bytes(key));
}

TEST_CASE("a point of low order and an all-zero secret are refused (RFC 7748 section 6)") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::x25519, KeyKind::x448);
    const SoftwareKey bob = bench.bob(kind);
    const std::size_t size = kind == KeyKind::x25519 ? 32 : 56;
    const auto peer = [&](Bytes point) {
        return agreement_peer(spki(der_algorithm(kind == KeyKind::x25519 ? "1.3.101.110" : "1.3.101.111"), point),
                              bob.key.get());
    };
    Bytes one(size);
    one[0] = 1;
    Bytes base(size);
    base[0] = kind == KeyKind::x25519 ? 9 : 5;
    CHECK_FALSE(peer(Bytes(size)));
    CHECK_FALSE(peer(one));
    CHECK_FALSE(peer(Bytes(size - 1, 3)));
    CHECK(peer(base));
    CHECK_FALSE(agreement_peer(spki(der_algorithm("1.3.101.110"), base), bench.bob().key.get()));

    const KeyDerivation kdf{.kind = KeyDerivation::Kind::x963, .hash = Hash::sha256, .info = {}};
    CHECK_FALSE(derive_and_unwrap(SecretBytes(size), kdf, aes_wrap(32), Bytes(40)));
}

TEST_CASE("an all-zero secret is refused even where the key was wrapped for it") {
    const KeyDerivation kdf{.kind = KeyDerivation::Kind::hkdf, .hash = Hash::sha256, .info = {}};
    // HKDF-SHA-256 of 32 zero bytes without salt and info, by `openssl kdf`.
    const CmsBench bench;
    const std::string out = bench.file("");
    bench.openssl({"kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", "hexkey:" + std::string(64, '0'),
                   "-binary", "-out", out, "HKDF"});
    const SecretBytes wrapping(bytes_of(read_file(out)));
    const SecretBytes key(ByteView(Bytes(16, 5)));
    CHECK_FALSE(derive_and_unwrap(SecretBytes(32), kdf, aes_wrap(32), wrap_key(aes_wrap(32), wrapping, key)));
}

TEST_CASE("static key agreement is named as unsupported, and user keying material is salt of HKDF alone") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Bytes issuer = der_value(tag::kSequence, {bob.certificate.issuer_der(), bob.certificate.serial_der()});
    const auto agree_info = [&](ByteView originator, std::string_view scheme) {
        const Bytes keys =
            der_value(tag::kSequence, der_value(tag::kSequence, {issuer, der_value(tag::kOctetString, Bytes(40))}));
        return der_value(tag::context(1, true),
                         {der_integer(3), der_value(tag::context(0, true), originator),
                          der_value(tag::context(1, true), der_value(tag::kOctetString, bytes_of("salt"))),
                          der_algorithm(scheme, der_algorithm("2.16.840.1.101.3.4.1.45")), keys});
    };
    const auto entry = read_recipient_info(agree_info(issuer, "1.3.132.1.11.1"), 32).at(0);
    CHECK_FALSE(entry.recovery);
    CHECK(entry.fault == "unsupported algorithm static-static key agreement");

    const Bytes x25519 = der_value(tag::context(1, true), {der_algorithm("1.3.101.110"), der_value(0x03, Bytes(33))});
    const auto salt_of = [&](std::string_view scheme) {
        return std::get<Agree>(*read_recipient_info(agree_info(x25519, scheme), 32).at(0).recovery).kdf.salt;
    };
    CHECK(salt_of("1.2.840.113549.1.9.16.3.19") == to_bytes(bytes_of("salt")));
    CHECK(salt_of("1.3.132.1.11.1").empty());
}
