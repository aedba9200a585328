#include "softhsm-tests/e2e_spoof.h"

using namespace p11mime::test;

namespace {

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

}  // namespace

TEST_CASE("spoofing and leaking constructions of the content are never valid, their honest twins are", "[e2e]") {
    const Stage stage;
    check_rows(stage, {document_rows(stage), encryption_rows(stage)});
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
