#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "mime/codec.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_structures.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

// SignatureAttackWorld is one signer and what reads their mail.
struct SignatureAttackWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue();

    std::string opaque(std::vector<Bytes> attributes, std::string_view content = kContent) const {
        return craft::signed_data(
            {content, {craft::signer_info(alice, std::move(attributes), content)}, {alice.certificate}});
    }
    ReadMail read(const std::string& message) const { return bench.verify(message); }
};

// clear_signed wraps content and a signature (DER) by hand.
std::string clear_signed(std::string_view content, std::string_view signature, std::string_view more_parts = "") {
    std::string text =
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\r\n\r\n"
        "--b\r\n";
    text += content;
    text += "\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    text += mime::base64_text(bytes_of(signature));
    text += "\r\n";
    text += more_parts;
    return text + "--b--\r\n";
}

bool fails(const ReadMail& read, std::string_view reason) {
    INFO(read.report.reason);
    CHECK(read.report.exit_status() == 1);
    CHECK(read.report.reason.find(reason) != std::string::npos);
    return read.report.result == Result::invalid;
}

}  // namespace

TEST_CASE("a hand-made signature verifies for OpenSSL and for us") {
    const SignatureAttackWorld world;
    const std::string good = world.opaque(craft::usual_attributes(kContent));
    CHECK(world.read(good).report.result == Result::valid);
    CHECK(world.bench.openssl({"cms", "-verify", "-binary", "-inform", "DER", "-CAfile", world.bench.trusted_file()},
                              good) == kContent);
    const std::string detached =
        craft::signed_data({std::nullopt,
                            {craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent)},
                            {world.alice.certificate}});
    CHECK(world.read(clear_signed(kContent, detached)).report.result == Result::valid);
}

TEST_CASE("changed content fails") {
    const SignatureAttackWorld world;
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    SignOptions options;
    for (const bool opaque : {false, true}) {
        options.opaque = opaque;
        options.form = opaque ? Form::der : Form::smime;
        const std::string signed_mail = world.bench.sign({world.alice}, text, options);
        CHECK(world.read(signed_mail).report.result == Result::valid);
        CHECK(fails(world.read(replaced(signed_mail, "second", "sec0nd")),
                    "the content was changed: its sha256 digest is another"));
    }
    CHECK(fails(world.read(world.opaque(craft::usual_attributes("other"))), "the content was changed"));
}

TEST_CASE("a signer who fails keeps a message from being valid, whether first or last") {
    const SignatureAttackWorld world;
    const SoftwareKey carol = world.bench.issue({.name = "Carol"}), stranger = certify({.name = "Mallory"});
    for (const bool other_first : {false, true}) {
        CAPTURE(other_first);
        const auto read = [&](const SoftwareKey& other, std::string_view signed_by_other) {
            // SignerInfos are ordered by their encodings: those that name a key are shorter, and come first.
            const auto info = [](const SoftwareKey& key, std::string_view content, bool first) {
                return craft::signer_info(
                    {.key = key, .attributes = craft::usual_attributes(content), .content = content, .by_key = first});
            };
            return world.read(craft::signed_data(
                {kContent,
                 {info(world.alice, kContent, !other_first), info(other, signed_by_other, other_first)},
                 {world.alice.certificate, other.certificate}}));
        };
        const ReadMail good = read(carol, kContent);
        CHECK(good.report.result == Result::valid);
        CHECK(good.report.layers.at(0).signers.at(other_first ? 0 : 1).certificate == carol.certificate);
        CHECK(fails(read(carol, "other"), "the content was changed"));
        const ReadMail untrusted = read(stranger, kContent);
        CHECK(untrusted.report.result == Result::untrusted);
        CHECK_THAT(untrusted.report.reason, Catch::Contains("Mallory"));
    }
}

TEST_CASE("a weak digest of the content alone, or of the signature alone, is weak") {
    const SignatureAttackWorld world;
    const SoftwareKey rsa = world.bench.issue({.kind = KeyKind::rsa2048});
    const auto read = [&](const SoftwareKey& key, const SignScheme& scheme, Hash digest) {
        return world.read(
            craft::signed_data({kContent,
                                {craft::signer_info({.key = key,
                                                     .attributes = craft::usual_attributes(kContent, digest),
                                                     .content = kContent,
                                                     .scheme = scheme,
                                                     .digest_algorithm = digest_identifier(digest)})},
                                {key.certificate}}));
    };
    CHECK(read(world.alice, Ecdsa{Hash::sha256}, Hash::sha256).report.result == Result::valid);
    CHECK(read(rsa, RsaPss{Hash::sha256, Hash::sha256, 32}, Hash::sha256).report.result == Result::valid);
    for (const ReadMail& weak : {read(world.alice, Ecdsa{Hash::sha256}, Hash::sha1),
                                 read(rsa, RsaPss{Hash::sha1, Hash::sha1, 20}, Hash::sha256)}) {
        CHECK(weak.signer().integrity == Integrity::valid);
        CHECK(weak.signer().strength == Strength::weak);
        CHECK(weak.report.result == Result::untrusted);
    }
}

TEST_CASE("a changed signed attribute fails") {
    const SignatureAttackWorld world;
    SignOptions options;
    options.form = Form::der;
    options.opaque = true;
    const std::string der = world.bench.sign({world.alice}, kContent, options);
    // The signing time's UTCTime follows its type's OID in a SET; another second changes nothing else.
    const std::string time_oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05\x31\x0f\x17\x0d";
    const std::size_t at = der.find(time_oid);
    REQUIRE(at != std::string::npos);
    std::string changed = der;
    char& second = changed[at + time_oid.size() + 11];
    second = second == '0' ? '1' : '0';
    CHECK(fails(world.read(changed), "does not fit"));
}

TEST_CASE("the message digest attribute must be there once, with one value") {
    const SignatureAttackWorld world;
    const Bytes digest = craft::message_digest(kContent), other = craft::message_digest("other");
    CHECK(fails(world.read(world.opaque({craft::content_type()})), "message digest"));
    CHECK(fails(world.read(world.opaque({craft::content_type(), digest, other})), "more than once"));
    CHECK(fails(world.read(world.opaque({craft::content_type(), other, digest})), "more than once"));
    CHECK(fails(world.read(world.opaque({craft::content_type(), digest, digest})), "more than once"));
    const auto value = [](std::string_view content) {
        return der_value(tag::kOctetString, digest_of(Hash::sha256, bytes_of(content)));
    };
    const Bytes two_values = craft::attribute(oid::kMessageDigest, {value(kContent), value("other")});
    CHECK(fails(world.read(world.opaque({craft::content_type(), two_values})), "more than once"));
    CHECK(fails(world.read(world.opaque({craft::content_type(), craft::attribute(oid::kMessageDigest, {})})),
                "more than once"));
}

TEST_CASE("the content type attribute must be there and fit") {
    const SignatureAttackWorld world;
    const Bytes digest = craft::message_digest(kContent);
    CHECK(fails(world.read(world.opaque({digest})), "content type"));
    CHECK(fails(world.read(world.opaque({craft::content_type(oid::kSignedData), digest})), "content type"));
    CHECK(fails(world.read(world.opaque({craft::content_type(), craft::content_type(), digest})), "more than once"));
}

TEST_CASE("the signing certificate attribute must name the signer's certificate") {
    const SignatureAttackWorld world;
    const Certificate twin = certify_key(world.alice.key, {}, &world.bench.intermediate);
    auto attributes = craft::usual_attributes(kContent);
    attributes.push_back(craft::signing_certificate_v2(world.alice.certificate));
    CHECK(world.read(world.opaque(attributes)).report.result == Result::valid);
    attributes.back() = craft::signing_certificate_v2(twin);
    CHECK(fails(world.read(world.opaque(attributes)), "names another certificate"));
    attributes.back() = craft::attribute(oid::kSigningCertificateV2, {der_value(tag::kSequence, Bytes{})});
    CHECK(fails(world.read(world.opaque(attributes)), "names another certificate"));
}

TEST_CASE("the DER of signed attributes is not taken for content") {
    // A signature over attributes is, without them, a signature over content that is their DER.
    const SignatureAttackWorld world;
    Bytes attributes;
    for (std::string content(kContent); attributes.empty() || text_of(attributes).find('\n') != std::string::npos;
         content += "!")
        attributes = der_set_of(tag::kSet, craft::usual_attributes(content));  // without what would be a line end
    const auto message = [&](std::string_view content, bool detached) {
        return craft::signed_data({detached ? std::nullopt : std::optional(content),
                                   {craft::signer_info(world.alice, std::nullopt, content)},
                                   {world.alice.certificate}});
    };
    CHECK(world.read(message(kContent, false)).report.result == Result::valid);
    CHECK(world.read(clear_signed(kContent, message(kContent, true))).report.result == Result::valid);
    const std::string_view forged = text_of(attributes);
    CHECK(fails(world.read(message(forged, false)), "signed attributes of another message"));
    CHECK(fails(world.read(clear_signed(forged, message(forged, true))), "signed attributes of another message"));
    ReadOptions options;
    options.detached_content = std::make_shared<TextInput>(std::string(forged));
    CHECK(fails(world.bench.verify(message(forged, true), options), "signed attributes of another message"));
}

TEST_CASE("a signature part with content of its own covers nothing outside") {
    const SignatureAttackWorld world;
    const std::string own = world.opaque(craft::usual_attributes(kContent));
    CHECK(fails(world.read(clear_signed("Content-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n", own)), ""));
    CHECK(fails(world.read(clear_signed(kContent, own)), "content of its own"));
}

TEST_CASE("signed mail without any signer is not valid") {
    const SignatureAttackWorld world;
    CHECK(fails(world.read(craft::signed_data({kContent, {}, {world.alice.certificate}})), "no signature"));
    const std::string certificates = craft::signed_data({std::nullopt, {}, {world.alice.certificate}});
    CHECK(fails(world.read(clear_signed(kContent, certificates)), "no signature"));
    // Bare, it is a bundle of certificates.
    CHECK(caught([&] { world.read(certificates); }).kind() == ErrorKind::malformed);
    CHECK(world.bench.open(certificates, {}).report.layers.at(0).type == LayerType::certs_only);
}

TEST_CASE("one signer who fails makes the mail invalid") {
    const SignatureAttackWorld world;
    const SoftwareKey carol = world.bench.issue();
    const auto good = craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent);
    const auto bad = craft::signer_info(carol, craft::usual_attributes("other"), kContent);
    for (const auto& order : {std::vector{good, bad}, std::vector{bad, good}}) {
        const ReadMail read =
            world.read(craft::signed_data({kContent, order, {world.alice.certificate, carol.certificate}}));
        CHECK(fails(read, "the content was changed"));
        CHECK(read.report.layers.at(0).signers.size() == 2);
    }
}

TEST_CASE("a signature by another key than the certificate's fails") {
    const SignatureAttackWorld world;
    const SoftwareKey impostor{new_private_key(KeyKind::p256), world.alice.certificate};
    const auto info = craft::signer_info(impostor, craft::usual_attributes(kContent), kContent);
    CHECK(fails(world.read(craft::signed_data({kContent, {info}, {world.alice.certificate}})), "does not fit"));

    // A key of another kind than the signature algorithm's.
    CertificateSpec rsa;
    rsa.kind = KeyKind::rsa2048;
    const SoftwareKey other{world.alice.key, certify(rsa, &world.bench.intermediate).certificate};
    const auto mixed = craft::signer_info(other, craft::usual_attributes(kContent), kContent);
    CHECK(fails(world.read(craft::signed_data({kContent, {mixed}, {other.certificate}})), "no key for ecdsa"));
}

TEST_CASE("what stands beside the signed part is not covered") {
    const SignatureAttackWorld world;
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    const std::string inside = world.bench.sign({world.alice}, kText);
    const std::string around = mail("alice@example.gov", "bob@example.gov",
                                    "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\n" + inside +
                                        "\r\n--outer\r\n\r\nBuy now!\r\n--outer--\r\n");
    const ReadMail read = world.read(around);
    CHECK(read.report.result == Result::untrusted);
    REQUIRE(read.report.layers.size() == 1);
    CHECK_FALSE(read.report.layers[0].covers_whole);
    CHECK(read.report.layers[0].path == "1.1");
    CHECK(read.signer().sender == SenderState::not_checked);
    CHECK(read.content == around);

    const std::string forwarded = mail("alice@example.gov", "bob@example.gov",
                                       "Content-Type: message/rfc822\r\n\r\n" + world.bench.sign({world.alice}, text));
    CHECK(world.read(forwarded).report.result == Result::untrusted);
    CHECK_FALSE(world.read(forwarded).report.layers.at(0).covers_whole);

    // A broken signature in a part is an answer too.
    CHECK(fails(world.read(replaced(around, "second", "sec0nd")), "the content was changed"));
}

TEST_CASE("text beside the parts of a signature is seen behind any number of blanks") {
    const SignatureAttackWorld world;
    const std::string signature =
        craft::signed_data({std::nullopt,
                            {craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent)},
                            {world.alice.certificate}});
    const std::string signed_mail = clear_signed(kContent, signature);
    const std::string notice = "This is an S/MIME signed message";
    for (const std::size_t blanks : {0, 1, 1022, 1023, 1024, 1025, 4096, 100'000}) {
        CAPTURE(blanks);
        const std::string space(blanks, ' ');
        const auto before = [&](const std::string& text) {
            return world.read(replaced(signed_mail, "\r\n\r\n--b", "\r\n\r\n" + text + "\r\n--b")).report.result;
        };
        CHECK(before(space) == Result::valid);
        CHECK(before(space + "x") == Result::untrusted);
        CHECK(before(space + notice + space) == Result::valid);
        CHECK(before(space + notice + space + "x") == Result::untrusted);
        CHECK(world.read(signed_mail + space).report.result == Result::valid);
        CHECK(world.read(signed_mail + space + "x").report.result == Result::untrusted);
    }
    const ReadMail honest = world.read(signed_mail + "\r\n"), listed = world.read(signed_mail + "A list's footer.\r\n");
    CHECK(honest.report.layers.at(0).covers_whole);
    CHECK_FALSE(listed.report.layers.at(0).covers_whole);
    CHECK(listed.report.reason == "there is text beside the signed part that is not signed");
}

TEST_CASE("a signature part that programs may show, or find a part in, is a doubt") {
    const SignatureAttackWorld world;
    const std::string signature =
        craft::signed_data({std::nullopt,
                            {craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent)},
                            {world.alice.certificate}});
    const std::string signed_mail = clear_signed(kContent, signature);
    const std::string type = "Content-Type: application/pkcs7-signature\r\n";
    const auto reason = [&](const std::string& header) {
        const ReadMail read = world.read(replaced(signed_mail, type, header));
        CHECK(read.report.hint.empty() == (read.report.result == Result::valid));
        return read.report.result == Result::valid ? "valid" : read.report.reason;
    };
    for (const char* usual :
         {"Content-Type: application/x-pkcs7-signature; name=smime.p7s\r\n",
          "Content-Type: application/octet-stream; name=\"SMIME.P7S\"\r\n",
          "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=smime.p7s\r\n",
          "X-Scanned: --b\r\nContent-Type: application/pkcs7-signature; name=a--b.p7s\r\nMIME-Version: 1.0\r\n",
          "Content-Type: application/pkcs7-signature\r\nContent-Description:\r\n --b -\r\n",
          "Content-Type: application/pkcs7-signature; name=\"=?utf-8?Q?smime.p7s?=\"\r\n",
          "Content-Type: application/pkcs7-signature; name=smime.bin\r\nStatus: RO\r\n",
          "Content-Type: application/pkcs7-signature; name=signature\r\n",
          "Content-Type: application/pkcs7-signature; name='smime.p7s'\r\n",
          "Content-Type: application/pkcs7-signature; name=smime.p7m\r\nReceived: from x by y\r\n"}) {
        CAPTURE(usual);
        CHECK(reason(usual) == "valid");
    }
    using Catch::Contains;
    for (const char* shown : {"", "Content-Type: text/html\r\n", "Content-Type: application/octet-stream\r\n",
                              "Content-Type: application/octet-stream; name=a.html\r\n",
                              "Content-Type: application/octet-stream; name=a.html\r\n"
                              "Content-Disposition: attachment; filename=a.p7s\r\n",
                              "Content-Type: application/pkcs7-signature; name=a.html\r\n",
                              "Content-Type: application/pkcs7-signature; name=\"=?utf-8?Q?a=2Ehtml?=\"\r\n",
                              "Content-Type: application/pkcs7-signature; name=\"=?x-foo?Q?a=2Ehtml?=\"\r\n",
                              "Content-Type: application/pkcs7-signature; name=\"=?utf-8?Q?a=2Ep7s?=.html\"\r\n",
                              "Content-Type: application/pkcs7-signature; name=\"a.html.\"\r\n",
                              "Content-Type: application/pkcs7-signature; name=a.eml\r\n",
                              "Content-Type: application/pkcs7-signature; name='a.html'\r\n",
                              "Content-Type: application/octet-stream; name='smime.p7s'\r\n",
                              "Content-Type: application/octet-stream; name=smime.bin\r\n",
                              "Content-Type: application/pgp-signature\r\n"}) {
        CAPTURE(shown);
        CHECK_THAT(reason(shown), Contains("not labelled as a signature"));
    }
    CHECK_THAT(reason(type + "Content-Type: text/html\r\n"), Contains("2 Content-Type fields"));
    CHECK_THAT(reason(type + "From: eve@example.org\r\n"), Contains("header fields of a mail"));
    CHECK_THAT(reason(type + "Bcc: eve@example.org\r\n"), Contains("header fields of a mail"));
    CHECK_THAT(reason(type + "--c: d\r\n"), Contains("header fields of a mail"));

    // No signature covers an unsigned attribute.
    const auto with_attribute = [&](std::string_view text) {
        const std::string der =
            craft::signed_data({std::nullopt,
                                {craft::signer_info({.key = world.alice,
                                                     .attributes = craft::usual_attributes(kContent),
                                                     .content = kContent,
                                                     .unsigned_attributes = {craft::attribute(
                                                         "1.2.3.4", {der_value(tag::kOctetString, bytes_of(text))})}})},
                                {world.alice.certificate}});
        const std::string base64 = "base64\r\n\r\n" + mime::base64_text(bytes_of(der));
        return world.read(replaced(clear_signed(kContent, der), base64, "binary\r\n\r\n" + der)).report.reason;
    };
    CHECK(with_attribute(" --b or -\r\n-b").empty());
    for (const char* text :
         {"\r\n--b with more\r\nContent-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n", "\r--b\rPay", "\n--c\n"}) {
        CAPTURE(text);
        CHECK_THAT(with_attribute(text), Contains("start of another part"));
    }
}

TEST_CASE("a third part in multipart/signed is not covered") {
    const SignatureAttackWorld world;
    const std::string signature =
        craft::signed_data({std::nullopt,
                            {craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent)},
                            {world.alice.certificate}});
    const std::string extra = "--b\r\nContent-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n";
    const ReadMail read = world.read(clear_signed(kContent, signature, extra));
    CHECK(read.report.result == Result::untrusted);
    CHECK_FALSE(read.report.layers.at(0).covers_whole);
    CHECK(read.content == kContent);
}

TEST_CASE("signed attributes in another order than DER's verify as they came") {
    // Signers in the field sign the order that they send; OpenSSL accepts it too.
    const SignatureAttackWorld world;
    std::vector<Bytes> attributes = craft::usual_attributes(kContent);
    std::sort(attributes.begin(), attributes.end(), std::greater<>());
    const Bytes content = concat({attributes[0], attributes[1]});
    const Bytes set = der_value(tag::kSet, content);
    const SignScheme scheme = Ecdsa{Hash::sha256};
    const Bytes info =
        der_value(tag::kSequence, {der_integer(1), issuer_and_serial(world.alice.certificate),
                                   der_algorithm(digest_algorithm(Hash::sha256).oid),
                                   der_value(tag::context(0, true), content), signer_info_algorithm(scheme),
                                   der_value(tag::kOctetString, sign_with(world.alice.key.get(), scheme, set))});
    CHECK(world.read(craft::signed_data({kContent, {info}, {world.alice.certificate}})).report.result == Result::valid);
}
