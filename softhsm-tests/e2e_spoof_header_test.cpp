#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime::test;

namespace {

constexpr const char* kBareCr = "the header has a CR that ends no line";
constexpr const char* kBlankLine = "the header has a line of blanks alone";
constexpr const char* kBlankBeforeColon = "the header has a field with white space before its colon";

// Lines in the headers around a signature that some programs take for the end of a field, or of the header.
std::vector<Row> line_rows(const Stage& stage) {
    const std::string clear = stage.sign(from_alice(kPlain)), opaque = stage.sign(from_alice(kPlain), {"--opaque"});
    const auto with = [](const std::string& mail, const std::string& field) {
        return replaced(mail, "MIME-Version:", field + "\r\nMIME-Version:");
    };
    const auto at_end = [&](const std::string& field) {
        return replaced(clear, "\r\n\r\n--p11mime", "\r\n" + field + "\r\n\r\n--p11mime");
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
        return "From: alice@example.gov\r\n" + done(desk.run({"openssl", "cms", "-encrypt", "-aes256", "-binary", "-in",
                                                              entity, stage.office.certificate(stage.bob)}));
    };
    return {
        {"a From field behind a CR", with(clear, "X-A: b\r\n From: Eve"), with(clear, "X-A: b\rFrom: Eve <eve@x.org>"),
         kBareCr},
        {"the same, opaque", with(opaque, "X-A: b"), with(opaque, "X-A: b\rFrom: Eve <eve@x.org>"), kBareCr},
        {"text behind two CR", with(clear, "X-A: b\r\n Pay"), with(clear, "X-A: b\r\rPay 1000 to Eve."), kBareCr},
        {"a From field behind a CR in MIME-Version", clear, replaced(clear, "Version: 1.0", "Version: 1.0\rFrom: Eve"),
         kBareCr},
        {"a From field behind a CR in an mbox line",
         "From alice 2026\r\n" + clear,
         "From alice\rFrom: Eve\r\n" + clear,
         {"line 1 of the header is no header field", kMalformed}},
        {"a CR in the Content-Type field", in_type("\r\n "), in_type("\r"), kBareCr},
        {"text behind a line of blanks", with(clear, "X-A: b\r\n c"), with(clear, "X-A: b\r\n \r\n Pay 1000 to Eve."),
         kBlankLine},
        {"text as a field with a blank before its colon", with(clear, "Attention:Pay 1000 to Eve."),
         with(clear, "Attention :Pay 1000 to Eve."), kBlankBeforeColon},
        {"text as a field with a blank before its colon, in the signature part's header",
         in_part("Content-Description:Pay 1000 to Eve."), in_part("Content-Description :Pay 1000 to Eve."),
         kBlankBeforeColon},
        {"text as a field behind a line of blanks", at_end("X-A: b\r\n "), at_end("X-A: b\r\n \r\nHello: Pay Eve."),
         kBlankLine},
        {"text as a field behind two ends of a line", at_end("X-A: b\r\r\nMessage-ID: <1@x>"),
         at_end("X-A: b\r\r\nHello: Pay 1000 to Eve."), kBareCr},
        {"text as a program's field behind two ends of a line", with(clear, "X-A: b\r\nX-Note: Pay 1000 to Eve."),
         with(clear, "X-A: b\r\r\nX-Note: Pay 1000 to Eve."), kBareCr},
        {"the Subject behind two ends of a line", clear, replaced(clear, "\r\nSubject:", "\r\r\nSubject:"), kBareCr},
        {"a description behind two ends of a line", with(clear, "X-A: b\r\nContent-Description: Pay 1000 to Eve."),
         with(clear, "X-A: b\r\r\nContent-Description: Pay 1000 to Eve."), kBareCr},
        {"a comment behind two ends of a line", at_end("X-A: b\r\nMessage-ID: <1@x> (Pay 1000 to Eve.)"),
         at_end("X-A: b\r\r\nMessage-ID: <1@x> (Pay 1000 to Eve.)"), kBareCr},
        {"all of the mail as text behind two ends of a line", at_end("X-A: b\r\r\nMIME-Version: 1.0"),
         with(clear, "X-A: b\r"), kBareCr},
        {"a delimiter behind a line of blanks", at_end("X-A: b\r\n "), at_end("X-A: b\r\n \r\n--x:"), kBlankLine},
        {"a part behind a CR, in the signature part's header", in_part("Content-Description: a"),
         in_part("Content-Description: a\r--b\rContent-Type: text/plain\r\rPay 1000 to Eve."), kBareCr},
        {"text behind two CR, in the signature part's header", in_part("Content-Description: a"),
         in_part("Content-Description: a\r\rPay 1000 to Eve."), kBareCr},
        {"text behind two CR, encrypted", within("Content-Description: a\r\n"),
         within("Content-Description: a\r\rPay 1000 to Eve.\r\n"), kBareCr},
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
        {"a comment in the boundary", bounded("boundary=" + boundary), bounded("boundary=(x:)" + boundary),
         "the Content-Type field has a comment"},
        {"a comment in the type", typed("Multipart/Signed ;"), typed("multipart/signed (text/plain);"),
         "the Content-Type field has a comment"},
        {"a comment in the type, opaque", opaque, replaced(opaque, "pkcs7-mime;", "pkcs7-mime (text/plain);"),
         "the Content-Type field has a comment"},
        {"a backslash in the boundary", clear, bounded("boundary=\"p\\" + boundary.substr(1) + '"'),
         "the Content-Type field has a backslash"},
        {"a quoted boundary that is not closed", clear, bounded("boundary=\"" + boundary),
         "the Content-Type field has a quotation mark that is never closed"},
        {"a boundary with text behind it", clear, bounded("boundary=\"\"" + boundary),
         "the Content-Type field has a boundary with odd characters"},
        {"a type with text behind it", clear, typed("multipart/signed text/plain;"),
         "the Content-Type field has text where a semicolon should be"},
        {"a type without a semicolon", clear, typed("multipart/signed x=y;"),
         "the Content-Type field has text where a semicolon should be"},
        {"a section of the boundary twice", clear, bounded("boundary*0=\"" + boundary + "\"; boundary*0=\"zz:x\""),
         "the Content-Type field has two values of boundary"},
        {"a section of the boundary twice, written otherwise", clear,
         bounded("boundary*0=\"" + boundary + "\"; boundary*00=\"zz:x\""),
         "the Content-Type field has two values of boundary"},
        {"a boundary in sections", clear, bounded("boundary*0=p; boundary*1=\"" + boundary.substr(1) + '"'),
         "the Content-Type field has a parameter in the form of RFC 2231"},
        {"a blank behind the field's name", clear, replaced(clear, name, "Content-Type : multipart/signed"),
         "white space before its colon"},
    };
}

}  // namespace

TEST_CASE("spoofing and leaking constructions in the headers are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {line_rows(stage), boundary_rows(stage)});
}
