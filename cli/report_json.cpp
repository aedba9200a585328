#include "cli/report_json.h"

#include "cli/json.h"
#include "cms/smime/read.h"

namespace p11mime::cli {

namespace {

using cms::smime::Layer;
using cms::smime::name;
using cms::smime::SignerVerdict;

// not_checked lists what is there and was not looked at.
Json not_checked(std::size_t count) {
    Json list = Json::array();
    for (std::size_t i = 0; i < count; ++i)
        list.push_back({{"integrity", "not_checked"}});
    return list;
}

Json signer_json(const SignerVerdict& signer) {
    Json json;
    const auto& certificate = signer.certificate;
    json["subject"] = certificate ? Json(certificate->subject()) : Json(nullptr);
    json["emails"] = certificate ? Json(certificate->emails()) : Json(Json::array());
    json["issuer"] = certificate ? Json(certificate->issuer()) : Json(nullptr);
    json["serial"] = certificate ? Json(certificate->serial_hex()) : Json(nullptr);
    json["fingerprint_sha256"] = certificate ? Json(certificate->fingerprint_sha256()) : Json(nullptr);
    json["integrity"] = name(signer.integrity);
    json["integrity_reason"] = or_null(signer.integrity_reason);
    json["chain"] = name(signer.chain);
    json["chain_reason"] = or_null(signer.chain_reason);
    json["chain_certs"] = signer.chain_certs;
    json["revocation"] = name(signer.revocation);
    json["revocation_reason"] = or_null(signer.revocation_reason);
    json["sender"] = name(signer.sender);
    json["strength"] = name(signer.strength);
    json["algorithms"] = {{"digest", signer.digest}, {"signature", signer.signature}};
    json["time"] = {{"basis", signer.time_basis},
                    {"at", signer.time_at ? Json(cms::format_time(*signer.time_at)) : Json(nullptr)}};
    json["time"]["signing_time"] = signer.signing_time ? Json(cms::format_time(*signer.signing_time)) : Json(nullptr);
    json["timestamps"] = not_checked(signer.timestamps);
    json["countersignatures"] = not_checked(signer.countersignatures);
    json["policy_name"] = nullptr;
    json["certificate_class"] = {{"validation", "unknown"}, {"basis", nullptr},     {"generation", nullptr},
                                 {"class", nullptr},        {"qualified", nullptr}, {"on_secure_device", nullptr}};
    return json;
}

Json layer_json(const Layer& layer) {
    Json json;
    json["path"] = layer.path;
    json["parent"] = or_null(layer.parent);
    json["type"] = name(layer.type);
    json["covers"] = layer.covers_whole ? "whole-message" : "part";
    json["byte_ranges"] = layer.byte_ranges;
    json["media_type"] = layer.media_type.empty() ? Json(nullptr) : Json(layer.media_type);
    json["protected_headers"] = nullptr;  // not looked for
    json["cipher"] = or_null(layer.cipher);
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
    Json json = {{"kind", *kind}, {"message", frame.error->what()}};
    json["hint"] = frame.error->hint().empty() ? Json(nullptr) : Json(frame.error->hint());
    return json;
}

std::string one_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string read_report(const ReportFrame& frame, const std::vector<Layer>& layers) {
    Json json = frame_json(frame);
    json["layers"] = Json::array();
    for (const Layer& layer : layers)
        json["layers"].push_back(layer_json(layer));
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
    json["cipher"] = or_null(made.cipher);
    json["error"] = error_json(frame);
    return one_line(json);
}

}  // namespace p11mime::cli
