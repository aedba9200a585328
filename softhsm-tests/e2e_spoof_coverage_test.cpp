#include "mime/codec.h"
#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr const char* kPart = "only a part of the mail";
// What the first of two Content-Type fields says to be no signed mail is none, for most programs too.
const Answer kUnsigned{"", "unsigned 0"};
constexpr const char* kBeside = "there is text beside the signed part that is not signed";

std::vector<Row> coverage_rows(const Stage& stage) {
    const auto whole = [&](const std::string& entity) { return stage.sign(from_alice(entity)); };
    const std::string clear = whole(kPlain);
    const std::string mixed = "multipart/mixed", alternative = "multipart/alternative", related = "multipart/related";
    const std::string image = "Content-Type: text/plain\r\nContent-ID: <signed>\r\n\r\nPay 10 to Bob.\r\n";
    const std::string html = "Content-Type: text/html\r\n\r\n<p>Pay 1000 to Eve<img src=\"cid:signed\"></p>\r\n";
    const std::string part = stage.part(kPlain);
    const std::string opaque_part = stage.sign(kPlain, {"--from", kAlice, "--opaque"});
    const std::string own_content = body_of(opaque_part);
    const std::string certificates = stage.office.desk.file(
        "certificates.der", done(stage.office.desk.run({"openssl", "crl2pkcs7", "-nocrl", "-certfile",
                                                        stage.office.certificate(stage.alice), "-outform", "DER"})));
    const std::string no_signers = done(stage.office.desk.run({"openssl", "base64", "-in", certificates}));
    return {
        {"a list's footer beside the signed part", whole(multipart(mixed, {kPlain, kOther})),
         from_alice(multipart(mixed, {part, kOther})), kPart},
        {"text before the signed part", whole(multipart(mixed, {kOther, kPlain})),
         from_alice(multipart(mixed, {kOther, part})), kPart},
        {"an opaque signed part as an attachment", whole(multipart(mixed, {kOther, kPlain})),
         from_alice(multipart(mixed, {kOther, opaque_part})), kPart},
        {"a signed mail attached to an unsigned one", whole(multipart(mixed, {kOther, attached(clear)})),
         from_alice(multipart(mixed, {kOther, attached(clear)})), kPart},
        {"a signed mail as the only content of an unsigned one", clear, from_alice(attached(clear)), kPart},
        {"multipart/alternative around a signed part", whole(multipart(alternative, {kOther, kPlain})),
         from_alice(multipart(alternative, {kOther, part})), kPart},
        {"multipart/related around a signed part", whole(multipart(related, {html, image})),
         from_alice(multipart(related, {html, stage.part(image)})), kPart},
        {"a signed part hidden behind a content ID", whole(multipart(related, {html, image})),
         from_alice(
             multipart(related, {html, replaced(part, "Content-Type:", "Content-ID: <signed>\r\nContent-Type:")})),
         kPart},
        {"text before the parts of the signature",
         replaced(clear, "\r\n\r\n--p11mime", "\r\n\r\nThis is an S/MIME signed message\r\n\r\n--p11mime"),
         replaced(clear, "\r\n\r\n--p11mime", "\r\n\r\nPay 1000 to Eve.\r\n\r\n--p11mime"), kBeside},
        {"text after the parts of the signature", clear + "\r\n\r\n", clear + "Pay 1000 to Eve.\r\n", kBeside},
        {"a further text in the signed multipart", clear, with_part_behind(clear, kOther), kPart},
        {"a second signature part", clear,
         with_part_behind(clear, "Content-Type: application/pkcs7-signature\r\n\r\n" + own_content), kPart},
        {"a signature part with content of its own",
         clear,
         with_signature(clear, own_content),
         {"the signature part carries content of its own", kInvalid}},
        {"a signature part without any signer",
         clear,
         with_signature(clear, no_signers),
         {"it carries no signature", kInvalid}},
        {"two Content-Type fields", clear, replaced(clear, "MIME-Version", "Content-Type: text/html\r\nMIME-Version"),
         kUnsigned},
        {"two Content-Type fields, the other last", clear,
         replaced(clear, "\r\n\r\n--p11mime", "\r\nContent-Type: text/html\r\n\r\n--p11mime"),
         "the header has 2 Content-Type fields"},
        {"two Subject fields", clear, "Subject: Pay Eve\r\n" + clear, "the header has 2 Subject fields"},
        {"two Reply-To fields", "Reply-To: a@example.org\r\nReply-To: a@example.org\r\n" + clear,
         "Reply-To: a@example.org\r\nReply-To: b@example.org\r\n" + clear, "the header has 2 Reply-To fields"},
        {"two boundaries", clear, replaced(clear, "\"\r\n\r\n--p11mime", "\"; boundary=other\r\n\r\n--p11mime"),
         "the Content-Type field has two values of boundary"},
        {"a boundary in two forms",
         clear,
         replaced(clear, "micalg=", "boundary*=utf-8''other; micalg="),
         {"multipart/signed without parts", kMalformed}},
        {"a type that says something else", stage.sign(from_alice(kPlain), {"--opaque"}),
         replaced(stage.sign(from_alice(kPlain), {"--opaque"}), "signed-data", "enveloped-data"),
         "the mail calls itself enveloped-data, and is signed"},
    };
}

// Text beside the parts of a signature, where a reader that stops early does not see it.
std::vector<Row> beside_rows(const Stage& stage) {
    const std::string clear = stage.sign(from_alice(kPlain));
    const auto before = [&](const std::string& text) {
        return replaced(clear, "\r\n\r\n--p11mime", "\r\n\r\n" + text + "\r\n--p11mime");
    };
    const std::string pay = "Pay 1000 to Eve.\r\n", notice = "This is an S/MIME signed message";
    const std::string blanks(1024, ' '), many_blanks(100'000, ' ');
    std::string lines;
    for (int i = 0; i < 512; ++i)
        lines += "\r\n";
    return {
        {"text before the parts, behind empty lines", before(lines), before(lines + pay), kBeside},
        {"text before the parts, behind many blanks", before(many_blanks), before(many_blanks + pay), kBeside},
        {"text behind a notice and empty lines", before(notice + lines), before(notice + lines + pay), kBeside},
        {"text behind a notice and many blanks", before(notice + many_blanks), before(notice + many_blanks + pay),
         kBeside},
        {"text behind the first sentence of a notice", before("This message is in MIME format.\r\n"),
         before("This message is in MIME format. Since your mail reader does not understand, pay 1000 to Eve.\r\n"),
         kBeside},
        {"text in a notice", before("Dies ist eine kryptografisch unterzeichnete Nachricht im MIME-Format.\r\n"),
         before("Dies ist eine kryptografisch unterzeichnete Nachricht von Eve im MIME-Format.\r\n"), kBeside},
        {"text in a Spanish notice", before("Este es un mensaje multipartes en formato MIME.\r\n"),
         before("Este es un mensaje de Eve en formato MIME.\r\n"), kBeside},
        {"text after the parts, behind blanks", clear + blanks, clear + blanks + pay, kBeside},
        {"text after the parts, behind many blanks", clear + many_blanks, clear + many_blanks + pay, kBeside},
    };
}

// RFC 2045 section 6.4: some programs decode a multipart or a mail with a transfer encoding before they look for parts.
std::vector<Row> encoded_rows(const Stage& stage) {
    const auto encoded = [](const std::string& entity, const std::string& encoding) {
        return "Content-Transfer-Encoding: " + encoding + "\r\n" + entity;
    };
    const std::string clear = stage.sign(from_alice(kPlain)), part = stage.part(kPlain);
    const auto signed_mail = [&](const std::string& encoding) { return encoded(clear, encoding); };
    // openssl signs the entity as it is.
    const auto signed_entity = [&](const std::string& entity) {
        const auto& desk = stage.office.desk;
        return "From: alice@example.gov\r\n" +
               done(desk.run({"openssl", "cms", "-sign", "-binary", "-in", desk.file("entity", entity), "-signer",
                              stage.office.certificate(stage.alice), "-inkey", stage.office.key(stage.alice)}));
    };
    const auto parts = [&](const std::string& encoding) {
        return signed_entity(encoded(multipart("multipart/mixed", {kPlain, kOther}), encoding));
    };
    const auto part_within = [&](const std::string& encoding) {
        const std::string inner =
            "Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\n" + part + "\r\n--inner--\r\n";
        return signed_entity(multipart("multipart/mixed", {kOther, encoded(inner, encoding)}));
    };
    const auto bounded = [&](std::size_t size) {
        const std::string b(size, 'b');
        return signed_entity("Content-Type: multipart/mixed; boundary=" + b + "\r\n\r\n--" + b + "\r\n" + kPlain +
                             "\r\n--" + b + "--\r\n");
    };
    const std::string ceo = "From: ceo@bank.example\r\n" + kPlain;
    return {
        {"multipart/signed in base64", signed_mail("7bit"), signed_mail("base64"),
         "multipart/signed has the transfer encoding base64"},
        {"multipart/signed in quoted-printable", signed_mail("8bit"), signed_mail("quoted-printable"),
         "multipart/signed has the transfer encoding quoted-printable"},
        {"multipart/signed in an encoding of its own", signed_mail("Binary"), signed_mail("x-uuencode"),
         "multipart/signed has the transfer encoding x-uuencode"},
        {"multipart/signed with a broken encoding", signed_mail("7bit"), signed_mail("7bit base64"),
         "multipart/signed has the transfer encoding 7bit base64"},
        {"a signed multipart in base64", parts("8bit"), parts("base64"),
         "multipart/mixed has the transfer encoding base64"},
        {"a signed part inside a part in base64", part_within("7bit"), part_within("base64"),
         "multipart/mixed has the transfer encoding base64"},
        {"a signed mail of another in base64",
         signed_entity("Content-Type: message/global; forwarded=yes\r\n\r\n" + ceo),
         signed_entity(
             encoded("Content-Type: message/global\r\n\r\n" + mime::base64_text(bytes_of(ceo)) + "\r\n", "base64")),
         "message/global has the transfer encoding base64"},
        {"a signed mail of another as news", signed_entity("Content-Type: message/news; forwarded=yes\r\n\r\n" + ceo),
         signed_entity("Content-Type: message/news\r\n\r\n" + ceo), "ceo@bank.example"},
        {"a signed multipart with a boundary that is too long", bounded(200), bounded(201), "its boundary is too long"},
    };
}

}  // namespace

TEST_CASE("spoofing and leaking constructions around what is signed are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {coverage_rows(stage), beside_rows(stage), encoded_rows(stage)});
}
