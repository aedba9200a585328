// Keys with which nothing is verified.

#include "cms/key_fault.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>

#include "cms/identifiers.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/large_key.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

constexpr std::string_view kTooLarge = "is too large", kOpenToAll = "lets anybody sign";

std::string_view fault_of(const PrivateKey& key) {
    return key_fault(key.get());
}

PrivateKey edwards_key(const char* type, const std::string& hex) {
    const Bytes raw = from_hex(hex);
    return {EVP_PKEY_new_raw_public_key_ex(nullptr, type, nullptr, raw.data(), raw.size()), EVP_PKEY_free};
}

// rsa_identity is an RSA key whose signatures are the padded digests themselves.
PrivateKey rsa_identity() {
    const BignumHandle modulus(BN_new()), one(BN_new());
    BN_rand(modulus.get(), 2'048, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    BN_one(one.get());
    const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, one.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_D, one.get());
    const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
    REQUIRE(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1);
    return {key, EVP_PKEY_free};
}

}  // namespace

TEST_CASE("a key that takes long to verify with is too large", "[limits]") {
    CHECK(fault_of(rsa_key(16'384, 17)).empty());
    CHECK(fault_of(rsa_key(16'392, 17)) == kTooLarge);
    CHECK(fault_of(rsa_key(2'048, 64)).empty());
    CHECK(fault_of(rsa_key(2'048, 65)) == kTooLarge);
    CHECK(fault_of(dsa_key(3'072)).empty());
    CHECK(fault_of(dsa_key(3'080)) == kTooLarge);
}

TEST_CASE("a key with which anybody signs is told from others") {
    for (const KeyKind kind : {KeyKind::p256, KeyKind::rsa2048, KeyKind::ed25519, KeyKind::ed448})
        CHECK(fault_of(new_private_key(kind)).empty());
    CHECK(fault_of(rsa_key(2'048, 2)).empty());  // 3
    CHECK(fault_of(rsa_key(2'048, 1)) == kOpenToAll);
    CHECK(fault_of(rsa_identity()) == kOpenToAll);

    const Bytes infinity = from_hex("301930130607 2a8648ce3d0201 06082a8648ce3d030107 03020000");
    const Byte* at = infinity.data();
    const PrivateKey at_infinity(d2i_PUBKEY(nullptr, &at, static_cast<long>(infinity.size())), EVP_PKEY_free);
    REQUIRE(at_infinity != nullptr);
    CHECK(fault_of(at_infinity) == kOpenToAll);
}

TEST_CASE("an Edwards key of small order is one with which anybody signs, in whatever encoding") {
    const std::string zeros(60, '0'), ones(60, 'f');
    for (const std::string& low : {"00" + zeros, "01" + zeros, "ec" + ones, "ed" + ones, "ee" + ones})
        for (const char* high : {"00", "80", "7f", "ff"}) {
            const bool is_low = low.front() == '0';
            if (is_low == (high[1] == 'f')) continue;
            CHECK(fault_of(edwards_key("ED25519", low + high)) == kOpenToAll);
        }
    for (const char* order_8 : {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"})
        CHECK(fault_of(edwards_key("ED25519", order_8)) == kOpenToAll);
    const std::string base = "58666666666666666666666666666666666666666666666666666666666666 66";
    CHECK(fault_of(edwards_key("ED25519", base)).empty());

    for (const char* sign : {"00", "80"}) {
        CHECK(fault_of(edwards_key("ED448", std::string(112, '0') + sign)) == kOpenToAll);
        CHECK(fault_of(edwards_key("ED448", "01" + std::string(110, '0') + sign)) == kOpenToAll);
        const std::string minus_one = "fe" + std::string(54, 'f') + "fe" + std::string(54, 'f');
        CHECK(fault_of(edwards_key("ED448", minus_one + sign)) == kOpenToAll);
    }
}

TEST_CASE("a signature that anybody can make is none") {
    const CmsBench bench;
    const std::string content = "Content-Type: text/plain\r\n\r\nHello\r\n";
    const auto signer_of = [&](const PrivateKey& key) {
        const SoftwareKey signer{key, certify_key(key, {}, &bench.intermediate)};
        const Bytes info = craft::signer_info({.key = signer,
                                               .attributes = craft::usual_attributes(content),
                                               .content = content,
                                               .scheme = RsaPkcs1{Hash::sha256}});
        return bench.verify(craft::signed_data({content, {info}, {signer.certificate}})).signer();
    };
    CHECK(signer_of(new_private_key(KeyKind::rsa2048)).integrity == Integrity::valid);
    const Error refusal = caught([&] { signer_of(rsa_identity()); });
    CHECK(std::string(refusal.what()) == "unsupported algorithm RSA-2048: the key lets anybody sign");
}

TEST_CASE("nobody is trusted by an authority with whose key anybody certifies") {
    const CmsBench bench;
    CertificateSpec spec = authority_spec("Open");
    spec.kind = KeyKind::rsa2048;
    const SoftwareKey honest = certify(spec, &bench.root);
    CHECK(trusted(judge(certify({}, &honest).certificate, {honest}, bench.trust())));
    const PrivateKey key = rsa_identity();
    const SoftwareKey open{key, certify_key(key, spec, &bench.root)};
    CHECK(untrusted(judge(certify({}, &open).certificate, {open}, bench.trust()),
                    "CN=Open,O=Example has a key that lets anybody sign (RSA-2048)"));
}
