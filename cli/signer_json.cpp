#include "cli/signer_json.h"

#include "mime/hex.h"

namespace p11mime::cli {

namespace {

using cms::smime::name;
using cms::smime::SignerVerdict;

template <class Value, class ToJson>
Json or_null(const std::optional<Value>& value, ToJson to_json) {
    return value ? Json(to_json(*value)) : Json(nullptr);
}

template <class Value, class ToJson>
Json array(const std::vector<Value>& values, ToJson to_json) {
    Json list = Json::array();
    for (const Value& each : values)
        list.push_back(to_json(each));
    return list;
}

Json receipt_request_json(const cms::ReceiptRequest& request) {
    using From = cms::ReceiptRequest::From;
    Json json;
    json["content_identifier"] = hex(request.content_identifier);
    json["from"] = request.from == From::all ? "all" : request.from == From::first_tier ? "first-tier" : "listed";
    json["from_list"] = request.from_list;
    json["to"] = request.to;
    return json;
}

Json security_label_json(const cms::SecurityLabel& label) {
    Json json;
    json["policy"] = label.policy;
    json["classification"] = label.classification ? Json(*label.classification) : Json(nullptr);
    json["privacy_mark"] = cli::or_null(label.privacy_mark);
    json["categories"] = label.categories;
    return json;
}

Json content_hints_json(const cms::ContentHints& hints) {
    Json json;
    json["description"] = cli::or_null(hints.description);
    json["type"] = hints.type;
    return json;
}

Json content_reference_json(const cms::ContentReference& reference) {
    return {{"type", reference.type}, {"content_identifier", hex(reference.content_identifier)}};
}

const char* receipts_text(cms::MailListExpansion::Receipts receipts) {
    using Receipts = cms::MailListExpansion::Receipts;
    switch (receipts) {
        case Receipts::none:
            return "none";
        case Receipts::instead:
            return "instead";
        case Receipts::in_addition:
            return "in-addition";
        case Receipts::as_requested:
            break;
    }
    return "as-requested";
}

Json expansion_json(const cms::MailListExpansion& expansion) {
    Json json;
    json["list"] = expansion.list;
    json["time"] = or_null(expansion.time, cms::format_time);
    json["receipts"] = receipts_text(expansion.receipts);
    return json;
}

Json ess_json(const cms::Ess& ess) {
    Json json;
    json["receipt_request"] = or_null(ess.receipt_request, receipt_request_json);
    json["security_label"] = or_null(ess.security_label, security_label_json);
    json["equivalent_labels"] = array(ess.equivalent_labels, security_label_json);
    json["content_hints"] = or_null(ess.content_hints, content_hints_json);
    json["content_identifier"] = or_null(ess.content_identifier, hex);
    json["content_reference"] = or_null(ess.content_reference, content_reference_json);
    json["mail_list_expansions"] = array(ess.mail_list_expansions, expansion_json);
    json["malformed"] = ess.malformed;
    return json;
}

Json timestamp_json(const cms::TimestampVerdict& timestamp) {
    return {{"integrity", name(timestamp.integrity)},
            {"integrity_reason", timestamp.reason.empty() ? Json(nullptr) : Json(timestamp.reason)},
            {"time", or_null(timestamp.time, cms::format_time)},
            {"authority", timestamp.authority ? Json(timestamp.authority->subject()) : Json(nullptr)}};
}

// class_json has the same members where there is no certificate.
Json class_json(const std::optional<cms::CertificateClass>& known) {
    const cms::CertificateClass kind = known.value_or(cms::CertificateClass{});
    Json json;
    json["validation"] = name(kind.validation);
    json["basis"] = known ? Json(name(kind.basis)) : Json(nullptr);
    json["generation"] = or_null(kind.generation, [](cms::Generation generation) { return name(generation); });
    json["class"] = cli::or_null(kind.level);
    const auto basis_name = [](cms::Basis basis) { return name(basis); };
    json["qualified"] = known ? Json(kind.qualified.has_value()) : Json(nullptr);
    json["qualified_basis"] = or_null(kind.qualified, basis_name);
    json["on_secure_device"] = known ? Json(kind.on_secure_device.has_value()) : Json(nullptr);
    json["on_secure_device_basis"] = or_null(kind.on_secure_device, basis_name);
    return json;
}

}  // namespace

Json signer_json(const SignerVerdict& signer) {
    Json json;
    const auto& certificate = signer.certificate;
    json["subject"] = certificate ? Json(certificate->subject()) : Json(nullptr);
    json["emails"] = certificate ? Json(certificate->emails()) : Json(Json::array());
    json["issuer"] = certificate ? Json(certificate->issuer()) : Json(nullptr);
    json["serial"] = certificate ? Json(certificate->serial_hex()) : Json(nullptr);
    json["fingerprint_sha256"] = certificate ? Json(certificate->fingerprint_sha256()) : Json(nullptr);
    json["integrity"] = name(signer.integrity);
    json["integrity_reason"] = cli::or_null(signer.integrity_reason);
    json["chain"] = name(signer.chain);
    json["chain_reason"] = cli::or_null(signer.chain_reason);
    json["chain_certs"] = array(signer.chain_certs, [](const cms::Certificate& each) { return each.subject(); });
    json["revocation"] = name(signer.revocation);
    json["revocation_reason"] = cli::or_null(signer.revocation_reason);
    json["sender"] = name(signer.sender);
    json["strength"] = name(signer.strength);
    json["algorithms"] = {{"digest", signer.digest}, {"signature", signer.signature}};
    json["time"] = {{"basis", signer.time_at ? Json(signer.time_basis) : Json(nullptr)},
                    {"at", or_null(signer.time_at, cms::format_time)}};
    json["time"]["signing_time"] = or_null(signer.signing_time, cms::format_time);
    json["timestamps"] = array(signer.timestamps, timestamp_json);
    json["countersignatures"] = array(signer.countersignatures, signer_json);
    json["signed_attributes"] = signer.signed_attributes;
    json["unsigned_attributes"] = signer.unsigned_attributes;
    json["ess"] = ess_json(signer.ess);
    const auto& kind = signer.certificate_class;
    json["policy_name"] = kind ? cli::or_null(kind->policy_name) : Json(nullptr);
    json["certificate_class"] = class_json(kind);
    return json;
}

}  // namespace p11mime::cli
