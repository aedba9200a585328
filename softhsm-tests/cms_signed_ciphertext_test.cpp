// Signatures over what is encrypted: whoever made one need not know the text that mail programs then show.

#include <catch2/catch.hpp>

#include "cms/smime/classify.h"
#include "cms/smime/read.h"
#include "mime/codec.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_structures.h"
#include "softhsm-tests/mime_pieces.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

const std::string kFrom = "From: alice@example.gov\r\nMIME-Version: 1.0\r\n";
const std::string kNote = "Content-Type: text/plain\r\n\r\nsee below\r\n";
const std::string kFile = "Content-Disposition: attachment; filename=report.p7m\r\n";
const std::string kUsual = "Content-Disposition: attachment; filename=smime.p7m\r\n";
const std::string kP7m = "application/pkcs7-mime; name=report.p7m";
const std::string kOctets = "application/octet-stream";
const std::string kPgp =
    "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=pgp\r\n\r\n--pgp\r\n"
    "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--pgp\r\n"
    "Content-Type: application/octet-stream\r\n\r\nx\r\n--pgp--\r\n";
const std::string kPgpPacket = "\x85\x01\x0c\x03";
const std::string kPgpText = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n";

std::string parts(const std::string& subtype, const std::vector<std::string>& all, const std::string& fields = {}) {
    const std::string boundary = "b" + std::to_string(all.back().size());
    std::string text = "Content-Type: multipart/" + subtype + "; boundary=" + boundary + "\r\n" + fields + "\r\n";
    for (const std::string& part : all)
        text += "--" + boundary + "\r\n" + part + "\r\n";
    return text + "--" + boundary + "--\r\n";
}

std::string mixed(const std::string& part) {
    return parts("mixed", {kNote, part});
}

std::string attached(const std::string& entity, const std::string& fields = "Content-Disposition: attachment\r\n") {
    return "Content-Type: message/rfc822\r\n" + fields + "\r\n" + kFrom + entity;
}

std::string base64(const std::string& type, const std::string& bytes, const std::string& fields = {},
                   const std::string& before = {}) {
    return "Content-Type: " + type + "\r\nContent-Transfer-Encoding: base64\r\n" + fields + "\r\n" + before +
           mime::base64_text(bytes_of(bytes)) + "\r\n";
}

/// CiphertextWorld is Alice, who signs, Bob, who reads, and a ciphertext that Alice has from somebody else.
struct CiphertextWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue(), bob = bench.bob(KeyKind::rsa2048);
    std::string secret = encrypted("-aes-256-cbc");
    std::string usual = base64("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", secret, kUsual);
    std::string unusual = base64("application/x-foo", secret);

    std::string encrypted(const char* cipher) const {
        return bench.openssl(
            {"cms", "-encrypt", "-binary", "-outform", "DER", cipher, "-recip", bench.certificate_file(bob)}, kNote);
    }
    std::string with_given_key() const {
        return bench.openssl({"cms", "-EncryptedData_encrypt", "-binary", "-outform", "DER", "-aes-128-cbc",
                              "-secretkey", "000102030405060708090A0B0C0D0E0F"},
                             kNote);
    }
    std::string signed_file(const std::string& content, bool detached = false) const {
        Arguments command{"cms", "-sign", "-binary", "-outform", "DER"};
        if (!detached) command.emplace_back("-nodetach");
        return bench.openssl(command + bench.signer_options(alice), content);
    }
    std::string signed_as_enveloped(const std::string& content) const {
        const Arguments command{"cms", "-sign",     "-binary",        "-outform",
                                "DER", "-nodetach", "-econtent_type", "1.2.840.113549.1.7.3"};
        return bench.openssl(command + bench.signer_options(alice), content);
    }
    std::string opaque(const std::string& entity) const { return as_mail(signed_file(entity)); }
    std::string clear_signed(const std::string& entity, const std::string& boundary = "o") const {
        const std::string delimiter = "--" + boundary;
        return kFrom +
               "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=" +
               boundary + "\r\n\r\n" + delimiter + "\r\n" + entity + "\r\n" + delimiter + "\r\n" +
               base64("application/pkcs7-signature", signed_file(entity, true)) + delimiter + "--\r\n";
    }
    ReadMail verify_file(const std::string& signature, const std::string& file) const {
        ReadOptions options;
        options.detached_content = std::make_shared<TextInput>(file);
        return bench.verify(signature, options);
    }
};

bool is_noted(const Report& report) {
    return std::any_of(report.warnings.begin(), report.warnings.end(),
                       [](const Warning& warning) { return warning.kind == "encrypted-part"; });
}

std::vector<std::pair<std::string, LayerType>> layers(const Report& report) {
    std::vector<std::pair<std::string, LayerType>> all;
    for (const Layer& layer : report.layers)
        all.emplace_back(layer.path, layer.type);
    return all;
}

// check reads a signed entity in each way, which makes no difference.
void check(const CiphertextWorld& world, const std::string& entity, Result result, bool noted) {
    CAPTURE(entity.substr(0, 600));
    for (const std::string& mail : {world.clear_signed(entity), world.opaque(entity)}) {
        const Report verified = world.bench.verify(mail).report;
        INFO(verified.reason);
        CHECK(verified.result == result);
        CHECK(is_noted(verified) == noted);
        if (result != Result::valid) CHECK_THAT(verified.reason, Catch::Contains("encrypted"));
        const Report opened = world.bench.open(mail, {world.bob}).report;
        CHECK(opened.result == result);
        CHECK(opened.reason == verified.reason);
        CHECK(opened.warnings == verified.warnings);
        CHECK(layers(opened) == layers(verified));
    }
}

}  // namespace

TEST_CASE("no mail is valid with a signed part that is encrypted and no attachment") {
    const CiphertextWorld world;
    const std::string file = base64(kP7m, world.secret, kFile);
    for (const std::string& entity :
         {parts("mixed", {world.usual}), parts("related", {world.usual}), parts("alternative", {world.usual}),
          parts("mixed", {file}), parts("related", {kNote, file}), parts("alternative", {kNote, file}),
          parts("mixed", {attached(world.usual)}), attached(world.usual), attached(world.usual, "")})
        check(world, entity, Result::untrusted, true);
    for (const std::string& part :
         {world.usual, base64(kP7m, world.secret), base64(kP7m, world.secret, "Content-Disposition: inline\r\n"),
          base64(kP7m + "; smime-type=enveloped-data", world.secret, kFile),
          base64("application/pkcs7-mime", world.secret, "Content-Disposition: attachment\r\n"),
          base64(kP7m, world.secret, kFile + "Content-Disposition: inline\r\n"),
          base64(kOctets, "x", kFile + parts("mixed", {world.usual})),
          base64(kP7m, world.secret, kFile + "X: y\rZ: z\r\n"),
          base64(kP7m, world.secret, "Content-Disposition: attachment (x); filename=report.p7m\r\n"),
          base64(kP7m, world.encrypted("-aes-256-gcm")), base64(kP7m, world.with_given_key()),
          base64("application/pkcs7-mime", world.secret,
                 "Content-Disposition: attachment; filename=\" smime.p7m\"\r\n"),
          attached(file, ""), attached(world.usual, ""),
          "Content-Type: message/rfc822\r\n\r\n\r\n\r\n" + kFrom + world.usual,
          attached(world.usual, "Content-Disposition: inline\r\n"), base64("message/rfc822", kFrom + world.usual),
          parts("mixed", {world.usual}, kFile), kPgp})
        check(world, mixed(part), Result::untrusted, true);
}

TEST_CASE("a signed mail with something encrypted attached is valid, with a warning") {
    const CiphertextWorld world;
    for (const std::string& part :
         {attached(world.usual), attached(kPgp), attached(mixed(world.usual)),
          attached(world.usual, "Content-Disposition: ATTACHMENT; filename=\"smime.eml\"\r\n"),
          base64(kP7m, world.secret, kFile), base64(kOctets, world.secret, kFile),
          base64(kOctets, kPgpPacket, "Content-Disposition: attachment; filename=report.pgp\r\n"),
          base64(kOctets, kPgpText, "Content-Disposition: attachment; filename=report.asc\r\n"),
          base64("application/pgp-encrypted", "x", "Content-Disposition: attachment; filename=report\r\n")})
        check(world, mixed(part), Result::valid, true);
    for (const std::string& part :
         {attached(kNote), kNote + ">" + kPgpText, kNote + "Hi -----BEGIN PGP MESSAGE-----\r\n",
          base64(kOctets, "x", kFile), base64(kOctets, kNote), base64(kOctets, kPgpPacket),
          base64(kOctets + "; name=key.gpg", "\x99\x01\x0d\x04"), base64(kOctets + "; name=x.pgp", "\x05"),
          base64(kP7m, world.signed_file(kNote)), base64(kOctets, world.signed_file(kNote)),
          base64("message/global", kFrom + kNote)})
        check(world, mixed(part), Result::valid, false);
}

TEST_CASE("what is signed is seen to be encrypted whatever its label") {
    const CiphertextWorld world;
    const std::string blanks(300'000, ' ');
    for (const std::string& ciphertext :
         {base64("application/x-foo", world.secret),
          base64("text/plain", world.secret, kUsual),
          base64("application/pkcs7-mime/x", world.secret),
          base64(kOctets, world.secret),
          base64("application/x-foo", world.secret, "", blanks),
          base64("application/x-foo", world.secret, "", "=!\r\n"),
          base64("application/x-foo", world.encrypted("-aes-256-gcm")),
          base64("application/x-foo", world.with_given_key()),
          "Content-Type: application/x-foo\r\n\r\n" + world.secret,
          replaced(base64("application/x-foo", world.secret), "base64", "7bit"),
          replaced(base64("application/x-foo", world.secret, "", "-----BEGIN CMS-----\r\n"), "base64", "7bit"),
          base64("application/pgp-encrypted", "Version: 1"),
          base64("application/pgp-encrypted\f", "Version: 1"),
          base64(kOctets + "; name=\"report.PGP \"", kPgpPacket),
          base64(kOctets + "; name=report.gpg", "\xc1\x5e\x03"),
          replaced(base64(kOctets + "; name=report.asc", "x"), "base64", "x-uuencode"),
          "Content-Type: text/plain\r\n\r\n\r\n" + kPgpText,
          "Content-Type: text/plain\r\n\r\nHi Bob,\r\n" + blanks + "\r\n" + kPgpText,
          "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHi=20\r\n--=\r\n" +
              kPgpText.substr(2),
          base64("text/plain", "Hi Bob,\n" + kPgpText),
          "Content-Type: text/html\r\n\r\n<p>Hi<pre>" + kPgpText,
          "Content-Type: text/plain\r\n\r\nHi\r" + kPgpText}) {
        check(world, ciphertext, Result::untrusted, false);
        check(world, parts("mixed", {ciphertext}), Result::untrusted, true);
        check(world, mixed(ciphertext), Result::untrusted, true);
    }
    for (std::size_t cut = 3; cut < 6; ++cut)
        check(world, mixed(world.unusual.substr(0, world.unusual.size() - cut)), Result::untrusted, true);
    check(world, kPgp, Result::untrusted, false);
    check(world, parts("digest", {"\r\n" + kFrom + world.usual}), Result::untrusted, true);
    check(world, parts("digest", {"\r\n" + kFrom + mixed(world.usual)}), Result::untrusted, true);
    check(world, parts("digest", {"X: y\r\n\r\n" + attached(world.usual, "")}), Result::untrusted, true);
    for (const std::string field : {"Content-Type: \r\n", "Content-Type: x\r\n", "Content-Type: ; charset=x\r\n"}) {
        check(world, parts("digest", {field + "\r\n" + kFrom + mixed(world.usual)}), Result::untrusted, true);
        check(world, parts("digest", {field + "\r\n" + kFrom + kNote}), Result::valid, false);
    }
    check(world, parts("digest", {"\r\n" + kFrom + kNote, kNote}), Result::valid, false);
    check(world, mixed(base64("application/pgp-keys; name=key.asc", "x")), Result::valid, false);
    check(world, mixed(base64(kP7m, world.secret, "", "!\r\n")), Result::untrusted, true);
    check(world, mixed(base64(kP7m, world.secret.substr(0, 60))), Result::untrusted, true);
}

TEST_CASE("what has a name of S/MIME and another label counts as encrypted, for what is in it is not looked at") {
    const CiphertextWorld world;
    const std::string cms =
        craft::content_info(craft::oid::kCompressedData, craft::compressed_data(deflated(world.usual)));
    for (const std::string& part :
         {base64("text/plain; name=smime.p7m", cms), base64("application/x-foo; name=report.P7M", cms),
          base64("application/x-foo", cms, "Content-Disposition: inline; filename=smime.p7z\r\n"),
          replaced(base64(kOctets, cms, "Content-Disposition: inline; filename=smime.p7m\r\n"),
                   "Content-Type: " + kOctets + "\r\n", "")}) {
        check(world, part, Result::untrusted, false);
        check(world, mixed(part), Result::untrusted, true);
    }
    check(world, base64("application/x-foo; name=report.bin", cms), Result::valid, false);
    check(world, base64("text/plain; name=smime.p7m", "no CMS"), Result::valid, false);
}

TEST_CASE("what is signed is seen to be encrypted though it is uuencoded") {
    const CiphertextWorld world;
    const std::string secret = uuencoded(world.secret, "smime.p7m"),
                      inline_name = "Content-Disposition: inline; filename=";
    const auto in_encoding = [](const std::string& fields, const std::string& body, const std::string& encoding) {
        return fields + "Content-Transfer-Encoding: " + encoding + "\r\n\r\n" + body;
    };
    for (const std::string& ciphertext :
         {"\r\n" + secret,
          "\r\nHello\r\n\r\n" + secret,
          "Content-Type: text\r\n\r\n" + secret,
          kNote + secret,
          kNote + uuencoded("x") + secret,
          kNote + uuencoded(world.secret, "x"),
          kNote + uuencoded(kPgpText, "x"),
          kNote + uuencoded(mime::base64_text(bytes_of(world.secret)), "x"),
          kNote + uuencoded(kPgpPacket + kNote, "report.PGP."),
          kNote + uuencoded(kFrom + world.usual, "x.eml"),
          kNote + uuencoded(world.signed_file(world.usual), "\"report.P7M\""),
          kNote + uuencoded(world.signed_file(world.usual), "smime.p7m"),
          kNote + uuencoded(kNote + secret, "x"),
          kNote + "begin 644 x\r\n\"3``\r\nbegin 644 y\r\n" + secret.substr(secret.find('\n') + 1),
          base64("text/plain", "Hi Bob,\n" + secret),
          base64("text/html", "<p>Hi Bob<p>\n" + secret),
          in_encoding(inline_name + "smime.p7m\r\n", secret, "x-uuencode"),
          in_encoding(inline_name + "smime.p7m\r\n", "unlike", "x-foo"),
          in_encoding(inline_name + "report.pgp\r\n", mime::base64_text(bytes_of(kPgpPacket)), "base64"),
          in_encoding("Content-Type: text/plain; name=smime.p7m\r\n", secret, "x-uuencode"),
          in_encoding("Content-Type: application/x-foo; name=report.p7m\r\n", secret, "uuencode"),
          in_encoding("Content-Type: application/x-foo\r\n", secret, "x-uue")}) {
        check(world, ciphertext, Result::untrusted, false);
        check(world, mixed(ciphertext), Result::untrusted, true);
    }
    check(world, mixed(in_encoding("Content-Type: application/x-foo\r\n" + kFile, secret, "x-uuencode")), Result::valid,
          true);
    for (const std::string& harmless :
         {kNote + uuencoded(kNote), kNote + uuencoded("\x89PNG\r\n\x1a\n" + world.secret, "picture.png"),
          kNote + uuencoded(world.signed_file(kNote), "file"), kNote + "> " + secret.substr(0, 60),
          kNote + "begin the work now\r\nand end it\r\n", kNote + "To read smime.p7m, begin 644 smime.p7m\r\n",
          kNote + "begin 644 smime.p7m\r\nThis is how such a file begins.\r\n",
          kNote + uuencoded("unlike", "smime.p7m"),
          kNote + "begin with the file smime.p7m\r\nThen run the program.\r\n",
          in_encoding("Content-Type: application/x-foo; name=x.bin\r\n", uuencoded("x"), "x-uuencode"),
          in_encoding("", uuencoded(kNote), "x-uuencode")}) {
        check(world, harmless, Result::valid, false);
        check(world, mixed(harmless), Result::valid, false);
    }
}

TEST_CASE("a signed part that cannot be read and is labelled as encrypted is taken for that") {
    const CiphertextWorld world;
    const auto bad_lines = [](const std::string& part) {
        return std::vector<std::string>{"X: y\r\nno field\r\n" + part,
                                        "\tX: y\r\n" + part,
                                        "no field\r\n" + part,
                                        "X: " + std::string(100'000, 'y') + "\r\nno field\r\n" + part,
                                        "Content-Type: message/rfc822\r\n\r\n\tFrom: a@b\r\n" + part,
                                        "Content-Type: message/rfc822\r\n\r\nFrom: a@b\r\nno field\r\n" + part,
                                        "Content-Type: message/rfc822\r\nno field\r\n\r\n" + kFrom + part};
    };
    const std::string unlike = "\x3f\x10\x03\x02\x01\x00";
    std::vector<std::string> parts_unread{
        replaced(world.usual, "base64", "x-uuencode"), base64("application/pkcs7-mime", unlike),
        base64("application/pkcs7-mime; smime-type=signed-data", unlike), base64(kOctets + "; name=x.P7M", unlike)};
    for (const std::string& part :
         {world.usual, base64("application/pkcs7-mime; smime-type=signed-data", world.secret),
          base64("application/pgp-encrypted", "Version: 1"), kPgp, base64(kOctets + "; name=x.pgp", kPgpPacket),
          base64(kOctets + "; name=x.gpg", kPgpPacket), base64(kOctets + "; name=x.asc", kPgpText)})
        for (const std::string& broken : bad_lines(part))
            parts_unread.push_back(broken);
    parts_unread.push_back("Content-Type: application/pgp-encrypted\r\n;\r\nVersion: 1\r\n");
    parts_unread.push_back("Content-Type: text/plain\r\n" + replaced(world.usual, "base64", "x-uuencode"));
    for (const std::string& part : parts_unread) {
        check(world, parts("mixed", {part}), Result::untrusted, true);
        check(world, mixed(part), Result::untrusted, true);
    }
    const std::string signature = base64("application/pkcs7-mime; smime-type=signed-data", world.signed_file(kNote));
    check(world, parts("mixed", {replaced(signature, "MII", "MI-")}), Result::untrusted, true);
    check(world, mixed(entity_of(world.opaque("no field\r\n" + world.usual))), Result::untrusted, true);

    check(world, mixed(base64("application/pkcs7-mime", world.signed_as_enveloped(world.secret))), Result::untrusted,
          true);

    const std::string detached = base64("application/pkcs7-mime", world.signed_file(kNote, true));
    for (const std::string& part :
         {kNote, world.clear_signed(kNote, "in"), base64(kOctets + "; name=x.zip", kPgpPacket)})
        for (const std::string& broken : bad_lines(part))
            check(world, mixed(broken), Result::valid, false);
    check(world, mixed(detached), Result::valid, false);
    check(world, mixed(attached("no field\r\n" + world.usual)), Result::valid, false);
    check(world, parts("mixed", {kNote, "\r\nTo read an smime.p7m file, ask for help.\r\n"}), Result::valid, false);
}

TEST_CASE("what is encrypted is found in whatever some programs take for a mail") {
    const CiphertextWorld world;
    for (const char* type : {"message/x-foo", "message/http", "message/delivery-status", "message/rfc822-headers",
                             "message/partial; number=1; total=1; id=x"}) {
        const auto message = [&](const std::string& entity) {
            return "Content-Type: " + std::string(type) + "\r\n\r\n" + kFrom + entity;
        };
        for (const std::string& entity :
             {message(world.usual), message(parts("mixed", {world.unusual})), message(mixed(world.usual)),
              message(attached(world.usual, "")), message(message(parts("related", {kNote, world.usual})))}) {
            check(world, entity, Result::untrusted, true);
            check(world, mixed(entity), Result::untrusted, true);
        }
        check(world, mixed(message(mixed(kNote))), Result::valid, false);
        const ReadMail whole = world.bench.verify(world.opaque(message(mixed(kNote))));
        CHECK(whole.report.result == Result::valid);
        CHECK(entity_of(whole.content) == message(mixed(kNote)));
        check(world, mixed(message(mixed(base64(kP7m, world.secret, kFile)))), Result::valid, true);
    }
    for (const char* type :
         {"message", "\"message/x-foo\"", "(x)message/rfc822", ";message/rfc822", "message /x-foo"}) {
        const std::string header = "Content-Type: " + std::string(type) + "\r\n\r\n" + kFrom;
        check(world, mixed(header + mixed(world.usual)), Result::untrusted, true);
        check(world, mixed(header + mixed(kNote)), Result::valid, false);
    }
    for (const char* type : {"message/rfc822", "message/global", "message/x-foo"}) {
        check(world, mixed(base64(type, kFrom + mixed(world.usual))), Result::untrusted, true);
        check(world, mixed(base64(type, kFrom + mixed(world.usual), "", "!\r\n")), Result::untrusted, true);
        check(world, mixed(base64(type, kFrom + mixed(kNote))), Result::valid, false);
    }
    check(world, attached("\r\n\r\n" + kFrom + mixed(world.usual), ""), Result::untrusted, false);
    check(world, mixed("Content-Type: message/rfc822\r\n\r\n\r\n\r\n" + kFrom + mixed(world.usual)), Result::untrusted,
          true);
    check(world, mixed("Content-Type: message/rfc822\r\n\r\n\r\n\r\n" + kFrom + mixed(kNote)), Result::valid, false);
    const std::string changed = replaced(world.clear_signed(kNote, "in"), "see below", "see above");
    check(world, mixed(base64("message/rfc822", changed)), Result::valid, false);
    check(world, mixed("Content-Type: message/x-foo\r\n\r\n" + changed), Result::valid, false);
}

TEST_CASE("a signed multipart with something like a part outside its parts is not valid") {
    const CiphertextWorld world;
    const auto multipart = [&](const std::string& boundary, const std::string& before, const std::string& after) {
        return "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n" + before + "--in\r\n" + kNote +
               "\r\n--in--\r\n" + after;
    };
    const std::string hidden = "--in\r\n" + world.usual, with_cr = "x\r--in\rX: y\rcontent-type: text/html\r\r<b>\r";
    const std::string other = "--another\r\n" + world.usual;
    for (const std::string& entity :
         {multipart("\"in\t\"", "", ""), multipart("\" in\"", "", ""), multipart("'in'", "", ""),
          multipart("in", other, ""), multipart("in", "", hidden), multipart("in", "", world.usual),
          multipart("in", "", with_cr)}) {
        CAPTURE(entity);
        const Report whole = world.bench.verify(world.clear_signed(entity)).report;
        CHECK(whole.result == Result::untrusted);
        CHECK_THAT(whole.reason, Catch::Contains("before its first part or after its end"));
        const Report part = world.bench.verify(world.clear_signed(mixed(entity))).report;
        CHECK(part.result == (entity.find("pkcs7-mime") == std::string::npos ? Result::valid : Result::untrusted));
        CHECK_THAT(part.warnings.at(0).message, Catch::Contains("before its first part or after its end"));
    }
    for (const std::string& entity :
         {multipart("in", "This is a multi-part message.\r\nContent-Type: none\r\n", "-- \r\nAlice\r\n--\r\nlist\r\n"),
          multipart("in", "--\r\n", "")}) {
        const Report read = world.bench.verify(world.clear_signed(entity)).report;
        CHECK(read.result == Result::valid);
        CHECK(read.warnings.empty());
    }
}

TEST_CASE("a signed mail with a line that some programs take for a delimiter is not valid") {
    const CiphertextWorld world;
    const auto multipart = [](const std::string& boundary, const std::string& text) {
        return "Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary +
               "\r\nContent-Type: text/plain\r\n\r\n" + text + "\r\n--" + boundary + "--\r\n";
    };
    const auto behind = [&](const std::string& line) { return "see below\r\n" + line + "\r\n" + world.usual; };
    const std::string bare_cr = "see below\r--in\rContent-Type: application/pkcs7-mime\r\rx\r";
    for (const std::string& entity : {multipart("in", bare_cr), multipart("in", behind("--inside")),
                                      multipart("in=x", behind("--in")), multipart("in=x", behind("--in--"))}) {
        CAPTURE(entity);
        const Report whole = world.bench.verify(world.clear_signed(entity)).report;
        CHECK(whole.result == Result::untrusted);
        CHECK_THAT(whole.reason, Catch::Contains("take for the start of another part"));
        check(world, mixed(entity), Result::untrusted, true);
    }
    const std::string text_behind = mixed(multipart("in=x", "see below\r\n--in\r\n" + kNote));
    const Report part = world.bench.verify(world.opaque(text_behind)).report;
    CHECK(part.result == Result::valid);
    CHECK_THAT(part.warnings.at(0).message, Catch::Contains("take for the start of another part"));
    const auto around = [&](const std::string& inner) {
        return replaced(multipart("in", "X\r\n"), "Content-Type: text/plain\r\n\r\nX\r\n", inner);
    };
    const std::string within = around(multipart("in-alt", "x"));
    // Neither the name of a multipart inside nor their number lets a line pass.
    std::string many;
    for (int i = 0; i < 20; ++i)
        many += multipart("in" + std::to_string(i), "x") + "\r\n--in\r\n";
    for (const std::string& entity :
         {around(multipart("inX", "x") + "\r\n--in\r\n" + kNote + "--inX\r\n" + world.usual),
          around(many + kNote + "--inX\r\n" + world.usual)})
        CHECK_THAT(world.bench.verify(world.clear_signed(entity)).report.reason,
                   Catch::Contains("take for the start of another part"));
    CHECK(world.bench.verify(world.clear_signed(around(many + kNote))).report.result == Result::valid);
    const Report forwards = world.bench.verify(world.clear_signed(mixed(world.clear_signed(kNote, "out")))).report;
    CHECK(forwards.result == Result::valid);
    CHECK(forwards.layers.size() == 2);
    for (const std::string& entity :
         {within, multipart("in", "--\r\n-- in\r\n --in\r\nin"), multipart("in=x", "--i")}) {
        CAPTURE(entity);
        const Report read = world.bench.verify(world.clear_signed(entity)).report;
        CHECK(read.result == Result::valid);
        CHECK(read.warnings.empty());
    }
}

TEST_CASE("an unquoted outer boundary that programs cut short must not delimit lines of the signed text") {
    const CiphertextWorld world;
    const auto mail = [&](const std::string& boundary, const std::string& line) {
        const std::string text = "Content-Type: text/plain\r\n\r\nPay 10.\r\n" + line + "\r\nPay 1000.\r\n";
        const std::string usual = world.clear_signed(text);
        return replaced(replaced(replaced(replaced(usual, "boundary=o", "boundary=" + boundary), "--o\r\n",
                                          "--" + boundary + "\r\n"),
                                 "\r\n--o\r\n", "\r\n--" + boundary + "\r\n"),
                        "--o--", "--" + boundary + "--");
    };
    for (const auto& [boundary, line] : {std::pair<const char*, const char*>{"----=x", "------"},
                                         {"a/b", "--a"},
                                         {"a?b", "--a-- \t"},
                                         {"a:b", "--a"}}) {
        CAPTURE(boundary);
        const Report read = world.bench.verify(mail(boundary, line)).report;
        CHECK(read.result == Result::untrusted);
        CHECK_THAT(read.reason, Catch::Contains("take for the start of another part"));
        CHECK(world.bench.verify(mail(boundary, std::string(line) + "x")).report.result == Result::valid);
        CHECK(world.bench.verify(mail(boundary, "-- ")).report.result == Result::valid);
    }
    CHECK(world.bench.verify(mail("ab", "--abc")).report.result == Result::untrusted);
    CHECK(world.bench.verify(mail("ab", "--a")).report.result == Result::valid);
}

TEST_CASE("a part of what is signed whose header programs read differently draws a warning") {
    const CiphertextWorld world;
    const auto warning = [&](const std::string& part) {
        const Report read = world.bench.verify(world.clear_signed(mixed(part))).report;
        CHECK(read.result == Result::valid);
        return read.warnings.empty() ? "" : read.warnings.at(0).message;
    };
    const std::string body = "\r\n--in\r\n" + kNote + "\r\n--in--\r\n";
    CHECK_THAT(warning("Content-Type: text/html\r\nContent-Type: multipart/mixed; boundary=in\r\n" + body),
               Catch::Contains("several Content-Type fields"));
    CHECK_THAT(warning("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n" + kNote),
               Catch::Contains("several Content-Transfer-Encoding fields"));
    CHECK_THAT(warning("X: y\rContent-Type: text/html\r\n" + kNote), Catch::Contains("a CR that ends no line"));
    CHECK_THAT(warning("Content-Type: multipart/mixed; boundary=aa; boundary=in\r\n" + body),
               Catch::Contains("two boundaries"));
    CHECK_THAT(warning("Content-Type: multipart; boundary=in\r\n" + body), Catch::Contains("no plain type"));
    CHECK_THAT(warning("Content-Type: multipart/mixed; boundary=\"i\\n\"\r\n" + body), Catch::Contains("a backslash"));
    for (const char* type :
         {"multipart; boundary=in", "multipart/;report; boundary=in", "multipart//mixed; boundary=in",
          ";multipart/mixed; boundary=in", "text/plain, multipart/mixed; boundary=in",
          "multipart/mixed; boundary=\"i\\n\"", "multipart/mixed; boundary=<in>",
          "multipart/mixed; boundary*=us-ascii''in", "multipart/mixed; boundary=(x)in"}) {
        CAPTURE(type);
        const Report read =
            world.bench.verify(world.clear_signed("Content-Type: " + std::string(type) + "\r\n" + body)).report;
        CHECK(read.result == Result::untrusted);
        CHECK_THAT(read.reason, Catch::Contains("what is signed cannot be read"));
    }
    CHECK_THAT(warning("Content-Type: multipart/;report; boundary=in\r\n" + body), Catch::Contains("no plain type"));
    CHECK(warning("Content-Type: multipart/mixed; boundary=in\r\n" + body).empty());
    CHECK(warning("Content-Type: text/plain; boundary=\"multipart\"; name=multipart.txt\r\n\r\nHello\r\n").empty());
}

TEST_CASE("a signature over a file that is encrypted, or a mail with something encrypted, is not valid") {
    const CiphertextWorld world;
    const std::string clear = mixed(base64(kP7m, world.signed_file(kNote)));
    const std::string pem =
        "-----BEGIN CMS-----\n" + mime::base64_text(bytes_of(world.secret)) + "\n-----END CMS-----\n";
    for (const std::string& file :
         {kNote, kFrom + kNote, clear, kFrom + clear, std::string("any file"),
          std::string("Title: a colon\r\nand no header\r\n"), world.signed_file(kNote), mixed(attached(world.usual))}) {
        CAPTURE(file.substr(0, 200));
        CHECK(world.bench.verify(world.signed_file(file)).report.result == Result::valid);
        const ReadMail read = world.verify_file(world.signed_file(file, true), file);
        CHECK(read.report.result == Result::valid);
        CHECK(read.content == file);
    }
    for (const std::string& file : {world.usual, kFrom + world.usual, parts("mixed", {world.usual}), kPgp, world.secret,
                                    pem, mime::base64_text(bytes_of(world.secret)), kPgpText, world.unusual}) {
        CAPTURE(file.substr(0, 200));
        CHECK(world.bench.verify(world.signed_file(file)).report.result == Result::untrusted);
        const ReadMail read = world.verify_file(world.signed_file(file, true), file);
        CHECK(read.report.result == Result::untrusted);
        CHECK_THAT(read.report.reason, Catch::Contains("encrypted"));
        CHECK(read.content == file);
        CHECK(world.verify_file(world.signed_file(file + "x", true), file).report.result == Result::invalid);
    }
    const std::string stored = "From alice Sat Nov 28 22:16:21 2026\r\n" + kFrom + world.usual;
    CHECK(world.verify_file(world.signed_file(stored, true), stored).report.result == Result::untrusted);
    CHECK(world.verify_file(world.signed_file(world.usual, true), kFrom + world.usual).report.result ==
          Result::untrusted);
}

TEST_CASE("the signatures in a file that a signature covers count too") {
    const CiphertextWorld world;
    const std::string inner = mixed(base64(kP7m, world.signed_file(kNote)));
    const std::string changed = mixed(base64(kP7m, replaced(world.signed_file(kNote), "see", "say")));
    CHECK(world.verify_file(world.signed_file(inner, true), inner).report.result == Result::valid);
    CHECK(world.verify_file(world.signed_file(changed, true), changed).report.result == Result::untrusted);
}

TEST_CASE("a mail that is only encrypted in a part is not called encrypted on the outside") {
    const CiphertextWorld world;
    const auto cause = [&](const std::string& mail) { return caught([&] { world.bench.verify(mail); }); };
    CHECK_THAT(cause(kFrom + mixed(world.usual)).what(), Catch::Contains("only a part of the mail (1.2) is encrypted"));
    CHECK_THAT(cause(kFrom + world.usual).what(), Catch::Contains("is encrypted on the outside"));
}

TEST_CASE("an encrypted mail with an encrypted mail attached is encrypted as a whole") {
    const CiphertextWorld world;
    const std::string entity = mixed(attached(world.usual));
    const std::string mail =
        kFrom + base64("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
                       world.bench.openssl({"cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc", "-recip",
                                            world.bench.certificate_file(world.bob)},
                                           entity));
    for (const Report& report :
         {world.bench.open(mail, {world.bob}).report, world.bench.decrypt(mail, {world.bob}).report}) {
        CHECK(report.result == Result::decrypted);
        CHECK(is_noted(report));
    }
    CHECK_THAT(caught([&] { world.bench.decrypt(kFrom + mixed(attached(world.clear_signed(kNote))), {}); }).what(),
               Catch::Contains("the mail is not encrypted"));
}

TEST_CASE("a signature that nothing tells what it is over is said to be there") {
    const CiphertextWorld world;
    const std::string mail = replaced(
        replaced(world.clear_signed(kNote),
                 "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256", "multipart/mixed"),
        "application/pkcs7-signature", "application/pkcs7-signature; name=smime.p7s");
    const Report opened = world.bench.open(mail, {}).report;
    CHECK(opened.result == Result::unsigned_);
    REQUIRE(!opened.warnings.empty());
    CHECK(opened.warnings.at(0).kind == "stray-signature");
    CHECK_THAT(opened.warnings.at(0).message, Catch::Contains("may have changed how the mail is built"));
    CHECK_THAT(caught([&] { world.bench.verify(mail); }).what(), Catch::Contains("a signature that nothing tells"));
}

TEST_CASE("the signature of a file that is signed with it is not called one of a mail that was changed") {
    const CiphertextWorld world;
    const std::string file =
        base64("application/pdf; name=contract.pdf", "%PDF-", "Content-Disposition: attachment\r\n");
    const std::string signature = base64("application/pkcs7-signature; name=contract.pdf.p7s",
                                         world.signed_file("%PDF-", true), "Content-Disposition: attachment\r\n");
    const std::string entity = parts("mixed", {kNote, file, signature});
    for (const std::string& mail : {world.clear_signed(entity), world.opaque(entity)}) {
        const Report opened = world.bench.open(mail, {}).report;
        CHECK(opened.result == Result::valid);
        REQUIRE(opened.warnings.size() == 1);
        CHECK(opened.warnings[0].kind == "stray-signature");
        CHECK_THAT(opened.warnings[0].message,
                   Catch::Contains("p11mime verify --content FILE SIGNATURE") && !Catch::Contains("changed"));
    }
    const Report encrypted =
        world.bench.open(world.bench.encrypt({{world.bob.certificate}}, kFrom + entity), {world.bob}).report;
    CHECK_THAT(encrypted.warnings.at(0).message, Catch::Contains("may have changed how the mail is built"));
}

TEST_CASE("an inspected mail has no warning of encrypted parts") {
    const CiphertextWorld world;
    const ReadMail read = world.bench.inspect(world.clear_signed(mixed(world.usual)));
    CHECK(read.report.layers.size() == 2);
    CHECK(!is_noted(read.report));
}

TEST_CASE("white space of any length before a structure is no way to have it opened without keys") {
    const CiphertextWorld world;
    const Trust trust = world.bench.trust();
    const auto verify = [&](const std::string& mail) {
        constexpr std::size_t kPiece = 1000;
        ReadOptions options;
        options.task = Task::verify;
        const auto job = read_job(nullptr, &trust, options);
        run(*job, mail, kPiece);
        return job->report().result;
    };
    const std::string late = base64(kP7m, world.secret, kFile, std::string(3 * kFront, '\n'));
    CHECK(caught([&] { verify(kFrom + late); }).kind() == ErrorKind::malformed);
    CHECK(verify(world.clear_signed(late)) == Result::untrusted);
    CHECK(verify(world.clear_signed(mixed(late))) == Result::valid);
    CHECK(verify(world.clear_signed(parts("mixed", {late}))) == Result::untrusted);
}

TEST_CASE("more encrypted parts than the limit end the reading", "[limits]") {
    const CiphertextWorld world;
    const auto signed_parts = [&](std::size_t count) {
        const std::string part = "Content-Type: text/plain\r\n\r\n" + kPgpText;
        return world.clear_signed(parts("mixed", std::vector<std::string>(count, part)));
    };
    CHECK(world.bench.verify(signed_parts(kMaxLayers)).report.result == Result::untrusted);
    CHECK_THAT(caught([&] { world.bench.verify(signed_parts(kMaxLayers + 1)); }).what(),
               Catch::Contains("parts that are encrypted"));
}
