// RSA-PSS with any legal parameters, and keys that are restricted to some (RFC 4055).
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "cms/rsa_pss.h"
#include "softhsm-tests/cms_schemes.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

/// restricted_pss_key is an RSA key for PSS with SHA-256 and 32 bytes of salt at least.
PrivateKey restricted_pss_key() {
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
    EVP_PKEY* key = nullptr;
    REQUIRE((EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_keygen_md(context.get(), EVP_sha256()) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(context.get(), EVP_sha256()) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(context.get(), 32) == 1 &&
             EVP_PKEY_keygen(context.get(), &key) == 1));
    return PrivateKey(key, EVP_PKEY_free);
}

/// without_restriction is the same RSA key, free to do what its certificate forbids.
PrivateKey without_restriction(const PrivateKey& key) {
    OSSL_PARAM* all = nullptr;
    REQUIRE(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &all) == 1);
    std::vector<OSSL_PARAM> numbers;
    for (const OSSL_PARAM* each = all; each->key != nullptr; ++each)
        if (each->data_type == OSSL_PARAM_UNSIGNED_INTEGER &&
            std::string_view(each->key).find("salt") == std::string_view::npos)
            numbers.push_back(*each);
    numbers.push_back(OSSL_PARAM_construct_end());
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* free_key = nullptr;
    REQUIRE((EVP_PKEY_fromdata_init(context.get()) == 1 &&
             EVP_PKEY_fromdata(context.get(), &free_key, EVP_PKEY_KEYPAIR, numbers.data()) == 1));
    OSSL_PARAM_free(all);
    return PrivateKey(free_key, EVP_PKEY_free);
}

}  // namespace

TEST_CASE("RSA-PSS is read with any hash, mask and salt") {
    const CmsBench bench;
    const SoftwareKey alice = signer_with(bench, KeyKind::rsa2048);
    struct Parameters {
        const char *hash, *mask, *salt;
        bool weak;
    };
    for (const Parameters& each : {Parameters{"sha256", "sha1", "20", false},
                                   {"sha384", "sha256", "0", false},
                                   {"sha512", "sha512", "64", false},
                                   {"sha256", "sha512", "222", false},
                                   {"sha384", "sha384", "7", false},
                                   {"sha512-256", "sha512-256", "32", false},
                                   {"sha256", "sha512-224", "32", false},
                                   {"sha512-224", "sha1", "0", true},
                                   {"sha1", "sha1", "20", true}}) {
        CAPTURE(each.hash, each.mask, each.salt);
        const std::string theirs = bench.openssl(
            Arguments{"cms", "-sign", "-binary", "-nodetach", "-md", each.hash, "-outform", "DER"} +
                bench.signer_options(alice) +
                Arguments{"-keyopt", "rsa_padding_mode:pss", "-keyopt", std::string("rsa_mgf1_md:") + each.mask,
                          "-keyopt", std::string("rsa_pss_saltlen:") + each.salt},
            kText);
        const ReadMail mail = bench.verify(theirs);
        CHECK(mail.signer().integrity == Integrity::valid);
        CHECK(mail.signer().signature == "rsa-pss");
        CHECK((mail.signer().strength == Strength::weak) == each.weak);
    }
    // The parameters that are named are those that count.
    const auto as = [&](const RsaPss& real, const RsaPss& named) {
        return read_signed(bench,
                           craft::signer_info({.key = alice,
                                               .attributes = craft::usual_attributes(kOrder),
                                               .content = kOrder,
                                               .scheme = real,
                                               .digest_algorithm = {},
                                               .signature_algorithm = pss_identifier(named)}),
                           alice)
            .signer()
            .integrity;
    };
    const RsaPss usual = natural_pss(Hash::sha256);
    CHECK(as(usual, usual) == Integrity::valid);
    CHECK(as(usual, {Hash::sha256, Hash::sha256, 20}) == Integrity::invalid);
    CHECK(as(usual, {Hash::sha256, Hash::sha1, 32}) == Integrity::invalid);
    CHECK(as(usual, {Hash::sha512, Hash::sha256, 32}) == Integrity::invalid);
}

TEST_CASE("a PSS key signs only with what its certificate restricts it to") {
    const CmsBench bench;
    const PrivateKey key = restricted_pss_key();
    const Certificate certificate = certify_key(key, {}, &bench.intermediate);
    const SoftwareKey alice{key, certificate};
    const std::string ours = der_mail(bench, alice);
    CHECK(bench.verify(ours).report.result == Result::valid);
    CHECK(openssl_verifies(bench, ours));

    const SoftwareKey cheat{without_restriction(key), certificate};
    const auto with = [&](const SignScheme& scheme) {
        const Hash hash = scheme_hash(scheme);
        return read_signed(bench,
                           craft::signer_info({.key = cheat,
                                               .attributes = craft::usual_attributes(kOrder, hash),
                                               .content = kOrder,
                                               .scheme = scheme}),
                           alice)
            .signer()
            .integrity;
    };
    CHECK(with(RsaPss{Hash::sha256, Hash::sha256, 32}) == Integrity::valid);
    CHECK(with(RsaPss{Hash::sha256, Hash::sha256, 40}) == Integrity::valid);
    CHECK(with(RsaPss{Hash::sha256, Hash::sha256, 20}) == Integrity::invalid);
    CHECK(with(RsaPss{Hash::sha256, Hash::sha1, 32}) == Integrity::invalid);
    CHECK(with(RsaPss{Hash::sha512, Hash::sha512, 64}) == Integrity::invalid);
    CHECK(with(RsaPkcs1{Hash::sha256}) == Integrity::invalid);
}

TEST_CASE("a digest that a PSS key is not restricted to is a usage error") {
    const CmsBench bench;
    SignOptions options;
    options.digest = Hash::sha384;
    const PrivateKey key = restricted_pss_key();
    const SoftwareKey alice{key, certify_key(key, {}, &bench.intermediate)};
    CHECK(caught([&] { der_mail(bench, alice, options); }).kind() == ErrorKind::usage);
}

TEST_CASE("PSS parameters that are malformed or not supported are refused") {
    const CmsBench bench;
    const SoftwareKey alice = signer_with(bench, KeyKind::rsa2048);
    const std::string_view pss = "1.2.840.113549.1.1.10";
    const Bytes shake = der_value(tag::context(0, true), der_algorithm("2.16.840.1.101.3.4.2.12"));
    const Bytes trailer = der_value(tag::context(3, true), der_integer(2));
    const Bytes mask = der_value(tag::context(1, true), der_algorithm("1.2.3.4"));
    const Bytes salt = der_value(tag::context(2, true), Bytes{0x02, 0x01, 0xff});
    for (const Bytes& parameters :
         {der_value(tag::kSequence, shake), der_value(tag::kSequence, trailer), der_value(tag::kSequence, mask),
          der_value(tag::kSequence, salt), to_bytes(kNull), der_value(tag::kOctetString, Bytes{})}) {
        const Bytes info = craft::signer_info({.key = alice,
                                               .attributes = craft::usual_attributes(kOrder),
                                               .content = kOrder,
                                               .scheme = natural_pss(Hash::sha256),
                                               .digest_algorithm = {},
                                               .signature_algorithm = der_algorithm(pss, parameters)});
        const Error error = caught([&] { read_signed(bench, info, alice); });
        CHECK_THAT(error.what(), Catch::Contains("unsupported parameters of rsa-pss"));
    }
}
