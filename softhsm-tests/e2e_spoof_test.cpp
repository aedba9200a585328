// Spoofing and leaking constructions of the classes published as "Johnny, you are fired!" (Müller et al., 2019) and
// EFAIL (Poddebniak et al., 2018), each beside its honest twin. The twin is valid; the construction never is.

#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/table.h"

using namespace p11mime::test;

namespace {

constexpr const char* kAlice = "alice@example.gov";
constexpr const char* kBob = "bob@example.gov";
constexpr const char* kEve = "eve@example.org";

/// Stage is what the constructions are made with. Alice, Eve and Bob all have trusted certificates; Bob reads.
struct Stage {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = kAlice, .kind = KeyKind::p256});
    Identity eve = office.employ({.name = "Eve", .email = kEve, .kind = KeyKind::p256});
    Identity bob = office.employ({.name = "Bob", .email = kBob, .kind = KeyKind::rsa2048});

    std::string p11mime(const Arguments& arguments, const std::string& input) const {
        return done(office.desk.p11mime(arguments, input));
    }
    std::string sign(const std::string& text, const Arguments& options = {}) const {
        return p11mime(Arguments{"sign"} + options, text);
    }
    /// part is an entity signed by itself.
    std::string part(const std::string& entity, const char* signer = kAlice) const {
        return sign(entity, {"--entity", "--from", signer});
    }
    std::string encrypt(const std::string& text, const Arguments& options = {}) const {
        return p11mime(
            Arguments{"encrypt", "--no-self", "--recipient-cert", office.certificate(bob)} + options + office.trust(),
            text);
    }
    std::string seal(const std::string& text, const Arguments& options = {}) const {
        return p11mime(
            Arguments{"seal", "--no-self", "--recipient-cert", office.certificate(bob)} + options + office.trust(),
            text);
    }
    /// verdict is the result of a mail, and the exit code.
    std::string verdict(const std::string& text, const char* command) const {
        const std::string report = office.desk.path("report.json");
        std::filesystem::remove(report);
        const Outcome outcome = office.desk.p11mime(Arguments{command, "-n", "--json", report} + office.trust(), text);
        UNSCOPED_INFO(outcome.err);
        const auto json = nlohmann::json::parse(read_file(report));
        if (json["result"] == "untrusted" || json["result"] == "invalid") {
            CHECK(json["reason"].is_string());
            CHECK(json["hint"].is_string());
        }
        return json["result"].get<std::string>() + " " + std::to_string(outcome.status);
    }
};

const std::string kPlain = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";
const std::string kOther = "Content-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n";

std::string multipart(const std::string& type, const std::vector<std::string>& parts, const std::string& before = {},
                      const std::string& after = {}) {
    std::string text = "Content-Type: " + type + "; boundary=outer\r\n\r\n" + before;
    for (const std::string& part : parts)
        text += "\r\n--outer\r\n" + part;
    return text + "\r\n--outer--\r\n" + after;
}

std::string from_alice(const std::string& entity) {
    return mail(kAlice, kBob, entity);
}

std::string attached(const std::string& text, const std::string& parameters = {}) {
    return "Content-Type: message/rfc822" + parameters + "\r\n\r\n" + text;
}

/// last_boundary is where the close delimiter of a signed mail starts.
std::size_t last_boundary(const std::string& text) {
    return text.rfind("\r\n--p11mime-") + 2;
}

/// with_part_behind puts a part behind the signature.
std::string with_part_behind(const std::string& signed_mail, const std::string& part) {
    const std::size_t at = last_boundary(signed_mail);
    const std::string delimiter = signed_mail.substr(at, signed_mail.find("--\r\n", at + 2) - at);
    return signed_mail.substr(0, at) + delimiter + "\r\n" + part + "\r\n" + signed_mail.substr(at);
}

/// with_signature puts another signature (base64) into a clear-signed mail.
std::string with_signature(const std::string& signed_mail, const std::string& base64) {
    const std::size_t begin = signed_mail.find("\r\n\r\n", signed_mail.find("smime.p7s\r\n")) + 4;
    return signed_mail.substr(0, begin) + base64 + signed_mail.substr(last_boundary(signed_mail));
}

/// Row is a construction and its twin.
struct Row {
    std::string name;
    std::string twin;
    std::string construction;
    const char* command = "open";
};

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
         from_alice(multipart(mixed, {part, kOther}))},
        {"text before the signed part", whole(multipart(mixed, {kOther, kPlain})),
         from_alice(multipart(mixed, {kOther, part}))},
        {"an opaque signed part as an attachment", whole(multipart(mixed, {kOther, kPlain})),
         from_alice(multipart(mixed, {kOther, opaque_part}))},
        {"a signed mail attached to an unsigned one", whole(multipart(mixed, {kOther, attached(clear)})),
         from_alice(multipart(mixed, {kOther, attached(clear)}))},
        {"a signed mail as the only content of an unsigned one", clear, from_alice(attached(clear))},
        {"multipart/alternative around a signed part", whole(multipart(alternative, {kOther, kPlain})),
         from_alice(multipart(alternative, {kOther, part}))},
        {"multipart/related around a signed part", whole(multipart(related, {html, image})),
         from_alice(multipart(related, {html, stage.part(image)}))},
        {"a signed part hidden behind a content ID", whole(multipart(related, {html, image})),
         from_alice(
             multipart(related, {html, replaced(part, "Content-Type:", "Content-ID: <signed>\r\nContent-Type:")}))},
        {"text before the parts of the signature",
         replaced(clear, "\r\n\r\n--p11mime", "\r\n\r\nThis is an S/MIME signed message\r\n\r\n--p11mime"),
         replaced(clear, "\r\n\r\n--p11mime", "\r\n\r\nPay 1000 to Eve.\r\n\r\n--p11mime")},
        {"text after the parts of the signature", clear + "\r\n\r\n", clear + "Pay 1000 to Eve.\r\n"},
        {"a further text in the signed multipart", clear, with_part_behind(clear, kOther)},
        {"a second signature part", clear,
         with_part_behind(clear, "Content-Type: application/pkcs7-signature\r\n\r\n" + own_content)},
        {"a signature part with content of its own", clear, with_signature(clear, own_content)},
        {"a signature part without any signer", clear, with_signature(clear, no_signers)},
        {"two Content-Type fields", clear, replaced(clear, "MIME-Version", "Content-Type: text/html\r\nMIME-Version")},
        {"two Content-Type fields, the other last", clear,
         replaced(clear, "\r\n\r\n--p11mime", "\r\nContent-Type: text/html\r\n\r\n--p11mime")},
        {"two Subject fields", clear, "Subject: Pay Eve\r\n" + clear},
        {"two Reply-To fields", "Reply-To: a@example.org\r\nReply-To: a@example.org\r\n" + clear,
         "Reply-To: a@example.org\r\nReply-To: b@example.org\r\n" + clear},
        {"two boundaries", clear, replaced(clear, "\"\r\n\r\n--p11mime", "\"; boundary=other\r\n\r\n--p11mime")},
        {"a boundary in two forms", clear, replaced(clear, "micalg=", "boundary*=utf-8''other; micalg=")},
        {"a type that says something else", stage.sign(from_alice(kPlain), {"--opaque"}),
         replaced(stage.sign(from_alice(kPlain), {"--opaque"}), "signed-data", "enveloped-data")},
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
        {"text before the parts, behind empty lines", before(lines), before(lines + pay)},
        {"text before the parts, behind many blanks", before(many_blanks), before(many_blanks + pay)},
        {"text behind a notice and empty lines", before(notice + lines), before(notice + lines + pay)},
        {"text behind a notice and many blanks", before(notice + many_blanks), before(notice + many_blanks + pay)},
        {"text behind the first sentence of a notice", before("This message is in MIME format.\r\n"),
         before("This message is in MIME format. Since your mail reader does not understand, pay 1000 to Eve.\r\n")},
        {"text in a notice", before("Dies ist eine kryptografisch unterzeichnete Nachricht im MIME-Format.\r\n"),
         before("Dies ist eine kryptografisch unterzeichnete Nachricht von Eve im MIME-Format.\r\n")},
        {"text after the parts, behind blanks", clear + blanks, clear + blanks + pay},
        {"text after the parts, behind many blanks", clear + many_blanks, clear + many_blanks + pay},
    };
}

// Lines in the headers around a signature that some programs take for the end of a field, or of the header.
std::vector<Row> line_rows(const Stage& stage) {
    const std::string clear = stage.sign(from_alice(kPlain)), opaque = stage.sign(from_alice(kPlain), {"--opaque"});
    const auto with = [](const std::string& mail, const std::string& field) {
        return replaced(mail, "MIME-Version:", field + "\r\nMIME-Version:");
    };
    const auto in_part = [&](const std::string& line) {
        return replaced(clear, "Content-Type: application/pkcs7-signature",
                        line + "\r\nContent-Type: application/pkcs7-signature");
    };
    const auto in_type = [&](const std::string& end) {
        return replaced(clear, "micalg=", "x=\"a" + end + "b\"; micalg=");
    };
    // openssl encrypts what is signed within as it is, to Bob.
    const auto within = [&](const std::string& line) {
        const auto& desk = stage.office.desk;
        const std::string entity = desk.file("entity", line + entity_of(clear));
        return "From: alice@example.gov\r\n" + done(desk.run({"openssl", "cms", "-encrypt", "-binary", "-in", entity,
                                                              stage.office.certificate(stage.bob)}));
    };
    return {
        {"a From field behind a CR", with(clear, "X-A: b\r\n From: Eve"), with(clear, "X-A: b\rFrom: Eve <eve@x.org>")},
        {"the same, opaque", with(opaque, "X-A: b"), with(opaque, "X-A: b\rFrom: Eve <eve@x.org>")},
        {"text behind two CR", with(clear, "X-A: b\r\n Pay"), with(clear, "X-A: b\r\rPay 1000 to Eve.")},
        {"a From field behind a CR in MIME-Version", clear, replaced(clear, "Version: 1.0", "Version: 1.0\rFrom: Eve")},
        {"a From field behind a CR in an mbox line", "From alice 2026\r\n" + clear,
         "From alice\rFrom: Eve\r\n" + clear},
        {"a CR in the Content-Type field", in_type("\r\n "), in_type("\r")},
        {"text behind a line of blanks", with(clear, "X-A: b\r\n c"), with(clear, "X-A: b\r\n \r\n Pay 1000 to Eve.")},
        {"text as a field behind a line of blanks", with(clear, "X-A: b\r\n \r\nX-B: c"),
         with(clear, "X-A: b\r\n \r\nHello: Pay 1000 to Eve.")},
        {"text as a field behind two ends of a line", with(clear, "X-A: b\r\r\nX-B: c"),
         with(clear, "X-A: b\r\r\nHello: Pay 1000 to Eve.")},
        {"a delimiter behind a line of blanks", with(clear, "X-A: b\r\n \r\nX-B: c"),
         with(clear, "X-A: b\r\n \r\n--x:")},
        {"a part behind a CR, in the signature part's header", in_part("Content-Description: a"),
         in_part("Content-Description: a\r--b\rContent-Type: text/plain\r\rPay 1000 to Eve.")},
        {"text behind two CR, in the signature part's header", in_part("Content-Description: a"),
         in_part("Content-Description: a\r\rPay 1000 to Eve.")},
        {"text behind two CR, encrypted", within("Content-Description: a\r\n"),
         within("Content-Description: a\r\rPay 1000 to Eve.\r\n")},
    };
}

// The signature part, labelled so that programs show it, or with a part inside for those that read on.
std::vector<Row> signature_part_rows(const Stage& stage) {
    const std::string clear = stage.sign(from_alice(kPlain));
    const std::string type = "Content-Type: application/pkcs7-signature";
    const auto labelled = [&](const std::string& label) { return replaced(clear, type, label); };
    const auto renamed = [&](const std::string& name) {
        return replaced(clear, "filename=smime.p7s", "filename=" + name);
    };
    return {
        {"the signature part as HTML", labelled("Content-Type: application/x-pkcs7-signature"),
         labelled("Content-Type: text/html")},
        {"the signature part as text", labelled("Content-Type: application/octet-stream"),
         labelled("Content-Type: text/plain")},
        {"the signature part as a multipart", clear, labelled("Content-Type: multipart/mixed; boundary=b")},
        {"the signature part of no type", clear, labelled("Content-Description: x")},
        {"the signature part of two types", clear, labelled("Content-Type: text/html\r\n" + type)},
        {"the signature part as a page to open", renamed("Signature.P7S"), renamed("Invoice.html")},
        {"the signature part as a page, in an encoded word", renamed("\"=?utf-8?Q?smime=2Ep7s?=\""),
         renamed("\"=?utf-8?Q?Invoice=2Ehtml?=\"")},
        {"the signature part as a page, in an encoded word of no charset", clear,
         renamed("\"=?x-foo?Q?Invoice=2Ehtml?=\"")},
        {"the signature part as a page, beside an encoded word", clear, renamed("\"=?utf-8?Q?a=2Ep7s?=.html\"")},
        {"the signature part as a mail", renamed("smime.bin"), renamed("Invoice.eml")},
        {"the signature part as a page with a dot behind", renamed("signature"), renamed("\"Invoice.html.\"")},
        {"an octet-stream that is named like no signature",
         replaced(clear, type, "Content-Type: application/octet-stream"),
         replaced(renamed("smime.bin"), type, "Content-Type: application/octet-stream")},
        {"a Bcc in the signature part", labelled("Status: RO\r\n" + type), labelled("Bcc: Eve\r\n" + type)},
        {"a Subject in the signature part", labelled("X-Scanned: yes\r\nMIME-Version: 1.0\r\n" + type),
         labelled("Subject: Pay 1000 to Eve\r\n" + type)},
        {"a delimiter as a field of the signature part", labelled("X-x: bOuNd\r\n" + type),
         labelled("--x:bOuNd\r\n" + type)},
    };
}

// Names that programs read differently: for some, the signature or the whole mail is a page to open.
std::vector<Row> name_rows(const Stage& stage) {
    const std::string clear = stage.sign(from_alice(kPlain)), opaque = stage.sign(from_alice(kPlain), {"--opaque"});
    const auto part = [&](const std::string& type, const std::string& disposition) {
        const std::size_t at = clear.find("Content-Type: application/pkcs7-signature");
        const std::size_t end = clear.find("\r\n\r\n", at);
        return clear.substr(0, at) + "Content-Type: application/" + type +
               "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: " + disposition + clear.substr(end);
    };
    const auto whole = [&](const std::string& type, const std::string& disposition) {
        const std::size_t at = opaque.find("Content-Type: "), end = opaque.find("\r\n\r\n", at);
        return opaque.substr(0, at) + "Content-Type: application/" + type +
               "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: " + disposition + opaque.substr(end);
    };
    const std::string signature = "pkcs7-signature", octets = "octet-stream; name=smime.p7s",
                      content = "pkcs7-mime; name=smime.p7m", content_octets = "octet-stream; name=smime.p7m";
    const std::string p7s = "attachment; filename=smime.p7s", p7m = "attachment; filename=\"smime.p7m\"";
    const std::string page = "inline; filename=\"invoice.html\"";
    const std::string encoded = "attachment; filename*=utf-8''smime.p7";
    return {
        {"the signature part's name in two forms", part(signature, encoded + "s"),
         part(signature, page + "; filename*=utf-8''smime.p7s")},
        {"the signature part's name in sections and plain",
         part(octets, "attachment; filename*0=smime; filename*1=.p7s"),
         part(octets, page + "; filename*0=smime; filename*1=.p7s")},
        {"the signature part's name in two forms of one value", part(octets, p7s),
         part(octets, "inline; filename=smime.p7s; filename*=utf-8''smime.p7s")},
        {"two dispositions of the signature part", part(octets, p7s),
         part(octets, p7s + "\r\nContent-Disposition: " + page)},
        {"two names of the signature part", part(octets, p7s + "; filename=smime.p7s"),
         part("octet-stream; name=smime.p7s; name=invoice.html", p7s)},
        {"two file names of the signature part", part(octets, p7s), part(signature, p7s + "; filename=invoice.html")},
        {"a comment in the signature part's disposition", part(octets, p7s),
         part(octets, "inline; (filename=\"x.p7s\";) filename=\"a.html\\\";x=\".p7s\"")},
        {"a name in a comment", part(octets, p7s), part(octets, "inline; x=(; filename=a.html;); filename=smime.p7s")},
        {"a name with text behind it", part(octets, p7s), part(octets, page + ".p7s")},
        {"a name with a word behind it", part(octets, p7s), part(octets, "inline; filename=invoice.html .p7s")},
        {"a name with a semicolon", part(octets, "inline; filename=\"a .p7s\""),
         part(octets, "inline; filename=\"invoice.html ;.p7s\"")},
        {"a name in quotes that are not closed", part(octets, p7s), part(octets, "inline; filename=\"a.html;.p7s")},
        {"an opaque mail as a page", whole(content, p7m), whole("pkcs7-mime; name=smime.p7m", page)},
        {"an opaque mail as a page, by its type", whole("pkcs7-mime", "attachment"),
         whole("pkcs7-mime; name=invoice.html", p7m)},
        {"an octet-stream as a page", whole(content_octets, p7m), whole(content_octets, page)},
        {"an octet-stream as a page, by its type", whole(content_octets, "attachment"),
         whole("octet-stream; name=invoice.html", p7m)},
        {"an octet-stream of data as a page's", whole("pkcs7-mime; name=smime.bin", p7m),
         whole("octet-stream; name=smime.bin", p7m)},
        {"a page's name with a blank", whole(content, "attachment; filename=\"smime.p7m \""),
         whole(content, "attachment; filename=\"invoice.html \"")},
        {"two names of an opaque mail", whole(content, p7m), whole(content + "; name=invoice.html", p7m)},
        {"an opaque mail's name in two forms", whole(content, encoded + "m"),
         whole(content, page + "; filename*=utf-8''smime.p7m")},
        {"an opaque mail's name cut by NUL", whole(content, encoded + "m"),
         whole(content, "attachment; filename*=utf-8''invoice%2Ehtml%00.p7m")},
        {"two dispositions of an opaque mail", whole(content, p7m),
         whole(content, p7m + "\r\nContent-Disposition: " + page)},
    };
}

// A Content-Type field around a signature from which programs read another boundary, or none.
std::vector<Row> boundary_rows(const Stage& stage) {
    const std::string clear = stage.sign(from_alice(kPlain)), opaque = stage.sign(from_alice(kPlain), {"--opaque"});
    const std::size_t begin = clear.find("boundary=\"") + 10;
    const std::string boundary = clear.substr(begin, clear.find('"', begin) - begin);
    const auto bounded = [&](const std::string& parameter) {
        return replaced(clear, "boundary=\"" + boundary + "\"", parameter);
    };
    const auto typed = [&](const std::string& type) { return replaced(clear, "multipart/signed;", type); };
    const std::string name = "Content-Type: multipart/signed";
    return {
        {"a comment in the boundary", bounded("boundary=" + boundary), bounded("boundary=(x:)" + boundary)},
        {"a comment in the type", typed("Multipart/Signed ;"), typed("multipart/signed (text/plain);")},
        {"a comment in the type, opaque", opaque, replaced(opaque, "pkcs7-mime;", "pkcs7-mime (text/plain);")},
        {"a backslash in the boundary", clear, bounded("boundary=\"p\\" + boundary.substr(1) + '"')},
        {"a quoted boundary that is not closed", clear, bounded("boundary=\"" + boundary)},
        {"a boundary with text behind it", clear, bounded("boundary=\"\"" + boundary)},
        {"a type with text behind it", clear, typed("multipart/signed text/plain;")},
        {"a type without a semicolon", clear, typed("multipart/signed x=y;")},
        {"a section of the boundary twice", clear, bounded("boundary*0=\"" + boundary + "\"; boundary*0=\"zz:x\"")},
        {"a section of the boundary twice, written otherwise", clear,
         bounded("boundary*0=\"" + boundary + "\"; boundary*00=\"zz:x\"")},
        {"a boundary in sections", clear, bounded("boundary*0=p; boundary*1=\"" + boundary.substr(1) + '"')},
        {"a blank behind the field's name", clear, replaced(clear, name, "Content-Type : multipart/signed")},
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
    return {
        {"multipart/signed in base64", signed_mail("7bit"), signed_mail("base64")},
        {"multipart/signed in quoted-printable", signed_mail("8bit"), signed_mail("quoted-printable")},
        {"multipart/signed in an encoding of its own", signed_mail("Binary"), signed_mail("x-uuencode")},
        {"multipart/signed with a broken encoding", signed_mail("7bit"), signed_mail("7bit base64")},
        {"a signed multipart in base64", parts("8bit"), parts("base64")},
        {"a signed part inside a part in base64", part_within("7bit"), part_within("base64")},
    };
}

// A signed receipt (RFC 2634 section 2.7) carries bytes of whoever asked for it.
std::vector<Row> document_rows(const Stage& stage) {
    const auto& desk = stage.office.desk;
    const auto by_openssl = [&](const Arguments& options) {
        return "From: alice@example.gov\r\n" +
               done(desk.run(Arguments{"openssl", "cms", "-sign", "-binary", "-in", desk.file("entity", kPlain),
                                       "-signer", stage.office.certificate(stage.alice), "-inkey",
                                       stage.office.key(stage.alice)} +
                             options));
    };
    const Arguments receipt{"-econtent_type", "id-smime-ct-receipt"}, opaque{"-nodetach"};
    return {
        {"a signed receipt passed off as a clear-signed mail", by_openssl({}), by_openssl(receipt)},
        {"a signed receipt passed off as an opaque mail", by_openssl(opaque), by_openssl(opaque + receipt)},
    };
}

std::vector<Row> encryption_rows(const Stage& stage) {
    const std::string sealed = stage.seal(from_alice(kPlain)), triple = stage.seal(from_alice(kPlain), {"--triple"});
    const std::string secret = entity_of(stage.encrypt(from_alice(kPlain)));
    const std::string signed_secret = entity_of(stage.seal(from_alice(kPlain), {"--no-protect-headers"}));
    const std::string by_eve =
        entity_of(stage.encrypt("From: alice@example.gov\r\n" + stage.part(kPlain, kEve), {"--cipher", "aes-256-gcm"}));
    const std::string open_html = "Content-Type: text/html\r\n\r\n<img src=\"http://example.org/\r\n";
    const std::string shut_html = "Content-Type: text/html\r\n\r\n\">\r\n";
    const auto flipped = [&](const std::string& cipher) {
        const std::string mail = stage.seal(from_alice(kPlain), {"--cipher", cipher, "--form", "der"});
        std::string changed = mail;
        changed[changed.size() - 100] = static_cast<char>(changed[changed.size() - 100] ^ 1);
        return std::pair(mail, changed);
    };
    const auto [cbc, changed_cbc] = flipped("aes-256-cbc");
    const auto [gcm, changed_gcm] = flipped("aes-256-gcm");
    const std::string pgp =
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=pgp\r\n\r\n"
        "--pgp\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--pgp\r\n"
        "Content-Type: application/octet-stream\r\n\r\nx\r\n--pgp--\r\n";
    return {
        {"EFAIL: an encrypted part between HTML", sealed,
         from_alice(multipart("multipart/mixed", {open_html, secret, shut_html}))},
        {"EFAIL: a signed and encrypted part between HTML", sealed,
         from_alice(multipart("multipart/mixed", {open_html, signed_secret, shut_html}))},
        {"EFAIL: changed ciphertext without authentication", cbc, changed_cbc},
        {"EFAIL: changed ciphertext with authentication", gcm, changed_gcm},
        {"encrypted and not signed", sealed, stage.encrypt(from_alice(kPlain))},
        {"signed outside the encryption alone", triple, stage.sign(from_alice(secret))},
        {"the same, not decrypted", stage.sign(from_alice(kPlain)), stage.sign(from_alice(secret)), "verify"},
        {"another's ciphertext, signed by Eve", stage.seal(mail(kEve, kBob, kPlain)),
         stage.sign(mail(kEve, kBob, secret))},
        {"Eve's text, signed by Alice once encrypted", triple, stage.sign(from_alice(by_eve))},
        {"a signature over PGP/MIME", stage.sign(from_alice(kPlain)), stage.sign(from_alice(pgp))},
    };
}

std::vector<Row> sender_rows(const Stage& stage) {
    const std::string honest = stage.sign(mail("Eve <eve@example.org>", kBob, kPlain));
    const auto signed_by_eve = [&](const std::string& from) { return replaced(honest, "Eve <eve@example.org>", from); };
    const auto row = [&](const char* name, const std::string& from) { return Row{name, honest, signed_by_eve(from)}; };
    const std::string clear = stage.sign(from_alice(kPlain));
    const std::string protected_mail = stage.sign(mail("Eve <eve@example.org>", kBob, kPlain), {"--protect-headers"});
    const std::string inner = "From: alice@example.gov\r\nSubject: Pay\r\n" + kPlain;
    const std::string v1 =
        "Content-Type: text/plain; protected-headers=\"v1\"\r\nFrom: eve@example.org\r\n\r\nPay.\r\n";
    const auto outside = [&](const std::string& entity, const char* from) {
        return "From: " + std::string(from) + "\r\nMIME-Version: 1.0\r\n" + stage.part(entity, kEve);
    };
    return {
        row("signed by another", kAlice),
        row("the address as the display name", "\"alice@example.gov\" <eve@example.org>"),
        row("the address before the sender's", "alice@example.gov <eve@example.org>"),
        row("the address in a comment", "eve@example.org (alice@example.gov)"),
        row("the address in an encoded word", "=?utf-8?q?alice=40example.gov?= <eve@example.org>"),
        row("the address in an encoded word, with NUL", "=?utf-8?q?alice=40example.gov=00?= <eve@example.org>"),
        row("an encoded word as the local part", "=?utf-8?q?alice=40example.gov=00?=@example.org"),
        row("NUL in the field", std::string("alice@example.gov\0 <eve@example.org>", 36)),
        row("the address as the name of a group", "alice@example.gov: eve@example.org;"),
        row("the address as a route", "<@example.gov:eve@example.org>"),
        row("odd quoting", "\"alice@example.gov\"@example.org"),
        row("an entry that cannot be read", "Alice, eve@example.org"),
        row("a wide @",
            "alice\xef\xbc\xa0"
            "example.gov <eve@example.org>"),
        row("the address in words", "\"alice (at) example.gov\" <eve@example.org>"),
        row("the address in words, with a tag character", "\"alice a\xf3\xa0\x80\xa0t example.gov\" <eve@example.org>"),
        row("a colleague's address with a comment in it", "carol(x)@example.org <eve@example.org>"),
        row("a colleague's address with a quote in it", "\"carol\"@example.org <eve@example.org>"),
        row("a colleague's address with a backslash", "\"carol\\@example.org\" <eve@example.org>"),
        row("a colleague's address with a control", "=?utf-8?q?carol=01=40example.org?= <eve@example.org>"),
        row("a colleague's address with a decoded quote", "=?utf-8?q?carol=22=40example.org?= <eve@example.org>"),
        row("a colleague's address as a group's name", "\"carol\"@example.org: eve@example.org;"),
        row("a colleague's address in a comment", "eve@example.org (carol(x)@example.org)"),
        row("an encoded word with a blank", "=?utf-8?Q?alice=40example.gov Boss?= <eve@example.org>"),
        row("an encoded word with a broken end", "=?utf-8?Q?alice=40example.gov=?= <eve@example.org>"),
        row("an encoded word in broken base64", "=?utf-8?B?YWxpY2VAZXhhbXBsZS5nb3Y=*?= <eve@example.org>"),
        row("an encoded word with a broken character", "=?utf-8?Q?alice=40example.gov=FF?= <eve@example.org>"),
        row("an encoded word cut in two", "=?utf-8?Q?alice=?= =?utf-8?Q?40example.gov?= <eve@example.org>"),
        row("an encoded word of no charset", "=??Q?alice=40example.gov?= <eve@example.org>"),
        row("an encoded word of an unknown charset", "=?x-foo?Q?alice=40example.gov?= <eve@example.org>"),
        row("an encoded word in UTF-7", "=?unicode-1-1-utf-7?Q?alice+AEA-example.gov?= <eve@example.org>"),
        row("both senders", "alice@example.gov, eve@example.org"),
        {"two From fields, the other's first", honest, "From: alice@example.gov\r\n" + honest},
        {"two From fields, the other's last", honest,
         replaced(honest, "MIME-Version", "From: alice@example.gov\r\nMIME-Version")},
        {"two From fields of one sender", clear, "From: alice@example.gov\r\n" + clear},
        {"the protected sender is another", protected_mail,
         replaced(protected_mail, "Eve <eve@example.org>", "alice@example.gov")},
        {"the protected sender is another, old form", outside(v1, kEve), outside(v1, kAlice)},
        {"the sender inside a wrapped mail", outside(attached(inner, "; forwarded=yes"), kEve),
         outside(attached(inner), kEve)},
        {"the sender inside the signed header", outside("Subject: Pay\r\n" + kPlain, kEve),
         outside("From: alice@example.gov\r\n" + kPlain, kEve)},
    };
}

}  // namespace

TEST_CASE("spoofing and leaking constructions are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    Table table;
    std::vector<Row> rows = coverage_rows(stage);
    for (const auto& more :
         {beside_rows(stage), line_rows(stage), signature_part_rows(stage), name_rows(stage), boundary_rows(stage),
          encoded_rows(stage), document_rows(stage), encryption_rows(stage), sender_rows(stage)})
        rows.insert(rows.end(), more.begin(), more.end());
    std::map<std::string, std::string> twins;
    for (const Row& row : rows) {
        INFO(row.name);
        std::string& twin = twins[row.command + row.twin];
        if (twin.empty()) twin = stage.verdict(row.twin, row.command);
        const std::string construction = stage.verdict(row.construction, row.command);
        CHECK(twin == "valid 0");
        CHECK_THAT(construction, !Catch::StartsWith("valid"));
        table.set(row.name, "twin", twin == "valid 0" ? kOk : twin);
        table.set(row.name, "construction", construction);
    }
    std::cout << table.text();
}

TEST_CASE("two signers of whom one fails are not valid", "[e2e]") {
    const Stage stage;
    const auto& desk = stage.office.desk;
    const std::string entity = desk.file("entity", kPlain);
    std::string der =
        done(desk.run({"openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-in", entity, "-signer",
                       stage.office.certificate(stage.alice), "-inkey", stage.office.key(stage.alice), "-signer",
                       stage.office.certificate(stage.eve), "-inkey", stage.office.key(stage.eve)}));
    CHECK(stage.verdict(der, "verify") == "valid 0");
    der.back() = static_cast<char>(der.back() ^ 1);  // in the last signature
    CHECK(stage.verdict(der, "verify") == "invalid 1");
}

TEST_CASE("an address that looks like a correspondent's is not valid", "[e2e]") {
    const Stage stage;
    const auto& office = stage.office;
    const auto read = [&](const char* name, const char* address) {
        const Identity writer = office.pki.issue({.name = name, .email = address, .kind = KeyKind::p256});
        const std::string key = office.desk.file("writer.key", writer.key_pem);
        const std::string certificate = office.desk.file("writer.pem", writer.certificate_pem);
        const std::string entity = office.desk.file("entity", kPlain);
        return stage.verdict(done(office.desk.run({"openssl", "cms", "-sign", "-binary", "-from", address, "-in",
                                                   entity, "-signer", certificate, "-inkey", key})),
                             "verify");
    };
    CHECK(read("A", "a1ice@example.gov") == "valid 0");
    CHECK(office.desk.p11mime({"certs", "import", office.certificate(stage.alice)}).status == 0);
    CHECK(read("A", "a1ice@example.gov") == "untrusted 3");
    CHECK(read("C", "carol@example.gov") == "valid 0");
    CHECK(read("Alice", "alice@example.gov") == "valid 0");
}
