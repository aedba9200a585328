#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "cli/listing_json.h"
#include "cli/report_json.h"
#include "cli/verdict.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/pki.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;
using Json = nlohmann::ordered_json;

namespace {

std::vector<std::string> keys(const Json& object) {
    std::vector<std::string> names;
    for (const auto& item : object.items())
        names.push_back(item.key());
    return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the report of reading has every member that is documented, in that order", "[cli]") {
    const test::TestPki pki;
    const std::string der = pki.issue({.kind = test::KeyKind::p256}).certificate_der();
    cms::smime::SignerVerdict signer;
    signer.certificate = cms::Certificate::from_der(bytes_of(der));
    signer.digest = "sha256";
    signer.signature = "ecdsa";
    signer.time_at = cms::parse_time("2026-11-21T10:00:00Z");
    cms::smime::Layer layer;
    layer.path = "1";
    layer.byte_ranges = {{120, 4711}};
    layer.signers = {signer, cms::smime::SignerVerdict{}};
    layer.recipients = {{"CN=CA 01", "ecdh", true}};
    ReportFrame frame{.command = "verify", .exit = 3, .result = "untrusted", .input = "mail.eml"};
    frame.message.from = {"alice@example.gov"};
    frame.warnings = {{"kind", "text"}};

    cms::smime::Report report;
    report.layers = {layer};
    const Json json = Json::parse(read_report(frame, report));
    CHECK(keys(json) ==
          Names{"command", "exit", "result", "reason", "hint", "input", "message", "warnings", "layers", "error"});
    CHECK(keys(json["message"]) == Names{"from", "subject", "date"});
    CHECK(keys(json["warnings"][0]) == Names{"kind", "message"});
    CHECK(keys(json["layers"][0]) == Names{"path", "parent", "type", "covers", "signs", "byte_ranges", "media_type",
                                           "protected_headers", "cipher", "algorithm", "authenticated", "strength",
                                           "recipients", "signers", "carried"});
    CHECK(keys(json["layers"][0]["recipients"][0]) == Names{"identifier", "key_management", "used"});
    const Json& first = json["layers"][0]["signers"][0];
    CHECK(keys(first) == Names{"subject",
                               "emails",
                               "issuer",
                               "serial",
                               "fingerprint_sha256",
                               "integrity",
                               "integrity_reason",
                               "chain",
                               "chain_reason",
                               "chain_certs",
                               "revocation",
                               "revocation_reason",
                               "sender",
                               "strength",
                               "algorithms",
                               "time",
                               "timestamps",
                               "countersignatures",
                               "signed_attributes",
                               "unsigned_attributes",
                               "ess",
                               "policy_name",
                               "certificate_class"});
    CHECK(keys(first["algorithms"]) == Names{"digest", "signature"});
    CHECK(keys(first["time"]) == Names{"basis", "at", "signing_time"});
    CHECK(keys(first["certificate_class"]) == Names{"validation", "basis", "generation", "class", "qualified",
                                                    "qualified_basis", "on_secure_device", "on_secure_device_basis"});
    CHECK(keys(json["layers"][0]["signers"][1]) == keys(first));

    CHECK(first["time"]["basis"] == "now");
    CHECK(json["layers"][0]["signers"][1]["time"]["basis"].is_null());  // nothing was judged
    CHECK(first["revocation"] == "not_checked");
    CHECK(first["integrity"] == "not_checked");
    CHECK(first["emails"] == Json::array({"alice@example.gov"}));
    CHECK(json["layers"][0]["signers"][1]["subject"].is_null());
    CHECK(json["layers"][0]["byte_ranges"] == Json::parse("[[120, 4711]]"));
    CHECK(json["message"]["subject"].is_null());
    CHECK(json["error"].is_null());
}

TEST_CASE("the report tells who signed the text of the mail from who signed its encrypted form", "[cli]") {
    using cms::smime::LayerType;
    const auto signs = [](std::vector<std::pair<LayerType, bool>> layers) {
        cms::smime::Report report;
        for (const auto& [type, whole] : layers) {
            report.layers.emplace_back().type = type;
            report.layers.back().covers_whole = whole;
        }
        const ReportFrame frame{.command = "open", .exit = 0, .result = "valid", .input = "-"};
        const Json json = Json::parse(read_report(frame, report));
        std::vector<Json> said;
        for (const Json& layer : json["layers"])
            said.push_back(layer["signs"]);
        return said;
    };
    using Said = std::vector<Json>;
    CHECK(signs({{LayerType::signed_data, true}}) == Said{"text"});
    CHECK(signs({{LayerType::enveloped, true}, {LayerType::signed_data, true}}) == Said{nullptr, "text"});
    CHECK(signs({{LayerType::signed_data, true}, {LayerType::enveloped, true}, {LayerType::signed_data, true}}) ==
          Said{"encrypted-form", nullptr, "text"});
    CHECK(signs({{LayerType::signed_data, true}, {LayerType::auth_enveloped, true}}) ==
          Said{"encrypted-form", nullptr});
    CHECK(signs({{LayerType::signed_data, false}}) == Said{"part"});
    CHECK(signs({{LayerType::certs_only, true}}) == Said{nullptr});
}

TEST_CASE("an error in the report has kind, message and hint", "[cli]") {
    ReportFrame frame{.command = "sign", .exit = 4, .result = "error", .input = "-"};
    frame.error = Error(ErrorKind::token, "token 'ID card' is locked", "unblock it");
    for (const std::string& text : {read_report(frame, {}), made_report(frame, {}), tokens_report(frame, {}, {}),
                                    key_report(frame, {}), certs_report(frame, {}, {})}) {
        const Json json = Json::parse(text);
        CHECK(json["error"] ==
              Json({{"kind", "token"}, {"message", "token 'ID card' is locked"}, {"hint", "unblock it"}}));
        CHECK(keys(json).back() == "error");
    }
    const auto kind = [&](ErrorKind what) {
        frame.error = Error(what, "x");
        return Json::parse(made_report(frame, {}))["error"].value("kind", "");
    };
    CHECK(kind(ErrorKind::usage) == "usage");
    CHECK(kind(ErrorKind::no_key) == "no-recipient-key");
    CHECK(kind(ErrorKind::malformed) == "malformed");
    CHECK(kind(ErrorKind::io) == "io");
}

TEST_CASE("the reports of the other commands have the common members and their own, on errors too", "[cli]") {
    const ReportFrame frame{.command = "x", .exit = 0, .result = "done", .input = std::nullopt};
    const Names common{"command", "exit", "result", "reason", "hint", "input", "message", "warnings"};
    const auto with = [&](const Names& own) {
        Names all = common;
        all.insert(all.end(), own.begin(), own.end());
        all.emplace_back("error");
        return all;
    };
    CHECK(keys(Json::parse(made_report(frame, {}))) == with({"signers", "recipients", "shared_secrets", "cipher"}));
    CHECK(keys(Json::parse(tokens_report(frame, {}, {}))) == with({"slots", "tokens", "forgotten_pins"}));
    CHECK(keys(Json::parse(key_report(frame, {}))) ==
          with({"token", "uri", "certificate", "deleted", "keys", "other_certificates"}));
    CHECK(keys(Json::parse(certs_report(frame, {}, {}))) == with({"certificates", "anchors"}));
}

TEST_CASE("a message that fails or is not trusted is a result in the report, not an error", "[cli]") {
    ReportFrame frame{.command = "open", .exit = 1, .result = "invalid", .input = "-"};
    frame.error = Error(ErrorKind::failed, "the content was changed");
    CHECK(Json::parse(read_report(frame, {}))["error"].is_null());
    frame.error = Error(ErrorKind::untrusted, "not trusted");
    CHECK(Json::parse(read_report(frame, {}))["error"].is_null());
}

TEST_CASE("a report is one line of valid JSON, whatever bytes a mail has", "[cli]") {
    ReportFrame frame{.command = "open", .exit = 0, .result = "unsigned", .input = "a\nb"};
    CHECK(Json::parse(read_report(frame, {}))["message"]["subject"].is_null());
    frame.message.subject = "";
    CHECK(Json::parse(read_report(frame, {}))["message"]["subject"] == "");
    frame.message.subject = "\xff\xfe broken \x1b";
    const std::string text = read_report(frame, {});
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(Json::parse(text)["input"] == "a\nb");
}

namespace {

std::set<std::string> found_by(const std::string& pattern, const std::string& text) {
    const std::regex regex(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
        found.insert((*at)[1]);
    return found;
}

// emitted_kinds is the kinds of warnings in the source text; of those that no literal beside a call tells, by name.
std::set<std::string> emitted_kinds() {
    std::set<std::string> kinds{"broken-file", "decryption-failed", "doubtful", "failed", "sender-field"};
    for (const char* room : {"cli", "cms", "token"})
        for (const auto& file : std::filesystem::recursive_directory_iterator(test::source_path(room)))
            if (file.path().extension() == ".cpp")
                kinds.merge(
                    found_by(R"re(\b(?:warn|warn_once|warnings\.push_back|Warning \w+)[({\s]+"([a-z][a-z-]*)")re",
                             test::read_file(file.path())));
    return kinds;
}

}  // namespace

TEST_CASE("every kind of warning is documented, and every one that is documented there is", "[cli]") {
    const std::string manual = test::read_file(test::source_path("docs/json.md"));
    const std::size_t begin = manual.find("\n## Warnings\n"), end = manual.find("\n## ", begin + 1);
    REQUIRE(end != std::string::npos);
    std::set<std::string> documented;
    for (const std::string& first : found_by(R"re(\n\| (`[^|]*) \|)re", manual.substr(begin, end - begin)))
        documented.merge(found_by("`([a-z-]+)`", first));
    CHECK(emitted_kinds() == documented);
}

TEST_CASE("what was not checked is said to be not checked", "[cli]") {
    cms::smime::Report report;
    cms::smime::Layer layer;
    layer.path = "1";
    layer.signers.emplace_back();
    report.layers.push_back(layer);
    std::string all;
    for (const std::string& line : layer_lines(report, true))
        all += line + "\n";
    CHECK_THAT(all, Catch::Contains("revocation: not checked"));
    CHECK_THAT(all, Catch::Contains("chain: not checked"));
}
