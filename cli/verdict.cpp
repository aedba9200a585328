#include "cli/verdict.h"

#include <fmt/format.h>

#include <algorithm>

namespace p11mime::cli {

namespace {

using namespace cms::smime;

std::string reason_text(const std::optional<std::string>& reason) {
    return reason && !reason->empty() ? fmt::format(" ({})", *reason) : "";
}

std::string who(const SignerVerdict& signer) {
    if (!signer.certificate) return fmt::format("{} (certificate missing)", signer.identifier);
    const auto emails = signer.certificate->emails();
    const std::string subject = signer.certificate->subject();
    return emails.empty() ? subject : fmt::format("{} <{}>", subject, fmt::join(emails, ", "));
}

std::string short_name(const SignerVerdict& signer) {
    if (!signer.certificate) return signer.identifier;
    const auto emails = signer.certificate->emails();
    return emails.empty() ? signer.certificate->subject() : emails.front();
}

std::string signers_text(const Report& report) {
    std::vector<std::string> names;
    const bool any_whole = std::any_of(report.layers.begin(), report.layers.end(),
                                       [](const Layer& layer) { return layer.covers_whole && !layer.signers.empty(); });
    for (const Layer& layer : report.layers)
        for (const SignerVerdict& signer : layer.signers)
            if (layer.covers_whole == any_whole &&
                std::find(names.begin(), names.end(), short_name(signer)) == names.end())
                names.push_back(short_name(signer));
    return fmt::format("{}", fmt::join(names, " and "));
}

bool has_encryption(const Report& report) {
    return std::any_of(report.layers.begin(), report.layers.end(),
                       [](const Layer& layer) { return layer.cipher.has_value(); });
}

bool authenticated_encryption(const Report& report) {
    return std::all_of(report.layers.begin(), report.layers.end(),
                       [](const Layer& layer) { return !layer.cipher || layer.authenticated.value_or(false); });
}

std::string with_reason(const std::string& sentence, const Report& report) {
    std::string text = report.reason.empty() ? sentence : fmt::format("{}: {}", sentence, report.reason);
    if (!report.hint.empty()) text += fmt::format("; {}", report.hint);
    return text;
}

std::string dashed(std::string_view value) {
    return value == "not_checked" ? "not checked" : std::string(value);
}

// Before decryption nothing can be said of it.
std::string_view authentication_text(const Layer& layer) {
    if (!layer.authenticated) return "";
    return *layer.authenticated ? ", authenticated" : ", not authenticated";
}

std::string label_text(const cms::SecurityLabel& label) {
    std::string text = label.classification ? cms::classification_text(*label.classification) : "no classification";
    if (label.privacy_mark) text += fmt::format(", '{}'", *label.privacy_mark);
    return fmt::format("{}, policy {}", text, label.policy);
}

void add_ess(std::vector<std::string>& lines, const cms::Ess& ess, const std::string& margin) {
    if (ess.security_label)
        lines.push_back(fmt::format("{}security label: {}", margin, label_text(*ess.security_label)));
    for (const cms::SecurityLabel& label : ess.equivalent_labels)
        lines.push_back(fmt::format("{}equivalent label: {}", margin, label_text(label)));
    if (ess.receipt_request)
        lines.push_back(fmt::format(
            "{}asks for a receipt{}", margin,
            ess.receipt_request->to.empty() ? "" : fmt::format(", to {}", fmt::join(ess.receipt_request->to, ", "))));
    if (ess.content_hints && ess.content_hints->description)
        lines.push_back(fmt::format("{}content: '{}'", margin, *ess.content_hints->description));
    for (const cms::MailListExpansion& expansion : ess.mail_list_expansions)
        lines.push_back(fmt::format("{}went through mail list {}{}", margin, expansion.list,
                                    expansion.time ? fmt::format(" at {}", cms::format_time(*expansion.time)) : ""));
    for (const std::string& what : ess.malformed)
        lines.push_back(fmt::format("{}{}: malformed", margin, what));
}

const char* algorithm_label(const Layer& layer) {
    if (layer.cipher) return "cipher";
    if (layer.type == LayerType::compressed) return "compression";
    return layer.type == LayerType::digested ? "digest" : "authentication code";
}

// class_text tells what kind of certificate it is, and by what that is known.
std::string class_text(const cms::CertificateClass& kind) {
    std::string text;
    if (kind.validation == cms::Validation::unknown)
        text = "of unknown kind";
    else
        text = fmt::format("{}{}", name(kind.validation), kind.basis == cms::Basis::policy ? "-validated" : "");
    if (kind.level) text += fmt::format(", class {}", *kind.level);
    text += kind.policy_name ? fmt::format(", by policy {}", *kind.policy_name) : std::string(", as it claims");
    if (kind.qualified) text += "; qualified";
    if (kind.on_secure_device) text += "; key on a secure device";
    return text;
}

// add_signer tells of a signer, or of a countersigner where `countersigned` is whose signature it is over.
void add_signer(std::vector<std::string>& lines, const SignerVerdict& signer, bool judged, std::string margin,
                const SignerVerdict* countersigned = nullptr) {
    lines.push_back(
        fmt::format("{}{}: {}", margin, countersigned == nullptr ? "signer" : "countersigned by", who(signer)));
    margin += "  ";
    if (signer.certificate)
        lines.push_back(fmt::format("{}issued by {}, serial {}", margin, signer.certificate->issuer(),
                                    signer.certificate->serial_hex()));
    if (signer.certificate_class)
        lines.push_back(fmt::format("{}certificate: {}", margin, class_text(*signer.certificate_class)));
    lines.push_back(fmt::format("{}signature: {}{}, {} with {}{}", margin, dashed(name(signer.integrity)),
                                reason_text(signer.integrity_reason), signer.signature, signer.digest,
                                signer.strength == Strength::weak ? ", weak" : ""));
    if (signer.signing_time)
        lines.push_back(
            fmt::format("{}signed at {}, as the signer claims", margin, cms::format_time(*signer.signing_time)));
    add_ess(lines, signer.ess, margin);
    if (judged) {
        lines.push_back(
            fmt::format("{}chain: {}{}", margin, dashed(name(signer.chain)), reason_text(signer.chain_reason)));
        lines.push_back(fmt::format("{}revocation: {}{}", margin, dashed(name(signer.revocation)),
                                    reason_text(signer.revocation_reason)));
        if (countersigned == nullptr) lines.push_back(fmt::format("{}sender: {}", margin, dashed(name(signer.sender))));
    } else if (!signer.unsigned_attributes.empty()) {
        lines.push_back(fmt::format("{}unsigned attributes: {}", margin, fmt::join(signer.unsigned_attributes, ", ")));
    }
    for (const SignerVerdict& countersigner : signer.countersignatures)
        add_signer(lines, countersigner, judged, margin, &signer);
}

void add_carried(std::vector<std::string>& lines, const Carried& carried) {
    std::vector<std::string> parts;
    const auto add = [&](std::size_t count, std::string_view what) {
        if (count != 0) parts.push_back(fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"));
    };
    add(carried.certificates, "certificate");
    add(carried.other_certificates, "other or unreadable certificate");
    add(carried.crls, "CRL");
    add(carried.other_revocation_infos, "other revocation info");
    if (!parts.empty()) lines.push_back(fmt::format("  carries {}", fmt::join(parts, ", ")));
}

}  // namespace

std::string verdict_sentence(const Report& report) {
    switch (report.result) {
        case Result::valid:
            return fmt::format("valid: signed by {}, trusted, and covering the whole mail{}", signers_text(report),
                               has_encryption(report) ? "; it came encrypted" : "");
        case Result::untrusted:
            return with_reason(fmt::format("intact, but not to be trusted, signed by {}", signers_text(report)),
                               report);
        case Result::invalid:
            return with_reason("INVALID", report);
        case Result::unsigned_:
            return with_reason("neither signed nor encrypted", report);
        case Result::decrypted:
            return with_reason(
                fmt::format(
                    "decrypted; {}{}",
                    authenticated_encryption(report) ? "" : "the encryption does not protect against changes, and ",
                    report.signatures_looked_for ? "nothing tells who sent it: it is not signed"
                                                 : "a signature inside was not looked for ('p11mime open' does that)"),
                report);
        case Result::error:
            break;
    }
    return report.reason;
}

std::vector<std::string> layer_lines(const Report& report, bool judged) {
    std::vector<std::string> lines;
    for (const Layer& layer : report.layers) {
        std::string line = fmt::format("part {}: {}", layer.path, name(layer.type));
        if (!layer.media_type.empty()) line += fmt::format(", {}", layer.media_type);
        line += layer.covers_whole ? ", the whole mail" : ", a part of the mail only";
        lines.push_back(std::move(line));
        if (const auto& algorithm = layer.cipher ? layer.cipher : layer.algorithm)
            lines.push_back(fmt::format("  {}: {}{}{}", algorithm_label(layer), *algorithm,
                                        layer.strength == Strength::weak ? ", weak" : "", authentication_text(layer)));
        for (const RecipientSummary& recipient : layer.recipients)
            lines.push_back(fmt::format("  recipient: {}, {}{}", recipient.identifier, recipient.key_management,
                                        recipient.used ? ", used" : ""));
        for (const SignerVerdict& signer : layer.signers)
            add_signer(lines, signer, judged, "  ");
        if (layer.carried && !judged) add_carried(lines, *layer.carried);
    }
    return lines;
}

}  // namespace p11mime::cli
