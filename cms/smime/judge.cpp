#include "cms/smime/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/address.h"

namespace p11mime::cms::smime {

namespace {

std::optional<Certificate> find_certificate(const RecipientIdentifier& identifier, const SignedDataReader& reader,
                                            const Trust* trust) {
    for (const Certificate& each : reader.certificates())
        if (identifier.matches(each)) return each;
    if (trust != nullptr)
        for (const auto& source : trust->intermediates)
            if (auto found = source->by_identifier(identifier)) return found;
    return std::nullopt;
}

SenderState judge_sender(const Certificate& certificate, const Sender& sender) {
    if (sender.check == SenderCheck::off) return SenderState::not_checked;
    const auto mailboxes = certificate.emails();
    if (mailboxes.empty() || sender.mailboxes.empty()) return SenderState::absent;
    const bool all = std::all_of(sender.mailboxes.begin(), sender.mailboxes.end(),
                                 [&](const std::string& from) { return certificate.has_email(from); });
    return all ? SenderState::match : SenderState::mismatch;
}

Revocation revocation(RevocationState state) {
    switch (state) {
        case RevocationState::good:
            return Revocation::good;
        case RevocationState::revoked:
            return Revocation::revoked;
        case RevocationState::unknown:
            return Revocation::unknown;
        case RevocationState::not_checked:
            break;
    }
    return Revocation::not_checked;
}

void judge_chain(SignerVerdict& verdict, const SignedDataReader& reader, const Trust& trust) {
    const PathVerdict path = validate(*verdict.certificate, reader.certificates(), trust, Use::signing);
    verdict.chain = path.trusted ? ChainState::trusted : ChainState::untrusted;
    if (!path.trusted) verdict.chain_reason = path.reason;
    for (const Certificate& each : path.chain)
        verdict.chain_certs.push_back(each.subject());
    if (path.trusted && path.chain.size() > 2)
        verdict.intermediates.assign(path.chain.begin() + 1, path.chain.end() - 1);
    if (path.weak) verdict.strength = Strength::weak;
    verdict.revocation = revocation(path.revocation);
    if (!path.revocation_reason.empty()) verdict.revocation_reason = path.revocation_reason;
}

SignerVerdict describe(const asn1::SignerInfo& signer, const SignerInfoVerdict& judged,
                       const SignedDataReader& reader) {
    SignerVerdict verdict;
    verdict.identifier = asn1::identifier(*signer.sid).text();
    verdict.integrity = judged.integrity;
    if (!judged.reason.empty()) verdict.integrity_reason = judged.reason;
    verdict.strength = judged.weak ? Strength::weak : Strength::ok;
    verdict.digest = judged.digest;
    verdict.signature = judged.signature;
    verdict.countersignatures = judged.countersignatures;
    verdict.timestamps = judged.timestamps;
    verdict.signing_time = judged.signing_time;
    if (judged.integrity != Integrity::valid) return verdict;  // the rest is acted upon, so it must be signed
    verdict.capabilities = judged.capabilities;
    if (judged.encryption_key)
        for (const Certificate& each : reader.certificates())
            if (judged.encryption_key->matches(each)) verdict.encryption_certificate = each;
    return verdict;
}

std::string who(const SignerVerdict& signer) {
    if (!signer.certificate) return signer.identifier;
    const std::string subject = signer.certificate->subject();
    return subject.empty() ? signer.identifier : subject;
}

void set_result(Report& report, Result result, std::string reason, std::string hint = {}) {
    report.result = result;
    report.reason = std::move(reason);
    report.hint = std::move(hint);
}

// integrity_fault finds the first signature of a layer that does not hold.
bool integrity_fault(Report& report, const Layer& layer) {
    if (layer.signers.empty()) {
        set_result(report, Result::invalid, "it carries no signature although it is in the form of signed mail");
        return true;
    }
    for (const SignerVerdict& signer : layer.signers) {
        if (signer.integrity == Integrity::valid) continue;
        const std::string reason = signer.integrity_reason.value_or("not checked");
        if (signer.integrity == Integrity::invalid)
            set_result(report, Result::invalid,
                       fmt::format("the signature of {} does not verify: {}", who(signer), reason));
        else
            set_result(
                report, Result::invalid, fmt::format("the signature of {} cannot be checked: {}", who(signer), reason),
                signer.certificate ? ""
                                   : "add the signer's certificate with --intermediates or 'p11mime certs import'");
        return true;
    }
    return false;
}

// trust_fault finds the first signer of a layer that is not to be relied on.
bool trust_fault(Report& report, const Layer& layer, bool allow_weak) {
    for (const SignerVerdict& signer : layer.signers) {
        if (signer.chain != ChainState::trusted) {
            set_result(report, Result::untrusted,
                       fmt::format("the certificate of {} is not trusted: {}", who(signer),
                                   signer.chain_reason.value_or("not checked")),
                       "add its root with --ca or 'p11mime certs trust' if you know that it is right");
            return true;
        }
        if (signer.strength == Strength::weak && !allow_weak) {
            set_result(report, Result::untrusted,
                       fmt::format("the signature of {} is weak ({} with {}, {})", who(signer), signer.signature,
                                   signer.digest, signer.certificate->key_type()),
                       "--allow-weak accepts it");
            return true;
        }
    }
    return false;
}

bool sender_matches(const std::vector<const Layer*>& layers) {
    return std::any_of(layers.begin(), layers.end(), [](const Layer* layer) {
        return std::any_of(layer->signers.begin(), layer->signers.end(),
                           [](const SignerVerdict& signer) { return signer.sender == SenderState::match; });
    });
}

void conclude_signed(Report& report, const std::vector<const Layer*>& layers, const Sender& sender, bool allow_weak) {
    for (const Layer* layer : layers)
        if (integrity_fault(report, *layer)) return;
    for (const Layer* layer : layers)
        if (trust_fault(report, *layer, allow_weak)) return;
    if (sender.check != SenderCheck::off && !sender_matches(layers)) {
        std::string from;
        for (const std::string& each : sender.mailboxes)
            from += (from.empty() ? "" : ", ") + each;
        const std::string reason = from.empty() ? "the mail names no sender"
                                                : fmt::format("no signer's certificate is for the sender {}", from);
        if (sender.check == SenderCheck::require)
            return set_result(report, Result::untrusted, reason, "--sender-check warn makes this a warning");
        report.warnings.push_back({"sender", reason});
    }
    set_result(report, Result::valid, "");
}

// conclude_parts holds signatures inside a mail that is valid as a whole against it: valid means that every signer is.
void conclude_parts(Report& report, const std::vector<const Layer*>& parts, bool allow_weak) {
    for (const Layer* part : parts) {
        if (part->type != LayerType::signed_data) continue;
        if (!integrity_fault(report, *part) && !trust_fault(report, *part, allow_weak)) continue;
        set_result(report, Result::untrusted,
                   fmt::format("in part {}, which is signed by itself: {}", part->path, report.reason),
                   "the signature over the whole mail holds; rely on it alone");
        return;
    }
}

}  // namespace

JudgedSigners judge_signers(const SignedDataReader& reader, const SignedContent& content, const Trust* trust,
                            const Sender& sender) {
    JudgedSigners judged;
    std::string unsupported;
    for (const auto& signer : reader.signers()) {
        const auto certificate = find_certificate(asn1::identifier(*signer->sid), reader, trust);
        SignerInfoVerdict info = judge_signer_info(*signer, content, certificate ? &*certificate : nullptr);
        if (info.missing_digest) judged.missing_digests.insert(*info.missing_digest);
        if (info.unsupported) unsupported = info.reason;
        if (trust == nullptr) {
            info.integrity = Integrity::not_checked;
            info.reason.clear();
        }
        SignerVerdict verdict = describe(*signer, info, reader);
        verdict.certificate = certificate;
        if (trust != nullptr) {
            verdict.time_basis = trust->at ? "given" : "now";
            verdict.time_at = trust->at.value_or(trust->clock->now());
        }
        if (certificate && trust != nullptr) {
            judge_chain(verdict, reader, *trust);
            verdict.sender = judge_sender(*certificate, sender);
        }
        judged.verdicts.push_back(std::move(verdict));
    }
    const bool none_checked =
        std::all_of(judged.verdicts.begin(), judged.verdicts.end(),
                    [](const SignerVerdict& each) { return each.integrity == Integrity::not_checked; });
    if (none_checked && trust != nullptr) judged.all_unsupported = unsupported;
    return judged;
}

void conclude(Report& report, const Sender& sender, bool allow_weak) {
    std::vector<const Layer*> whole, parts;
    bool decrypted = false;
    for (const Layer& layer : report.layers) {
        if (layer.type == LayerType::signed_data) (layer.covers_whole ? whole : parts).push_back(&layer);
        if ((layer.type == LayerType::enveloped || layer.type == LayerType::auth_enveloped)) {
            if (layer.covers_whole)
                decrypted = true;
            else
                parts.push_back(&layer);
        }
    }
    if (!whole.empty()) {
        conclude_signed(report, whole, sender, allow_weak);
        if (report.result == Result::valid) conclude_parts(report, parts, allow_weak);
        return;
    }
    for (const Layer* layer : parts)
        if (layer->type == LayerType::signed_data && integrity_fault(report, *layer)) return;
    if (!parts.empty()) {
        const bool encrypted = parts.front()->type != LayerType::signed_data;
        return set_result(
            report, Result::untrusted,
            fmt::format("only a part of the mail ({}) is {}", parts.front()->path, encrypted ? "encrypted" : "signed"),
            encrypted ? "save that part and open it by itself" : "rely on nothing outside that part");
    }
    set_result(report, decrypted ? Result::decrypted : Result::unsigned_, "");
}

}  // namespace p11mime::cms::smime
