// Signature algorithms against each other, SHA-3, brainpool curves, DSA, several signers.
#include "cms/rsa_pss.h"
#include "softhsm-tests/cms_schemes.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("a signature algorithm of another kind than the key's is never valid") {
    const CmsBench bench;
    const SoftwareKey ed25519 = signer_with(bench, KeyKind::ed25519), ed448 = signer_with(bench, KeyKind::ed448),
                      p256 = signer_with(bench, KeyKind::p256), rsa = signer_with(bench, KeyKind::rsa2048);
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
        const ReadMail mail =
            read_signed(bench,
                        craft::signer_info({.key = each.key,
                                            .attributes = craft::usual_attributes(kOrder, hash),
                                            .content = kOrder,
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
                                               .attributes = craft::usual_attributes(kOrder, Hash::shake256),
                                               .content = kOrder,
                                               .scheme = scheme,
                                               .digest_algorithm = shake,
                                               .signature_algorithm = key_oid});
        CHECK(caught([&, key = key] { read_signed(bench, info, *key); }).kind() == ErrorKind::malformed);
    }
}

TEST_CASE("without signed attributes the signature is over the digest that it names") {
    const CmsBench bench;
    const SoftwareKey alice = signer_with(bench, KeyKind::p256);
    const Bytes info = craft::signer_info({.key = alice,
                                           .attributes = std::nullopt,
                                           .content = kOrder,
                                           .scheme = Ecdsa{Hash::sha256},
                                           .digest_algorithm = {},
                                           .signature_algorithm = signer_info_algorithm(Ecdsa{Hash::sha3_256})});
    const ReadMail mail = read_signed(bench, info, alice);
    CHECK(mail.report.result == Result::invalid);
    CHECK(mail.signer().integrity_reason == "the signature is over a sha3-256 digest, and the content's is sha256");
}

TEST_CASE("SHA-3 and brainpool signatures are verified by OpenSSL, and OpenSSL's here") {
    const CmsBench bench;
    for (const KeyKind kind :
         {KeyKind::rsa2048, KeyKind::p256, KeyKind::brainpool256, KeyKind::brainpool384, KeyKind::brainpool512}) {
        const SoftwareKey alice = signer_with(bench, kind);
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

TEST_CASE("DSA signatures verify, as weak") {
    const CmsBench bench;
    const SoftwareKey alice = signer_with(bench, KeyKind::dsa1024);
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
    const SoftwareKey rsa = signer_with(bench, KeyKind::rsa2048), p384 = signer_with(bench, KeyKind::p384),
                      ed448 = signer_with(bench, KeyKind::ed448), ed25519 = signer_with(bench, KeyKind::ed25519);
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
