#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime::test;

namespace {

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
        {"a From field behind a CR", with(clear, "X-A: b\r\n From: Eve"), with(clear, "X-A: b\rFrom: Eve <eve@x.org>")},
        {"the same, opaque", with(opaque, "X-A: b"), with(opaque, "X-A: b\rFrom: Eve <eve@x.org>")},
        {"text behind two CR", with(clear, "X-A: b\r\n Pay"), with(clear, "X-A: b\r\rPay 1000 to Eve.")},
        {"a From field behind a CR in MIME-Version", clear, replaced(clear, "Version: 1.0", "Version: 1.0\rFrom: Eve")},
        {"a From field behind a CR in an mbox line", "From alice 2026\r\n" + clear,
         "From alice\rFrom: Eve\r\n" + clear},
        {"a CR in the Content-Type field", in_type("\r\n "), in_type("\r")},
        {"text behind a line of blanks", with(clear, "X-A: b\r\n c"), with(clear, "X-A: b\r\n \r\n Pay 1000 to Eve.")},
        {"text as a field with a blank before its colon", with(clear, "Attention:Pay 1000 to Eve."),
         with(clear, "Attention :Pay 1000 to Eve.")},
        {"text as a field with a blank before its colon, in the signature part's header",
         in_part("Content-Description:Pay 1000 to Eve."), in_part("Content-Description :Pay 1000 to Eve.")},
        {"text as a field behind a line of blanks", at_end("X-A: b\r\n "), at_end("X-A: b\r\n \r\nHello: Pay Eve.")},
        {"text as a field behind two ends of a line", at_end("X-A: b\r\r\nMessage-ID: <1@x>"),
         at_end("X-A: b\r\r\nHello: Pay 1000 to Eve.")},
        {"text as a program's field behind two ends of a line", with(clear, "X-A: b\r\nX-Note: Pay 1000 to Eve."),
         with(clear, "X-A: b\r\r\nX-Note: Pay 1000 to Eve.")},
        {"the Subject behind two ends of a line", clear, replaced(clear, "\r\nSubject:", "\r\r\nSubject:")},
        {"a description behind two ends of a line", with(clear, "X-A: b\r\nContent-Description: Pay 1000 to Eve."),
         with(clear, "X-A: b\r\r\nContent-Description: Pay 1000 to Eve.")},
        {"a comment behind two ends of a line", at_end("X-A: b\r\nMessage-ID: <1@x> (Pay 1000 to Eve.)"),
         at_end("X-A: b\r\r\nMessage-ID: <1@x> (Pay 1000 to Eve.)")},
        {"all of the mail as text behind two ends of a line", at_end("X-A: b\r\r\nMIME-Version: 1.0"),
         with(clear, "X-A: b\r")},
        {"a delimiter behind a line of blanks", at_end("X-A: b\r\n "), at_end("X-A: b\r\n \r\n--x:")},
        {"a part behind a CR, in the signature part's header", in_part("Content-Description: a"),
         in_part("Content-Description: a\r--b\rContent-Type: text/plain\r\rPay 1000 to Eve.")},
        {"text behind two CR, in the signature part's header", in_part("Content-Description: a"),
         in_part("Content-Description: a\r\rPay 1000 to Eve.")},
        {"text behind two CR, encrypted", within("Content-Description: a\r\n"),
         within("Content-Description: a\r\rPay 1000 to Eve.\r\n")},
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

}  // namespace

TEST_CASE("spoofing and leaking constructions in the headers are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {line_rows(stage), boundary_rows(stage)});
}
