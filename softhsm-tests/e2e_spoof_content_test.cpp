#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime::test;

namespace {

constexpr const char* kEncrypted = "need not know the text";
constexpr const char* kPartEncrypted = ", which is signed, is encrypted: its signer need not know the text";

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
        {"a signed receipt passed off as a clear-signed mail",
         by_openssl({}),
         by_openssl(receipt),
         {"it is made for content of the type", kInvalid}},
        {"a signed receipt passed off as an opaque mail", by_openssl(opaque), by_openssl(opaque + receipt),
         "what is signed is no mail"},
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
         from_alice(multipart("multipart/mixed", {open_html, secret, shut_html})),
         "only a part of the mail (1.2) is encrypted"},
        {"EFAIL: a signed and encrypted part between HTML", sealed,
         from_alice(multipart("multipart/mixed", {open_html, signed_secret, shut_html})),
         "only a part of the mail (1.2) is encrypted"},
        {"EFAIL: changed ciphertext without authentication",
         cbc,
         changed_cbc,
         {"the content does not decrypt", kInvalid}},
        {"EFAIL: changed ciphertext with authentication", gcm, changed_gcm, {"changed", kInvalid}},
        {"encrypted and not signed", sealed, stage.encrypt(from_alice(kPlain)), {"", "decrypted 0"}},
        {"signed outside the encryption alone", triple, stage.sign(from_alice(secret)),
         "the signature is over the encrypted form alone"},
        {"the same, not decrypted", stage.sign(from_alice(kPlain)), stage.sign(from_alice(secret)),
         "what is signed is itself encrypted", "verify"},
        {"another's ciphertext, signed by Eve", stage.seal(mail(kEve, kBob, kPlain)),
         stage.sign(mail(kEve, kBob, secret)), "the signature is over the encrypted form alone"},
        {"Eve's text, signed by Alice once encrypted", triple, stage.sign(from_alice(by_eve)),
         "no signer's certificate is for the sender alice@example.gov"},
        {"a signature over PGP/MIME", stage.sign(from_alice(kPlain)), stage.sign(from_alice(pgp)),
         "what is signed is itself encrypted"},
    };
}

// Eve signs a ciphertext that she has from Alice to Bob: his mail program decrypts it and shows the text as hers.
std::vector<Row> signed_ciphertext_rows(const Stage& stage) {
    const auto by_eve = [&](const std::string& entity) { return stage.sign(mail(kEve, kBob, entity)); };
    const std::string secret_mail = stage.encrypt(from_alice(kPlain)), secret = entity_of(secret_mail);
    const std::string mixed = "multipart/mixed", alternative = "multipart/alternative", related = "multipart/related";
    const auto labelled = [&](const std::string& type, const std::string& disposition) {
        return "Content-Type: " + type +
               "\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: " + disposition + "\r\n\r\n" +
               body_of(secret);
    };
    const auto named = [&](const std::string& name) {
        return by_eve(labelled("application/octet-stream; name=" + name, "attachment; filename=" + name));
    };
    const std::string report = labelled("application/pkcs7-mime; name=report.p7m", "attachment; filename=report.p7m");
    const std::string pgp =
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=pgp\r\n\r\n"
        "--pgp\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--pgp\r\n"
        "Content-Type: application/octet-stream\r\n\r\nx\r\n--pgp--\r\n";
    const std::string pgp_text = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n";
    const std::string attachment = "\r\nContent-Disposition: attachment";
    const std::string forwarded = by_eve(multipart(mixed, {kPlain, attached(secret_mail, attachment)}));
    const std::string file = by_eve(multipart(mixed, {kPlain, report}));
    const std::string pgp_mail = by_eve(multipart(mixed, {kPlain, attached(from_alice(pgp), attachment)}));
    const std::string pgp_file =
        by_eve(multipart(mixed, {kPlain,
                                 "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; "
                                 "filename=report.asc\r\n\r\n" +
                                     pgp_text}));
    std::vector<Row> rows{
        {"another's ciphertext as the only part", forwarded, by_eve(multipart(mixed, {secret})), kPartEncrypted},
        {"another's ciphertext as an alternative", forwarded, by_eve(multipart(alternative, {kPlain, secret})),
         kPartEncrypted},
        {"another's ciphertext as what is related", forwarded, by_eve(multipart(related, {secret})), kPartEncrypted},
        {"another's ciphertext in a type that has a boundary", file,
         by_eve("Content-Type: text/x-foo; boundary=b\r\n\r\n--b\r\n" + secret + "\r\n--b--\r\n"),
         "it is no multipart, and has a boundary"},
        {"another's ciphertext beside text", file, by_eve(multipart(mixed, {kPlain, secret})), kPartEncrypted},
        {"another's ciphertext as a file alone", file, by_eve(multipart(mixed, {report})), kPartEncrypted},
        {"another's encrypted mail inside, not attached", forwarded,
         by_eve(multipart(mixed, {kPlain, attached(secret_mail)})), kPartEncrypted},
        {"another's encrypted mail inside, alone", forwarded, by_eve(attached(secret_mail, attachment)),
         kPartEncrypted},
        {"another's ciphertext under a name in an encoded word", file, named("\"=?utf-8?Q?smime=2Ep7m?=\""),
         kEncrypted},
        {"another's ciphertext under a name with a blank", file, named("\"smime.p7m \""), kEncrypted},
        {"another's ciphertext under a name with a dot behind", file, named("smime.p7m."), kEncrypted},
        {"another's ciphertext under a type of no kind", file,
         by_eve(labelled("application/pkcs7-mime/x; name=smime.p7m", "attachment; filename=smime.p7m")), kEncrypted},
        {"another's ciphertext as text", file, by_eve(labelled("text/plain", "inline")), kEncrypted},
        {"another's PGP/MIME as the only part", pgp_mail, by_eve(multipart(mixed, {pgp})), kPartEncrypted},
        {"another's OpenPGP message as text", pgp_file, by_eve("Content-Type: text/plain\r\n\r\n" + pgp_text),
         kEncrypted},
    };
    for (std::size_t i = 0, count = rows.size(); i < count; ++i)
        rows.push_back(
            {rows[i].name + ", not decrypted", rows[i].twin, rows[i].construction, rows[i].expected, "verify"});
    return rows;
}

}  // namespace

TEST_CASE("spoofing and leaking constructions of the content are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {document_rows(stage), encryption_rows(stage), signed_ciphertext_rows(stage)});
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
