// Signature algorithms beyond RSA and ECDSA with SHA-2: EdDSA, SHA-3, RSA-PSS with odd parameters, DSA.

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <catch2/catch.hpp>

#include "cms/rsa_pss.h"
#include "cms/sign_scheme.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

SoftwareKey issue(const CmsBench& bench, KeyKind kind) {
    CertificateSpec spec;
    spec.kind = kind;
    spec.key_usage = "critical,digitalSignature";
    return bench.issue(spec);
}

SignScheme pure(std::string_view name) {
    const Algorithm* row = algorithm_named(AlgorithmKind::signature, name);
    return Pure{row, *row->hash};
}

ReadMail read(const CmsBench& bench, const Bytes& signer_info, const SoftwareKey& key,
              std::string_view content = kContent) {
    return bench.verify(craft::signed_data({content, {signer_info}, {key.certificate}}));
}

bool contains(std::string_view text, const Bytes& der) {
    return text.find(text_of(der)) != std::string_view::npos;
}

std::string der_mail(const CmsBench& bench, const SoftwareKey& key, SignOptions options = {}) {
    options.form = Form::der;
    options.opaque = true;
    return bench.sign({key}, mail("alice@example.gov", "bob@example.gov"), options);
}

/// openssl_verifies has `openssl cms` verify an opaque message in DER.
bool openssl_verifies(const CmsBench& bench, std::string_view der) {
    const Outcome outcome = bench.try_openssl(
        {"cms", "-verify", "-inform", "DER", "-binary", "-purpose", "smimesign", "-CAfile", bench.trusted_file()}, der);
    INFO(outcome.err);
    CHECK((outcome.status != 0 || outcome.out == kText));
    return outcome.status == 0;
}

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

TEST_CASE("EdDSA verifies the vectors of RFC 8032") {
    struct Vector {
        int type;
        const char *key, *message, *signature;
    };
    // Sections 7.1 (TEST 3) and 7.4 (1 octet).
    const Vector vectors[] = {
        {EVP_PKEY_ED25519, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed"
         "28d"
         "c027beceea1ec40a"},
        {EVP_PKEY_ED448,
         "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3"
         "a94"
         "80",
         "03",
         "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd"
         "779"
         "805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf80"
         "7c0"
         "3a00"},
    };
    for (const Vector& each : vectors) {
        const Bytes raw = from_hex(each.key);
        const KeyHandle key(EVP_PKEY_new_raw_public_key(each.type, nullptr, raw.data(), raw.size()));
        REQUIRE(key);
        const Algorithm* row = pure_signature_algorithm(key.get());
        const SignScheme scheme = Pure{row, *row->hash};
        Bytes message = from_hex(each.message), signature = from_hex(each.signature);
        CHECK(verify_message(key.get(), scheme, message, signature));
        CHECK_FALSE(verify_digest(key.get(), scheme, digest_of(scheme_hash(scheme), message), signature));
        message.front() ^= 1;
        CHECK_FALSE(verify_message(key.get(), scheme, message, signature));
    }
}

TEST_CASE("SHAKE256 is 64 bytes long, as FIPS 202 has them") {
    // SHAKE256 of the empty message (NIST's SHAKE256 example values).
    CHECK(digest_of(Hash::shake256, {}) ==
          from_hex("46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762fd75dc"
                   "4ddd8c0f200cb05019d67b592f6fc821c49479a"
                   "b48640292eacb3b7c4be"));
    CHECK(hash_size(Hash::shake256) == 64);
}

TEST_CASE("Ed25519 and Ed448 are written as RFC 8419 says and read back") {
    const CmsBench bench;
    struct Expected {
        KeyKind kind;
        const char *name, *digest, *micalg, *identifiers;
    };
    const Expected expected = GENERATE(
        Expected{KeyKind::ed25519, "ed25519", "sha512", "micalg=sha-512;", "300b0609608648016503040203"},
        Expected{KeyKind::ed448, "ed448", "shake256", "micalg=shake256;", "300f060960864801650304021202020200"});
    const SoftwareKey alice = issue(bench, expected.kind);
    const std::string der = der_mail(bench, alice);
    CHECK(contains(der, from_hex(expected.identifiers)));
    CHECK(contains(der, from_hex(expected.kind == KeyKind::ed25519 ? "300506032b6570" : "300506032b6571")));
    const ReadMail read = bench.verify(der);
    CHECK(read.report.result == Result::valid);
    CHECK(read.signer().signature == expected.name);
    CHECK(read.signer().digest == expected.digest);
    CHECK(read.signer().strength == Strength::ok);

    std::string clear = bench.sign({alice}, mail("alice@example.gov", "bob@example.gov"));
    CHECK(clear.find(expected.micalg) != std::string::npos);
    CHECK(bench.verify(clear).report.result == Result::valid);
    CHECK(bench.verify(replaced(clear, expected.micalg, "micalg=sha-1;")).report.result == Result::valid);
    CHECK(bench.verify(replaced(clear, "second", "sec0nd")).report.result == Result::invalid);
}

TEST_CASE("a digest that does not go with an EdDSA or restricted PSS key is a usage error") {
    const CmsBench bench;
    SignOptions options;
    options.digest = Hash::sha512;
    CHECK(bench.verify(der_mail(bench, issue(bench, KeyKind::ed25519), options)).report.result == Result::valid);
    for (const auto& [kind, digest] :
         {std::pair(KeyKind::ed25519, Hash::sha256), std::pair(KeyKind::ed448, Hash::sha512)}) {
        options.digest = digest;
        const Error error = caught([&, kind = kind] { der_mail(bench, issue(bench, kind), options); });
        CHECK(error.kind() == ErrorKind::usage);
        CHECK_THAT(error.what(), Catch::Contains("does not go with this key"));
    }
    options.digest.reset();
    options.pss = true;
    CHECK(caught([&] { der_mail(bench, issue(bench, KeyKind::ed25519), options); }).kind() == ErrorKind::usage);

    const PrivateKey key = restricted_pss_key();
    const SoftwareKey alice{key, certify_key(key, {}, &bench.intermediate)};
    options.digest = Hash::sha384;
    CHECK(caught([&] { der_mail(bench, alice, options); }).kind() == ErrorKind::usage);
}

TEST_CASE("an EdDSA signature goes with its own digest alone") {
    const CmsBench bench;
    const SoftwareKey ed25519 = issue(bench, KeyKind::ed25519), ed448 = issue(bench, KeyKind::ed448);
    const auto with_digest = [&](const SoftwareKey& key, const char* name, Hash hash, const Bytes& identifier) {
        return craft::signer_info({.key = key,
                                   .attributes = craft::usual_attributes(kContent, hash),
                                   .content = kContent,
                                   .scheme = pure(name),
                                   .digest_algorithm = identifier});
    };
    const auto refusal = [&](const SoftwareKey& key, const Bytes& info) {
        const Error error = caught([&] { read(bench, info, key); });
        CHECK(error.kind() == ErrorKind::malformed);
        return std::string(error.what());
    };
    CHECK_THAT(refusal(ed25519, with_digest(ed25519, "ed25519", Hash::sha256, digest_identifier(Hash::sha256))),
               Catch::Contains("ed25519 with sha256"));
    CHECK_THAT(refusal(ed448, with_digest(ed448, "ed448", Hash::sha512, digest_identifier(Hash::sha512))),
               Catch::Contains("ed448 with sha512"));
    // Output lengths other than 512 bits, and none.
    for (const char* parameters : {"02020100", "020108", "0500", ""})
        CHECK_THAT(refusal(ed448, with_digest(ed448, "ed448", Hash::shake256,
                                              der_algorithm("2.16.840.1.101.3.4.2.18", from_hex(parameters)))),
                   Catch::Contains("unsupported algorithm shake256"));
    // id-shake256 has 512 bits by itself (RFC 8702 section 3.1).
    CHECK(read(bench, with_digest(ed448, "ed448", Hash::shake256, der_algorithm("2.16.840.1.101.3.4.2.12")), ed448)
              .report.result == Result::valid);
    // Parameters beside the signature algorithm (RFC 8410 section 3).
    const Bytes null{0x05, 0x00};
    CHECK_THAT(refusal(ed25519, craft::signer_info({.key = ed25519,
                                                    .attributes = craft::usual_attributes(kContent, Hash::sha512),
                                                    .content = kContent,
                                                    .scheme = pure("ed25519"),
                                                    .signature_algorithm = der_algorithm("1.3.101.112", null)})),
               Catch::Contains("unsupported parameters of ed25519"));
}

TEST_CASE("a signature algorithm of another kind than the key's is never valid") {
    const CmsBench bench;
    const SoftwareKey ed25519 = issue(bench, KeyKind::ed25519), ed448 = issue(bench, KeyKind::ed448),
                      p256 = issue(bench, KeyKind::p256), rsa = issue(bench, KeyKind::rsa2048);
    struct Mismatch {
        const SoftwareKey& key;
        SignScheme scheme;
        SignScheme claimed;
    };
    for (const Mismatch& each :
         {Mismatch{ed25519, pure("ed25519"), pure("ed448")}, Mismatch{ed448, pure("ed448"), pure("ed25519")},
          Mismatch{p256, Ecdsa{Hash::sha512}, pure("ed25519")}, Mismatch{ed25519, pure("ed25519"), Ecdsa{Hash::sha512}},
          Mismatch{rsa, RsaPkcs1{Hash::sha256}, natural_pss(Hash::sha256)},
          Mismatch{rsa, natural_pss(Hash::sha256), RsaPkcs1{Hash::sha256}}}) {
        const Hash hash = scheme_hash(each.claimed);
        const ReadMail mail = read(bench,
                                   craft::signer_info({.key = each.key,
                                                       .attributes = craft::usual_attributes(kContent, hash),
                                                       .content = kContent,
                                                       .scheme = each.scheme,
                                                       .digest_algorithm = digest_identifier(hash),
                                                       .signature_algorithm = signer_info_algorithm(each.claimed)}),
                                   each.key);
        INFO(scheme_text(each.scheme) << " as " << scheme_text(each.claimed));
        CHECK(mail.signer().integrity == Integrity::invalid);
    }
    // SHAKE256 goes with Ed448 alone.
    const Bytes shake = digest_identifier(Hash::shake256);
    for (const auto& [key, scheme] :
         {std::pair(&p256, SignScheme(Ecdsa{Hash::sha256})), std::pair(&rsa, SignScheme(RsaPkcs1{Hash::sha256}))}) {
        const Bytes key_oid = key == &p256 ? der_algorithm("1.2.840.10045.2.1") : signer_info_algorithm(scheme);
        const Bytes info = craft::signer_info({.key = *key,
                                               .attributes = craft::usual_attributes(kContent, Hash::shake256),
                                               .content = kContent,
                                               .scheme = scheme,
                                               .digest_algorithm = shake,
                                               .signature_algorithm = key_oid});
        CHECK(caught([&, key = key] { read(bench, info, *key); }).kind() == ErrorKind::malformed);
    }
}

TEST_CASE("EdDSA without signed attributes is over the content, and cannot be checked where that is long") {
    const CmsBench bench;
    const SoftwareKey alice = issue(bench, KeyKind::ed25519);
    const auto over = [&](std::string_view content) {
        return craft::signer_info(
            {.key = alice, .attributes = std::nullopt, .content = content, .scheme = pure("ed25519")});
    };
    CHECK(read(bench, over(kContent), alice).report.result == Result::valid);
    CHECK(read(bench, over("Content-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n"), alice).report.result ==
          Result::invalid);
    const std::string longest = std::string(kContent) + std::string(kContentPeek - 1 - kContent.size(), 'x');
    CHECK(read(bench, over(longest), alice, longest).report.result == Result::valid);
    for (const std::string& content : {longest + "x", longest + "xx"}) {
        const ReadMail mail = read(bench, over(content), alice, content);
        CHECK(mail.report.result == Result::invalid);
        CHECK(mail.signer().integrity == Integrity::not_checked);
        CHECK_THAT(mail.signer().integrity_reason.value_or(""), Catch::Contains("too long"));
    }
    // What is signed as content does not pass as the digest of content, nor as attributes.
    const Bytes digest = digest_of(Hash::sha512, bytes_of(kContent));
    CHECK(read(bench, over(text_of(digest)), alice).report.result == Result::invalid);
    const Bytes set = der_set_of(tag::kSet, craft::usual_attributes(kContent, Hash::sha512));
    CHECK(read(bench, over(text_of(set)), alice, text_of(set)).report.result == Result::invalid);
}

TEST_CASE("without signed attributes the signature is over the digest that it names") {
    const CmsBench bench;
    const SoftwareKey alice = issue(bench, KeyKind::p256);
    const Bytes info = craft::signer_info({.key = alice,
                                           .attributes = std::nullopt,
                                           .content = kContent,
                                           .scheme = Ecdsa{Hash::sha256},
                                           .digest_algorithm = {},
                                           .signature_algorithm = signer_info_algorithm(Ecdsa{Hash::sha3_256})});
    const ReadMail mail = read(bench, info, alice);
    CHECK(mail.report.result == Result::invalid);
    CHECK_THAT(mail.signer().integrity_reason.value_or(""), Catch::Contains("another digest"));
}

TEST_CASE("SHA-3 and brainpool signatures are verified by OpenSSL, and OpenSSL's here") {
    const CmsBench bench;
    for (const KeyKind kind :
         {KeyKind::rsa2048, KeyKind::p256, KeyKind::brainpool256, KeyKind::brainpool384, KeyKind::brainpool512}) {
        const SoftwareKey alice = issue(bench, kind);
        for (const auto& [hash, name] :
             {std::pair(Hash::sha256, "sha256"), std::pair(Hash::sha512, "sha512"),
              std::pair(Hash::sha3_256, "sha3-256"), std::pair(Hash::sha3_512, "sha3-512")}) {
            CAPTURE(static_cast<int>(kind), name);
            SignOptions options;
            options.digest = hash;
            const std::string ours = der_mail(bench, alice, options);
            CHECK(openssl_verifies(bench, ours));
            CHECK(bench.verify(ours).signer().digest == name);
            const bool sha3 = std::string_view(name).starts_with("sha3");
            if (kind == KeyKind::rsa2048 || !sha3) {  // OpenSSL 3.0 writes no ECDSA with SHA-3
                const std::string theirs =
                    bench.openssl(Arguments{"cms", "-sign", "-binary", "-nodetach", "-md", name, "-outform", "DER"} +
                                      bench.signer_options(alice),
                                  kText);
                CHECK(bench.verify(theirs).report.result == Result::valid);
            }
            if (kind != KeyKind::rsa2048) continue;
            options.pss = true;
            const std::string pss = der_mail(bench, alice, options);
            CHECK(openssl_verifies(bench, pss));
            CHECK(bench.verify(pss).report.result == Result::valid);
        }
    }
}

TEST_CASE("RSA-PSS is read with any hash, mask and salt") {
    const CmsBench bench;
    const SoftwareKey alice = issue(bench, KeyKind::rsa2048);
    struct Parameters {
        const char *hash, *mask, *salt;
        bool weak;
    };
    for (const Parameters& each : {Parameters{"sha256", "sha1", "20", false},
                                   {"sha384", "sha256", "0", false},
                                   {"sha512", "sha512", "64", false},
                                   {"sha256", "sha512", "222", false},
                                   {"sha384", "sha384", "7", false},
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
        return read(bench,
                    craft::signer_info({.key = alice,
                                        .attributes = craft::usual_attributes(kContent),
                                        .content = kContent,
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
        return read(bench,
                    craft::signer_info({.key = cheat,
                                        .attributes = craft::usual_attributes(kContent, hash),
                                        .content = kContent,
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

TEST_CASE("PSS parameters that are malformed or not supported are refused") {
    const CmsBench bench;
    const SoftwareKey alice = issue(bench, KeyKind::rsa2048);
    const std::string_view pss = "1.2.840.113549.1.1.10";
    const Bytes shake = der_value(tag::context(0, true), der_algorithm("2.16.840.1.101.3.4.2.12"));
    const Bytes trailer = der_value(tag::context(3, true), der_integer(2));
    const Bytes mask = der_value(tag::context(1, true), der_algorithm("1.2.3.4"));
    const Bytes salt = der_value(tag::context(2, true), Bytes{0x02, 0x01, 0xff});
    for (const Bytes& parameters :
         {der_value(tag::kSequence, shake), der_value(tag::kSequence, trailer), der_value(tag::kSequence, mask),
          der_value(tag::kSequence, salt), Bytes{0x05, 0x00}, der_value(tag::kOctetString, Bytes{})}) {
        const Bytes info = craft::signer_info({.key = alice,
                                               .attributes = craft::usual_attributes(kContent),
                                               .content = kContent,
                                               .scheme = natural_pss(Hash::sha256),
                                               .digest_algorithm = {},
                                               .signature_algorithm = der_algorithm(pss, parameters)});
        const Error error = caught([&] { read(bench, info, alice); });
        CHECK_THAT(error.what(), Catch::Contains("unsupported parameters of rsa-pss"));
    }
}

TEST_CASE("DSA signatures verify, as weak") {
    const CmsBench bench;
    const SoftwareKey alice = issue(bench, KeyKind::dsa1024);
    const std::string theirs =
        bench.openssl(Arguments{"cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-outform", "DER"} +
                          bench.signer_options(alice),
                      kText);
    const ReadMail mail = bench.verify(theirs);
    CHECK(mail.signer().integrity == Integrity::valid);
    CHECK(mail.signer().strength == Strength::weak);
    CHECK(mail.report.result == Result::untrusted);
}

TEST_CASE("several signers with different digests are in one message, each with its own") {
    const CmsBench bench;
    const SoftwareKey rsa = issue(bench, KeyKind::rsa2048), p384 = issue(bench, KeyKind::p384),
                      ed448 = issue(bench, KeyKind::ed448), ed25519 = issue(bench, KeyKind::ed25519);
    const std::string clear = bench.sign({rsa, p384, ed448, ed25519}, mail("alice@example.gov", "bob@example.gov"));
    CHECK(clear.find("micalg=\"sha-256,sha-384,sha-512,shake256\"") != std::string::npos);
    for (const std::string& text : {clear, replaced(clear, "micalg=\"sha-256,sha-384,sha-512,shake256\";", ""),
                                    replaced(clear, "micalg=\"sha-256,sha-384,sha-512,shake256\"", "micalg=unknown")}) {
        const ReadMail mail = bench.verify(text);
        CHECK(mail.report.result == Result::valid);
        REQUIRE(mail.report.layers.at(0).signers.size() == 4);
        std::set<std::string> digests;
        for (const SignerVerdict& signer : mail.report.layers[0].signers)
            digests.insert(signer.digest);
        CHECK(digests == std::set<std::string>{"sha256", "sha384", "sha512", "shake256"});
    }
    CHECK(bench.verify(replaced(clear, "second", "sec0nd")).report.result == Result::invalid);
}
