#include "cms/content_cipher.h"

#include <catch2/catch.hpp>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/key_wrap.h"
#include "cms/smime/read.h"
#include "softhsm-tests/cms_recipients.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("3DES and RC2 are read and reported as weak") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    for (const auto& [option, name] : {std::pair<const char*, const char*>{"-des3", "des-ede3-cbc"},
                                       {"-rc2-128", "rc2-128-cbc"},
                                       {"-rc2-64", "rc2-64-cbc"},
                                       {"-rc2-40", "rc2-40-cbc"}}) {
        CAPTURE(name);
        const std::string encrypted =
            bench.openssl({"cms", "-encrypt", "-binary", "-outform", "DER", option, "-provider", "default", "-provider",
                           "legacy", "-recip", bench.certificate_file(bob)},
                          kText);
        const ReadMail read = bench.decrypt(encrypted, {bob});
        CHECK(read.content == kText);
        CHECK(read.report.result == Result::decrypted);
        CHECK(read.report.layers.at(0).cipher == name);
        CHECK(read.report.layers.at(0).strength == Strength::weak);
        CHECK(read.report.layers.at(0).authenticated == false);
        REQUIRE(read.report.warnings.size() == 2);
        CHECK(read.report.warnings[0].kind == "weak-cipher");
        CHECK(read.report.warnings[1].kind == "not-authenticated");
        CHECK(bench.inspect(encrypted).report.layers.at(0).strength == Strength::weak);
    }
}

TEST_CASE("3DES that keeps the key of the content is as weak, whatever encrypts the content") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Bytes kek = from_hex("000102030405060708090a0b0c0d0e0f1011121314151617");
    const GivenSecrets given{.kek = KeyEncryptionKey{from_hex("0a0b"), secret(kek)}, .password = secret(bytes_of("x"))};
    const auto check_weak = [&](const std::string& message, const std::string& name) {
        CAPTURE(name);
        const ReadMail read = bench.decrypt(message, {bob}, given);
        CHECK(read.content == kText);
        CHECK(read.report.result == Result::decrypted);
        CHECK(read.report.layers.at(0).strength == Strength::weak);
        CHECK_THAT(read.report.warnings.at(0).message, Catch::Contains(name + " is weak"));
        CHECK(std::count_if(read.report.warnings.begin(), read.report.warnings.end(),
                            [](const Warning& each) { return each.kind == "weak-cipher"; }) == 1);
        const Report inspected = bench.inspect(message).report;
        CHECK(inspected.layers.at(0).strength == Strength::weak);
        CHECK(inspected.warnings.empty());
    };
    check_weak(peer_encrypt(bench, {"-aes-256-gcm", "-des3-wrap", "-recip", bench.certificate_file(bob)}), "3des-wrap");
    check_weak(peer_encrypt(bench, {"-des3", "-pwri_password", "x"}), "des-ede3-cbc");
    const Algorithm& wrap = *algorithm_named(AlgorithmKind::key_wrap, "3des-wrap");  // openssl has AES alone for a KEK
    const auto to_kek = [&](const SecretBytes& key) {
        const Bytes id = der_value(tag::kSequence, der_value(tag::kOctetString, given.kek->id));
        const Bytes wrapped = der_value(tag::kOctetString, wrap_key(wrap, *given.kek->key, key));
        return std::vector<Bytes>{
            der_value(tag::context(2, true), {der_integer(4), id, der_algorithm(wrap.oid, kNull), wrapped})};
    };
    check_weak(enveloped(kText, "aes-256-gcm", to_kek), "3des-wrap");

    // Weak for one is weak for all, whoever reads it. The key's cipher alone: openssl takes the content's for it.
    const Bytes cipher = der_algorithm("1.2.840.113549.3.7", der_value(tag::kOctetString, Bytes(8)));
    const Bytes pbkdf2 = der_value(tag::kSequence, {der_value(tag::kOctetString, Bytes(8)), der_integer(1)});
    const Bytes by_password =
        der_value(tag::context(3, true),
                  {der_integer(0), der_value(tag::context(0, true), {der_oid("1.2.840.113549.1.5.12"), pbkdf2}),
                   der_algorithm("1.2.840.113549.1.9.16.3.9", cipher), der_value(tag::kOctetString, Bytes(40))});
    const GivenSecrets none;
    const std::string both =
        enveloped_with({bob.certificate}, [&](std::vector<Bytes>& infos) { infos.push_back(by_password); });
    const ReadMail read = bench.decrypt(both, {bob}, none);
    CHECK(read.content == kText);
    CHECK(read.report.layers.at(0).strength == Strength::weak);
    CHECK_THAT(read.report.warnings.at(0).message, Catch::Contains("des-ede3-cbc is weak"));
}

TEST_CASE("a signed mail inside a weak cipher is not valid unless weak algorithms are allowed") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), bob = bench.bob(KeyKind::rsa2048);
    const std::string inner = bench.sign({alice}, kText);
    const auto opened = [&](const char* cipher, bool allow_weak) {
        const std::string encrypted = bench.openssl(
            {"cms", "-encrypt", "-binary", "-outform", "DER", cipher, "-recip", bench.certificate_file(bob)}, inner);
        SoftwareKeys keys({bob});
        const Trust trust = bench.trust();
        return read_mail(encrypted, &keys, &trust, {.task = Task::open, .allow_weak = allow_weak});
    };
    const ReadMail weak = opened("-des3", false);
    CHECK(weak.report.exit_status() == 3);
    CHECK_THAT(weak.report.reason, Catch::Contains("encrypted with a weak cipher (des-ede3-cbc)"));
    CHECK_THAT(weak.report.hint, Catch::Contains("--allow-weak"));
    CHECK(weak.content == kText);
    CHECK(opened("-des3", true).report.result == Result::valid);
    CHECK(opened("-aes-128-cbc", false).report.result == Result::valid);
}

TEST_CASE("a mail that is only encrypted, with a weak cipher, is opened and not trusted unless those are allowed") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const std::string encrypted = bench.openssl(
        {"cms", "-encrypt", "-binary", "-outform", "DER", "-des3", "-recip", bench.certificate_file(bob)}, kText);
    const auto opened = [&](bool allow_weak) {
        SoftwareKeys keys({bob});
        const Trust trust = bench.trust();
        return read_mail(encrypted, &keys, &trust, {.task = Task::open, .allow_weak = allow_weak});
    };
    const ReadMail weak = opened(false);
    CHECK(weak.report.result == Result::untrusted);
    CHECK(weak.report.exit_status() == 3);
    CHECK_THAT(weak.report.reason, Catch::Contains("encrypted with a weak cipher"));
    CHECK(weak.content == kText);
    CHECK(opened(true).report.result == Result::decrypted);
    CHECK(bench.decrypt(encrypted, {bob}).report.result == Result::decrypted);
}

TEST_CASE("key agreement with a KDF of SHA-1 is not weak") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const ReadMail read = bench.decrypt(
        peer_encrypt(bench, {"-aes-256-gcm", "-recip", bench.certificate_file(bob), "-keyopt", "ecdh_kdf_md:sha1"}),
        {bob});
    CHECK(read.content == kText);
    CHECK(read.report.layers.at(0).strength == Strength::ok);
    CHECK(read.report.warnings.empty());
}

TEST_CASE("a strong cipher is reported as such") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const std::string encrypted = bench.openssl(
        {"cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-gcm", bench.certificate_file(bob)}, kText);
    CHECK(bench.decrypt(encrypted, {bob}).report.layers.at(0).strength == Strength::ok);
}

namespace {

// Sunscreen is the example of RFC 8439 section 2.8.2.
struct Sunscreen {
    std::string plaintext =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would "
        "be it.";
    SecretBytes key{from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")};
    Bytes associated = from_hex("50515253c0c1c2c3c4c5c6c7");
    Bytes ciphertext = from_hex(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b"
        "2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586ce"
        "c64b6116");
    Bytes tag = from_hex("1ae10b594f09e26a7e902ecbd0600691");
    ContentEncryptionAlgorithm algorithm{.cipher = algorithm_named(AlgorithmKind::content_cipher, "chacha20-poly1305"),
                                         .iv = from_hex("070000004041424344454647"),
                                         .tag_size = 16};

    bool opens() const {
        ViewSource source(ciphertext);
        ContentDecryption decryption(source, algorithm, key, associated);
        BytesSink content;
        copy(decryption, content);
        return decryption.finish(tag) && text_of(content.bytes) == plaintext;
    }
};

}  // namespace

TEST_CASE("ChaCha20-Poly1305 opens the example of RFC 8439, and nothing that differs from it") {
    CHECK(Sunscreen().opens());
    for (Bytes Sunscreen::*const member : {&Sunscreen::associated, &Sunscreen::ciphertext, &Sunscreen::tag}) {
        Sunscreen changed;
        (changed.*member).back() ^= 1;
        CHECK_FALSE(changed.opens());
    }
    Sunscreen late;
    late.associated.clear();
    CHECK_FALSE(late.opens());
    Sunscreen cut;
    cut.tag.resize(12);
    CHECK_FALSE(cut.opens());
}

TEST_CASE("parameters of ciphers are as their standards have them, or refused") {
    const auto read = [](const char* der) {
        const Bytes bytes = from_hex(der);
        return read_content_encryption(asn1::decode<asn1::AlgorithmHandle>(bytes, d2i_X509_ALGOR, "malformed").get());
    };
    // The ASN.1 of RFC 8103 and RFC 3370 section 5.2, written out.
    const auto chacha = read("301b060b2a864886f70d0109100312040c000102030405060708090a0b");
    CHECK(chacha.cipher->name == "chacha20-poly1305");
    CHECK(chacha.tag_size == 16);
    const auto rc2 = read("301906082a864886f70d0302300d02013a04080001020304050607");
    CHECK(rc2.cipher->name == "rc2-128-cbc");
    const auto refusal = [&](const char* der) { return std::string(caught([&] { (void)read(der); }).what()); };
    CHECK_THAT(refusal("301a060b2a864886f70d0109100312040b000102030405060708090a"), Catch::Contains("bad parameters"));
    CHECK_THAT(refusal("300f060b2a864886f70d01091003120500"), Catch::Contains("bad parameters"));
    CHECK_THAT(refusal("301906082a864886f70d0302300d02013b04080001020304050607"),
               Catch::Contains("unsupported algorithm RC2 with key version 59"));
    CHECK_THAT(refusal("301806082a864886f70d0302300c02013a040700010203040506"), Catch::Contains("bad parameters"));
}
