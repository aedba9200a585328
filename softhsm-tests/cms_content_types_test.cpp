// DigestedData, EncryptedData, AuthenticatedData, and structures inside each other.
#include <openssl/hmac.h>

#include "cms/certs_only.h"
#include "cms/content_info.h"
#include "cms/mac.h"
#include "cms/smime/encrypt.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_structures.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

GivenSecrets given(std::string_view kek) {
    if (kek.empty()) return {};
    return {.kek = KeyEncryptionKey{{}, std::make_shared<const SecretBytes>(from_hex(kek))}, .password = nullptr};
}

ErrorKind kind_of_failure(const CmsBench& bench, std::string_view message, std::string_view kek = {}) {
    return caught([&] { bench.open(message, {}, given(kek)); }).kind();
}

// structure is what a ContentInfo in DER holds.
std::string structure(const std::string& der) {
    ViewSource source(bytes_of(der));
    BerReader reader(source);
    enter_content_info(reader);
    return std::string(text_of(reader.element(1 << 20, "structure")));
}

// retyped turns the content type of OpenSSL's encrypted and digested data, always data, into signedData.
std::string retyped(const std::string& der) {
    const auto oid_of = [](std::string_view oid) { return std::string(text_of(der_oid(oid))); };
    return replaced(der, oid_of(oid::kData), oid_of(oid::kSignedData));
}

std::string flipped_byte(std::string text, std::string_view at) {
    text[text.find(at)] ^= 1;
    return text;
}

}  // namespace

TEST_CASE("OpenSSL's digested data holds, and does not once it is changed") {
    const CmsBench bench;
    for (const auto& [digest, strength] :
         {std::pair("sha256", Strength::ok), std::pair("sha512", Strength::ok), std::pair("sha1", Strength::weak)}) {
        CAPTURE(digest);
        const std::string digested =
            bench.openssl({"cms", "-digest_create", "-md", digest, "-binary", "-outform", "DER"}, kText);
        const ReadMail opened = bench.open(digested, {});
        CHECK(opened.content == kText);
        CHECK(opened.report.result == Result::unsigned_);
        CHECK(opened.report.layers.at(0).type == LayerType::digested);
        CHECK(opened.report.layers.at(0).algorithm == digest);
        CHECK(opened.report.layers.at(0).strength == strength);
        CHECK(kind_of_failure(bench, flipped_byte(digested, kText.substr(0, 8))) == ErrorKind::failed);
        std::string other_digest = digested;
        other_digest.back() ^= 1;
        CHECK(kind_of_failure(bench, other_digest) == ErrorKind::failed);
        CHECK(bench.inspect(other_digest).report.layers.at(0).algorithm == digest);
    }
    const std::string md5 = bench.openssl({"cms", "-digest_create", "-md", "md5", "-binary", "-outform", "DER"}, kText);
    CHECK(kind_of_failure(bench, md5) == ErrorKind::malformed);
    CHECK(bench.inspect(md5).report.layers.at(0).algorithm == "md5");
}

TEST_CASE("OpenSSL's encrypted data opens with its key alone") {
    const CmsBench bench;
    for (const auto& [cipher, key] :
         {std::pair("aes-128-cbc", "000102030405060708090a0b0c0d0e0f"),
          std::pair("aes-256-cbc", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
          std::pair("des-ede3-cbc", "0123456789abcdeffedcba98765432101032547698badcfe")}) {
        CAPTURE(cipher);
        const std::string encrypted = bench.openssl(
            {"cms", "-EncryptedData_encrypt", "-binary", "-outform", "DER",
             std::string("-") + (std::string(cipher) == "des-ede3-cbc" ? "des3" : cipher), "-secretkey", key},
            kText);
        for (const ReadMail& opened :
             {bench.open(encrypted, {}, given(key)), bench.decrypt(encrypted, {}, given(key))}) {
            CHECK(opened.content == kText);
            CHECK(opened.report.layers.at(0).type == LayerType::encrypted);
            CHECK(opened.report.layers.at(0).cipher == cipher);
            CHECK(opened.report.layers.at(0).authenticated == false);
        }
        const bool is_weak = std::string(cipher) == "des-ede3-cbc";
        CHECK(bench.open(encrypted, {}, given(key)).report.result == (is_weak ? Result::untrusted : Result::decrypted));
        CHECK(bench.decrypt(encrypted, {}, given(key)).report.result == Result::decrypted);
        CHECK(kind_of_failure(bench, encrypted) == ErrorKind::no_key);
        CHECK(kind_of_failure(bench, encrypted, "0011") == ErrorKind::no_key);
        std::string wrong = key;
        wrong[0] = wrong[1] = 'f';
        CHECK(kind_of_failure(bench, encrypted, wrong) == ErrorKind::failed);
        CHECK(bench.inspect(encrypted).report.layers.at(0).cipher == cipher);
        CHECK(caught([&] { bench.verify(encrypted); }).kind() == ErrorKind::malformed);
    }
}

namespace {

// Authenticated is AuthenticatedData built value by value.
struct Authenticated {
    Bytes key = Bytes(32, 0x42);
    std::string content = std::string(kText);
    std::string type = std::string(oid::kData);
    std::optional<std::vector<Bytes>> attributes;  ///< nothing: the code is over the content
    std::optional<Bytes> code;                     ///< nothing: the right one
    std::string mac = "1.2.840.113549.2.9";
    const EVP_MD* md = EVP_sha256();
    bool digest_algorithm = true;  ///< where there are attributes

    std::string to(const SoftwareKey& bob) const { return to(Recipient(bob.certificate)); }

    std::string to(const Recipient& recipient) const {
        Bytes set = attributes ? der_set_of(tag::kSet, *attributes) : Bytes{};
        const ByteView covered = set.empty() ? bytes_of(content) : ByteView(set);
        Byte computed[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        REQUIRE(HMAC(md, key.data(), static_cast<int>(key.size()), covered.data(), covered.size(), computed, &size));
        const Bytes mac_value = code.value_or(to_bytes({computed, size}));
        Bytes digest;
        if (!set.empty()) {
            set.front() = tag::context(2, true);
            digest = der_algorithm("2.16.840.1.101.3.4.2.1");
            digest.front() = tag::context(1, true);
        }
        const Bytes recipients =
            der_value(tag::kSet, make_recipient_infos({recipient}, SecretBytes(ByteView(key))).front());
        return craft::content_info(
            oid::kAuthenticatedData,
            der_value(tag::kSequence,
                      {der_integer(0), recipients, der_algorithm(mac), digest_algorithm ? digest : Bytes{},
                       craft::encapsulated(type, bytes_of(content)), set, der_value(tag::kOctetString, mac_value)}));
    }
};

}  // namespace

TEST_CASE("authenticated data opens where its code fits, and says nothing of a signer") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(GENERATE(KeyKind::p256, KeyKind::rsa2048));
    Authenticated plain, with_attributes, sha1;
    with_attributes.attributes = craft::usual_attributes(kText);
    sha1.mac = "1.3.6.1.5.5.8.1.2";
    sha1.md = EVP_sha1();
    for (const Authenticated& each : {plain, with_attributes}) {
        const ReadMail opened = bench.open(each.to(bob), {bob});
        CHECK(opened.content == kText);
        CHECK(opened.report.result == Result::unsigned_);
        CHECK_THAT(opened.report.reason, Catch::Contains("everybody who shares the key"));
        const Layer& layer = opened.report.layers.at(0);
        CHECK(layer.type == LayerType::authenticated);
        CHECK(layer.algorithm == "hmac-sha256");
        CHECK(layer.authenticated == true);
        CHECK(layer.strength == Strength::ok);
        CHECK(layer.recipients.at(0).used);
        CHECK(layer.signers.empty());
        const ReadMail inspected = bench.inspect(each.to(bob));
        CHECK(inspected.report.layers.at(0).authenticated == std::nullopt);
        CHECK(caught([&] { bench.verify(each.to(bob)); }).kind() == ErrorKind::malformed);
        CHECK(caught([&] { bench.decrypt(each.to(bob), {bob}); }).kind() == ErrorKind::malformed);
        CHECK(caught([&] { bench.open(each.to(bob), {bench.bob()}); }).kind() == ErrorKind::no_key);
    }
    const ReadMail weak = bench.open(sha1.to(bob), {bob});
    CHECK(weak.report.layers.at(0).algorithm == "hmac-sha1");
    CHECK(weak.report.layers.at(0).strength == Strength::weak);
}

TEST_CASE("a message authentication key has any size that cannot be guessed") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048), carol = bench.bob();
    const Recipient v15(bob.certificate), oaep(bob.certificate, RsaOaep{Hash::sha256, Hash::sha256, {}}),
        agreed(carol.certificate, KeyAgreement{.hash = Hash::sha256, .wrap_size = 32});
    const auto opened = [&](const Recipient& to, std::size_t size) {
        Authenticated data;
        data.key.resize(size, 0x42);
        return bench.open(data.to(to), {bob, carol}).content == kText;
    };
    for (const std::size_t size : {16U, 20U, 31U, 33U, 64U, 65U, 190U}) {
        CAPTURE(size);
        CHECK(opened(v15, size));
        CHECK(opened(oaep, size));
    }
    for (const std::size_t size : {16U, 24U, 64U, 128U, 256U})
        CHECK(opened(agreed, size));

    // Too short. RSA PKCS#1 v1.5 does not say so.
    for (const std::size_t size : {0U, 1U, 15U}) {
        CAPTURE(size);
        const Error named = caught([&] { opened(oaep, size); });
        CHECK(named.kind() == ErrorKind::malformed);
        CHECK_THAT(named.what(), Catch::Contains(std::to_string(size) + " bytes where the content takes at least 16"));
        const Error not_told = caught([&] { opened(v15, size); });
        CHECK(not_told.kind() == ErrorKind::failed);
        CHECK_THAT(not_told.what(), Catch::Contains("does not fit its authentication code"));
    }
}

TEST_CASE("authenticated data that was changed does not open") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const auto failure = [&](const Authenticated& from) {
        return caught([&] { bench.open(from.to(bob), {bob}); }).kind();
    };
    Authenticated wrong_code, wrong_digest, wrong_type, no_digest, twice, moved, no_attributes, lonely;
    wrong_code.code = Bytes(32, 0x11);
    CHECK(failure(wrong_code) == ErrorKind::failed);
    wrong_code.attributes = craft::usual_attributes(kText);
    CHECK(failure(wrong_code) == ErrorKind::failed);
    wrong_digest.attributes = craft::usual_attributes("another text");
    CHECK(failure(wrong_digest) == ErrorKind::failed);
    wrong_type.attributes = {craft::content_type(oid::kSignedData), craft::message_digest(kText)};
    CHECK(failure(wrong_type) == ErrorKind::failed);
    no_digest.attributes = {craft::content_type()};
    CHECK(failure(no_digest) == ErrorKind::failed);
    twice.attributes = {craft::content_type(), craft::message_digest(kText), craft::message_digest(kText)};
    CHECK(failure(twice) == ErrorKind::failed);
    // The attributes of another message as content: the code over them is right.
    moved.content = std::string(text_of(der_set_of(tag::kSet, craft::usual_attributes(kText))));
    CHECK(failure(moved) == ErrorKind::failed);
    // Content of another type needs attributes.
    no_attributes.type = "1.2.3.4";
    CHECK(failure(no_attributes) == ErrorKind::failed);
    lonely.attributes = craft::usual_attributes(kText);
    lonely.digest_algorithm = false;
    CHECK(failure(lonely) == ErrorKind::malformed);
}

TEST_CASE("CMS structures nest without a ContentInfo, in any order") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), bob = bench.bob();
    const auto encrypt = [&](const std::string& content) {
        return bench.openssl(
            {"cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "DER", bench.certificate_file(bob)}, content);
    };
    const auto sign = [&](const std::string& content, const char* type) {
        return bench.openssl(Arguments{"cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER",
                                       "-econtent_type", type} +
                                 bench.signer_options(alice),
                             content);
    };
    const std::string inner = sign(std::string(kText), "pkcs7-data");
    const std::string signed_enveloped = sign(structure(encrypt(std::string(kText))), "pkcs7-envelopedData");
    const std::string enveloped_signed = retyped(encrypt(structure(inner)));
    const std::string triple = sign(structure(enveloped_signed), "pkcs7-envelopedData");
    const std::string compressed_signed =
        craft::content_info(oid::kCompressedData, craft::compressed_data(deflated(structure(inner)), oid::kSignedData));
    const std::string digested_signed = retyped(
        bench.openssl({"cms", "-digest_create", "-md", "sha256", "-binary", "-outform", "DER"}, structure(inner)));

    const auto check = [&](const std::string& message, Result result, std::vector<LayerType> types) {
        const ReadMail opened = bench.open(message, {bob});
        CHECK(opened.content == kText);
        CHECK(opened.report.result == result);
        std::vector<LayerType> found;
        for (const Layer& layer : opened.report.layers)
            found.push_back(layer.type);
        REQUIRE(found == types);
        CHECK(opened.report.layers.back().parent == opened.report.layers[opened.report.layers.size() - 2].path);
    };
    using enum LayerType;
    // What is signed is the encrypted form alone.
    check(signed_enveloped, Result::untrusted, {signed_data, enveloped});
    check(enveloped_signed, Result::valid, {enveloped, signed_data});
    check(triple, Result::valid, {signed_data, enveloped, signed_data});
    check(compressed_signed, Result::valid, {compressed, signed_data});
    check(digested_signed, Result::valid, {digested, signed_data});
    check(sign(structure(bench.openssl({"cms", "-digest_create", "-md", "sha1", "-binary", "-outform", "DER"}, kText)),
               "pkcs7-digestData"),
          Result::valid, {signed_data, digested});

    // A signature that does not hold is found inside all of them.
    const std::string broken = structure(flipped_byte(inner, kText.substr(0, 8)));
    for (const std::string& message :
         {retyped(encrypt(broken)),
          craft::content_info(oid::kCompressedData, craft::compressed_data(deflated(broken), oid::kSignedData))})
        CHECK(bench.open(message, {bob}).report.result == Result::invalid);
    // More after the inner structure is no content of anybody's.
    CHECK(kind_of_failure(
              bench, craft::content_info(oid::kCompressedData,
                                         craft::compressed_data(deflated(structure(inner) + "x"), oid::kSignedData))) ==
          ErrorKind::malformed);
}

TEST_CASE("a structure that the task leaves on comes out as CMS of its own") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), bob = bench.bob();
    const std::string inner = bench.openssl(
        Arguments{"cms", "-sign", "-binary", "-nodetach", "-outform", "DER"} + bench.signer_options(alice), kText);
    const std::string message = retyped(
        bench.openssl({"cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", bench.certificate_file(bob)},
                      structure(inner)));
    const ReadMail bare = bench.decrypt(message, {bob});
    CHECK(bare.report.result == Result::decrypted);
    CHECK(bench.verify(bare.content).report.result == Result::valid);
    CHECK(bench.openssl({"cms", "-verify", "-binary", "-inform", "DER", "-noverify"}, bare.content) == kText);

    const ReadMail in_mail = bench.decrypt(as_mail(message), {bob});
    CHECK(field(in_mail.content, "From") == "alice@example.gov");
    CHECK_THAT(field(in_mail.content, "Content-Type"), Catch::Contains("application/pkcs7-mime"));
    CHECK(bench.verify(in_mail.content).report.result == Result::valid);
}

TEST_CASE("certificates alone go into CMS that OpenSSL reads") {
    const CmsBench bench;
    const std::vector<Certificate> certificates{bench.root.certificate, bench.intermediate.certificate};
    const Bytes der = certs_only(certificates);
    const std::string listed = bench.openssl({"pkcs7", "-inform", "DER", "-print_certs", "-noout"}, text_of(der));
    CHECK_THAT(listed, Catch::Contains("Test Root") && Catch::Contains("Test Intermediate"));
    CHECK(bench.inspect(text_of(der)).report.layers.at(0).type == LayerType::certs_only);
}
