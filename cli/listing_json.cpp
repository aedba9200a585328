#include "cli/listing_json.h"

#include <fmt/format.h>

#include "cli/json.h"
#include "cms/smime/judge.h"
#include "cms/trust_settings.h"
#include "mime/hex.h"

namespace p11mime::cli {

namespace {

Json certificate_json(const cms::Certificate& certificate) {
    Json json;
    json["subject"] = certificate.subject();
    json["emails"] = certificate.emails();
    json["issuer"] = certificate.issuer();
    json["serial"] = certificate.serial_hex();
    json["fingerprint_sha256"] = certificate.fingerprint_sha256();
    json["not_before"] = cms::format_time(certificate.not_before());
    json["not_after"] = cms::format_time(certificate.not_after());
    json["key_type"] = certificate.key_type();
    json["allows_signing"] = certificate.allows_signing();
    json["allows_encryption"] = certificate.allows_encryption();
    return json;
}

Json key_json(const token::KeyObject& key) {
    return {{"uri", key.uri},           {"label", key.label},
            {"id", hex(key.id)},        {"type", key.description},
            {"sign", key.can_sign},     {"decrypt", key.can_decrypt},
            {"derive", key.can_derive}, {"always_authenticate", key.always_authenticate}};
}

void add_imported(Json& json, const std::optional<Imported>& imported) {
    json["keys"] = imported ? Json::array() : Json(nullptr);
    json["other_certificates"] = json["keys"];
    if (!imported) return;
    for (const token::ImportedKey& one : imported->keys) {
        Json key = key_json(one.key);
        key["certificates"] = Json::array();
        for (const cms::Certificate& certificate : one.certificates)
            key["certificates"].push_back(certificate_json(certificate));
        json["keys"].push_back(std::move(key));
    }
    for (const OtherImport& other : imported->others) {
        Json certificate = certificate_json(other.certificate);
        certificate["in_address_book"] = other.in_book;
        json["other_certificates"].push_back(std::move(certificate));
    }
}

Json token_json(const TokenListing& token) {
    const token::TokenInfo& info = token.info;
    Json json;
    json["uri"] = token.uri;
    json["label"] = info.label;
    json["manufacturer"] = info.manufacturer;
    json["model"] = info.model;
    json["serial"] = info.serial;
    json["module"] = info.module;
    json["slot_id"] = info.slot_id;
    json["slot"] = info.slot_description;
    json["pin_state"] = name(info.pin_state);
    json["login_required"] = info.login_required;
    json["pin_pad"] = info.protected_authentication_path;
    json["read_only"] = info.read_only;
    json["removable"] = info.removable;
    json["certificates"] = Json::array();
    for (const auto& object : token.certificates) {
        Json entry = {{"uri", object.uri}, {"label", object.label}, {"id", hex(object.id)}};
        entry["certificate"] = object.certificate ? certificate_json(*object.certificate) : Json(nullptr);
        json["certificates"].push_back(std::move(entry));
    }
    json["keys"] = Json::array();
    for (const auto& key : token.keys)
        json["keys"].push_back(key_json(key));
    json["keys_complete"] = token.keys_complete;
    json["login_error"] = token.login_error ? Json(token.login_error->what()) : Json(nullptr);
    return json;
}

}  // namespace

std::string tokens_report(const ReportFrame& frame, const std::vector<token::SlotState>& slots,
                          const std::vector<TokenListing>& tokens, std::optional<std::size_t> forgotten_pins) {
    Json json = frame_json(frame);
    json["slots"] = Json::array();
    for (const auto& slot : slots)
        json["slots"].push_back({{"module", slot.module},
                                 {"slot_id", slot.slot_id},
                                 {"description", slot.description},
                                 {"token_present", slot.token.has_value()}});
    json["tokens"] = Json::array();
    for (const TokenListing& token : tokens)
        json["tokens"].push_back(token_json(token));
    json["forgotten_pins"] = or_null(forgotten_pins);
    json["error"] = error_json(frame);
    return one_line(json);
}

std::string doctor_report(const ReportFrame& frame, const Checks& checks) {
    Json json = frame_json(frame);
    json["checks"] = Json::array();
    for (const Check& check : checks)
        json["checks"].push_back({{"subject", check.subject},
                                  {"standing", name(check.standing)},
                                  {"message", check.message},
                                  {"fix", check.fix.empty() ? Json(nullptr) : Json(check.fix)}});
    json["error"] = error_json(frame);
    return one_line(json);
}

std::string key_report(const ReportFrame& frame, const KeyReport& report) {
    Json json = frame_json(frame);
    json["token"] = or_null(report.token);
    json["uri"] = or_null(report.uri);
    json["certificate"] = report.certificate ? certificate_json(*report.certificate) : Json(nullptr);
    json["deleted"] = or_null(report.deleted);
    add_imported(json, report.imported);
    json["error"] = error_json(frame);
    return one_line(json);
}

std::string certs_report(const ReportFrame& frame, const std::vector<BookEntry>& certificates,
                         const std::vector<Anchor>& anchors) {
    Json json = frame_json(frame);
    json["certificates"] = Json::array();
    for (const BookEntry& entry : certificates) {
        Json one = certificate_json(entry.certificate);
        one["source"] = entry.source;
        one["added"] = cms::format_time(entry.added);
        one["capabilities_known"] = entry.capabilities.has_value();
        json["certificates"].push_back(std::move(one));
    }
    json["anchors"] = Json::array();
    for (const Anchor& anchor : anchors) {
        const cms::TrustSettings settings = cms::trust_settings(anchor.certificate);
        Json one = certificate_json(anchor.certificate);
        one["trusted_uses"] = settings.limited ? Json(settings.trusted) : Json(nullptr);
        one["rejected_uses"] = settings.rejected;
        one["added"] = cms::format_time(anchor.added);
        json["anchors"].push_back(std::move(one));
    }
    json["error"] = error_json(frame);
    return one_line(json);
}

std::string lookup_report(const ReportFrame& frame, const std::vector<LookedUp>& found) {
    Json json = frame_json(frame);
    json["certificates"] = Json::array();
    for (const LookedUp& each : found) {
        Json one = certificate_json(each.certificate);
        one["directory"] = each.directory;
        one["usable"] = each.reason.empty();
        one["reason"] = each.reason.empty() ? Json(nullptr) : Json(each.reason);
        one["chain_certs"] = Json::array();
        for (const cms::Certificate& certificate : each.path.chain)
            one["chain_certs"].push_back(certificate.subject());
        one["revocation"] = name(cms::smime::revocation_of(each.path.revocation));
        one["revocation_reason"] =
            each.path.revocation_reason.empty() ? Json(nullptr) : Json(each.path.revocation_reason);
        one["kept"] = each.kept;
        json["certificates"].push_back(std::move(one));
    }
    json["error"] = error_json(frame);
    return one_line(json);
}

}  // namespace p11mime::cli
