#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime::test;

namespace {

constexpr const char* kNotLabelled = "the signature part is not labelled as a signature";
constexpr const char* kHeaderOfMail = "the signature part has header fields of a mail";
constexpr const char* kNames = "programs differ in the name they read";
constexpr const char* kTwoNames = "the signature has two names in its ";
constexpr const char* kTwoDispositions = "the signature has two Content-Disposition fields";
constexpr const char* kShownAs = "what is signed has a name under which some programs show it as something else";

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
         labelled("Content-Type: text/html"), kNotLabelled},
        {"the signature part as text", labelled("Content-Type: application/octet-stream"),
         labelled("Content-Type: text/plain"), kNotLabelled},
        {"the signature part as a multipart", clear, labelled("Content-Type: multipart/mixed; boundary=b"),
         kNotLabelled},
        {"the signature part of no type", clear, labelled("Content-Description: x"), kNotLabelled},
        {"the signature part of two types", clear, labelled("Content-Type: text/html\r\n" + type),
         "the header has 2 Content-Type fields"},
        {"the signature part as a page to open", renamed("Signature.P7S"), renamed("Invoice.html"), kNotLabelled},
        {"the signature part as a page, in an encoded word", renamed("\"=?utf-8?Q?smime=2Ep7s?=\""),
         renamed("\"=?utf-8?Q?Invoice=2Ehtml?=\""), kNotLabelled},
        {"the signature part as a page, in an encoded word of no charset", clear,
         renamed("\"=?x-foo?Q?Invoice=2Ehtml?=\""), kNotLabelled},
        {"the signature part as a page, beside an encoded word", clear, renamed("\"=?utf-8?Q?a=2Ep7s?=.html\""),
         kNotLabelled},
        {"the signature part as a mail", renamed("smime.bin"), renamed("Invoice.eml"), kNotLabelled},
        {"the signature part as a page with a dot behind", renamed("signature"), renamed("\"Invoice.html.\""),
         kNotLabelled},
        {"an octet-stream that is named like no signature",
         replaced(clear, type, "Content-Type: application/octet-stream"),
         replaced(renamed("smime.bin"), type, "Content-Type: application/octet-stream"), kNotLabelled},
        {"a Bcc in the signature part", labelled("Status: RO\r\n" + type), labelled("Bcc: Eve\r\n" + type),
         kHeaderOfMail},
        {"a Subject in the signature part", labelled("X-Scanned: yes\r\nMIME-Version: 1.0\r\n" + type),
         labelled("Subject: Pay 1000 to Eve\r\n" + type), kHeaderOfMail},
        {"a delimiter as a field of the signature part", labelled("X-x: bOuNd\r\n" + type),
         labelled("--x:bOuNd\r\n" + type), kHeaderOfMail},
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
         part(signature, page + "; filename*=utf-8''smime.p7s"), kTwoNames},
        {"the signature part's name in sections and plain",
         part(octets, "attachment; filename*0=smime; filename*1=.p7s"),
         part(octets, page + "; filename*0=smime; filename*1=.p7s"), kTwoNames},
        {"the signature part's name in two forms of one value", part(octets, p7s),
         part(octets, "inline; filename=smime.p7s; filename*=utf-8''smime.p7s"), kTwoNames},
        {"two dispositions of the signature part", part(octets, p7s),
         part(octets, p7s + "\r\nContent-Disposition: " + page), kTwoDispositions},
        {"two names of the signature part", part(octets, p7s + "; filename=smime.p7s"),
         part("octet-stream; name=smime.p7s; name=invoice.html", p7s), kTwoNames},
        {"two file names of the signature part", part(octets, p7s), part(signature, p7s + "; filename=invoice.html"),
         kTwoNames},
        {"a comment in the signature part's disposition", part(octets, p7s),
         part(octets, "inline; (filename=\"x.p7s\";) filename=\"a.html\\\";x=\".p7s\""), kNames},
        {"a name in a comment", part(octets, p7s), part(octets, "inline; x=(; filename=a.html;); filename=smime.p7s"),
         kNames},
        {"a name with text behind it", part(octets, p7s), part(octets, page + ".p7s"), kNames},
        {"a name with a word behind it", part(octets, p7s), part(octets, "inline; filename=invoice.html .p7s"), kNames},
        {"a name with a comma", part("octet-stream; name=\"a,.p7s\"", p7s),
         part("octet-stream; name=invoice.html,.p7s", p7s),
         "the Content-Type field has text where a parameter should be"},
        {"a file name with a comma", part(signature, "inline; filename=\"a,.p7s\""),
         part(signature, "inline; filename=invoice.html,.p7s"), kNames},
        {"a file name with a slash", part(octets, p7s), part(octets, "inline; filename=invoice.html/.p7s"), kNames},
        {"an encoded file name with a comma", part(octets, "attachment; filename*=utf-8''a%2C.p7s"),
         part(octets, "inline; filename*=utf-8''invoice.html,.p7s"), kNames},
        {"a name with a semicolon", part(octets, "inline; filename=\"a .p7s\""),
         part(octets, "inline; filename=\"invoice.html ;.p7s\""), "a name with a semicolon"},
        {"a name in quotes that are not closed", part(octets, p7s), part(octets, "inline; filename=\"a.html;.p7s"),
         kNames},
        {"an opaque mail as a page", whole(content, p7m), whole("pkcs7-mime; name=smime.p7m", page), kShownAs},
        {"an opaque mail as a page, by its type", whole("pkcs7-mime", "attachment"),
         whole("pkcs7-mime; name=invoice.html", p7m), kShownAs},
        {"an octet-stream as a page", whole(content_octets, p7m), whole(content_octets, page), kShownAs},
        {"an octet-stream as a page, by its type", whole(content_octets, "attachment"),
         whole("octet-stream; name=invoice.html", p7m), kShownAs},
        {"an octet-stream of data as a page's", whole("pkcs7-mime; name=smime.bin", p7m),
         whole("octet-stream; name=smime.bin", p7m), kShownAs},
        {"a page's name with a blank", whole(content, "attachment; filename=\"smime.p7m \""),
         whole(content, "attachment; filename=\"invoice.html \""), kShownAs},
        {"an opaque mail's name with a comma", whole("pkcs7-mime; name=\"a,.p7m\"", p7m),
         whole("pkcs7-mime; name=invoice.html,.p7m", p7m),
         "the Content-Type field has text where a parameter should be"},
        {"an opaque mail's file name with a colon", whole(content, p7m),
         whole(content, "inline; filename=invoice.html:.p7m"), kNames},
        {"two names of an opaque mail", whole(content, p7m), whole(content + "; name=invoice.html", p7m), kTwoNames},
        {"an opaque mail's name in two forms", whole(content, encoded + "m"),
         whole(content, page + "; filename*=utf-8''smime.p7m"), kTwoNames},
        {"an opaque mail's name cut by NUL", whole(content, encoded + "m"),
         whole(content, "attachment; filename*=utf-8''invoice%2Ehtml%00.p7m"), kShownAs},
        {"two dispositions of an opaque mail", whole(content, p7m),
         whole(content, p7m + "\r\nContent-Disposition: " + page), kTwoDispositions},
    };
}

}  // namespace

TEST_CASE("spoofing and leaking constructions with names and types are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {signature_part_rows(stage), name_rows(stage)});
}
