// Samples written by others, read as their expected.tsv says; the private keys are put on a SoftHSM token first.

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/samples.h"

using namespace p11mime::test;

namespace {

/// put_key puts a key (DER) and its certificate (DER) on the desk's token.
void put_key(const Office& office, const std::string& key, const std::string& certificate, const std::string& id,
             bool ec = false) {
    const auto write = [&](const std::string& file, const Arguments& options) {
        done(office.desk.run(Arguments{"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login",
                                       "--pin", std::string(kUserPin), "--write-object", file, "--id", id, "--label",
                                       "sample " + id} +
                             options));
    };
    write(key, {"--type", "privkey", "--usage-sign", ec ? "--usage-derive" : "--usage-decrypt"});
    write(certificate, {"--type", "cert"});
}

/// put_p12 puts what is in a PKCS#12 file on the desk's token.
void put_p12(const Office& office, const std::string& file, const std::string& password, const std::string& id,
             bool ec = false) {
    const std::string pem = office.desk.path("p12.pem");
    done(office.desk.run({"openssl", "pkcs12", "-in", file, "-passin", "pass:" + password, "-nodes", "-legacy",
                          "-clcerts", "-out", pem}));
    const std::string key = office.desk.path("p12.key"), certificate = office.desk.path("p12.cer");
    done(office.desk.run({"openssl", "pkey", "-in", pem, "-outform", "DER", "-out", key}));
    done(office.desk.run({"openssl", "x509", "-in", pem, "-outform", "DER", "-out", certificate}));
    put_key(office, key, certificate, id, ec);
}

constexpr const char* kSigned[] = {"4.1.bin", "4.2.bin", "4.4.bin", "4.5.bin", "4.6.bin", "4.7.bin", "4.10.bin"};
constexpr const char* kDetached = "4.3.bin";
constexpr const char* kSignedMails[] = {"4.8.eml", "4.9.eml"};
constexpr const char* kEnveloped[] = {"5.1.bin", "5.2.bin", "5.3.eml"};
constexpr const char* kOther[] = {"3.1.bin", "3.2.bin", "6.0.bin", "7.1.bin", "7.2.bin"};
constexpr const char* kCertificates = "4.11.bin";
constexpr const char* kSignedWithProtectedHeaders[] = {"smime-multipart-signed.eml", "smime-onepart-signed.eml"};
constexpr const char* kEncryptedWithProtectedHeaders[] = {"smime-sign+enc.eml", "smime-sign+enc+legacy-disp.eml",
                                                          "smime-enc+legacy-disp.eml"};
constexpr const char* kPgp = "unfortunately-complex.eml";

/// table is the files that a directory's expected.tsv has a line for.
Arguments table(const std::string& directory) {
    std::istringstream lines(read_file(directory + "/expected.tsv"));
    Arguments files;
    std::string line;
    std::getline(lines, line);  // the names of the columns
    while (std::getline(lines, line))
        if (!line.empty()) files.push_back(line.substr(0, line.find('\t')));
    std::sort(files.begin(), files.end());
    return files;
}

struct Rfc4134 {
    Rfc4134() : directory(samples()) {
        if (directory.empty()) return;
        directory += "/rfc4134/";
        content = read_file(directory + "ExContent.bin");
        verify = {"verify",      "--no-default-ca",
                  "--ca",        directory + "CarlRSASelf.cer",
                  "--ca",        directory + "CarlDSSSelf.cer",
                  "--allow-weak"};
    }
    std::string file(const std::string& name) const { return directory + name; }

    std::string directory, content;
    Arguments verify;
    Office office;
};

}  // namespace

TEST_CASE("every line of the samples' tables has its check", "[e2e][samples]") {
    const std::string directory = samples();
    if (directory.empty()) return;
    Arguments rfc{kDetached, kCertificates}, headers{kPgp};
    for (const auto& names : {std::span<const char* const>(kSigned), std::span<const char* const>(kSignedMails),
                              std::span<const char* const>(kEnveloped), std::span<const char* const>(kOther)})
        rfc.insert(rfc.end(), names.begin(), names.end());
    headers.insert(headers.end(), std::begin(kSignedWithProtectedHeaders), std::end(kSignedWithProtectedHeaders));
    headers.insert(headers.end(), std::begin(kEncryptedWithProtectedHeaders), std::end(kEncryptedWithProtectedHeaders));
    std::sort(rfc.begin(), rfc.end());
    std::sort(headers.begin(), headers.end());
    CHECK(table(directory + "/rfc4134") == rfc);
    CHECK(table(directory + "/protected-headers") == headers);
}

// kRevoked carries a CRL that lists its signer.
constexpr std::string_view kRevoked = "4.4.bin";

TEST_CASE("the signed examples of RFC 4134 verify", "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    for (const std::string name : kSigned) {
        INFO(name);
        const Outcome outcome = rfc.office.desk.p11mime(rfc.verify + Arguments{rfc.file(name)});
        INFO(outcome.err);
        CHECK(outcome.status == (name == kRevoked ? 3 : 0));
        CHECK(outcome.out == rfc.content);
        std::string tampered = read_file(rfc.file(name));
        tampered = replaced(tampered, "sample", "simple");
        const Outcome broken = rfc.office.desk.p11mime(rfc.verify, tampered);
        CHECK(broken.status == 1);
        CHECK(broken.out.empty());
    }
    const Outcome detached = rfc.office.desk.p11mime(
        rfc.verify + Arguments{"--content", rfc.file("ExContent.bin"), rfc.file(std::string(kDetached))});
    INFO(detached.err);
    CHECK(detached.status == 0);
}

TEST_CASE("the signed mails of RFC 4134 verify, and their sender does not match", "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    for (const std::string name : kSignedMails) {
        INFO(name);
        const Outcome outcome =
            rfc.office.desk.p11mime(rfc.verify + Arguments{"--sender-check", "off", rfc.file(name)});
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.out, Catch::Contains("This is some sample content."));
        // The From field says examples.com, the certificate example.com.
        CHECK(rfc.office.desk.p11mime(rfc.verify + Arguments{rfc.file(name)}).status == 3);
    }
}

TEST_CASE("what RFC 4134 signed with SHA-1, DSA and 1024-bit RSA is weak unless weak is allowed", "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    for (const std::string name : {"4.1.bin", "4.2.bin"}) {
        Arguments strict = rfc.verify;
        strict.pop_back();
        const Outcome outcome = rfc.office.desk.p11mime(
            strict + Arguments{"-o", rfc.office.desk.path("out"), "--json", "-", rfc.file(name)});
        INFO(name << outcome.err);
        CHECK(outcome.status == 3);
        const auto report = nlohmann::json::parse(outcome.out);
        CHECK(report["layers"][0]["signers"][0]["strength"] == "weak");
        CHECK(report["layers"][0]["signers"][0]["integrity"] == "valid");
        CHECK(report["layers"][0]["signers"][0]["algorithms"]["digest"] == "sha1");
    }
}

TEST_CASE("a DSA key that inherits its parameters from its issuer verifies, if the issuer is trusted",
          "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    const auto signers = [&](const Arguments& trust, int status) {
        const Outcome outcome = rfc.office.desk.p11mime(trust + Arguments{"-n", "--json", "-", rfc.file("4.6.bin")});
        INFO(outcome.err);
        CHECK(outcome.status == status);
        return nlohmann::json::parse(outcome.out)["layers"][0]["signers"];
    };
    const auto trusted = signers(rfc.verify, 0);
    CHECK(trusted[0]["integrity"] == "valid");
    CHECK(trusted[1]["integrity"] == "valid");
    CHECK(trusted[1]["subject"] == "CN=DianeDSS");
    CHECK(trusted[1]["chain"] == "trusted");
    CHECK(trusted[1]["strength"] == "weak");
    // Without a path to an anchor nobody says whose parameters they are.
    const auto untrusted = signers({"verify", "--no-default-ca", "--allow-weak"}, 1);
    CHECK(untrusted[0]["integrity"] == "valid");
    CHECK(untrusted[1]["integrity"] == "not_checked");
}

TEST_CASE("countersignatures, CRLs, labels and mail list history of RFC 4134 are reported", "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    const auto layer = [&](const std::string& name) {
        const Outcome outcome = rfc.office.desk.p11mime(rfc.verify + Arguments{"-n", "--json", "-", rfc.file(name)});
        INFO(outcome.err);
        CHECK(outcome.status == (name == kRevoked ? 3 : 0));
        return nlohmann::json::parse(outcome.out)["layers"][0];
    };
    const auto countersigned = layer("4.4.bin");
    const auto& countersignature = countersigned["signers"][0]["countersignatures"][0];
    CHECK(countersignature["subject"] == "CN=AliceRSA");
    CHECK(countersignature["integrity"] == "valid");
    CHECK(countersignature["chain"] == "trusted");
    CHECK(countersigned["carried"]["crls"] == 1);
    CHECK(countersigned["carried"]["certificates"] == 3);

    const auto ess = layer("4.10.bin")["signers"][0]["ess"];
    CHECK(ess["security_label"]["policy"] == "1.2.3.4.5.6.7.8");
    CHECK(ess["security_label"]["classification"] == 1);
    CHECK(ess["security_label"]["privacy_mark"] == "THIS IS A PRIVACY MARK TEST");
    CHECK(ess["security_label"]["categories"] == nlohmann::json::array({"1.2.3.4.5.6.7.888"}));
    CHECK(ess["equivalent_labels"].size() == 2);
    CHECK(ess["content_hints"]["description"] == "Content Hints Description Buffer");
    CHECK(ess["content_reference"]["type"] == "1.2.3.4.5.6");
    CHECK(ess["mail_list_expansions"][0]["time"] == "1999-03-11T10:44:33Z");
    CHECK(ess["mail_list_expansions"][0]["receipts"] == "instead");
    CHECK(ess["malformed"].empty());
    const Outcome shown = rfc.office.desk.p11mime({"inspect", rfc.file("4.10.bin")});
    CHECK_THAT(shown.out, Catch::Contains("security label: unclassified, 'THIS IS A PRIVACY MARK TEST'"));
}

TEST_CASE("the enveloped examples of RFC 4134 decrypt, with a warning that their ciphers are weak", "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    put_key(rfc.office, rfc.file("BobPrivRSAEncrypt.pri"), rfc.file("BobRSASignByCarl.cer"), "01");
    for (const std::string name : kEnveloped) {
        const std::string cipher = name == "5.2.bin" ? "rc2-40-cbc" : "des-ede3-cbc";
        const Outcome outcome = rfc.office.desk.p11mime({"decrypt", rfc.file(name)});
        INFO(name << outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, Catch::Contains(cipher + " is weak"));
        if (name.ends_with(".bin"))
            CHECK(outcome.out == rfc.content);
        else
            CHECK_THAT(with_lf(outcome.out), Catch::EndsWith("\n\n" + rfc.content));
    }
}

TEST_CASE("the other content types of RFC 4134 are read, and a changed digest is found", "[e2e][samples]") {
    const Rfc4134 rfc;
    if (rfc.directory.empty()) return;
    const std::string key = rfc.office.desk.file("key", "737c791f25ead0e04629254352f7dc6291e5cb26917ada32");
    for (const std::string name : kOther) {
        const Outcome outcome = rfc.office.desk.p11mime({"open", "--kek", key, rfc.file(name)});
        INFO(name << " " << outcome.err);
        const bool encrypted = name.starts_with("7.");
        CHECK(outcome.status == (encrypted ? 3 : 0));
        CHECK(outcome.out == rfc.content);
        if (!encrypted) continue;
        CHECK_THAT(outcome.err, Catch::Contains("Encrypted, but not to be trusted: it is encrypted with a weak cipher "
                                                "(des-ede3-cbc)"));
        CHECK(rfc.office.desk.p11mime({"open", "--allow-weak", "--kek", key, rfc.file(name)}).status == 0);
        CHECK(rfc.office.desk.p11mime({"open", rfc.file(name)}).status == 5);
    }
    const Outcome changed =
        rfc.office.desk.p11mime({"open"}, replaced(read_file(rfc.file("6.0.bin")), "sample", "simple"));
    CHECK(changed.status == 1);
    CHECK(changed.out.empty());
    const Outcome certificates =
        rfc.office.desk.p11mime({"inspect", "--json", "-", rfc.file(std::string(kCertificates))});
    INFO(certificates.err);
    CHECK(certificates.status == 0);
    CHECK(nlohmann::json::parse(certificates.out)["layers"][0]["type"] == "certs-only");
}

TEST_CASE("NSS's samples decrypt: OAEP with every hash, mask and label, ECDH with every KDF", "[e2e][samples]") {
    const std::string directory = samples();
    if (directory.empty()) return;
    const Office office;
    put_p12(office, directory + "/nss/Fran.p12", "nss", "01");
    put_p12(office, directory + "/nss/Fran-ec.p12", "nss", "02", true);
    const Arguments names = table(directory + "/nss");
    CHECK(names.size() == 17);
    for (const std::string& name : names) {
        const Outcome outcome = office.desk.p11mime({"decrypt", directory + "/nss/" + name});
        INFO(name << outcome.err);
        CHECK(outcome.status == 0);
        CHECK(outcome.out == "This is a test message to Fran.\n");
    }
}

namespace {

/// same_mail compares what came out with a sample's inner part: the body, and each of the inner part's header fields,
/// but for the mark that fields are inside, which no longer holds.
void same_mail(const std::string& ours, std::string inner) {
    CHECK(with_lf(body_of(ours)) == with_lf(body_of(inner)));
    inner = replaced(inner, "; protected-headers=\"v1\"", "");
    for (const char* name :
         {"Content-Type", "From", "To", "Subject", "Date", "Message-ID", "Content-Transfer-Encoding"})
        if (!field(inner, name).empty()) CHECK(field(ours, name) == field(inner, name));
}

/// report_of is the report of a mail in a file.
nlohmann::json report_of(const Office& office, const Arguments& command, const std::string& file) {
    const Outcome outcome = office.desk.p11mime(command + Arguments{"-n", "--json", "-", file});
    return nlohmann::json::parse(outcome.out);
}

}  // namespace

TEST_CASE("the samples with protected headers verify, and open with the key of Bob", "[e2e][samples]") {
    std::string directory = samples();
    if (directory.empty()) return;
    directory += "/protected-headers/";
    const Office office;
    std::string der = read_file(directory + "bob.p12");
    office.desk.file("bob.b64", der);
    const std::string p12 = office.desk.file("bob.p12", from_pem(der));
    put_p12(office, p12, "bob", "01");
    const Arguments trust{"--no-default-ca", "--ca", directory + "sample-ca.pem"};

    for (const std::string file : kSignedWithProtectedHeaders) {
        const std::string name = file.substr(0, file.rfind('.'));
        const Outcome outcome = office.desk.p11mime(Arguments{"verify"} + trust + Arguments{directory + name + ".eml"});
        INFO(name << outcome.err);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, Catch::Contains("Alice Lovelace"));
        CHECK_THAT(outcome.out, Catch::Contains("(this is the '" + name + "' message)"));
        const auto report = report_of(office, Arguments{"verify"} + trust, directory + file);
        CHECK(report["message"]["subject"] == "The FooCorp contract");
        CHECK(report["layers"][0]["protected_headers"] ==
              nlohmann::json::array({"from", "to", "date", "subject", "message-id"}));
        CHECK(report["warnings"].empty());
        // What mail programs show is the outer field.
        const std::string spoofed =
            replaced(read_file(directory + file), "From: Alice Lovelace <alice@", "From: <carol@");
        CHECK(office.desk.p11mime(Arguments{"verify"} + trust, spoofed).status == 3);
        if (name == "smime-onepart-signed") same_mail(outcome.out, read_file(directory + name + ".inner"));
    }
    for (const std::string file : kEncryptedWithProtectedHeaders) {
        const std::string name = file.substr(0, file.rfind('.'));
        const bool signed_too = name.starts_with("smime-sign");
        const Arguments mail{directory + name + ".eml"};
        CHECK(office.desk.p11mime(Arguments{"open"} + trust + mail).status == 3);
        const Outcome opened = office.desk.p11mime(Arguments{"open", "--allow-weak"} + trust + mail);
        INFO(name << opened.err);
        CHECK(opened.status == 0);
        CHECK_THAT(opened.err, Catch::Contains("des-ede3-cbc is weak"));
        CHECK_THAT(
            opened.err,
            Catch::Contains(signed_too ? "Encrypted with the weak cipher des-ede3-cbc, and signed by Alice Lovelace "
                                         "<alice@smime.example>, unchanged"
                                       : "Encrypted with the weak cipher des-ede3-cbc, but not signed"));
        same_mail(opened.out, read_file(directory + name + (signed_too ? ".inner.inner" : ".inner")));
        const auto report = report_of(office, Arguments{"open"} + trust, directory + file);
        CHECK(report["message"]["subject"] == "BarCorp contract signed, let's go!");
        for (const auto& layer : report["layers"])
            CHECK(layer["protected_headers"].size() == 5);
        for (const auto& warning : report["warnings"])
            CHECK_THAT(warning["kind"].get<std::string>(), !Catch::StartsWith("header-"));
    }
    // PGP/MIME is no S/MIME.
    const std::string pgp = directory + kPgp;
    CHECK(office.desk.p11mime({"decrypt", pgp}).status == 6);
    const Outcome left_alone = office.desk.p11mime(Arguments{"open"} + trust + Arguments{pgp});
    CHECK(left_alone.status == 0);
    CHECK(left_alone.out == read_file(pgp));
}

TEST_CASE("the certificates of RFC 9216 are read, and mail is encrypted to their keys", "[e2e][samples]") {
    std::string directory = samples();
    if (directory.empty()) return;
    directory += "/rfc9216/";
    const Office office;
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() != ".pem") continue;
        ++count;
        const Outcome imported = office.desk.p11mime({"certs", "import", entry.path().string()});
        INFO(entry.path() << imported.err);
        CHECK(imported.status == 0);
    }
    CHECK(count == 12);
    const Arguments encrypt{"encrypt", "--allow-untrusted-recipients", "--no-self", "--cipher", "aes-256-gcm"};
    for (const auto& [name, key_management] : {std::pair<std::string, std::string>{"alice", "rsa-pkcs1"},
                                               {"bob", "rsa-pkcs1"},
                                               {"carlos", "xdh"},
                                               {"dana", "xdh"}}) {
        const std::string address = name + "@smime.example";
        const Outcome encrypted = office.desk.p11mime(
            encrypt + Arguments{"--recipient-cert", directory + address + ".enc.pem"}, mail(address, address));
        INFO(name << encrypted.err);
        REQUIRE(encrypted.status == 0);
        const Outcome inspected = office.desk.p11mime({"inspect", "--json", "-"}, encrypted.out);
        const auto layer = nlohmann::json::parse(inspected.out)["layers"][0];
        CHECK(layer["recipients"][0]["key_management"] == key_management);
        CHECK(layer["cipher"] == "aes-256-gcm");
    }
}
