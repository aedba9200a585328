// Mail as Thunderbird, Outlook and Apple Mail write it, made by openssl: each habit verifies, and what was signed comes
// out.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

struct Writers {
    Office office;
    Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::rsa2048});
    std::string entity = office.desk.file("entity", kText);

    /// cms is what openssl makes, with or without the intermediate certificate, under a header.
    std::string cms(const Arguments& options, bool with_intermediate = true) const {
        return done(office.desk.run(
            Arguments{"openssl", "cms", "-sign", "-binary", "-crlfeol", "-in", entity, "-signer",
                      office.certificate(alice), "-inkey", office.key(alice)} +
            (with_intermediate ? Arguments{"-certfile", office.desk.path("intermediate.pem")} : Arguments{}) +
            options));
    }
    std::string base64(const Arguments& options, bool with_intermediate = true) const {
        office.desk.file("made.der", cms(options + Arguments{"-outform", "DER"}, with_intermediate));
        return done(office.desk.run({"openssl", "base64", "-in", office.desk.path("made.der")}));
    }
    static std::string under_header(const std::string& fields) {
        return with_lf(
            "From: Alice <alice@example.gov>\r\nTo: bob@example.org\r\nSubject: Habits\r\nMIME-Version: 1.0\r\n" +
            fields);
    }
    std::string opaque(const std::string& type, const Arguments& options = {}, bool with_intermediate = true) const {
        return under_header(type + "Content-Transfer-Encoding: base64\n\n") +
               base64(Arguments{"-nodetach"} + options, with_intermediate);
    }
    /// clear is a clear-signed mail with the parameters, the notice and the signature part of a mail program.
    std::string clear(const std::string& parameters, const std::string& boundary, const std::string& notice,
                      const std::string& signature_header, const Arguments& options = {}) const {
        return under_header("Content-Type: multipart/signed; " + parameters + "; boundary=\"" + boundary + "\"\n\n" +
                            notice + "--" + boundary + "\n" + std::string(kText) + "\n--" + boundary + "\n" +
                            signature_header + "Content-Transfer-Encoding: base64\n\n") +
               base64(options) + "\n--" + boundary + "--\n";
    }

    void check(const std::string& habit, const std::string& text) const {
        for (const std::string& form : {text, with_crlf(text)}) {
            const Outcome outcome =
                office.desk.p11mime({"verify", "--no-default-ca", "--ca", office.desk.path("root.pem")}, form);
            INFO(habit << "\n" << outcome.err);
            CHECK(outcome.status == 0);
            CHECK(with_crlf(entity_of(outcome.out)) == kText);
        }
        // One letter of the text, or of the base64 that it begins in.
        const std::size_t word = text.find("second");
        const std::size_t at = word == std::string::npos ? text.find("\n\n") + 2 + 135 : word;
        std::string changed = text;
        changed[at] = changed[at] == 'x' ? 'y' : 'x';
        const std::string report = office.desk.path("report.json");
        const Outcome outcome = office.desk.p11mime(
            {"verify", "-n", "--json", report, "--no-default-ca", "--ca", office.desk.path("root.pem")}, changed);
        INFO(habit << "\n" << outcome.err);
        CHECK(outcome.status == 1);
        CHECK(nlohmann::json::parse(read_file(report))["result"] == "invalid");
        CHECK_THAT(outcome.err, Catch::Contains("INVALID") && Catch::Contains("the content was changed"));
    }
};

}  // namespace

TEST_CASE("opaque mail verifies with every label that mail programs and gateways give it", "[e2e]") {
    const Writers writers;
    for (const std::string type :
         {"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\n"
          "Content-Disposition: attachment; filename=\"smime.p7m\"\n",
          "Content-Type: application/pkcs7-mime; name=smime.p7m\n", "Content-Type: application/pkcs7-mime\n",
          "Content-Type: application/x-pkcs7-mime; smime-type=signed-data;\n name=\"smime.p7m\"\n",
          "Content-Type: application/x-pkcs7-mime;\n\tname=\"smime.p7m\"\n",
          "Content-Type: application/octet-stream; name=smime.p7m\n",
          "Content-Type: application/octet-stream\nContent-Disposition: attachment;\n\tfilename=\"smime.p7m\"\n"})
        writers.check(type, writers.opaque(type));
}

TEST_CASE("clear-signed mail verifies with the habits of Thunderbird, Outlook and Apple Mail", "[e2e]") {
    const Writers writers;
    const std::string attachment = "Content-Disposition: attachment; filename=\"smime.p7s\"\n";
    writers.check("Thunderbird",
                  writers.clear("protocol=\"application/pkcs7-signature\"; micalg=sha-256",
                                "------------ms050205020708070400070101",
                                "This is a cryptographically signed message in MIME format.\n\n",
                                "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\n" + attachment +
                                    "Content-Description: S/MIME Cryptographic Signature\n"));
    writers.check(
        "Outlook",
        writers.clear("protocol=\"application/x-pkcs7-signature\";\n\tmicalg=2.16.840.1.101.3.4.2.1",
                      "----=_NextPart_000_0012_01DB2B8C.5A3F6C40", "This is a multipart message in MIME format.\n\n",
                      "Content-Type: application/pkcs7-signature;\n\tname=\"smime.p7s\"\n" + attachment));
    writers.check("Apple Mail",
                  writers.clear("micalg=sha-256; protocol=\"application/pkcs7-signature\"",
                                "Apple-Mail=_0F3A7D0B-3C6B-4E0F-9A53-2F1C2E6D4B11", "\n",
                                attachment + "Content-Type: application/pkcs7-signature;\n\tname=smime.p7s\n"));
    const std::string signature_type = "Content-Type: application/pkcs7-signature\n";
    for (const std::string parameters : {"protocol = \"application/pkcs7-signature\"; micalg = sha-256",
                                         "protocol=\n \"application/pkcs7-signature\"; micalg=",
                                         "x=y (signed); title*=utf-8''b; protocol=application/pkcs7-signature"})
        writers.check(parameters, writers.clear(parameters, "b", "", signature_type));
    for (const std::string boundary : {"----=_Part_1_2.3", "Apple-Mail=_AB-CD", "a/b", "_=_a?b"}) {
        const std::string clear = writers.clear("protocol=application/pkcs7-signature", boundary, "", signature_type);
        writers.check(boundary, replaced(clear, '"' + boundary + '"', boundary));
    }
    for (const std::string name :
         {"\"=?utf-8?Q?smime.p7s?=\"", "\"=?utf-8?B?c21pbWUucDdz?=\"", "smime.bin", "signature", "smime.p7m",
          "Signature.DAT", "smime.p7s\nStatus: RO\nReceived: from x by y"})
        writers.check(name,
                      writers.clear("x=y", "b", "", "Content-Type: application/pkcs7-signature; name=" + name + "\n"));
    writers.check("no micalg, no protocol",
                  writers.clear("x=y", "b", "", "Content-Type: application/x-pkcs7-signature\n"));
    writers.check("a micalg that is not what signed",
                  writers.clear("micalg=sha1; protocol=\"application/pkcs7-signature\"", "b", "",
                                "Content-Type: application/pkcs7-signature\n", {"-md", "sha512"}));
}

TEST_CASE("clear-signed mail verifies with what mail programs write before its parts", "[e2e]") {
    const Writers writers;
    for (const std::string notice :
         {"Dies ist eine kryptografisch unterzeichnete Nachricht im MIME-Format.",
          "This is a MIME-encapsulated message", "This is a MIME encoded message.",
          "Messaggio multiparte in formato MIME.", "Toto je elektronicky podepsaná zpráva ve formátu MIME.",
          "This message is in MIME format. Since your mail reader does not understand\nthis format, some or all of "
          "this "
          "message may not be legible.",
          "> This message is in MIME format. Since your mail reader does not understand\nthis format, some or all of "
          "this "
          "message may not be legible.",
          "  This message is in MIME format.  The first part should be readable text,\n  while the remaining parts are "
          "likely unreadable without MIME-aware tools."})
        writers.check(notice,
                      writers.clear("x=y", "b", notice + "\n\n", "Content-Type: application/pkcs7-signature\n"));
}

TEST_CASE("mail with fields as relays leave them verifies", "[e2e]") {
    const Writers writers;
    const std::string clear = writers.clear("x=y", "b", "", "Content-Type: application/pkcs7-signature\n");
    for (const std::string field :
         {"X-MS-TNEF-Correlator:\n\t\n", "X-Foo: a\n \n", "Subject: Habits\n", "To: bob@example.org\n",
          "Cc: carol@example.org\nCc: bob@example.org\n", "Reply-To: a@example.org\nReply-To: a@example.org\n"})
        writers.check(field, field + clear);
}

TEST_CASE("signers named by their key, without attributes, and with chains in any state verify", "[e2e]") {
    Writers writers;
    const std::string type = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n";
    const auto& desk = writers.office.desk;
    const Identity other = writers.office.correspond({.name = "Other", .email = "other@example.gov"});
    const std::string root = read_file(desk.path("root.pem")), intermediate = read_file(desk.path("intermediate.pem"));
    desk.file("odd.pem", root + read_file(writers.office.certificate(other)) + intermediate);
    writers.check("subject key identifier", writers.opaque(type, {"-keyid"}));
    writers.check("no signed attributes", writers.opaque(type, {"-noattr"}));
    writers.check("the whole chain in odd order, and more",
                  writers.opaque(type, {"-certfile", desk.path("odd.pem")}, false));
    writers.check("RSA-PSS", writers.opaque(type, {"-keyopt", "rsa_padding_mode:pss"}));

    // Without the intermediate the path comes from elsewhere, or there is none.
    const std::string alone = writers.opaque(type, {}, false);
    CHECK(desk.p11mime(Arguments{"verify"} + writers.office.trust(), alone).status == 0);
    CHECK(desk.p11mime({"verify", "--no-default-ca", "--ca", desk.path("root.pem")}, alone).status == 3);
}
