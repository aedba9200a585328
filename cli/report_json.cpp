#include "cli/report_json.h"

#include "cli/json.h"
#include "cli/signer_json.h"
#include "cms/smime/read.h"

namespace p11mime::cli {

namespace {

using cms::smime::Layer;
using cms::smime::name;
using cms::smime::SignerVerdict;

Json carried_json(const cms::smime::Carried& carried) {
    return {{"certificates", carried.certificates},
            {"other_certificates", carried.other_certificates},
            {"crls", carried.crls},
            {"other_revocation_infos", carried.other_revocation_infos}};
}

// What of the mail a layer's signers vouch for: who signed its encrypted form need not know the text.
Json signed_json(const cms::smime::Report& report, const Layer& layer) {
    if (layer.type != cms::smime::LayerType::signed_data) return nullptr;
    if (cms::smime::signs_text(report, layer)) return "text";
    return cms::smime::signs_ciphertext(report, layer) ? "encrypted-form" : "part";
}

Json layer_json(const cms::smime::Report& report, const Layer& layer) {
    Json json;
    json["path"] = layer.path;
    json["parent"] = or_null(layer.parent);
    json["type"] = name(layer.type);
    json["covers"] = layer.covers_whole ? "whole-message" : "part";
    json["signs"] = signed_json(report, layer);
    json["byte_ranges"] = layer.byte_ranges;
    json["media_type"] = layer.media_type.empty() ? Json(nullptr) : Json(layer.media_type);
    json["protected_headers"] = layer.protected_headers ? Json(*layer.protected_headers) : Json(nullptr);
    json["cipher"] = or_null(layer.cipher);
    json["algorithm"] = or_null(layer.algorithm);
    json["authenticated"] = or_null(layer.authenticated);
    json["strength"] = layer.strength ? Json(name(*layer.strength)) : Json();
    json["recipients"] = Json::array();
    for (const auto& recipient : layer.recipients)
        json["recipients"].push_back({{"identifier", recipient.identifier},
                                      {"key_management", recipient.key_management},
                                      {"used", recipient.used}});
    json["signers"] = Json::array();
    for (const SignerVerdict& signer : layer.signers)
        json["signers"].push_back(signer_json(signer));
    json["carried"] = layer.carried ? carried_json(*layer.carried) : Json(nullptr);
    return json;
}

// Failures of the message and of trust are results, not errors.
std::optional<std::string> kind_name(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::token:
            return "token";
        case ErrorKind::no_key:
            return "no-recipient-key";
        case ErrorKind::malformed:
            return "malformed";
        case ErrorKind::io:
            return "io";
        case ErrorKind::failed:
        case ErrorKind::untrusted:
            return std::nullopt;
    }
    return std::nullopt;
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json used_json(const UsedCertificate& used) {
    const cms::Certificate& certificate = used.certificate;
    return {{"subject", certificate.subject()},
            {"emails", certificate.emails()},
            {"issuer", certificate.issuer()},
            {"serial", certificate.serial_hex()},
            {"fingerprint_sha256", certificate.fingerprint_sha256()}};
}

}  // namespace

Json frame_json(const ReportFrame& frame) {
    Json json;
    json["command"] = frame.command;
    json["exit"] = frame.exit;
    json["result"] = or_null(frame.result);
    json["reason"] = text_or_null(frame.error ? frame.error->what() : frame.reason);
    json["hint"] = text_or_null(frame.error ? frame.error->hint() : frame.hint);
    json["input"] = or_null(frame.input);
    json["message"] = {{"from", frame.message.from}};
    json["message"]["subject"] = or_null(frame.message.subject);
    json["message"]["date"] = or_null(frame.message.date);
    json["warnings"] = Json::array();
    for (const auto& warning : frame.warnings)
        json["warnings"].push_back({{"kind", warning.kind}, {"message", warning.message}});
    return json;
}

Json error_json(const ReportFrame& frame) {
    if (!frame.error) return nullptr;
    const auto kind = kind_name(frame.error->kind());
    if (!kind) return nullptr;
    return {{"kind", *kind}, {"message", frame.error->what()}, {"hint", text_or_null(frame.error->hint())}};
}

std::string one_line(const Json& json) {
    return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string read_report(const ReportFrame& frame, const cms::smime::Report& report) {
    Json json = frame_json(frame);
    json["layers"] = Json::array();
    for (const Layer& layer : report.layers)
        json["layers"].push_back(layer_json(report, layer));
    json["error"] = error_json(frame);
    return one_line(json);
}

std::string made_report(const ReportFrame& frame, const MadeReport& made) {
    Json json = frame_json(frame);
    json["signers"] = Json::array();
    for (const UsedCertificate& signer : made.signers) {
        Json entry = used_json(signer);
        entry["token"] = signer.token;
        json["signers"].push_back(std::move(entry));
    }
    json["recipients"] = Json::array();
    for (const UsedCertificate& recipient : made.recipients) {
        Json entry = used_json(recipient);
        entry["delivery"] = recipient.delivery;
        json["recipients"].push_back(std::move(entry));
    }
    json["shared_secrets"] = made.shared_secrets;
    json["cipher"] = or_null(made.cipher);
    json["error"] = error_json(frame);
    return one_line(json);
}

}  // namespace p11mime::cli
