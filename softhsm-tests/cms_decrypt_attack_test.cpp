#include <catch2/catch.hpp>

#include "cms/identifiers.h"
#include "cms/key_agreement.h"
#include "cms/recipient_info.h"
#include "cms/smime/read.h"
#include "mime/codec.h"
#include "mime/transport.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

std::string der_for(const CmsBench& bench, const SoftwareKey& bob, const Algorithm* cipher,
                    std::string_view content = kText) {
    EncryptOptions options;
    options.form = Form::der;
    options.cipher = cipher;
    return bench.encrypt({{bob.certificate}}, content, options);
}

std::string flipped(std::string message, std::size_t from_end) {
    message[message.size() - from_end] ^= static_cast<char>(0x80);
    return message;
}

// Sealed is authenticated encryption done with EVP, so that messages can be made that no encrypter writes.
struct Sealed {
    bool chacha = false;
    SecretBytes key{Bytes(32, 0x5a)};
    Bytes nonce = Bytes(12, 0x17);
    Bytes ciphertext;
    Bytes tag = Bytes(16);

    Sealed(std::string_view content, ByteView associated, bool use_chacha = false)
        : chacha(use_chacha), ciphertext(content.size()) {
        const CipherContext context(EVP_CIPHER_CTX_new());
        int size = 0;
        REQUIRE(EVP_EncryptInit_ex(context.get(), chacha ? EVP_chacha20_poly1305() : EVP_aes_256_gcm(), nullptr,
                                   key.data(), nonce.data()) == 1);
        REQUIRE(EVP_EncryptUpdate(context.get(), nullptr, &size, associated.data(),
                                  static_cast<int>(associated.size())) == 1);
        REQUIRE(EVP_EncryptUpdate(context.get(), ciphertext.data(), &size, bytes_of(content).data(),
                                  static_cast<int>(content.size())) == 1);
        REQUIRE(EVP_EncryptFinal_ex(context.get(), ciphertext.data() + size, &size) == 1);
        REQUIRE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1);
    }
};

// auth_enveloped is AuthEnvelopedData (RFC 5083) around it, with attributes (DER SET or nothing).
std::string auth_enveloped(const Sealed& sealed, const SoftwareKey& bob, Bytes attributes, unsigned tag_size = 16) {
    if (!attributes.empty()) attributes.front() = tag::context(1, true);
    const Bytes nonce = der_value(tag::kOctetString, sealed.nonce);
    const Bytes algorithm = sealed.chacha ? der_algorithm("1.2.840.113549.1.9.16.3.18", nonce)
                                          : der_algorithm("2.16.840.1.101.3.4.1.46",
                                                          der_value(tag::kSequence, {nonce, der_integer(tag_size)}));
    const Bytes content = der_value(
        tag::kSequence, {der_oid(oid::kData), algorithm, der_value(tag::context(0, false), sealed.ciphertext)});
    const Bytes recipients = der_value(tag::kSet, make_recipient_infos({bob.certificate}, sealed.key).front());
    const ByteView mac = ByteView(sealed.tag).first(tag_size);
    const Bytes value =
        der_value(tag::kSequence, {der_integer(0), recipients, content, attributes, der_value(tag::kOctetString, mac)});
    const Bytes info =
        der_value(tag::kSequence, {der_oid(oid::kAuthEnvelopedData), der_value(tag::context(0, true), value)});
    return std::string(text_of(info));
}

Bytes attributes_of(std::string_view note) {
    const auto attribute = [](std::string_view oid, ByteView value) {
        return der_value(tag::kSequence, {der_oid(oid), der_value(tag::kSet, value)});
    };
    return der_set_of(tag::kSet, {attribute(oid::kContentType, der_oid(oid::kData)),
                                  attribute("1.2.840.113549.1.9.13", der_value(0x0c, bytes_of(note)))});
}

ErrorKind kind_of_failure(const CmsBench& bench, const std::string& message, const SoftwareKey& key) {
    return caught([&] { bench.decrypt(message, {key}); }).kind();
}

/// told_of is the report of a mail that does not decrypt.
Report told_of(const CmsBench& bench, const std::string& message, const SoftwareKey& key) {
    SoftwareKeys keys({key});
    const Trust trust = bench.trust();
    const auto job = read_job(&keys, &trust, {});
    CHECK(caught([&] { run(*job, message); }).kind() == ErrorKind::failed);
    return job->report();
}

std::vector<LayerType> layers_of(const Report& report) {
    std::vector<LayerType> types;
    for (const Layer& layer : report.layers)
        types.push_back(layer.type);
    return types;
}

}  // namespace

TEST_CASE("changed authenticated content never opens") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const char* cipher = GENERATE("aes-192-gcm", "aes-256-gcm", "chacha20-poly1305");
    const std::string der = der_for(bench, bob, content_cipher(cipher));
    REQUIRE(bench.decrypt(der, {bob}).content == kText);
    CHECK(kind_of_failure(bench, flipped(der, 1), bob) == ErrorKind::failed);    // the tag
    CHECK(kind_of_failure(bench, flipped(der, 16), bob) == ErrorKind::failed);   // its first byte
    CHECK(kind_of_failure(bench, flipped(der, 30), bob) == ErrorKind::failed);   // the ciphertext
    CHECK(kind_of_failure(bench, flipped(der, 100), bob) == ErrorKind::failed);  //
}

TEST_CASE("content with a changed nonce or key never opens") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    Sealed sealed(kText, {});
    REQUIRE(bench.decrypt(auth_enveloped(sealed, bob, {}), {bob}).content == kText);
    sealed.nonce[0] ^= 1;
    CHECK(kind_of_failure(bench, auth_enveloped(sealed, bob, {}), bob) == ErrorKind::failed);
    sealed.nonce[0] ^= 1;
    sealed.key.data()[0] ^= 1;
    CHECK(kind_of_failure(bench, auth_enveloped(sealed, bob, {}), bob) == ErrorKind::failed);
}

TEST_CASE("authenticated attributes are part of what is authenticated") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const bool chacha = GENERATE(false, true);
    CAPTURE(chacha);
    const Bytes attributes = attributes_of("note");
    const Sealed sealed(kText, attributes, chacha);
    const ReadMail read = bench.decrypt(auth_enveloped(sealed, bob, attributes), {bob});
    CHECK(read.content == kText);
    CHECK(read.report.layers.at(0).authenticated == true);
    CHECK(kind_of_failure(bench, auth_enveloped(sealed, bob, attributes_of("Note")), bob) == ErrorKind::failed);
    CHECK(kind_of_failure(bench, auth_enveloped(sealed, bob, {}), bob) == ErrorKind::failed);
    const Sealed without(kText, {}, chacha);
    CHECK(kind_of_failure(bench, auth_enveloped(without, bob, attributes), bob) == ErrorKind::failed);

    // Changed content fails as changed even where what is in it has become malformed.
    Sealed inner("Content-Type: application/pkcs7-mime\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIACAQExDzAN", attributes, chacha);
    inner.ciphertext.back() ^= 0x11;
    CHECK(kind_of_failure(bench, auth_enveloped(inner, bob, attributes), bob) == ErrorKind::failed);
    const Sealed untouched("Content-Type: application/pkcs7-mime\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIACAQExDzAN", attributes,
                           chacha);
    CHECK(caught([&] { bench.open(auth_enveloped(untouched, bob, attributes), {bob}); }).kind() ==
          ErrorKind::malformed);
}

TEST_CASE("an authentication tag has at least twelve bytes") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Sealed sealed(kText, {});
    for (const unsigned size : {12U, 13U, 15U, 16U})
        CHECK(bench.decrypt(auth_enveloped(sealed, bob, {}, size), {bob}).content == kText);
    for (const unsigned size : {11U, 8U, 4U, 1U, 0U})
        CHECK(kind_of_failure(bench, auth_enveloped(sealed, bob, {}, size), bob) == ErrorKind::malformed);

    // The tag must have the size that was announced.
    Sealed shortened(kText, {});
    shortened.tag.resize(12);
    std::string message = auth_enveloped(shortened, bob, {}, 12);
    message = replaced(message, std::string("\x02\x01\x0c", 3), std::string("\x02\x01\x10", 3));
    CHECK(kind_of_failure(bench, message, bob) == ErrorKind::failed);
}

TEST_CASE("content that is cut off is malformed") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Algorithm* cipher = GENERATE(content_cipher("aes-256-gcm"), content_cipher("aes-256-cbc"));
    const std::string der = der_for(bench, bob, cipher);
    for (const std::size_t size : {der.size() - 1, der.size() - 16, der.size() - 40, der.size() / 2, std::size_t{30}})
        CHECK(kind_of_failure(bench, der.substr(0, size), bob) == ErrorKind::malformed);
    CHECK(kind_of_failure(bench, der + "more", bob) == ErrorKind::malformed);
}

TEST_CASE("wrong padding, a wrong key and changed content fail with the same words") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const SoftwareKey eve{new_private_key(KeyKind::rsa2048), bob.certificate};
    const std::string der = der_for(bench, bob, content_cipher("aes-256-cbc"));
    REQUIRE(bench.decrypt(der, {bob}).content == kText);
    const Error padding = caught([&] { bench.decrypt(flipped(der, 17), {bob}); });
    CHECK(padding.kind() == ErrorKind::failed);
    const Error wrong_key = caught([&] { bench.decrypt(der, {eve}); });
    const Error wrong_gcm_key =
        caught([&] { bench.decrypt(der_for(bench, bob, content_cipher("aes-256-gcm")), {eve}); });
    for (const Error& error : {wrong_key, wrong_gcm_key}) {
        CHECK(error.kind() == padding.kind());
        CHECK(std::string(error.what()) == padding.what());
        CHECK(error.hint() == padding.hint());
    }
}

TEST_CASE("of a mail that does not decrypt only that is told which is known without its key") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048), alice = bench.issue();
    const SoftwareKey eve{new_private_key(KeyKind::rsa2048), bob.certificate};
    SignOptions protects;
    protects.protect_headers = true;
    const std::string der = der_for(bench, bob, content_cipher("aes-256-cbc"),
                                    bench.sign({alice}, mail("alice@example.gov", "b@example.org"), protects));
    const Report honest = bench.open(der, {bob}).report;
    CHECK(layers_of(honest) == std::vector{LayerType::enveloped, LayerType::signed_data});
    CHECK(honest.layers.at(0).recipients.at(0).used);
    REQUIRE(honest.layers.at(0).recipients.at(0).key);
    CHECK(honest.layers.at(0).recipients.at(0).key->certificate == bob.certificate);
    CHECK_FALSE(honest.layers.at(0).failed);

    // The key fits and all but the padding is as it was; or nothing is.
    for (const Report& report : {told_of(bench, flipped(der, 17), bob), told_of(bench, der, eve)}) {
        CHECK(report.result == Result::invalid);
        CHECK(report.exit_status() == 1);
        CHECK_THAT(report.reason, Catch::Contains("does not decrypt"));
        CHECK_FALSE(report.hint.empty());
        CHECK(layers_of(report) == std::vector{LayerType::enveloped});
        CHECK(report.layers.at(0).failed);
        CHECK(report.layers.at(0).cipher == "aes-256-cbc");
        CHECK_FALSE(report.layers.at(0).authenticated);
        CHECK(report.layers.at(0).recipients.size() == 1);
        CHECK_FALSE(report.layers.at(0).recipients.at(0).used);
        CHECK_FALSE(report.layers.at(0).recipients.at(0).key);
        CHECK(report.warnings.empty());
        CHECK(report.from.empty());
        CHECK_FALSE(report.subject);
    }
}

TEST_CASE("of what fails inside other encryption nothing is told either, be it signed in there") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(), alice = bench.issue();
    std::string inner = flipped(der_for(bench, bob, content_cipher("aes-256-gcm")), 30);
    if (GENERATE(false, true))
        inner = bench.openssl(std::vector<std::string>{"cms", "-sign", "-nodetach", "-binary", "-outform", "DER"} +
                                  bench.signer_options(alice),
                              "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                                  mime::base64_text(bytes_of(inner)));
    const std::string entity = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                               mime::base64_text(bytes_of(inner));
    const Report report = told_of(bench, der_for(bench, bob, content_cipher("aes-256-cbc"), entity), bob);
    CHECK(layers_of(report) == std::vector{LayerType::enveloped});
    CHECK(report.layers.at(0).failed);
    CHECK_FALSE(report.layers.at(0).recipients.at(0).used);
}

TEST_CASE("a signature around what does not decrypt is judged all the same") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(), alice = bench.issue();
    SignOptions options;
    options.opaque = GENERATE(false, true);
    const auto mail_of = [&](const std::string& der) {
        return bench.sign({alice},
                          "From: alice@example.gov\r\nMIME-Version: 1.0\r\nContent-Type: "
                          "application/pkcs7-mime; smime-type=authEnveloped-data\r\n"
                          "Content-Transfer-Encoding: base64\r\n\r\n" +
                              mime::base64_text(bytes_of(der)) + "\r\n",
                          options);
    };
    const std::string der = der_for(bench, bob, content_cipher("aes-256-gcm"));
    CHECK(layers_of(bench.open(mail_of(der), {bob}).report) ==
          std::vector{LayerType::signed_data, LayerType::auth_enveloped});

    const Report report = told_of(bench, mail_of(flipped(der, 30)), bob);
    CHECK(report.result == Result::invalid);
    CHECK_THAT(report.reason, Catch::Contains("does not decrypt"));
    CHECK(layers_of(report) == std::vector{LayerType::signed_data, LayerType::auth_enveloped});
    REQUIRE(report.layers.at(0).signers.size() == 1);
    CHECK(report.layers.at(0).signers.at(0).integrity == Integrity::valid);
    CHECK(report.layers.at(0).signers.at(0).chain == ChainState::trusted);
    CHECK_FALSE(report.layers.at(0).failed);
    CHECK(report.layers.at(1).failed);
    CHECK(report.from == std::vector<std::string>{"alice@example.gov"});

    const Report unsigned_one =
        told_of(bench, replaced(mail_of(flipped(der, 30)), "From: alice", "From: mallory"), bob);
    CHECK(unsigned_one.layers.at(0).signers.at(0).sender == SenderState::mismatch);
}

TEST_CASE("what is malformed or over a limit inside content that is not authenticated counts as changed") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const auto failure = [&](const char* cipher, std::string_view content) {
        return caught([&] { bench.open(der_for(bench, bob, content_cipher(cipher), content), {bob}); });
    };
    std::string nested;
    for (std::size_t i = 0; i <= mime::kMaxNesting; ++i)
        nested += "Content-Type: message/rfc822\r\n\r\n";
    const Error changed =
        caught([&] { bench.open(flipped(der_for(bench, bob, content_cipher("aes-256-cbc")), 17), {bob}); });
    for (const std::string& content :
         {nested, std::string("Content-Type: application/pkcs7-mime\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIACAQExDzAN")}) {
        const Error in_cbc = failure("aes-256-cbc", content);
        CHECK(in_cbc.kind() == ErrorKind::failed);
        CHECK(std::string(in_cbc.what()) == changed.what());
        CHECK(in_cbc.hint() == changed.hint());
        CHECK(failure("aes-256-gcm", content).kind() == ErrorKind::malformed);
    }
}

TEST_CASE("a random key that happens to pass the padding gives no content") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const SoftwareKey eve{new_private_key(KeyKind::rsa2048), bob.certificate};
    // One block of content, where about one key in 256 passes; both as a mail and bare.
    for (const Form form : {Form::smime, Form::der}) {
        EncryptOptions options;
        options.form = form;
        const std::string encrypted = bench.encrypt({{bob.certificate}}, "A: b\r\n\r\nc", options);
        int failed = 0;
        for (int i = 0; i < 600; ++i)
            failed += kind_of_failure(bench, encrypted, eve) == ErrorKind::failed;
        CHECK(failed == 600);
    }
}

TEST_CASE("content that is no MIME entity opens only where the key is certain") {
    const CmsBench bench;
    const std::string garbage("\x80\x01\x02\xff\xfe\x00\x07 garbage", 15);
    const auto encrypt = [&](const SoftwareKey& key, const Algorithm* cipher) {
        return bench.openssl({"cms", "-encrypt", "-binary", "-outform", "DER", "-" + std::string(cipher->name),
                              bench.certificate_file(key)},
                             garbage);
    };
    const SoftwareKey rsa = bench.bob(KeyKind::rsa2048), ec = bench.bob();
    CHECK(kind_of_failure(bench, encrypt(rsa, content_cipher("aes-256-cbc")), rsa) == ErrorKind::failed);
    CHECK(bench.decrypt(encrypt(ec, content_cipher("aes-256-cbc")), {ec}).content == garbage);
    CHECK(bench.decrypt(encrypt(rsa, content_cipher("aes-256-gcm")), {rsa}).content == garbage);
}

TEST_CASE("content that a wrong key could give now and then does not open") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const auto encrypt = [&](std::string_view content) {
        return bench.openssl({"cms", "-encrypt", "-binary", "-aes-256-cbc", bench.certificate_file(bob)}, content);
    };
    for (const char* garbage : {"a:\x80\x01\x02\xff", "a:\x80\x01\n\n", "\n\x80\x81", "\r\n\xff", "\x80:"})
        CHECK(kind_of_failure(bench, encrypt(garbage), bob) == ErrorKind::failed);
    // What people do send: a header in Latin-1, a body in anything, no header at all.
    for (const char* content :
         {"Content-Type: text/plain; name=\"\xfc.txt\"\n\nHello\n", "A: b\n\n\x80\x01\x02", "\nHello\n", "Hello\n",
          "Gr\xc3\xbc\xc3\x9f"
          "e\n",
          ""})
        CHECK(bench.decrypt(encrypt(content), {bob}).content == content);
}
