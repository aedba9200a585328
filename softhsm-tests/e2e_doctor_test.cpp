// doctor: what keeps a token from being used, and the fix for it.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/e2e_piv.h"
#include "softhsm-tests/support/card_readers.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/spy.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime::test;

namespace {

struct Finding {
    std::string subject, standing, message, fix;
};

std::vector<Finding> findings(const std::string& report) {
    const auto json = nlohmann::json::parse(report);
    std::vector<Finding> all;
    for (const auto& check : json.at("checks"))
        all.push_back({check.at("subject"), check.at("standing"), check.at("message"),
                       check.at("fix").is_null() ? "" : check.at("fix").get<std::string>()});
    return all;
}

bool has(const std::vector<Finding>& all, const std::string& subject, const std::string& standing,
         const std::string& words, const std::string& fix = "") {
    return std::any_of(all.begin(), all.end(), [&](const Finding& finding) {
        return finding.subject == subject && finding.standing == standing &&
               finding.message.find(words) != std::string::npos && finding.fix.find(fix) != std::string::npos;
    });
}

Outcome doctor(const Office& office, const Arguments& options) {
    return office.desk.p11mime(Arguments{"doctor", "--module", SoftHsm::module(), "--json", "-"} + office.trust() +
                               options);
}

}  // namespace

TEST_CASE("doctor finds nothing wrong with a token that works, and makes a test signature where asked to", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov"});
    office.employ({.name = "Curve", .email = "curve@example.gov", .kind = KeyKind::p256});
    const Outcome outcome = doctor(office, {"--sign", "--pin-source", "env:DESK_PIN"});
    INFO(outcome.err + outcome.out);
    CHECK(outcome.status == 0);
    const auto all = findings(outcome.out);
    CHECK(has(all, "module", "ok", SoftHsm::module()));
    CHECK(has(all, "packages", "ok", "are installed"));
    CHECK(has(all, "pcscd", "not_checked", "need no reader"));
    std::vector<std::string> order;
    for (const Finding& finding : all)
        if (order.empty() || order.back() != finding.subject) order.push_back(finding.subject);
    CHECK(order ==
          std::vector<std::string>{"packages", "pcscd", "module", "token", "certificate", "mechanism", "signature"});
    CHECK(has(all, "token", "ok", "'Desk'"));
    CHECK(has(all, "certificate", "ok", "alice@example.gov"));
    CHECK(has(all, "certificate", "ok", "its chain ends at"));
    CHECK(has(all, "mechanism", "ok", "RSA-PSS signature with the RSA-2048 key of Alice: native"));
    CHECK(has(all, "mechanism", "ok", "OAEP with sha1 with the RSA-2048 key of Alice: native"));
    CHECK(has(all, "mechanism", "ok", "OAEP with sha256 with the RSA-2048 key of Alice: raw RSA"));
    CHECK(has(all, "mechanism", "ok", "ECDH with the P-256 key of Curve: native"));
    CHECK(has(all, "signature", "ok", "RSA PKCS#1 v1.5 with sha256 by the key of CN=Alice"));
    CHECK(has(all, "signature", "ok", "CN=Curve"));

    const Outcome text = office.desk.p11mime(Arguments{"doctor", "--module", SoftHsm::module()} + office.trust());
    CHECK(text.status == 0);
    CHECK_THAT(text.out, Catch::Contains("ok           token: 'Desk'"));
}

TEST_CASE("doctor sends no PIN unless a test signature is agreed to, and one that is refused once", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    office.employ({.name = "Second", .email = "second@example.gov", .kind = KeyKind::p256});
    office.desk.environment["WRONG"] = "999999";
    const Spied quiet =
        spied_p11mime(office.desk, Arguments{"doctor", "--pin-source", "env:DESK_PIN"} + office.trust());
    INFO(quiet.outcome.err);
    CHECK(quiet.outcome.status == 0);
    CHECK(quiet.log.calls("C_OpenSession") > 0);
    CHECK(quiet.log.calls("C_Login") == 0);
    CHECK_THAT(quiet.outcome.out, Catch::Contains("no login to token 'Desk' was asked for"));
    for (const std::string function : {"C_CreateObject", "C_DestroyObject", "C_SetPIN", "C_InitPIN"})
        CHECK(quiet.log.calls(function) == 0);

    const Spied wrong =
        spied_p11mime(office.desk, Arguments{"doctor", "--sign", "--pin-source", "env:WRONG"} + office.trust());
    INFO(wrong.outcome.err);
    CHECK(wrong.outcome.status == 4);
    CHECK(wrong.log.calls("C_Login") == 1);
    CHECK_THAT(wrong.outcome.out + wrong.outcome.err,
               Catch::Contains("PIN refused by token 'Desk'") && !Catch::Contains("999999"));
}

TEST_CASE("doctor asks whether to make a test signature, and makes none unless the answer is yes", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    auto& environment = office.desk.environment;
    environment["PKCS11SPY"] = SoftHsm::module();
    environment["PKCS11SPY_OUTPUT"] = office.desk.path("spy.log");
    environment["ASAN_OPTIONS"] = "detect_leaks=0";  // pkcs11-spy leaks
    const auto [answer, logins] = GENERATE(std::pair("y\n", 1), std::pair("n\n", 0), std::pair("\n", 0),
                                           std::pair("no thanks\n", 0), std::pair("\x04", 0));
    CAPTURE(answer);
    TerminalProgram program(office.desk.p11mime_command(
        Arguments{"doctor", "--module", SoftHsm::spy_module(), "--pin-source", "tty"} + office.trust()));
    program.wait_for("make a test signature with token 'Desk'? It asks for the PIN [y/N]");
    program.type(answer);
    if (logins > 0) {
        program.wait_for_prompt("PIN of token 'Desk'");
        program.type(std::string(kUserPin) + "\n");
        program.wait_for("signature: ");
    } else {
        program.wait_for("no login to token 'Desk' was asked for");
    }
    CHECK(program.wait_for_end() == 0);
    const SpyLog log(read_file(office.desk.path("spy.log")));
    CHECK(log.calls("C_OpenSession") > 0);
    CHECK(log.calls("C_Login") == logins);
    CHECK(log.calls("C_Sign") == logins);
}

TEST_CASE("doctor sends a stored PIN to none of several tokens, until --token names one", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    done(office.desk.run({"softhsm2-util", "--init-token", "--free", "--label", "Other", "--pin", "777777", "--so-pin",
                          std::string(kSoPin)}));
    const Arguments sign = Arguments{"doctor", "--sign", "--pin-source", "env:DESK_PIN"} + office.trust();
    const Spied any = spied_p11mime(office.desk, sign);
    INFO(any.outcome.err);
    CHECK(any.outcome.status == 2);
    CHECK(any.log.calls("C_Login") == 0);
    CHECK_THAT(any.outcome.err, Catch::Contains("--token takes one of"));
    const Spied named = spied_p11mime(office.desk, sign + Arguments{"--token", "pkcs11:token=Desk"});
    INFO(named.outcome.err);
    CHECK(named.outcome.status == 0);
    CHECK(named.log.calls("C_Login") == 1);
}

TEST_CASE("doctor looks at reader and card, and signs with the card, also where the module named is missing", "[e2e]") {
    if (skipped_without_readers()) return;
    CardOffice office;
    (void)office.issue_to_card("9a", {.name = "Alice", .email = "alice@example.gov"});
    office.card().insert();
    const Arguments sign =
        Arguments{"doctor", "--json", "-", "--sign", "--pin-source", "env:DESK_PIN"} + office.trust();
    const Outcome whole = office.desk.p11mime(sign + Arguments{"--module", CardReaders::opensc_module()});
    INFO(whole.err + whole.out);
    CHECK(whole.status == 0);
    const auto all = findings(whole.out);
    CHECK(has(all, "pcscd", "ok", "runs"));
    CHECK(has(all, "reader", "ok", office.card().reader()));
    CHECK(has(all, "card", "ok", office.card().reader()));
    CHECK(has(all, "signature", "ok", "CN=Alice"));

    const Outcome missing = office.desk.p11mime(sign + Arguments{"--module", "/nowhere/module.so"});
    INFO(missing.err + missing.out);
    CHECK(missing.status == 4);
    const auto rest = findings(missing.out);
    CHECK(has(rest, "packages", "failed", "/nowhere/module.so"));
    CHECK(has(rest, "pcscd", "ok", "runs"));
    CHECK(has(rest, "reader", "ok", office.card().reader()));
    CHECK(has(rest, "card", "ok", office.card().reader()));
    CHECK(has(rest, "module", "failed", "/nowhere/module.so", "--module"));
    CHECK_FALSE(has(rest, "signature", "ok", ""));
    office.card().remove();
    const auto empty = findings(office.desk.p11mime(sign + Arguments{"--module", "/nowhere/module.so"}).out);
    CHECK(has(empty, "card", "remark", "there is no card in reader", "insert the card"));
}

TEST_CASE("doctor names the fix for modules, tokens and certificates that are of no use", "[e2e]") {
    Office office;
    const Outcome bare = doctor(office, {});
    CHECK(bare.status == 4);
    CHECK(has(findings(bare.out), "certificate", "failed", "token 'Desk' has none", "key csr"));

    const Outcome no_module =
        office.desk.p11mime({"doctor", "--module", "/nowhere/module.so", "--json", office.desk.path("report")});
    CHECK(no_module.status == 4);
    CHECK(has(findings(read_file(office.desk.path("report"))), "module", "failed", "/nowhere/module.so", "--module"));

    const Outcome other = doctor(office, {"--token", "pkcs11:token=Other"});
    CHECK(other.status == 4);
    CHECK(has(findings(other.out), "token", "failed", "the token at hand is 'Desk'", "insert the right card"));

    const Identity expired =
        office.employ({.name = "Expired", .email = "alice@example.gov", .begins_in_days = -20, .ends_in_days = -10});
    const Outcome old = doctor(office, {});
    CHECK(old.status == 3);
    CHECK(has(findings(old.out), "certificate", "failed", "CN=Expired,O=Example ended on", "key csr"));

    office.employ({.name = "Soon", .email = "soon@example.gov", .kind = KeyKind::p256, .ends_in_days = 20});
    office.employ({.name = "Server", .email = "", .kind = KeyKind::p256, .extended_key_usage = "serverAuth"});
    office.employ({.name = "Nobody", .email = "", .kind = KeyKind::p256, .extended_key_usage = ""});
    const Outcome mixed = doctor(office, {});
    INFO(mixed.err);
    CHECK(mixed.status == 0);  // one of them is of use
    const auto all = findings(mixed.out);
    CHECK(has(all, "certificate", "remark", "CN=Expired,O=Example ended on"));
    CHECK(has(all, "certificate", "remark", "it ends soon", "key csr"));
    CHECK(has(all, "certificate", "remark", "CN=Server,O=Example is not for e-mail"));
    CHECK(has(all, "certificate", "remark", "CN=Nobody,O=Example has no e-mail address"));

    const Outcome untrusted = office.desk.p11mime({"doctor", "--module", SoftHsm::module(), "--no-default-ca"});
    CHECK(untrusted.status == 3);
    CHECK_THAT(untrusted.out, Catch::Contains("--ca FILE"));
}

TEST_CASE("doctor fails where nothing can sign, whatever else is in order", "[e2e]") {
    Office office;
    office.employ({.name = "Signer",
                   .email = "alice@example.gov",
                   .key_usage = "digitalSignature",
                   .begins_in_days = -20,
                   .ends_in_days = -10});
    office.employ({.name = "Opener", .email = "alice@example.gov", .key_usage = "keyEncipherment"});
    const Arguments sign{"--sign", "--pin-source", "env:DESK_PIN"};
    for (const Arguments& options : {Arguments{}, sign}) {
        const Outcome outcome = doctor(office, options);
        INFO(outcome.err + outcome.out);
        CHECK(outcome.status == 3);
        const auto all = findings(outcome.out);
        CHECK(has(all, "certificate", "failed", "none with its private key can sign mail now", "key csr"));
        CHECK(has(all, "signature", "failed", "no certificate to make a test signature with") == !options.empty());
        CHECK(has(all, "certificate", "remark", "CN=Signer,O=Example ended on"));
        CHECK_FALSE(has(all, "certificate", "remark", "it still decrypts old mail"));
        CHECK_FALSE(has(all, "certificate", "remark", "have mail encrypted to it"));
    }
}

TEST_CASE("doctor fails where the token has no mechanism to use its keys with", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov"});
    office.desk.restrict("CKM_SHA256");
    const Outcome outcome = doctor(office, {});
    INFO(outcome.err + outcome.out);
    CHECK(outcome.status == 4);
    const auto all = findings(outcome.out);
    CHECK(has(all, "mechanism", "failed", "none signs with the keys", "another token"));
    CHECK(has(all, "mechanism", "failed", "none decrypts with the keys", "another token"));
}

TEST_CASE("doctor names the package that is missing for what is configured", "[e2e]") {
    Office office;
    const std::string missing = office.desk.path("opensc-pkcs11.so");
    const Outcome no_module = office.desk.p11mime({"doctor", "--module", missing, "--json", "-"});
    CHECK(no_module.status == 4);
    CHECK(has(findings(no_module.out), "packages", "failed", missing, "apt install opensc-pkcs11"));

    const std::string opensc = CardReaders::opensc_module();
    const Arguments without{"unshare", "-m", "sh", "-c", "mount --bind /dev/null /usr/sbin/pcscd && exec \"$@\"", "sh"};
    if (opensc.empty() || !std::filesystem::exists("/usr/sbin/pcscd") ||
        office.desk.run(without + Arguments{"true"}).status != 0) {
        return skip("opensc-pkcs11 or pcscd is not installed, or there are no namespaces");
    }
    office.desk.environment["PCSCLITE_CSOCK_NAME"] = office.desk.path("no-pcscd");
    office.desk.launcher = without;
    const Outcome no_pcscd = office.desk.p11mime({"doctor", "--module", opensc, "--json", "-"});
    CHECK(no_pcscd.status == 4);
    const auto all = findings(no_pcscd.out);
    CHECK(has(all, "packages", "failed", "pcscd, which reaches smart card readers, is not installed", "apt install"));
    CHECK(has(all, "pcscd", "failed", "not installed", "apt install pcscd"));
}

TEST_CASE("doctor tells a mechanism that the token lacks from one that is done here", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov"});
    office.employ({.name = "Curve", .email = "curve@example.gov", .kind = KeyKind::p256});
    office.desk.restrict("CKM_RSA_PKCS,CKM_ECDSA");
    const auto poor = findings(doctor(office, {}).out);
    CHECK(has(poor, "mechanism", "ok", "RSA PKCS#1 v1.5 signature with the RSA-2048 key of Alice: native"));
    CHECK(has(poor, "mechanism", "remark", "RSA-PSS signature with the RSA-2048 key of Alice: the token does not"));
    CHECK(has(poor, "mechanism", "remark", "OAEP with sha256 with the RSA-2048 key of Alice: the token does not"));
    CHECK(has(poor, "mechanism", "remark", "ECDH with the P-256 key of Curve: the token does not offer it"));
    office.desk.restrict("CKM_RSA_PKCS_OAEP,CKM_RSA_PKCS");
    CHECK(has(findings(doctor(office, {}).out), "mechanism", "not_checked", "OAEP with sha256", "--sign"));
    const auto tried = findings(doctor(office, {"--sign", "--pin-source", "env:DESK_PIN"}).out);
    CHECK(has(tried, "mechanism", "ok", "OAEP with sha1 with the RSA-2048 key of Alice: native"));
    CHECK(has(tried, "mechanism", "remark", "OAEP with sha256 with the RSA-2048 key of Alice: the token does not"));
}

TEST_CASE("doctor says that pcscd is not running where a module for cards needs it", "[e2e]") {
    Office office;
    const std::string opensc = CardReaders::opensc_module();
    if (opensc.empty()) {
        skip("opensc-pkcs11 is not installed");
        return;
    }
    office.desk.environment["PCSCLITE_CSOCK_NAME"] = office.desk.path("no-pcscd");
    const Outcome outcome = office.desk.p11mime({"doctor", "--module", opensc, "--json", "-"});
    CHECK(outcome.status == 4);
    const auto all = findings(outcome.out);
    CHECK(has(all, "module", "ok", opensc));
    CHECK(has(all, "pcscd", "failed", "is not running", "systemctl start pcscd"));
    const Outcome listing = office.desk.p11mime({"tokens", "--module", opensc});
    CHECK(listing.status == 4);
    CHECK_THAT(listing.err, Catch::Contains("pcscd, which reaches smart card readers, is not running; start it"));
}

TEST_CASE("doctor takes an empty token beside one that serves for a remark", "[e2e]") {
    Office office;
    done(office.desk.run({"softhsm2-util", "--init-token", "--free", "--label", "Empty", "--pin", "777777", "--so-pin",
                          std::string(kSoPin)}));
    CHECK(doctor(office, {}).status == 4);
    office.employ({.name = "Alice", .email = "alice@example.gov"});
    const Outcome outcome = doctor(office, {});
    INFO(outcome.err + outcome.out);
    CHECK(outcome.status == 0);
    CHECK(has(findings(outcome.out), "certificate", "remark", "token 'Empty' has none"));
}

TEST_CASE("doctor names the intermediate that is missing, and how to give it", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov"});
    const Outcome outcome = office.desk.p11mime({"doctor", "--module", SoftHsm::module(), "--json", "-",
                                                 "--no-default-ca", "--ca", office.desk.path("root.pem")});
    CHECK(outcome.status == 3);
    CHECK(has(findings(outcome.out), "certificate", "failed", "is neither trusted nor known", "--intermediates FILE"));
}

TEST_CASE("doctor and sign blame the p11-kit server that does not answer, and no reader", "[e2e]") {
    Office office;
    const std::string client = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";
    if (!std::filesystem::exists(client)) return skip("p11-kit-modules is not installed");
    office.desk.environment["P11_KIT_SERVER_ADDRESS"] = "unix:path=" + office.desk.path("no-server");
    for (const Arguments& command : {Arguments{"doctor", "--module", client}, {"sign", "--module", client}}) {
        const Outcome outcome = office.desk.p11mime(command, mail("alice@example.gov", "bob@example.org"));
        INFO(outcome.err);
        CHECK(outcome.status == 4);
        CHECK_THAT(outcome.err, Catch::Contains("no p11-kit server answers") && !Catch::Contains("pcscd"));
    }
}

TEST_CASE("a TPM that is out of reach is said to be that", "[e2e]") {
    Office office;
    const std::string tpm = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so";
    if (!std::filesystem::exists(tpm)) return skip("libtpm2-pkcs11-1 is not installed");
    std::filesystem::create_directory(office.desk.path("store"));
    office.desk.environment["TPM2_PKCS11_STORE"] = office.desk.path("store");
    office.desk.environment["TPM2_PKCS11_TCTI"] = "swtpm:path=" + office.desk.path("no-tpm");
    const Outcome outcome = office.desk.p11mime({"tokens", "--module", tpm});
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err, Catch::Contains("the TPM is out of reach") && !Catch::Contains("insert the token"));
}
