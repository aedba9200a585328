// The report that --json writes, as docs/json.md documents it.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;
using nlohmann::json;

namespace {

std::vector<std::string> keys(const json& object) {
    std::vector<std::string> names;
    for (const auto& [name, value] : object.items())
        names.push_back(name);
    return names;  // nlohmann's objects are sorted
}

const Arguments kTop{"command", "error", "exit", "hint", "input", "layers", "message", "reason", "result", "warnings"};
const Arguments kLayer{"algorithm",  "authenticated", "byte_ranges", "carried",  "cipher",
                       "covers",     "media_type",    "parent",      "path",     "protected_headers",
                       "recipients", "signers",       "signs",       "strength", "type"};
const Arguments kSigner{"algorithms",
                        "certificate_class",
                        "chain",
                        "chain_certs",
                        "chain_reason",
                        "countersignatures",
                        "emails",
                        "ess",
                        "fingerprint_sha256",
                        "integrity",
                        "integrity_reason",
                        "issuer",
                        "policy_name",
                        "revocation",
                        "revocation_reason",
                        "sender",
                        "serial",
                        "signed_attributes",
                        "strength",
                        "subject",
                        "time",
                        "timestamps",
                        "unsigned_attributes"};
const Arguments kEss{"content_hints",        "content_identifier", "content_reference", "equivalent_labels",
                     "mail_list_expansions", "malformed",          "receipt_request",   "security_label"};

/// report runs a command that writes its report to a file and checks the shape that every report has.
json report(const Office& office, const Arguments& arguments, const std::string& input) {
    const std::string file = office.desk.path("report.json");
    const Outcome outcome = office.desk.p11mime(
        Arguments{arguments.front(), "--json", file} + Arguments(arguments.begin() + 1, arguments.end()), input);
    INFO(outcome.err);
    const json result = json::parse(read_file(file));
    CHECK(keys(result) == kTop);
    CHECK(result["command"] == arguments.front());
    CHECK(result["exit"] == outcome.status);
    if (result["message"].is_object()) CHECK(keys(result["message"]) == Arguments{"date", "from", "subject"});
    for (const json& layer : result["layers"]) {
        CHECK(keys(layer) == kLayer);
        for (const json& recipient : layer["recipients"])
            CHECK(keys(recipient) == Arguments{"identifier", "key_management", "used"});
        for (const json& signer : layer["signers"]) {
            CHECK(keys(signer) == kSigner);
            CHECK(keys(signer["ess"]) == kEss);
            CHECK(keys(signer["algorithms"]) == Arguments{"digest", "signature"});
            CHECK(keys(signer["time"]) == Arguments{"at", "basis", "signing_time"});
            CHECK(keys(signer["certificate_class"]) == Arguments{"basis", "class", "generation", "on_secure_device",
                                                                 "on_secure_device_basis", "qualified",
                                                                 "qualified_basis", "validation"});
        }
    }
    return result;
}

std::string fingerprint(const Office& office, const Identity& identity) {
    std::string text = done(
        office.desk.run({"openssl", "x509", "-in", office.certificate(identity), "-noout", "-fingerprint", "-sha256"}));
    text = text.substr(text.find('=') + 1);
    std::string hex;
    for (const char c : text)
        if (std::isxdigit(static_cast<unsigned char>(c)) != 0) hex += static_cast<char>(std::tolower(c));
    return hex;
}

}  // namespace

TEST_CASE("the report of a valid signature names what holds, and what was not checked", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p384});
    const std::string text = mail("Alice <alice@example.gov>", "bob@example.org");
    const std::string signed_mail = done(office.desk.p11mime({"sign", "--opaque"}, text));
    const json result = report(office, Arguments{"verify"} + office.trust(), signed_mail);
    CHECK(result["result"] == "valid");
    CHECK(result["error"].is_null());
    CHECK(result["message"]["from"] == json::array({"alice@example.gov"}));
    CHECK(result["message"]["subject"] == "Grüße from the field");
    CHECK(result["message"]["date"] == "2025-03-04T09:15:00Z");
    REQUIRE(result["layers"].size() == 1);
    const json& layer = result["layers"][0];
    CHECK(layer["type"] == "signed");
    CHECK(layer["covers"] == "whole-message");
    CHECK(layer["parent"].is_null());
    CHECK(layer["media_type"] == "application/pkcs7-mime");
    CHECK(layer["cipher"].is_null());
    REQUIRE(layer["signers"].size() == 1);
    const json& signer = layer["signers"][0];
    CHECK(signer["integrity"] == "valid");
    CHECK(signer["integrity_reason"].is_null());
    CHECK(signer["chain"] == "trusted");
    CHECK(signer["chain_certs"].size() == 3);
    CHECK_THAT(signer["chain_certs"][2].get<std::string>(), Catch::Contains("Test Root"));
    CHECK(signer["revocation"] == "unknown");
    CHECK(signer["sender"] == "match");
    CHECK(signer["strength"] == "ok");
    CHECK(signer["emails"] == json::array({"alice@example.gov"}));
    CHECK(signer["algorithms"] == json({{"digest", "sha384"}, {"signature", "ecdsa"}}));
    CHECK(signer["time"]["basis"] == "now");
    CHECK_THAT(signer["time"]["signing_time"].get<std::string>(), Catch::EndsWith("Z"));
    CHECK(signer["fingerprint_sha256"] == fingerprint(office, alice));
    CHECK_THAT(signer["subject"].get<std::string>(), Catch::Contains("Alice"));
    CHECK(signer["timestamps"] == json::array());
}

TEST_CASE("byte ranges of a clear signature are the signed part's", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string signed_mail = done(office.desk.p11mime({"sign"}, mail("alice@example.gov", "bob@example.org")));
    const json result = report(office, Arguments{"verify"} + office.trust(), signed_mail);
    const json& ranges = result["layers"][0]["byte_ranges"];
    REQUIRE(ranges.size() == 1);
    const std::size_t begin = ranges[0][0], end = ranges[0][1];
    REQUIRE(end <= signed_mail.size());
    CHECK(signed_mail.substr(begin, end - begin) == kText);
}

TEST_CASE("the reports of untrusted, invalid and unsigned mail say so, each with its reason", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = mail("alice@example.gov", "bob@example.org");
    const std::string signed_mail = done(office.desk.p11mime({"sign"}, text));

    const json untrusted = report(office, {"verify", "--no-default-ca"}, signed_mail);
    CHECK(untrusted["exit"] == 3);
    CHECK(untrusted["result"] == "untrusted");
    CHECK_THAT(untrusted["reason"].get<std::string>(), Catch::Contains("Test Intermediate"));
    CHECK_THAT(untrusted["hint"].get<std::string>(), Catch::Contains("--ca"));
    CHECK(untrusted["error"].is_null());
    CHECK(untrusted["layers"][0]["signers"][0]["integrity"] == "valid");
    CHECK(untrusted["layers"][0]["signers"][0]["chain"] == "untrusted");
    CHECK(untrusted["layers"][0]["signers"][0]["chain_reason"].is_string());

    const json mismatch = report(office, Arguments{"verify"} + office.trust(),
                                 replaced(signed_mail, "From: alice@example.gov", "From: mallory@example.org"));
    CHECK(mismatch["exit"] == 3);
    CHECK(mismatch["layers"][0]["signers"][0]["chain"] == "trusted");
    CHECK(mismatch["layers"][0]["signers"][0]["sender"] == "mismatch");

    const json invalid = report(office, Arguments{"verify"} + office.trust(), replaced(signed_mail, "second", "third"));
    CHECK(invalid["exit"] == 1);
    CHECK(invalid["result"] == "invalid");
    CHECK(invalid["layers"][0]["signers"][0]["integrity"] == "invalid");
    CHECK(invalid["layers"][0]["signers"][0]["integrity_reason"].is_string());

    const json plain = report(office, Arguments{"open"} + office.trust(), text);
    CHECK(plain["exit"] == 0);
    CHECK(plain["result"] == "unsigned");
    CHECK(plain["layers"] == json::array());
}

TEST_CASE("the report of encrypted mail names the cipher, whether it authenticates, and the key that was used",
          "[e2e]") {
    Office office;
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const Identity carol = office.correspond({.name = "Carol", .email = "carol@example.org"});
    for (const std::string cipher : {"aes-128-gcm", "aes-256-cbc"}) {
        const std::string encrypted = done(office.desk.p11mime(
            Arguments{"encrypt", "--no-self", "--cipher", cipher} + office.trust() +
                Arguments{"--recipient-cert", office.certificate(carol), "--recipient-cert", office.certificate(bob)},
            mail("alice@example.gov", bob.email)));
        const json result = report(office, {"decrypt"}, encrypted);
        CHECK(result["exit"] == 0);
        CHECK(result["result"] == "decrypted");
        const json& layer = result["layers"][0];
        const bool authenticated = cipher == "aes-128-gcm";
        CHECK(layer["type"] == (authenticated ? "auth-enveloped" : "enveloped"));
        CHECK(layer["cipher"] == cipher);
        CHECK(layer["authenticated"] == authenticated);
        REQUIRE(layer["recipients"].size() == 2);
        for (const json& recipient : layer["recipients"]) {
            CHECK(recipient["used"] == (recipient["key_management"] == "ecdh"));
            CHECK((recipient["key_management"] == "ecdh" || recipient["key_management"] == "rsa-pkcs1"));
        }
    }
}

TEST_CASE("the report of a sealed mail lists both layers, outermost first", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    const std::string sealed =
        done(office.desk.p11mime(Arguments{"seal", "--recipient-cert", office.certificate(alice)} + office.trust(),
                                 mail(alice.email, alice.email)));
    const json result = report(office, Arguments{"open"} + office.trust(), sealed);
    CHECK(result["result"] == "valid");
    REQUIRE(result["layers"].size() == 2);
    CHECK((result["layers"][0]["type"] == "enveloped" || result["layers"][0]["type"] == "auth-enveloped"));
    CHECK(result["layers"][1]["type"] == "signed");
    CHECK(result["layers"][1]["parent"] == result["layers"][0]["path"]);
    CHECK(result["layers"][0]["signs"].is_null());
    CHECK(result["layers"][1]["signs"] == "text");

    const json seen = report(office, {"inspect"}, sealed);
    CHECK(seen["result"].is_null());
    REQUIRE(seen["layers"].size() == 1);
    CHECK(seen["layers"][0]["recipients"].size() >= 1);
}

TEST_CASE("an error's report has its kind, message and hint, and the exit code", "[e2e]") {
    Office office;
    office.employ({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256});
    const Identity carol = office.correspond({.name = "Carol", .email = "carol@example.org"});
    const std::string entity = office.desk.file("entity", kText);
    const std::string to_carol =
        done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity, office.certificate(carol)}));
    struct Case {
        Arguments arguments;
        std::string input;
        int status;
        const char* kind;
    };
    office.desk.environment["WRONG"] = "0000";
    const std::vector<Case> cases{
        {{"decrypt"}, to_carol, 5, "no-recipient-key"},
        {{"decrypt"}, "nonsense", 6, "malformed"},
        {{"decrypt", office.desk.path("absent")}, "", 7, "io"},
    };
    for (const Case& one : cases) {
        INFO(one.kind);
        const json result = report(office, one.arguments, one.input);
        CHECK(result["exit"] == one.status);
        CHECK(result["result"] == "error");
        REQUIRE(result["error"].is_object());
        CHECK(keys(result["error"]) == Arguments{"hint", "kind", "message"});
        CHECK(result["error"]["kind"] == one.kind);
        CHECK_FALSE(result["error"]["message"].get<std::string>().empty());
    }

    // The commands that make mail have a report of their own; exit and error are the same.
    const std::string file = office.desk.path("signing.json");
    const Outcome outcome =
        office.desk.p11mime({"sign", "--json", file, "--pin-source", "env:WRONG", "--key", "pkcs11:object=Bob"},
                            mail("bob@example.org", "x@example.org"));
    const json result = json::parse(read_file(file));
    CHECK(outcome.status == 4);
    CHECK(result["exit"] == 4);
    CHECK(result["error"]["kind"] == "token");
    CHECK_THAT(result["error"]["message"].get<std::string>(), Catch::Contains("Desk"));
}

TEST_CASE("a report with --json - goes to standard output only where no data does", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string signed_mail = done(office.desk.p11mime({"sign"}, mail("alice@example.gov", "bob@example.org")));
    const Arguments verify = Arguments{"verify", "--json", "-"} + office.trust();
    CHECK(office.desk.p11mime(verify, signed_mail).status == 2);
    const Outcome verdict = office.desk.p11mime(verify + Arguments{"-n"}, signed_mail);
    CHECK(verdict.status == 0);
    CHECK(json::parse(verdict.out)["result"] == "valid");
    const Outcome to_file = office.desk.p11mime(verify + Arguments{"-o", office.desk.path("out")}, signed_mail);
    CHECK(json::parse(to_file.out)["result"] == "valid");
    CHECK(entity_of(read_file(office.desk.path("out"))) == kText);
}

TEST_CASE("a command line that cannot be parsed is reported where it says where to", "[e2e]") {
    Office office;
    const std::string file = office.desk.path("report.json");
    const Outcome outcome = office.desk.p11mime({"verify", "--frobnicate", "--json", file});
    CHECK(outcome.status == 2);
    const json result = json::parse(read_file(file));
    CHECK(keys(result) == kTop);
    CHECK(result["command"] == "verify");
    CHECK(result["exit"] == 2);
    CHECK(result["result"] == "error");
    CHECK(result["error"]["kind"] == "usage");
    CHECK_THAT(result["error"]["message"].get<std::string>(), Catch::Contains("--frobnicate"));
    CHECK(json::parse(office.desk.p11mime({"verify", "--frobnicate", "--json=-"}).out)["exit"] == 2);

    const std::string text = office.desk.file("text.eml", "precious");
    CHECK(office.desk.p11mime({"verify", "--frobnicate", "--json", text, text}).status == 2);
    CHECK(read_file(text) == "precious");
}

TEST_CASE("inspect with a report in a file prints its text all the same", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string signed_mail = done(office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org")));
    const std::string text = done(office.desk.p11mime({"inspect"}, signed_mail));
    CHECK_THAT(text, Catch::Contains("Alice"));
    CHECK(done(office.desk.p11mime({"inspect", "--json", office.desk.path("r.json")}, signed_mail)) == text);
    CHECK(json::parse(done(office.desk.p11mime({"inspect", "--json", "-"}, signed_mail)))["layers"].size() == 1);
}

TEST_CASE("the report of encrypted mail with Bcc copies names the main mail's cipher", "[e2e]") {
    Office office;
    // SEQUENCE { SEQUENCE { id-aes256-GCM } }, by hand.
    const Identity bob = office.correspond(
        {.name = "Bob",
         .email = "bob@example.org",
         .more_extensions = "1.2.840.113549.1.9.15=DER:30:0d:30:0b:06:09:60:86:48:01:65:03:04:01:2e\n"});
    const Identity dan = office.correspond({.name = "Dan", .email = "dan@example.org"});
    done(office.desk.p11mime({"certs", "import", office.certificate(bob), office.certificate(dan)}));
    const std::string text =
        replaced(mail("alice@example.gov", bob.email), "Subject:", "Bcc: dan@example.org\r\nSubject:");
    const Outcome outcome =
        office.desk.p11mime(Arguments{"encrypt", "--no-self", "-o", "/dev/null", "--json", office.desk.path("r.json"),
                                      "--bcc-separately", office.desk.path("bcc")} +
                                office.trust(),
                            text);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(json::parse(read_file(office.desk.path("r.json")))["cipher"] == "aes-256-gcm");
}

TEST_CASE("a mail that readers will doubt is signed and sealed with a warning of what they will say", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    done(office.desk.p11mime({"certs", "import", office.certificate(alice)}));
    const std::string text = "Subject: Another\r\n" + mail("alice@example.gov", "alice@example.gov");
    for (const Arguments& command : {Arguments{"sign"}, Arguments{"seal"} + office.trust()}) {
        const Outcome made = office.desk.p11mime(
            command + Arguments{"-o", office.desk.path("made"), "--json", office.desk.path("r.json")}, text);
        INFO(made.err);
        REQUIRE(made.status == 0);
        const json warnings = json::parse(read_file(office.desk.path("r.json")))["warnings"];
        const auto doubt = std::find_if(warnings.begin(), warnings.end(),
                                        [](const json& warning) { return warning["kind"] == "doubtful"; });
        REQUIRE(doubt != warnings.end());
        CHECK_THAT(made.err, Catch::Contains((*doubt)["message"].get<std::string>()));
        const json opened = report(office, Arguments{"open"} + office.trust(), read_file(office.desk.path("made")));
        CHECK(opened["result"] == "untrusted");
        CHECK_THAT((*doubt)["message"].get<std::string>(), Catch::EndsWith(opened["reason"].get<std::string>()));
    }
}

TEST_CASE("a further part and repeated fields are warnings of their kinds", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string signed_mail = done(office.desk.p11mime({"sign"}, mail("alice@example.gov", "bob@example.org")));
    const auto read = [&](const std::string& text) { return report(office, Arguments{"open"} + office.trust(), text); };
    CHECK(read(signed_mail)["warnings"] == json::array());

    const std::size_t end = signed_mail.rfind("\r\n--p11mime-") + 2;
    const std::string delimiter = signed_mail.substr(end, signed_mail.find("--\r\n", end + 2) - end);
    const json further =
        read(signed_mail.substr(0, end) + delimiter + "\r\n" + std::string(kText) + "\r\n" + signed_mail.substr(end));
    CHECK(further["exit"] == 3);
    CHECK(further["layers"][0]["covers"] == "part");
    REQUIRE(further["warnings"].size() == 1);
    CHECK(further["warnings"][0]["kind"] == "extra-part");

    const json repeated = read("To: bob@example.org\r\n" + signed_mail);
    CHECK(repeated["exit"] == 0);
    CHECK(repeated["result"] == "valid");
    REQUIRE(repeated["warnings"].size() == 1);
    CHECK(repeated["warnings"][0]["kind"] == "repeated-field");
    CHECK(repeated["warnings"][0]["message"] == "the header has 2 To fields, all alike");
    for (const std::string field :
         {"To: carol@example.org\r\n", "Cc: a@example.org\r\nCc: b@example.org\r\n",
          "Date: Fri, 27 Nov 2026 10:00:00 +0000\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\n"}) {
        CAPTURE(field);
        const json differing = read(field + signed_mail);
        CHECK(differing["result"] == "valid");
        REQUIRE(!differing["warnings"].empty());
        CHECK(differing["warnings"][0]["kind"] == "repeated-field");
        CHECK_THAT(differing["warnings"][0]["message"].get<std::string>(),
                   Catch::EndsWith("differ in which they show"));
    }
    CHECK(read("Subject: Other\r\n" + signed_mail)["exit"] == 3);
}
