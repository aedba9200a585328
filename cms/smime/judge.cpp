#include "cms/smime/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/brief_list.h"

namespace p11mime::cms::smime {

namespace {

constexpr const char* kSendAgain = "ask the sender to send it again";

std::string who(const SignerVerdict& signer) {
    if (!signer.certificate) return signer.identifier;
    const std::string subject = signer.certificate->subject();
    const std::vector<std::string> emails = signer.certificate->emails();
    return subject.empty() && !emails.empty() ? emails.front() : display_name(*signer.certificate);
}

void set_result(Report& report, Result result, std::string reason, std::string hint = {}) {
    report.result = result;
    report.reason = std::move(reason);
    report.hint = std::move(hint);
}

// integrity_fault finds the first signature of a layer that does not hold.
bool integrity_fault(Report& report, const Layer& layer) {
    if (layer.signers.empty()) {
        set_result(report, Result::invalid, "it carries no signature although it is in the form of signed mail",
                   kSendAgain);
        return true;
    }
    for (const SignerVerdict& signer : layer.signers) {
        if (signer.integrity == Integrity::valid) continue;
        const std::string reason = signer.integrity_reason.value_or("not checked");
        if (signer.integrity == Integrity::invalid)
            set_result(report, Result::invalid,
                       fmt::format("the signature of {} does not verify: {}", who(signer), reason), kSendAgain);
        else if (signer.certificate)
            set_result(report, Result::invalid,
                       fmt::format("the signature of {} cannot be checked: {}", who(signer), reason),
                       "ask the sender to sign in another way");
        else
            set_result(report, Result::invalid, fmt::format("the signature cannot be checked: {}", reason),
                       "add the signer's certificate with --intermediates or 'p11mime certs import'");
        return true;
    }
    return false;
}

// trust_fault finds the first signer of a layer that is not to be relied on.
bool trust_fault(Report& report, const Layer& layer, bool allow_weak) {
    for (const SignerVerdict& signer : layer.signers) {
        if (signer.chain != ChainState::trusted) {
            set_result(
                report, Result::untrusted,
                signer.chain_reason.value_or(fmt::format("the certificate of {} was not checked", who(signer))),
                signer.chain_hint.empty() ? "ask the sender to sign with another certificate" : signer.chain_hint);
            return true;
        }
        if (signer.strength == Strength::weak && !allow_weak) {
            set_result(report, Result::untrusted,
                       fmt::format("the signature of {} is weak ({} with {}, {})", who(signer), signer.signature,
                                   signer.digest, signer.certificate->key_type()),
                       "ask the sender to sign with SHA-256 or better; --allow-weak accepts it, though others could "
                       "have made it");
            return true;
        }
    }
    return false;
}

std::vector<Layer*> of_text(Report& report) {
    std::vector<Layer*> layers;
    for (Layer& layer : report.layers)
        if (signs_text(report, layer)) layers.push_back(&layer);
    return layers;
}

// warn_of_outer_signers tells of who signed the encrypted form and not the text: anybody may, with a mail of another.
void warn_of_outer_signers(Report& report, const std::vector<Layer*>& of_text) {
    const auto knows_text = [&](const SignerVerdict& signer) {
        return std::any_of(of_text.begin(), of_text.end(), [&](const Layer* layer) {
            return std::any_of(layer->signers.begin(), layer->signers.end(),
                               [&](const SignerVerdict& inner) { return inner.certificate == signer.certificate; });
        });
    };
    for (const Layer& layer : report.layers) {
        if (!signs_ciphertext(report, layer)) continue;
        for (const SignerVerdict& signer : layer.signers) {
            if (knows_text(signer)) continue;
            const std::string emails = mime::brief_list(signer.certificate->emails());
            report.warnings.push_back(
                {"outer-signer",
                 fmt::format("the encrypted form is signed in the name of {}{} too, who need not know the text",
                             who(signer), emails.empty() ? "" : fmt::format(" ({})", emails))});
        }
    }
}

// without_signer is the senders whom no signer's certificate is for.
std::vector<std::string> without_signer(const Sender& sender, const std::vector<Layer*>& layers) {
    std::vector<std::string> left = sender.mailboxes;
    for (const Layer* layer : layers)
        for (const SignerVerdict& signer : layer->signers)
            std::erase_if(left, [&](const std::string& from) {
                return signer.sender == SenderState::match || signer.certificate->has_email(from);
            });
    return left;
}

// whose_certificates says for whom the signers' certificates are.
std::string whose_certificates(const std::vector<Layer*>& layers) {
    std::vector<std::string> parts;
    for (const Layer* layer : layers)
        for (const SignerVerdict& signer : layer->signers) {
            const std::vector<std::string> emails = signer.certificate->emails();
            std::string part = fmt::format("that of {} is for {}", mime::brief(who(signer)),
                                           emails.empty() ? "no address" : mime::brief_list(emails));
            if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
        }
    return fmt::to_string(fmt::join(parts, ", and "));
}

// match_authors sees that several senders who each signed are the senders together.
void match_authors(const Sender& sender, const std::vector<Layer*>& layers) {
    for (Layer* layer : layers)
        for (SignerVerdict& signer : layer->signers)
            if (std::any_of(sender.mailboxes.begin(), sender.mailboxes.end(),
                            [&](const std::string& from) { return signer.certificate->has_email(from); }))
                signer.sender = SenderState::match;
}

// sender_doubts is all that speaks against the sender, the signers' certificates first.
std::vector<Doubt> sender_doubts(const Sender& sender, const std::vector<Layer*>& layers,
                                 const std::vector<Doubt>& seen) {
    std::vector<Doubt> doubts;
    const std::vector<std::string> left = without_signer(sender, layers);
    if (!sender.contradiction.empty())
        doubts.push_back({sender.contradiction});
    else if (sender.mailboxes.empty() && seen.empty())
        doubts.push_back({"the mail names no sender"});
    else if (!left.empty())
        doubts.push_back({fmt::format("no signer's certificate is for the sender {}: {}", mime::brief_list(left),
                                      whose_certificates(layers))});
    else if (sender.check != SenderCheck::off)
        match_authors(sender, layers);
    doubts.insert(doubts.end(), seen.begin(), seen.end());
    return doubts;
}

// What a person can do comes first: an impersonation is no reason to switch the check off.
constexpr const char* kSenderHint =
    "ask the sender in another way, by telephone for example; --sender-check warn makes this a warning";

// sender_fault finds what speaks against the sender, or warns of it, as the sender check wants it.
bool sender_fault(Report& report, const Sender& sender, const std::vector<Doubt>& doubts) {
    if (sender.check == SenderCheck::off) return false;
    for (const Doubt& doubt : doubts) {
        if (sender.check == SenderCheck::require) {
            set_result(report, Result::untrusted, doubt.reason, doubt.hint.empty() ? kSenderHint : doubt.hint);
            return true;
        }
        report.warnings.push_back({"sender", doubt.reason});
    }
    return false;
}

// cipher_fault finds a layer around the mail that is encrypted with a weak cipher, for its content or a key of that.
bool cipher_fault(Report& report) {
    for (const Layer& layer : report.layers) {
        if (!layer.covers_whole || !is_encrypted(layer.type) || layer.strength != Strength::weak) continue;
        set_result(report, Result::untrusted,
                   fmt::format("it is encrypted with a weak cipher ({}): others may have been able to read it",
                               *layer.weak_cipher),
                   "ask the sender to encrypt with AES; --allow-weak accepts it");
        return true;
    }
    return false;
}

// warn_of_changeable tells of ciphers that do not authenticate, and whether something else shows a change.
void warn_of_changeable(Report& report) {
    for (const Layer& layer : report.layers) {
        if (!layer.cipher || layer.authenticated != false) continue;
        report.warnings.push_back(
            {"not-authenticated",
             protected_by_signature(report, layer)
                 ? fmt::format(
                       "{} does not authenticate by itself: the signature inside shows that nothing was changed",
                       *layer.cipher)
                 : fmt::format("{} does not authenticate: that the content was changed on the way would not show",
                               *layer.cipher)});
    }
}

void conclude_signed(Report& report, const std::vector<const Layer*>& layers, const Sender& sender,
                     const Doubts& doubts, bool allow_weak) {
    for (const Layer* layer : layers)
        if (integrity_fault(report, *layer)) return;
    const std::vector<Layer*> text_layers = of_text(report);
    if (!text_layers.empty()) warn_of_outer_signers(report, text_layers);
    for (const Layer* layer : text_layers)
        if (trust_fault(report, *layer, allow_weak)) return;
    for (const Layer* layer : layers)
        if (signs_ciphertext(report, *layer) && trust_fault(report, *layer, allow_weak)) {
            report.reason = fmt::format("as for the signature over the encrypted form, {}", report.reason);
            return;
        }
    if (text_layers.empty())
        return set_result(report, Result::untrusted,
                          "the signature is over the encrypted form alone: whoever made it need not know the text",
                          "ask the sender to sign before encrypting");
    if (!doubts.coverage.empty())
        return set_result(report, Result::untrusted, doubts.coverage.front().reason, doubts.coverage.front().hint);
    if (sender_fault(report, sender, sender_doubts(sender, text_layers, doubts.sender))) return;
    if (!allow_weak && cipher_fault(report)) return;
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

void conclude(Report& report, const Sender& sender, const Doubts& doubts, bool allow_weak) {
    warn_of_changeable(report);
    std::vector<const Layer*> whole, parts;
    bool decrypted = false;
    for (const Layer& layer : report.layers) {
        if (layer.type == LayerType::signed_data) (layer.covers_whole ? whole : parts).push_back(&layer);
        if (is_encrypted(layer.type)) {
            if (layer.covers_whole)
                decrypted = true;
            else
                parts.push_back(&layer);
        }
    }
    if (!whole.empty()) {
        conclude_signed(report, whole, sender, doubts, allow_weak);
        if (report.result == Result::valid) conclude_parts(report, parts, allow_weak);
        return;
    }
    for (const Layer* layer : parts)
        if (layer->type == LayerType::signed_data && integrity_fault(report, *layer)) return;
    if (decrypted) std::erase_if(parts, [](const Layer* part) { return is_encrypted(part->type); });  // a warning tells
    if (!parts.empty()) {
        const bool encrypted = parts.front()->type != LayerType::signed_data;
        return set_result(
            report, Result::untrusted,
            fmt::format("only a part of the mail ({}) is {}", parts.front()->path, encrypted ? "encrypted" : "signed"),
            encrypted ? "save that part and open it by itself" : "rely on nothing outside that part");
    }
    if (decrypted && !sender.contradiction.empty() && sender_fault(report, sender, {{sender.contradiction}})) return;
    if (!allow_weak && cipher_fault(report)) return;
    const bool authenticated = std::any_of(report.layers.begin(), report.layers.end(), [](const Layer& layer) {
        return layer.type == LayerType::authenticated && layer.authenticated.value_or(false);
    });
    set_result(report, decrypted ? Result::decrypted : Result::unsigned_,
               authenticated ? "everybody who shares the key could have made it" : "");
}

}  // namespace p11mime::cms::smime
