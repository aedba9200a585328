#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "mime/codec.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

struct FormWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue();
    SoftwareKey bob = bench.bob();
    std::string text = mail("alice@example.gov", "bob@example.gov");

    std::string clear() const { return bench.sign({alice}, text); }
    std::string opaque() const {
        SignOptions options;
        options.opaque = true;
        return bench.sign({alice}, text, options);
    }
    std::string encrypted() const { return bench.encrypt({{bob.certificate}}, text); }
    bool valid(const std::string& message) const { return bench.verify(message).report.result == Result::valid; }
};

std::string header_field(std::string_view message, std::string_view name) {
    const std::size_t begin = message.find(std::string(name) + ":");
    std::size_t end = message.find("\r\n", begin);
    while (message.substr(end + 2, 1) == "\t" || message.substr(end + 2, 1) == " ")
        end = message.find("\r\n", end + 2);
    return std::string(message.substr(begin, end + 2 - begin));
}

}  // namespace

TEST_CASE("micalg may be missing, wrong or spelled otherwise") {
    const FormWorld world;
    const std::string clear = world.clear();
    for (const char* micalg : {"", "micalg=sha-1;", "micalg=md5;", "micalg=nonsense;", "micalg=\"sha-1, SHA256\";",
                               "micalg=SHA256;", "micalg=sha256;"}) {
        CAPTURE(micalg);
        CHECK(world.valid(replaced(clear, "micalg=sha-256;", micalg)));
    }
    CertificateSpec spec;
    spec.kind = KeyKind::p521;
    const std::string sha512 = world.bench.sign({world.bench.issue(spec)}, world.text);
    CHECK(world.valid(replaced(sha512, "micalg=sha-512;", "micalg=sha-256;")));
}

TEST_CASE("a mail with something before its header is refused with that named") {
    const FormWorld world;
    const auto hint = [&](const std::string& before) {
        try {
            world.bench.verify(before + world.clear());
        } catch (const Error& error) {
            return error.hint();
        }
        return std::string("none");
    };
    CHECK(hint("\xef\xbb\xbf").find("a byte order mark") == 0);
    CHECK(hint("\r\n").find("an empty line") == 0);
    CHECK(hint(">From alice Mon Mar  2 10:11:12 2026\r\n").find("a line '>From '") == 0);
    CHECK(hint("this is no mail\r\n").empty());
}

TEST_CASE("the line ends of a mail may have become LF") {
    const FormWorld world;
    for (const std::string& message : {world.clear(), world.opaque()}) {
        const ReadMail read = world.bench.verify(with_lf(message));
        CHECK(read.report.result == Result::valid);
        CHECK(body_of(read.content) == with_lf(body_of(kText)));
    }
    CHECK(world.bench.decrypt(with_lf(world.encrypted()), {world.bob}).content == with_lf(world.text));

    // Line ends of two kinds outside, the signed part untouched.
    const std::string clear = world.clear();
    const std::size_t part = clear.find("\r\n\r\n--");
    CHECK(world.valid(with_lf(clear.substr(0, part)) + clear.substr(part)));
}

TEST_CASE("changed line ends inside a signed part are a change") {
    const FormWorld world;
    CHECK_FALSE(
        world.valid(replaced(world.clear(), "Gr=C3=BC=C3=9Fe aus K=C3=B6ln!\r\n", "Gr=C3=BC=C3=9Fe aus K=C3=B6ln!\n")));
}

TEST_CASE("S/MIME is recognised under the media types in use") {
    const FormWorld world;
    for (const std::string& message : {world.opaque(), world.encrypted()}) {
        const bool is_signed = message.find("signed-data") != std::string::npos;
        const std::string field = header_field(message, "Content-Type");
        for (const char* type :
             {"application/pkcs7-mime; name=smime.p7m", "application/pkcs7-mime", "application/x-pkcs7-mime",
              "application/x-pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"",
              "application/pkcs7-mime; smime-type=enveloped-data", "application/octet-stream; name=smime.p7m",
              "application/octet-stream; name=\"SMIME.P7M\"", "application/octet-stream",
              "APPLICATION/PKCS7-MIME; SMIME-TYPE=SIGNED-DATA"}) {
            CAPTURE(type);
            const std::string relabelled = replaced(message, field, std::string("Content-Type: ") + type + "\r\n");
            const ReadMail read = world.bench.open(relabelled, {world.bob});
            // Others go by the label, so what it belies is not to be trusted.
            const bool belied = std::string_view(type).find("enveloped-data") != std::string_view::npos;
            CHECK(read.report.result == (!is_signed ? Result::decrypted : belied ? Result::untrusted : Result::valid));
            CHECK(read.content == world.text);
        }
        const std::string unnamed = replaced(replaced(message, field, "Content-Type: application/octet-stream\r\n"),
                                             "filename=smime.p7m", "filename=x.bin");
        CHECK(world.bench.open(unnamed, {world.bob}).report.result == Result::unsigned_);
    }
    const std::string clear = world.clear();
    CHECK(world.valid(replaced(
        replaced(clear, "protocol=\"application/pkcs7-signature\"", "protocol=\"application/x-pkcs7-signature\""),
        "Content-Type: application/pkcs7-signature", "Content-Type: application/x-pkcs7-signature")));
}

TEST_CASE("octet-streams are S/MIME by their names, as programs read these") {
    const FormWorld world;
    const std::string opaque = world.opaque();
    const auto named = [&](const std::string& type, const std::string& name) {
        const std::size_t begin = opaque.find("Content-Type:"), end = opaque.find("\r\n\r\n");
        return opaque.substr(0, begin) + "Content-Type: application/" + type + "; name=" + name +
               "\r\nContent-Transfer-Encoding: base64" + opaque.substr(end);
    };
    for (const char* name :
         {"smime.p7m", "\"=?utf-8?Q?smime=2Ep7m?=\"", "\"smime.p7m \"", "SMIME.P7M.", "\"x.p7m. .\""}) {
        CAPTURE(name);
        CHECK(world.valid(named("octet-stream", name)));
        CHECK(world.valid(named("pkcs7-mime", name)));
    }
    for (const char* name : {"smime.p7m.html", "\"=?utf-8?Q?smime=2Ehtml?=\"", "\"smime.html.\""}) {
        CAPTURE(name);
        CHECK_THAT(caught([&] { world.valid(named("octet-stream", name)); }).what(), Catch::Contains("not signed"));
        CHECK(world.bench.verify(named("pkcs7-mime", name)).report.result == Result::untrusted);
    }
}

TEST_CASE("a CMS body may lack its Content-Transfer-Encoding") {
    const FormWorld world;
    const std::string encoding = "Content-Transfer-Encoding: base64\r\n";
    CHECK(world.valid(replaced(world.opaque(), encoding, "")));
    CHECK(world.bench.decrypt(replaced(world.encrypted(), encoding, ""), {world.bob}).content == world.text);
    const std::string clear = world.clear();
    CHECK(world.valid(replaced(clear, encoding, "")));

    SignOptions options;
    options.opaque = true;
    options.form = Form::der;
    const std::string binary = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
                               world.bench.sign({world.alice}, world.text, options);
    CHECK(world.valid(binary));
    CHECK(world.valid(replaced(binary, "Content-Transfer-Encoding: binary\r\n", "")));
}

TEST_CASE("bare CMS is recognised in DER, PEM and base64") {
    const FormWorld world;
    SignOptions options;
    options.opaque = true;
    options.form = Form::der;
    const std::string der = world.bench.sign({world.alice}, world.text, options);
    options.form = Form::pem;
    const std::string pem = world.bench.sign({world.alice}, world.text, options);
    for (const std::string& form : {der, pem, "\n" + pem, with_crlf(pem), mime::base64_text(bytes_of(der)) + "\n",
                                    pem.substr(pem.find('\n') + 1, pem.find("-----END") - pem.find('\n') - 1),
                                    replaced(replaced(pem, "BEGIN CMS", "BEGIN PKCS7"), "END CMS", "END PKCS7")}) {
        const ReadMail read = world.bench.verify(form);
        CHECK(read.report.result == Result::valid);
        CHECK(read.content == kText);
    }
    CHECK(caught([&] { world.bench.verify(pem.substr(0, pem.find("-----END"))); }).kind() == ErrorKind::malformed);
}

TEST_CASE("nothing beside the PEM passes for what is signed or encrypted") {
    const FormWorld world;
    SignOptions options;
    options.opaque = true;
    options.form = Form::pem;
    const std::string pem = world.bench.sign({world.alice}, world.text, options);
    const std::string label = " CMS-----\n", words = "Pay 1000 to Eve.\n";
    for (const char* nothing : {"\n \t\r\n\n", "\x1a", "\n\f\n", "\v\r\n\x1a"})
        CHECK(world.bench.verify(pem + nothing).report.result == Result::valid);
    CHECK(
        world.bench
            .verify(replaced(replaced(pem, label, " PKCS #7 SIGNED DATA-----\n"), label, " PKCS #7 SIGNED DATA-----\n"))
            .report.result == Result::valid);
    for (const std::string& more : {
             pem + "\n" + words,
             pem + pem,
             pem + "From: boss@example.org\n\n" + words,
             pem + std::string(1'000'000, '\n') + words,
             pem + std::string(2, '\0'),
             pem + "\x1a\n" + words,
             pem + "\x1b[2J",
             pem.substr(0, pem.size() - 1) + " " + words,
             replaced(pem, "-----END CMS-----", "-----END PKCS7-----"),
             replaced(pem, "-----END CMS-----", "-----END CRL-----"),
             replaced(pem, "-----END CMS-----", "- " + words),
             replaced(pem, "BEGIN CMS-----", "BEGIN CMS----- " + words),
             replaced(pem, "BEGIN CMS-----", "BEGIN of the contract: " + words),
             replaced(replaced(pem, "BEGIN CMS", "BEGIN Pay 1000 to Eve"), "END CMS", "END Pay 1000 to Eve"),
         }) {
        CAPTURE(more.substr(0, 80), more.substr(more.size() - 80));
        CHECK(caught([&] { world.bench.verify(more); }).kind() == ErrorKind::malformed);
    }
    const SoftwareKey bob = world.bench.bob();
    EncryptOptions encrypting;
    encrypting.form = Form::pem;
    const std::string sealed = world.bench.encrypt({{bob.certificate}}, world.text, encrypting);
    CHECK(world.bench.decrypt(sealed + "\n", {bob}).content == kText);
    CHECK(caught([&] { world.bench.decrypt(sealed + words, {bob}); }).kind() == ErrorKind::malformed);
}

TEST_CASE("an mbox From line is no part of the mail") {
    const FormWorld world;
    const std::string line = "From alice@example.gov Tue Mar  4 10:15:00 2025\r\n";
    CHECK(world.valid(line + world.clear()));
    const ReadMail read = world.bench.decrypt(line + world.encrypted(), {world.bob});
    CHECK(read.content == world.text);
}

TEST_CASE("content that is no MIME entity is delivered as it is") {
    const FormWorld world;
    const std::string content = GENERATE(as<std::string>{}, "no header at all\r\n", std::string("\x01\x02\x00", 3),
                                         "line\nwith: colon later\n", "");
    const std::string bare = world.bench.openssl(
        Arguments{"cms", "-sign", "-binary", "-nodetach", "-outform", "DER"} + world.bench.signer_options(world.alice),
        content);
    CHECK(world.bench.verify(bare).content == content);
    CHECK(world.bench.verify(bare).report.result == Result::valid);
    const std::string smime = world.bench.openssl(
        Arguments{"cms", "-sign", "-binary", "-nodetach", "-crlfeol"} + world.bench.signer_options(world.alice),
        content);
    const ReadMail read = world.bench.verify(smime);
    CHECK(read.report.result == Result::valid);
    CHECK(read.content.ends_with(content));
}

TEST_CASE("transport fields stay outside and the body comes back byte for byte") {
    const FormWorld world;
    CHECK(world.bench.verify(world.clear()).content == world.text);
    CHECK(world.bench.verify(world.opaque()).content == world.text);
    CHECK(world.bench.decrypt(world.encrypted(), {world.bob}).content == world.text);
    const ReadMail read = world.bench.verify(world.clear());
    CHECK(read.report.from == std::vector<std::string>{"alice@example.gov"});
    CHECK(read.report.subject ==
          "Gr\xc3\xbc\xc3\x9f"
          "e from the field");
    CHECK(read.report.date == "2025-03-04T09:15:00Z");
    // A bare entity gives a bare entity.
    CHECK(world.bench.verify(world.bench.sign({world.alice}, kText)).content == kText);
    CHECK(world.bench.decrypt(world.bench.encrypt({{world.bob.certificate}}, kText), {world.bob}).content == kText);
}

TEST_CASE("sealed mail opens layer by layer, in any form") {
    const FormWorld world;
    const bool triple = GENERATE(false, true), opaque = GENERATE(false, true);
    SoftwareSigner signer(world.alice);
    const SystemClock clock;
    SignOptions sign;
    sign.opaque = opaque;
    sign.chain = {world.bench.intermediate.certificate};
    for (const Form form : {Form::smime, Form::der, Form::pem}) {
        EncryptOptions encrypt;
        encrypt.form = form;
        encrypt.cipher = GENERATE(content_cipher("aes-256-cbc"), content_cipher("aes-256-gcm"));
        const auto job = seal_job({&signer}, clock, sign, {{world.bob.certificate}}, encrypt, triple);
        const std::string sealed = run(*job, world.text);
        const ReadMail read = world.bench.open(sealed, {world.bob});
        CHECK(read.report.result == Result::valid);
        CHECK(read.content == (form == Form::smime ? world.text : std::string(kText)));
        REQUIRE(read.report.layers.size() == (triple ? 3 : 2));
        CHECK(read.report.layers.back().type == LayerType::signed_data);
        for (const Layer& layer : read.report.layers)
            CHECK(layer.covers_whole);
        if (triple) continue;
        // OpenSSL takes both layers off.
        const std::string inner = world.bench.openssl(
            {"cms", "-decrypt", "-binary", "-inform",
             form == Form::smime ? "SMIME"
             : form == Form::der ? "DER"
                                 : "PEM",
             "-recip", world.bench.certificate_file(world.bob), "-inkey", world.bench.key_file(world.bob)},
            sealed);
        CHECK(world.bench.openssl({"cms", "-verify", "-CAfile", world.bench.trusted_file()}, inner) == kText);
    }
}

TEST_CASE("each task takes off its kind of layer") {
    const FormWorld world;
    const std::string plain = world.text;
    CHECK(caught([&] { world.bench.verify(plain); }).kind() == ErrorKind::malformed);
    CHECK(caught([&] { world.bench.decrypt(plain, {world.bob}); }).kind() == ErrorKind::malformed);
    CHECK(world.bench.open(plain, {world.bob}).report.result == Result::unsigned_);
    CHECK(world.bench.open(plain, {world.bob}).content == plain);
    CHECK(caught([&] { world.bench.verify(world.encrypted()); }).kind() == ErrorKind::malformed);
    for (const std::string& message : {world.clear(), world.opaque()})
        CHECK(caught([&] { world.bench.decrypt(message, {world.bob}); }).kind() == ErrorKind::malformed);
    for (const char* nothing : {"", "\x01\x02", "just text"})
        CHECK(caught([&] { world.bench.open(nothing, {}); }).kind() == ErrorKind::malformed);
}
