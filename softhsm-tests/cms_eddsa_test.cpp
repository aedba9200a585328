// EdDSA signatures: RFC 8032 and RFC 8419.
#include "softhsm-tests/cms_schemes.h"
#include "softhsm-tests/support/hex.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

bool contains(std::string_view text, const Bytes& der) {
    return text.find(text_of(der)) != std::string_view::npos;
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
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
        {EVP_PKEY_ED448,
         "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c"
         "235160627b4c3a9480",
         "03",
         "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633"
         "fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f"
         "f3348ab21aa4adafd1d234441cf807c03a00"},
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
          from_hex("46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762fd75dc4ddd8c0f200cb05019d67b592f6"
                   "fc821c49479ab48640292eacb3b7c4be"));
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
    const SoftwareKey alice = signer_with(bench, expected.kind);
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

TEST_CASE("a digest that does not go with an EdDSA key is a usage error") {
    const CmsBench bench;
    SignOptions options;
    options.digest = Hash::sha512;
    CHECK(bench.verify(der_mail(bench, signer_with(bench, KeyKind::ed25519), options)).report.result == Result::valid);
    for (const auto& [kind, digest] :
         {std::pair(KeyKind::ed25519, Hash::sha256), std::pair(KeyKind::ed448, Hash::sha512)}) {
        options.digest = digest;
        const Error error = caught([&, kind = kind] { der_mail(bench, signer_with(bench, kind), options); });
        CHECK(error.kind() == ErrorKind::usage);
        CHECK_THAT(error.what(), Catch::Contains("does not go with this key"));
    }
    options.digest.reset();
    options.pss = true;
    CHECK(caught([&] { der_mail(bench, signer_with(bench, KeyKind::ed25519), options); }).kind() == ErrorKind::usage);
}

TEST_CASE("an EdDSA signature goes with its own digest alone") {
    const CmsBench bench;
    const SoftwareKey ed25519 = signer_with(bench, KeyKind::ed25519), ed448 = signer_with(bench, KeyKind::ed448);
    const auto with_digest = [&](const SoftwareKey& key, const char* name, Hash hash, const Bytes& identifier) {
        return craft::signer_info({.key = key,
                                   .attributes = craft::usual_attributes(kOrder, hash),
                                   .content = kOrder,
                                   .scheme = pure(name),
                                   .digest_algorithm = identifier});
    };
    const auto refusal = [&](const SoftwareKey& key, const Bytes& info) {
        const Error error = caught([&] { read_signed(bench, info, key); });
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
    CHECK(
        read_signed(bench, with_digest(ed448, "ed448", Hash::shake256, der_algorithm("2.16.840.1.101.3.4.2.12")), ed448)
            .report.result == Result::valid);
    // Parameters beside the signature algorithm (RFC 8410 section 3).
    CHECK_THAT(refusal(ed25519, craft::signer_info({.key = ed25519,
                                                    .attributes = craft::usual_attributes(kOrder, Hash::sha512),
                                                    .content = kOrder,
                                                    .scheme = pure("ed25519"),
                                                    .signature_algorithm = der_algorithm("1.3.101.112", kNull)})),
               Catch::Contains("unsupported parameters of ed25519"));
}

TEST_CASE("EdDSA without signed attributes is over the content, and cannot be checked where that is long") {
    const CmsBench bench;
    const SoftwareKey alice = signer_with(bench, KeyKind::ed25519);
    const auto over = [&](std::string_view content) {
        return craft::signer_info(
            {.key = alice, .attributes = std::nullopt, .content = content, .scheme = pure("ed25519")});
    };
    CHECK(read_signed(bench, over(kOrder), alice).report.result == Result::valid);
    CHECK(read_signed(bench, over("Content-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n"), alice).report.result ==
          Result::invalid);
    const std::string longest = std::string(kOrder) + std::string(kContentPeek - 1 - kOrder.size(), 'x');
    CHECK(read_signed(bench, over(longest), alice, longest).report.result == Result::valid);
    for (const std::string& content : {longest + "x", longest + "xx"}) {
        const ReadMail mail = read_signed(bench, over(content), alice, content);
        CHECK(mail.report.result == Result::invalid);
        CHECK(mail.signer().integrity == Integrity::not_checked);
        CHECK_THAT(mail.signer().integrity_reason.value_or(""), Catch::Contains("too long"));
    }
    // What is signed as content does not pass as the digest of content, nor as attributes.
    const Bytes digest = digest_of(Hash::sha512, bytes_of(kOrder));
    CHECK(read_signed(bench, over(text_of(digest)), alice).report.result == Result::invalid);
    const Bytes set = der_set_of(tag::kSet, craft::usual_attributes(kOrder, Hash::sha512));
    CHECK(read_signed(bench, over(text_of(set)), alice, text_of(set)).report.result == Result::invalid);
}
