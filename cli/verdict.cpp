#include "cli/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "cli/header_words.h"
#include "cli/signer_words.h"
#include "cli/terminal.h"

namespace p11mime::cli {

namespace {

using namespace cms::smime;

constexpr std::size_t kMostNamed = 3;

bool signs_part(const Report&, const Layer& layer) {
    return !layer.covers_whole;
}

// named_signers are those whose names stand in the headline: of the text of the whole mail, else of its encrypted form,
// else of its parts; the sender before others, since of many only the first are named.
std::vector<const SignerVerdict*> named_signers(const Report& report) {
    for (const auto signs : {signs_text, signs_ciphertext, signs_part}) {
        std::vector<const SignerVerdict*> signers;
        for (const Layer& layer : report.layers)
            if (signs(report, layer))
                for (const SignerVerdict& signer : layer.signers)
                    signers.push_back(&signer);
        std::stable_partition(signers.begin(), signers.end(),
                              [](const SignerVerdict* signer) { return signer->sender == SenderState::match; });
        if (!signers.empty()) return signers;
    }
    return {};
}

std::string names_of(const std::vector<const SignerVerdict*>& signers, const std::vector<std::string>& from) {
    std::vector<std::string> names;
    for (const SignerVerdict* signer : signers)
        if (std::string name = person(*signer, from); std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(std::move(name));
    if (names.size() <= kMostNamed) return fmt::format("{}", fmt::join(names, " and by "));
    const std::size_t more = names.size() - kMostNamed;
    names.resize(kMostNamed);
    return fmt::format("{} and by {} more", fmt::join(names, ", by "), more);
}

template <class Condition>
bool any(const std::vector<const SignerVerdict*>& signers, Condition condition) {
    return std::any_of(signers.begin(), signers.end(), [&](const SignerVerdict* signer) { return condition(*signer); });
}

// since_text is what was revoked after the time judged at; "" where nothing was.
std::string since_text(const std::vector<const SignerVerdict*>& signers) {
    std::vector<std::string> parts;
    for (const SignerVerdict* signer : signers)
        for (const cms::RevokedSince& each : signer->revoked_since) {
            const bool own = each.certificate == signer->certificate;
            const std::string who = own ? person(*signer, {}) : shortened(each.certificate.subject(), kLongestName);
            const std::string which = own && signers.size() == 1 ? "it" : fmt::format("the certificate of {}", who);
            std::string part = fmt::format("{} was revoked since{}", which,
                                           each.reason.empty() ? "" : fmt::format(" ({})", each.reason));
            if (!each.other.empty()) part = fmt::format("others may know the key of {} since", who);
            if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
        }
    return fmt::to_string(fmt::join(parts, " and "));
}

// times_text is the times that the signers were judged at, each once and the oldest first; "" where none was.
std::string times_text(const std::vector<const SignerVerdict*>& signers) {
    std::vector<const SignerVerdict*> judged;
    std::ranges::copy_if(signers, std::back_inserter(judged),
                         [](const SignerVerdict* each) { return each->time_at.has_value(); });
    std::ranges::stable_sort(judged, {}, [](const SignerVerdict* each) { return *each->time_at; });
    std::vector<std::string> times;
    for (const SignerVerdict* signer : judged) {
        std::string time = fmt::format("{}{}{}", signer->time_basis == "now" ? "" : "as of ", day(*signer->time_at),
                                       signer->time_basis == "timestamp" ? ", when it was time-stamped" : "");
        if (std::ranges::find(times, time) == times.end()) times.push_back(std::move(time));
    }
    if (times.size() > kMostNamed) {
        const std::size_t more = times.size() - kMostNamed;
        times.resize(kMostNamed);
        times.push_back(fmt::format("{} more times", more));
    }
    return fmt::to_string(fmt::join(times, ", and "));
}

// What was not checked must be said: nobody looks at the details of what sounds good.
std::string checked_text(const Report& report, const std::vector<const SignerVerdict*>& signers) {
    std::string text = signers.size() == 1 ? "certificate checked" : "certificates checked";
    if (const std::string times = times_text(signers); !times.empty()) text += " " + times;
    if (any(signers, [](const SignerVerdict& signer) { return signer.off_purpose; })) text += ", not meant for e-mail";
    const std::string since = since_text(signers);
    const auto revocation = [&](Revocation state) {
        return any(signers, [&](const SignerVerdict& signer) { return signer.revocation == state; });
    };
    if (revocation(Revocation::not_checked))
        text += ", revocation not checked";
    else if (revocation(Revocation::unknown))
        text += since.empty() ? ", revocation unknown" : ", revocation by then unknown";
    const auto sender = [&](SenderState state) {
        return any(signers, [&](const SignerVerdict& signer) { return signer.sender == state; });
    };
    if (!report.from.empty() && !sender(SenderState::match))
        text += sender(SenderState::not_checked) ? ", sender not checked" : ", not the sender's";
    if (any(signers, [](const SignerVerdict& signer) { return signer.strength == Strength::weak; })) text += ", weak";
    return since.empty() ? text : fmt::format("{}; {}", text, since);
}

// encryption_words is how the whole mail came encrypted; "" where it did not. Of a weak cipher that must be said first.
std::string encryption_words(const Report& report) {
    bool encrypted = false;
    for (const Layer& layer : report.layers) {
        if (!layer.covers_whole || !layer.cipher) continue;
        if (layer.weak_cipher) return fmt::format("Encrypted with the weak cipher {}", *layer.weak_cipher);
        encrypted = true;
    }
    return encrypted ? "Encrypted" : "";
}

bool authenticated_encryption(const Report& report) {
    return std::all_of(report.layers.begin(), report.layers.end(),
                       [](const Layer& layer) { return !layer.cipher || layer.authenticated.value_or(false); });
}

std::string untrusted_headline(const Report& report, const std::vector<const SignerVerdict*>& signers) {
    if (signers.empty())
        return encryption_words(report).empty() ? "Not to be trusted as a whole" : "Encrypted, but not to be trusted";
    const std::string names = names_of(signers, report.from);
    const bool whole = std::any_of(report.layers.begin(), report.layers.end(),
                                   [](const Layer& layer) { return layer.covers_whole && !layer.signers.empty(); });
    if (whole) return fmt::format("Signed in the name of {} and unchanged, but not to be trusted", names);
    return fmt::format("Not to be trusted as a whole, though signed in part in the name of {}", names);
}

std::string decrypted_headline(const Report& report) {
    const std::string encrypted = encryption_words(report), with = report.openpgp ? " with S/MIME" : "";
    const std::string changeable = authenticated_encryption(report) ? "" : ", nor protected against changes";
    if (!report.signatures_looked_for)
        return fmt::format("{}{}; a signature inside was not looked for ('p11mime open' does that)", encrypted,
                           changeable.empty() ? "" : ", but not protected against changes");
    return fmt::format("{}, but not signed{}{}: nothing tells who sent it", encrypted, with, changeable);
}

// OpenPGP that nobody has looked at proves nothing.
std::string unsigned_headline(const Report& report) {
    if (!report.openpgp) return "Neither signed nor encrypted, nothing tells who sent it";
    const OpenPgp& found = *report.openpgp;
    return fmt::format(
        "Neither signed nor encrypted with S/MIME; {} in the form of {} OpenPGP, which was not looked at: "
        "nothing tells who sent it",
        found.whole ? "it is" : fmt::format("part {} is", found.path), found.protection);
}

std::string headline_of(const Report& report) {
    const auto signers = named_signers(report);
    switch (report.result) {
        case Result::valid: {
            const std::string encrypted = encryption_words(report);
            return fmt::format("{} by {}, unchanged, {}", encrypted.empty() ? "Signed" : encrypted + ", and signed",
                               names_of(signers, report.from), checked_text(report, signers));
        }
        case Result::untrusted:
            return untrusted_headline(report, signers);
        case Result::invalid:
            return "INVALID, do not rely on this mail";
        case Result::unsigned_:
            return unsigned_headline(report);
        case Result::decrypted:
            return decrypted_headline(report);
        case Result::error:
            break;
    }
    return "Not judged";
}

// Before decryption nothing can be said of it.
std::string_view authentication_text(const Layer& layer) {
    if (!layer.authenticated) return "";
    return *layer.authenticated ? ", authenticated" : ", not authenticated";
}

const char* algorithm_label(const Layer& layer) {
    if (layer.cipher) return "cipher";
    if (layer.type == LayerType::compressed) return "compression";
    return layer.type == LayerType::digested ? "digest" : "authentication code";
}

void add_signer(std::vector<std::string>& lines, const SignerVerdict& signer, bool judged, std::string margin,
                Role role = Role::signer) {
    lines.push_back(
        fmt::format("{}{}: {}", margin, role == Role::signer ? "signer" : "countersigned by", person(signer, {})));
    margin += "  ";
    for (const Fact& fact : signer_facts(signer, judged, role))
        lines.push_back(fmt::format("{}{}: {}", margin, fact.label, fact.text));
    for (const SignerVerdict& countersigner : signer.countersignatures)
        add_signer(lines, countersigner, judged, margin, Role::countersigner);
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

bool is_weakly_signed(const Layer& layer) {
    return std::any_of(layer.signers.begin(), layer.signers.end(),
                       [](const SignerVerdict& signer) { return signer.strength == Strength::weak; });
}

// may_be_backdated says whether nobody but who named the time vouches for it, and the signature claims to be later, or
// a certificate was revoked since, for what may have let others sign.
bool may_be_backdated(const Layer& layer) {
    return std::any_of(layer.signers.begin(), layer.signers.end(), [](const SignerVerdict& signer) {
        const bool others_may_sign = std::any_of(signer.revoked_since.begin(), signer.revoked_since.end(),
                                                 [](const cms::RevokedSince& each) { return !each.orderly; });
        return signer.claims_later || (signer.time_basis == "given" && others_may_sign);
    });
}

// is_of_sender says whether somebody who signed the text has the address of each sender, which was not checked where
// that check was off.
bool is_of_sender(const Report& report) {
    const auto signers = named_signers(report);
    return std::all_of(report.from.begin(), report.from.end(), [&](const std::string& from) {
        return any(signers, [&](const SignerVerdict& signer) {
            return signer.sender == SenderState::match || (signer.certificate && signer.certificate->has_email(from));
        });
    });
}

// accepts_what_is_off says whether a valid mail is so only because options let pass what is off.
bool accepts_what_is_off(const Report& report) {
    constexpr std::array<std::string_view, 3> kKinds{"sender", "policy", "purpose"};
    return !is_of_sender(report) ||
           std::any_of(report.warnings.begin(), report.warnings.end(), [&](const Warning& warning) {
               return std::find(kKinds.begin(), kKinds.end(), warning.kind) != kKinds.end();
           });
}

}  // namespace

std::string VerdictWords::sentence() const {
    std::string text = headline;
    if (!cause.empty()) text += fmt::format(": {}", cause);
    if (!remedy.empty()) text += fmt::format("; {}", remedy);
    return text;
}

VerdictWords verdict_words(const Report& report) {
    return {headline_of(report), shortened(report.reason, kLongestText), shortened(report.hint, kLongestText)};
}

Tone verdict_tone(const Report& report) {
    switch (report.result) {
        case Result::valid: {
            const bool doubtful = std::any_of(report.layers.begin(), report.layers.end(), [](const Layer& layer) {
                return layer.covers_whole && (layer.weak_cipher || is_weakly_signed(layer) || may_be_backdated(layer));
            });
            return doubtful || accepts_what_is_off(report) ? Tone::caution : Tone::good;
        }
        case Result::untrusted:
            return Tone::caution;
        case Result::invalid:
        case Result::error:
            return Tone::bad;
        case Result::unsigned_:
        case Result::decrypted:
            break;
    }
    return Tone::plain;
}

Tone layer_tone(const Report& report, const Layer& layer) {
    if (layer.failed) return Tone::bad;
    if (layer.type != LayerType::signed_data) {
        const bool authenticated = layer.authenticated.value_or(false) || protected_by_signature(report, layer);
        const bool protects = authenticated && layer.strength != Strength::weak;
        return protects ? Tone::good : Tone::caution;
    }
    const bool broken = layer.signers.empty() ||
                        std::any_of(layer.signers.begin(), layer.signers.end(), [](const SignerVerdict& signer) {
                            return signer.integrity != cms::Integrity::valid;
                        });
    if (broken) return Tone::bad;
    const bool good = report.result == Result::valid && !is_weakly_signed(layer) && !may_be_backdated(layer) &&
                      !accepts_what_is_off(report);
    return good ? Tone::good : Tone::caution;
}

std::vector<std::string> layer_lines(const Report& report, bool judged) {
    std::vector<std::string> lines;
    for (const Layer& layer : report.layers) {
        std::string line = fmt::format("part {}: {}", layer.path, name(layer.type));
        if (!layer.media_type.empty()) line += fmt::format(", {}", layer.media_type);
        line += signs_ciphertext(report, layer) ? ", the encrypted form of the whole mail"
                : layer.covers_whole            ? ", the whole mail"
                : layer.is_detached             ? ", what is not in the file"
                                                : ", a part of the mail only";
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
    if (judged)
        for (std::string& line : header_lines(report))
            lines.push_back(std::move(line));
    for (std::string& line : lines)
        line = shortened(line, kLongestText);
    return lines;
}

}  // namespace p11mime::cli
