#include "cli/signer_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/terminal.h"
#include "mime/address.h"
#include "mime/error.h"
#include "mime/unicode.h"

namespace p11mime::cli {

namespace {

using namespace cms::smime;

std::string in_words(std::string_view value) {
    return value == "not_checked" ? "not checked" : std::string(value);
}

std::string with_reason(std::string_view value, const std::optional<std::string>& reason) {
    const std::string text = in_words(value);
    return reason && !reason->empty() ? fmt::format("{} ({})", text, *reason) : text;
}

std::string named(std::string_view name) {
    return shortened(name, kLongestName);
}

// is_plain says whether a name cannot be read as an address or as more than one name, in letters of any width. Where
// nothing tells what letters stand for, those beyond ASCII are not.
bool is_plain(const std::string& name) {
    try {
        const std::string letters = mime::plain_letters(name);
        return letters.find_first_of("<>@,;:\"()[]\\") == std::string::npos &&
               letters.find(" and ") == std::string::npos;
    } catch (const Error&) {
        return false;
    }
}

// A name may hold whatever its issuer let pass: one that is not plain is marked off.
std::string quoted(const std::string& name) {
    if (is_plain(name)) return named(name);
    std::string text = "\"";
    for (const char c : named(name)) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text + '"';
}

std::string certificate_text(const cms::Certificate& certificate) {
    return fmt::format("issued by {}, serial {}, valid from {} to {}, {}", named(certificate.issuer()),
                       certificate.serial_hex(), day(certificate.not_before()), day(certificate.not_after()),
                       certificate.key_type());
}

// kind_text tells what kind of certificate it is, and by what that is known.
std::string kind_text(const cms::CertificateClass& kind) {
    const bool known = kind.validation != cms::Validation::unknown;
    std::string text =
        known ? fmt::format("{}{}", name(kind.validation), kind.basis == cms::Basis::policy ? "-validated" : "")
              : "unknown";
    if (kind.level) text += fmt::format(", class {}", *kind.level);
    text += kind.policy_name ? fmt::format(", by policy {}", *kind.policy_name) : ", as it claims";
    const auto add = [&](const std::optional<cms::Basis>& basis, const char* known_words, const char* claimed_words) {
        if (basis) text += *basis == cms::Basis::policy ? known_words : claimed_words;
    };
    add(kind.qualified, "; qualified", "; says that it is qualified");
    add(kind.on_secure_device, "; key on a secure device", "; says that its key is on a secure device");
    return text;
}

std::string chain_text(const SignerVerdict& signer) {
    std::string text = with_reason(name(signer.chain), signer.chain_reason);
    if (signer.chain == ChainState::trusted && !signer.chain_certs.empty())
        text += fmt::format(", up to {}", named(signer.chain_certs.back().subject()));
    return text;
}

std::string chain_text(const cms::PathVerdict& path) {
    if (!path.trusted) return fmt::format("untrusted ({}), which concerns those who encrypt to it", path.reason);
    return fmt::format("trusted, up to {}", named(path.chain.back().subject()));
}

void add_addresses(std::vector<Fact>& facts, const cms::Certificate& certificate) {
    if (const auto emails = certificate.emails(); emails.size() > 1)
        facts.push_back({"addresses", fmt::format("{}", fmt::join(emails, ", "))});
}

std::string name_and_addresses(const std::string& name, const std::vector<std::string>& emails,
                               const std::string& otherwise) {
    std::string addresses = named(fmt::to_string(fmt::join(emails, ", ")));
    if (emails.empty()) return name.empty() ? named(otherwise) : quoted(name);
    if (name.empty() || name == emails.front()) return addresses;
    return fmt::format("{} <{}>", quoted(name), addresses);
}

std::string sender_text(SenderState sender) {
    switch (sender) {
        case SenderState::match:
            return "match, the certificate is for the sender's address";
        case SenderState::mismatch:
            return "mismatch, the certificate is for another address than the sender's";
        case SenderState::absent:
            return "absent, there are no two addresses to compare";
        case SenderState::not_checked:
            break;
    }
    return "not checked";
}

std::string judged_at_text(const SignerVerdict& signer) {
    const std::string at = cms::format_time(*signer.time_at);
    if (signer.time_basis == "timestamp") return at + ", when the signature was stamped";
    return at + (signer.time_basis == "given" ? ", as asked for" : ", now");
}

std::string timestamp_text(const cms::TimestampVerdict& timestamp) {
    const std::string time = timestamp.time ? cms::format_time(*timestamp.time) : "no time";
    const std::string authority = timestamp.authority ? named(timestamp.authority->subject()) : "an unknown authority";
    return fmt::format("{} by {}, {}", time, authority, with_reason(name(timestamp.integrity), timestamp.reason));
}

std::string label_text(const cms::SecurityLabel& label) {
    std::string text = label.classification ? cms::classification_text(*label.classification) : "no classification";
    if (label.privacy_mark) text += fmt::format(", '{}'", *label.privacy_mark);
    return fmt::format("{}, policy {}", text, label.policy);
}

void add_ess(std::vector<Fact>& facts, const cms::Ess& ess) {
    if (ess.security_label) facts.push_back({"security label", label_text(*ess.security_label)});
    for (const cms::SecurityLabel& label : ess.equivalent_labels)
        facts.push_back({"equivalent label", label_text(label)});
    if (ess.receipt_request)
        facts.push_back({"receipt", ess.receipt_request->to.empty()
                                        ? "asked for"
                                        : fmt::format("asked for, to {}", fmt::join(ess.receipt_request->to, ", "))});
    if (ess.content_hints && ess.content_hints->description)
        facts.push_back({"content", fmt::format("'{}'", *ess.content_hints->description)});
    for (const cms::MailListExpansion& expansion : ess.mail_list_expansions)
        facts.push_back(
            {"mail list", fmt::format("{}{}", expansion.list,
                                      expansion.time ? fmt::format(" at {}", cms::format_time(*expansion.time)) : "")});
    for (const std::string& what : ess.malformed)
        facts.push_back({what, "malformed"});
}

}  // namespace

std::string day(cms::Time time) {
    return cms::format_time(time).substr(0, std::string_view("2026-11-21").size());
}

std::string certificate_name(const cms::Certificate& certificate) {
    const std::string name = certificate.common_name();
    return name.empty() ? certificate.subject() : name;
}

std::string person(const SignerVerdict& signer, const std::vector<std::string>& from) {
    if (!signer.certificate) return fmt::format("an unknown certificate ({})", named(signer.identifier));
    std::vector<std::string> emails = signer.certificate->emails();
    const auto sender = std::find_if(emails.begin(), emails.end(), [&](const std::string& email) {
        return std::any_of(from.begin(), from.end(),
                           [&](const std::string& mailbox) { return mime::same_mailbox(email, mailbox); });
    });
    if (sender != emails.end()) emails = {*sender};
    return name_and_addresses(certificate_name(*signer.certificate), emails, signer.identifier);
}

std::string key_person(const OwnKey& key) {
    if (!key.certificate) return named(key.name);
    return name_and_addresses(certificate_name(*key.certificate), key.certificate->emails(), key.name);
}

std::vector<Fact> key_facts(const OwnKey& key) {
    std::vector<Fact> facts{{"key", key.name}};
    if (!key.certificate) return facts;
    facts.push_back({"certificate", certificate_text(*key.certificate)});
    add_addresses(facts, *key.certificate);
    if (key.path) facts.push_back({"chain", chain_text(*key.path)});
    return facts;
}

std::vector<Fact> signer_facts(const SignerVerdict& signer, bool judged, Role role) {
    std::vector<Fact> facts;
    facts.push_back({"certificate", signer.certificate ? certificate_text(*signer.certificate) : "missing"});
    if (signer.certificate) add_addresses(facts, *signer.certificate);
    if (signer.certificate_class) facts.push_back({"kind", kind_text(*signer.certificate_class)});
    facts.push_back(
        {"signature", fmt::format("{}, {} with {}{}", with_reason(name(signer.integrity), signer.integrity_reason),
                                  signer.signature, signer.digest, signer.strength == Strength::weak ? ", weak" : "")});
    if (judged) {
        facts.push_back({"chain", chain_text(signer)});
        facts.push_back({"revocation", with_reason(name(signer.revocation), signer.revocation_reason)});
        if (role == Role::signer) facts.push_back({"sender", sender_text(signer.sender)});
        if (signer.time_at) facts.push_back({"judged at", judged_at_text(signer)});
    }
    for (const cms::TimestampVerdict& timestamp : signer.timestamps)
        facts.push_back({"time-stamp", timestamp_text(timestamp)});
    if (signer.signing_time)
        facts.push_back({"signed at", cms::format_time(*signer.signing_time) + ", as the signer claims"});
    add_ess(facts, signer.ess);
    if (!judged && !signer.unsigned_attributes.empty())
        facts.push_back({"unsigned attributes", fmt::format("{}", fmt::join(signer.unsigned_attributes, ", "))});
    return facts;
}

}  // namespace p11mime::cli
