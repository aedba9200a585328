#include <openssl/ec.h>
#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "mime/codec.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kMail =
    "From: alice@example.gov\r\nTo: bob@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello\r\n";
constexpr std::string_view kExtraPart = "--outer\r\nContent-Type: text/plain\r\n\r\nand more\r\n";

// wrapped puts an entity into multipart/signed with a signature that one makes over `signed_text`.
std::string wrapped(std::string_view entity, const SoftwareKey& signer, std::string_view signed_text,
                    std::string_view more_parts = "", const std::string& boundary = "outer") {
    const std::string signature =
        craft::signed_data({std::nullopt,
                            {craft::signer_info(signer, craft::usual_attributes(signed_text), signed_text)},
                            {signer.certificate}});
    return "From: alice@example.gov\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=" +
           boundary + "\r\n\r\n--" + boundary + "\r\n" + std::string(entity) + "\r\n--" + boundary +
           "\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
           mime::base64_text(bytes_of(signature)) + "\r\n" + std::string(more_parts) + "--" + boundary + "--\r\n";
}

// entity_of is a mail without its transport fields.
std::string entity_of(const std::string& mail) {
    return mail.substr(mail.find("Content-Type:"));
}

std::string mixed(std::string_view entity) {
    return "Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\nContent-Type: text/plain\r\n\r\nsee "
           "below\r\n--mix\r\n" +
           std::string(entity) + "\r\n--mix--\r\n";
}

}  // namespace

TEST_CASE("a further part beside a signed one takes the layers inside out of the whole too") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const std::string inner = entity_of(bench.sign({alice}, kMail));

    CHECK(bench.verify(wrapped(inner, alice, inner)).report.result == Result::valid);
    const ReadMail part = bench.verify(wrapped(inner, alice, inner, kExtraPart));
    CHECK(part.report.result == Result::untrusted);
    for (const Layer& layer : part.report.layers)
        CHECK_FALSE(layer.covers_whole);
    const ReadMail broken = bench.verify(wrapped(inner, alice, "something else", kExtraPart));
    CHECK(broken.report.result == Result::invalid);
}

TEST_CASE("a part whose own signature fails keeps a mail that is signed as a whole from being valid") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const SoftwareKey stranger = certify({.name = "Mallory", .alternative_name = "email:mallory@example.org"});
    const std::string text = "Content-Type: text/plain\r\n\r\nHello\r\n";
    const auto result_with = [&](const std::string& part) {
        const std::string entity = mixed(entity_of(part));
        return bench.verify(wrapped(entity, alice, entity));
    };

    CHECK(result_with(wrapped(text, alice, text, "", "inner")).report.result == Result::valid);
    CHECK(result_with(wrapped(text, alice, "changed", "", "inner")).report.result == Result::untrusted);
    const ReadMail of_stranger = result_with(wrapped(text, stranger, text, "", "inner"));
    CHECK(of_stranger.report.result == Result::untrusted);
    CHECK(of_stranger.report.reason.find("part 1.1.2") != std::string::npos);
}

TEST_CASE("a signature around another is judged like it, and the worse of both tells") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), stranger = certify({.name = "Mallory"});
    const auto read = [&](const SoftwareKey& outside, const SoftwareKey& inside) {
        const std::string inner = entity_of(bench.sign({inside}, kMail));
        return bench.verify(wrapped(inner, outside, inner)).report;
    };
    CHECK(read(alice, alice).result == Result::valid);
    for (const Report& report : {read(stranger, alice), read(alice, stranger)}) {
        CHECK(report.result == Result::untrusted);
        CHECK_THAT(report.reason, Catch::Contains("Mallory"));
    }
    const std::string inner = entity_of(bench.sign({alice}, kMail));
    CHECK(bench.verify(wrapped(inner, alice, "something else")).report.result == Result::invalid);
}

TEST_CASE("capabilities of a signature that does not hold are not passed on") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const std::string content = "Content-Type: text/plain\r\n\r\nHello\r\n";
    const auto capabilities_of = [&](std::string_view signed_text) {
        std::vector<Bytes> attributes = craft::usual_attributes(signed_text);
        attributes.push_back(craft::attribute(oid::kSmimeCapabilities, {own_capabilities({})}));
        const std::string mail =
            craft::signed_data({content, {craft::signer_info(alice, attributes, content)}, {alice.certificate}});
        return bench.verify(mail).signer().capabilities;
    };
    CHECK(capabilities_of(content).has_value());
    CHECK_FALSE(capabilities_of("another text").has_value());
}

TEST_CASE("a key on a short curve is weak") {
    const auto security = [](const char* curve) {
        const KeyHandle key(EVP_EC_gen(curve));
        REQUIRE(key != nullptr);
        return weak_key(key.get());
    };
    CHECK(security("secp112r1"));
    CHECK(security("prime192v1"));
    CHECK_FALSE(security("secp224r1"));
    CHECK_FALSE(security("prime256v1"));
}

TEST_CASE("an RSA key under 2048 bits is weak, however few are missing") {
    for (const char* type : {"RSA", "RSA-PSS"}) {
        CAPTURE(type);
        const auto weak = [&](unsigned bits) {
            const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
            EVP_PKEY* made = nullptr;
            REQUIRE(EVP_PKEY_keygen_init(context.get()) == 1);
            REQUIRE(EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) == 1);
            REQUIRE(EVP_PKEY_keygen(context.get(), &made) == 1);
            return weak_key(KeyHandle(made).get());
        };
        CHECK(weak(2047));
        CHECK_FALSE(weak(2048));
    }
}

TEST_CASE("byte ranges are of the input for outer layers, and of the content around for others") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), bob = bench.bob(KeyKind::rsa2048);
    const std::string text = "Content-Type: text/plain\r\n\r\nHello\r\n";
    const auto range = [](const Layer& layer, const std::string& of) {
        REQUIRE(layer.byte_ranges.size() == 1);
        const auto [begin, end] = layer.byte_ranges[0];
        REQUIRE(end <= of.size());
        return of.substr(begin, end - begin);
    };
    const std::string clear = wrapped(text, alice, text);
    CHECK(range(bench.verify(clear).report.layers.at(0), clear) == text);
    const std::string beside = "From: alice@example.gov\r\nMIME-Version: 1.0\r\n" + mixed(entity_of(clear));
    CHECK(range(bench.verify(beside).report.layers.at(0), beside) == text);
    const std::string attached =
        "From: alice@example.gov\r\nMIME-Version: 1.0\r\n" + mixed("Content-Type: message/rfc822\r\n\r\n" + clear);
    CHECK(range(bench.verify(attached).report.layers.at(0), attached) == text);

    // The inner signature is in the content of the outer, and in what was encrypted.
    const std::string inner = entity_of(clear), twice = wrapped(inner, alice, inner, "", "around");
    const ReadMail read = bench.verify(twice);
    CHECK(range(read.report.layers.at(0), twice) == inner);
    CHECK(range(read.report.layers.at(1), inner) == text);
    for (const char* form : {"DER", "PEM"}) {
        const auto signed_file = [&](const std::string& content) {
            return bench.openssl(Arguments{"cms", "-sign", "-binary", "-nodetach", "-outform", form, "-certfile",
                                           bench.certificate_file(bench.intermediate)} +
                                     bench.signer_options(alice),
                                 content);
        };
        const std::string file = signed_file(text);
        CHECK(range(bench.verify(file).report.layers.at(0), file) == file);
    }
    const std::string message = craft::signed_data(
        {text, {craft::signer_info(alice, craft::usual_attributes(text), text)}, {alice.certificate}});
    const std::string structure = message.substr(message.rfind('\x30', message.find("\x02\x01\x01\x31")));
    const std::vector<Bytes> attributes{craft::content_type(oid::kSignedData), craft::message_digest(structure)};
    const std::string nested = craft::signed_data(
        {structure, {craft::signer_info(alice, attributes, structure)}, {alice.certificate}, oid::kSignedData});
    const std::vector<Layer> layers = bench.verify(nested).report.layers;
    CHECK(range(layers.at(0), nested) == nested);
    CHECK(range(layers.at(1), structure) == structure);
    ReadOptions of_file;
    of_file.detached_content = std::make_shared<TextInput>(text);
    const std::string detached = craft::signed_data(
        {std::nullopt, {craft::signer_info(alice, craft::usual_attributes(text), text)}, {alice.certificate}});
    CHECK(bench.verify(detached, of_file).report.layers.at(0).byte_ranges.empty());
    const std::string around = mixed(inner);
    const ReadMail opened = bench.open(
        bench.encrypt({{bob.certificate}}, "From: alice@example.gov\r\nMIME-Version: 1.0\r\n" + around), {bob});
    CHECK(range(opened.report.layers.at(1), around) == text);

    SignOptions opaque;
    opaque.opaque = true;
    const std::string sealed = bench.sign({alice}, kMail, opaque);
    CHECK(range(bench.verify(sealed).report.layers.at(0), sealed) == sealed.substr(sealed.find("\r\n\r\n") + 4));
}

TEST_CASE("OpenPGP is named, whatever form it has, and nothing is made of it") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const std::string from = "From: alice@example.gov\r\nMIME-Version: 1.0\r\n",
                      armour = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n",
                      clear = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nPay 10 to Bob.\r\n",
                      text = "Content-Type: text/plain\r\n";
    const auto parts = [](const std::string& type, const std::string& body) {
        return "Content-Type: multipart/" + type + "; boundary=pgp\r\n\r\n--pgp\r\n" + body + "\r\n--pgp--\r\n";
    };
    const std::string is_signed =
                          parts("signed; protocol=\"application/pgp-signature\"",
                                text + "\r\nHello\r\n--pgp\r\nContent-Type: application/pgp-signature\r\n\r\nx"),
                      is_encrypted = parts("encrypted; protocol=\"application/pgp-encrypted\"",
                                           "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1");
    const auto names = [&](const std::string& entity, const std::string& words) {
        CAPTURE(entity);
        const ReadMail read = bench.open(from + entity, {});
        CHECK(read.report.result == Result::unsigned_);
        CHECK(read.content == from + entity);
        REQUIRE(read.report.warnings.size() == 1);
        CHECK(read.report.warnings[0].kind == "openpgp");
        CHECK(read.report.warnings[0].message ==
              words +
                  " with OpenPGP, which p11mime does not look at: a mail program for OpenPGP, or gpg, looks into it");
        CHECK(bench.inspect(from + entity).report.warnings == read.report.warnings);
        for (const auto& refused :
             {caught([&] { bench.verify(from + entity); }), caught([&] { bench.decrypt(from + entity, {bob}); })}) {
            CHECK(refused.kind() == ErrorKind::malformed);
            CHECK_THAT(refused.what(), Catch::Contains("with OpenPGP") && Catch::StartsWith(words));
            CHECK_THAT(refused.hint(), Catch::Contains("gpg"));
        }
    };
    names(is_signed, "the mail claims to be signed");
    names(is_encrypted, "the mail claims to be encrypted");
    names(text + "\r\n" + armour, "the mail claims to be encrypted");
    names(text + "\r\n\r\n" + clear, "the mail claims to be signed");
    names(text + "Content-Transfer-Encoding: quoted-printable\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----=\r\n\r\n",
          "the mail claims to be signed");
    names(text + "Content-Transfer-Encoding: base64\r\n\r\n" + mime::base64_text(bytes_of(armour)) + "\r\n",
          "the mail claims to be encrypted");
    names(mixed(is_signed), "part 1.2 claims to be signed");
    for (const std::string& bare : {armour, clear})
        CHECK_THAT(caught([&] { bench.open(bare, {}); }).what(), Catch::Contains("the input claims to be"));

    for (const std::string& other :
         {"\r\nHe wrote:\r\n" + armour, std::string("\r\n-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n")})
        CHECK(bench.open(from + text + other, {}).report.warnings.empty());
    // A signature of S/MIME over it stays good; what is inside S/MIME's encryption is told too.
    const SoftwareKey alice = bench.issue();
    const ReadMail over = bench.verify(bench.sign({alice}, from + is_signed));
    CHECK(over.report.result == Result::valid);
    CHECK(over.report.openpgp.has_value());
    const ReadMail inside = bench.open(bench.encrypt({{bob.certificate}}, from + is_signed), {bob});
    CHECK(inside.report.result == Result::decrypted);
    CHECK(inside.report.openpgp.has_value());
}
