#include "cli/recipients.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/certificate_files.h"
#include "cli/self_recipient.h"
#include "cli/settings.h"
#include "cms/smime/field_names.h"
#include "mime/address.h"
#include "mime/error.h"

namespace p11mime::cli {

cms::Trust trust_to_encrypt(Context& context) {
    cms::Trust trust = context.trust();
    if (trust.at) trust.at = std::max(*trust.at, context.now());
    return trust;
}

Objection objection_to(Context& context, const cms::Certificate& certificate,
                       std::span<const cms::Certificate> surplus) {
    if (!certificate.allows_encryption()) return {"its key usage does not allow encryption"};
    auto verdict = validate(certificate, surplus, trust_to_encrypt(context), cms::Use::encryption);
    return {verdict.reason, verdict.hint, std::move(verdict)};
}

void tell_remarks(Context& context, const cms::PathVerdict& path) {
    if (!path.trusted) return;
    if (!path.policy_remark.empty()) context.warn("policy", path.policy_remark);
    if (!path.purpose_remark.empty()) context.warn("purpose", path.purpose_remark);
}

void add_hint(std::vector<std::string>& hints, const std::string& hint) {
    if (!hint.empty() && std::find(hints.begin(), hints.end(), hint) == hints.end()) hints.push_back(hint);
}

namespace {

using cms::Hash;
using cms::smime::AnnouncedAgreement;
using cms::smime::Capabilities;
using cms::smime::content_ciphers;
using cms::smime::default_cipher;

// tell_revocation warns that servers were asked in vain whether a recipient's certificate is revoked, and that one is
// since the time judged at.
void tell_revocation(Context& context, const cms::PathVerdict& path) {
    const auto& source = context.trust().revocation;
    if (source && source->asks() && path.revocation == cms::RevocationState::unknown)
        context.warn("revocation", path.revocation_reason);
    for (const cms::RevokedSince& each : path.revoked_since)
        context.warn("revoked-since", each.text());
}

// Judged is a certificate with what stands against it.
struct Judged {
    std::optional<cms::Certificate> certificate;  // nothing where there is none
    std::optional<Capabilities> announced;
    std::string name;
    Objection objection;
};

// Finds certificates one by one and keeps what went wrong, so that all who are missing are named at once.
class Finder {
  public:
    explicit Finder(Context& context) : context_(context) {}

    std::optional<ChosenRecipient> by_address(const std::string& address);
    std::optional<ChosenRecipient> by_file(const std::string& file);
    void finish() const;

  private:
    std::optional<ChosenRecipient> accept(const Judged& judged);

    Context& context_;
    std::vector<std::string> missing_;
    std::vector<std::string> untrusted_;
    std::vector<std::string> hints_;
    bool revoked_ = false;  // a certificate of those that are not trusted
};

Judged judge_address(Context& context, const std::string& address) {
    std::vector<BookEntry> candidates;
    for (BookEntry& entry : context.book()->by_address(address))
        if (entry.certificate.has_email(address) && entry.certificate.allows_encryption() && !entry.certificate.is_ca())
            candidates.push_back(std::move(entry));
    std::sort(candidates.begin(), candidates.end(), [](const BookEntry& a, const BookEntry& b) {
        return a.certificate.not_before() > b.certificate.not_before();
    });
    // The newest that holds; where none does, the newest that is not out of date tells why.
    const BookEntry* chosen = nullptr;
    Objection objection;
    for (const BookEntry& entry : candidates) {
        const Objection found = objection_to(context, entry.certificate, {});
        const bool better = chosen == nullptr ||
                            (!chosen->certificate.valid_at(context.now()) && entry.certificate.valid_at(context.now()));
        if (found.reason.empty() || better) {
            chosen = &entry;
            objection = found;
        }
        if (found.reason.empty()) break;
    }
    if (chosen == nullptr) return {};
    return {chosen->certificate, announced_capabilities(chosen->certificate, chosen->capabilities), address, objection};
}

Judged judge_file(Context& context, const std::string& file) {
    const auto certificates = read_certificates(file);
    const auto end = std::find_if(certificates.begin(), certificates.end(),
                                  [](const cms::Certificate& certificate) { return !certificate.is_ca(); });
    const cms::Certificate& certificate = end == certificates.end() ? certificates.front() : *end;
    const auto emails = certificate.emails();
    const std::string name =
        emails.empty() ? certificate.subject() : fmt::format("{} ('{}')", fmt::join(emails, ", "), file);
    return {certificate, announced_capabilities(certificate, std::nullopt), name,
            objection_to(context, certificate, certificates)};
}

std::optional<ChosenRecipient> Finder::accept(const Judged& judged) {
    const auto& [reason, hint, path] = judged.objection;
    tell_remarks(context_, path);
    if (reason.empty()) {
        tell_revocation(context_, path);
    } else {
        const std::string line = fmt::format("the certificate of {} is not trusted: {}", judged.name, reason);
        if (!context_.options().flag("allow-untrusted-recipients")) {
            untrusted_.push_back(line);
            add_hint(hints_, hint);
            if (path.revocation == cms::RevocationState::revoked) revoked_ = true;
            return std::nullopt;
        }
        context_.warn("recipient-untrusted", line);
    }
    return ChosenRecipient{judged.name, *judged.certificate, judged.announced};
}

std::optional<ChosenRecipient> Finder::by_address(const std::string& address) {
    const auto judged = context_.run().once<Judged>(fmt::format("address {}", address),
                                                    [&] { return judge_address(context_, address); });
    if (!judged->certificate) {
        missing_.push_back(address);
        return std::nullopt;
    }
    return accept(*judged);
}

std::optional<ChosenRecipient> Finder::by_file(const std::string& file) {
    return accept(
        *context_.run().once<Judged>(fmt::format("file {}", file), [&] { return judge_file(context_, file); }));
}

void Finder::finish() const {
    if (!missing_.empty())
        throw Error(ErrorKind::no_key, fmt::format("no encryption certificate for {}", fmt::join(missing_, ", ")),
                    "p11mime certs import FILE adds one to the address book");
    if (untrusted_.empty()) return;
    std::vector<std::string> hints = hints_;
    add_hint(hints, "ask them for another certificate");
    if (!revoked_) add_hint(hints, "--allow-untrusted-recipients encrypts all the same");
    throw Error(ErrorKind::untrusted, fmt::format("{}", fmt::join(untrusted_, "; ")),
                fmt::format("{}", fmt::join(hints, "; ")));
}

void add(std::vector<ChosenRecipient>& to, std::optional<ChosenRecipient> recipient) {
    if (!recipient) return;
    const bool there = std::any_of(to.begin(), to.end(), [&](const ChosenRecipient& other) {
        return other.certificate == recipient->certificate;
    });
    if (!there) to.push_back(std::move(*recipient));
}

// For Bcc each address counts, even where one certificate serves several.
void add_copy(std::vector<ChosenRecipient>& to, std::optional<ChosenRecipient> recipient) {
    if (!recipient) return;
    const bool there = std::any_of(to.begin(), to.end(), [&](const ChosenRecipient& other) {
        return mime::same_mailbox(other.name, recipient->name);
    });
    if (!there) to.push_back(std::move(*recipient));
}

// Nobody is left out because their address has a slip in it.
void check_readable(const Message& message) {
    if (message.unreadable.empty()) return;
    std::vector<std::string> entries;
    for (const UnreadableEntry& entry : message.unreadable)
        entries.push_back(fmt::format("'{}' in {}", entry.text, entry.field));
    throw Error(ErrorKind::no_key, fmt::format("not an address: {}", fmt::join(entries, ", ")),
                "correct the mail, or name the recipients with -r");
}

std::vector<std::string> named_addresses(const Options& options) {
    std::vector<std::string> addresses;
    for (const std::string& text : options.list("recipient")) {
        auto parsed = mime::parse_addresses(text);
        if (parsed.size() != 1 || !mime::unreadable_addresses(text).empty())
            throw Error(ErrorKind::usage, fmt::format("-r takes one address, not '{}'", text),
                        "repeat -r for further recipients");
        addresses.push_back(std::move(parsed.front().mailbox));
    }
    return addresses;
}

// The field is taken out all the same, so those in it would never know.
void warn_of_left_out_bcc(Context& context, const std::vector<std::string>& addresses) {
    std::vector<std::string> left_out;
    for (const std::string& address : context.message().bcc)
        if (std::none_of(addresses.begin(), addresses.end(),
                         [&](const std::string& named) { return mime::same_mailbox(named, address); }))
            left_out.push_back(address);
    for (const UnreadableEntry& entry : context.message().unreadable)
        if (cms::smime::is_one_of(cms::smime::kBlind, entry.field)) left_out.push_back(entry.text);
    if (!left_out.empty())
        context.warn("bcc-left-out",
                     fmt::format("not encrypted to {} in Bcc or Resent-Bcc: -r and --recipient-cert name the "
                                 "recipients instead of the mail, and these fields are taken out",
                                 fmt::join(left_out, ", ")));
}

void check_bcc(Context& context, bool others) {
    if (!context.options().text("bcc-separately"))
        throw Error(ErrorKind::usage,
                    "the mail names somebody in Bcc or Resent-Bcc, whom one recipient list for all would show",
                    "--bcc-separately DIR writes a copy of its own for each of them");
    if (!others && context.options().flag("no-self"))
        throw Error(ErrorKind::usage, "nobody but Bcc to encrypt to", "leave --no-self out");
}

bool reads(const Capabilities& announced, const cms::Algorithm* cipher) {
    return std::find(announced.ciphers.begin(), announced.ciphers.end(), cipher) != announced.ciphers.end();
}

// Says why a cipher is not the best one: who is in the way.
void tell_cipher(Context& context, const cms::Algorithm* chosen, const std::vector<std::string>& unknown,
                 const std::vector<ChosenRecipient>& recipients) {
    const cms::Algorithm* best = content_ciphers().front();
    std::vector<std::string> lacking, without;
    for (const ChosenRecipient& recipient : recipients) {
        if (!recipient.announced) continue;
        if (recipient.announced->ciphers.empty())
            without.push_back(recipient.name);
        else if (!reads(*recipient.announced, best))
            lacking.push_back(recipient.name);
    }
    std::vector<std::string> causes;
    if (!unknown.empty())
        causes.push_back(fmt::format("nothing is known of what {} can read", fmt::join(unknown, ", ")));
    if (!without.empty())
        causes.push_back(fmt::format("no cipher that is strong enough announced by {}", fmt::join(without, ", ")));
    if (chosen != best && !lacking.empty())
        causes.push_back(fmt::format("{} not announced by {}", best->name, fmt::join(lacking, ", ")));
    if (causes.empty()) return;
    context.say_once(fmt::format("encrypting with {}: {}; --cipher{} changes that", chosen->name,
                                 fmt::join(causes, "; "),
                                 unknown.empty() && without.empty() ? "" : " or unknown-cipher in the config"));
}

// Of what a recipient announces for this kind of key, what is not weaker than the content key where there is such, then
// what has the hash that is natural to the key.
const AnnouncedAgreement* best_agreement(const ChosenRecipient& recipient, Hash natural, const cms::Algorithm& cipher) {
    const auto rank = [&](const AnnouncedAgreement& each) {
        return std::pair(std::min(each.wrap->key_size, cipher.key_size), each.scheme->hash == natural);
    };
    const AnnouncedAgreement* best = nullptr;
    for (const AnnouncedAgreement& each : recipient.announced->agreements) {
        const bool usable = each.scheme->hkdf == recipient.certificate.is_xdh() &&
                            each.scheme->standing == cms::Standing::ok && each.wrap->standing == cms::Standing::ok;
        if (usable && (best == nullptr || rank(each) > rank(*best))) best = &each;
    }
    return best;
}

cms::KeyAgreement key_agreement(Context& context, const ChosenRecipient& recipient, const cms::Algorithm& cipher) {
    const auto natural = std::get<cms::KeyAgreement>(default_key_management(recipient.certificate));
    if (!recipient.announced || recipient.announced->agreements.empty()) return natural;
    const AnnouncedAgreement* best = best_agreement(recipient, natural.hash, cipher);
    if (best == nullptr) {
        context.say_once(
            fmt::format("the key for {} is agreed on with {}: what they announce is weak, or not for their kind of key",
                        recipient.name, digest_algorithm(natural.hash).name));
        return natural;
    }
    if (best->wrap->key_size < cipher.key_size)
        context.say_once(fmt::format("the key for {} is encrypted with {}: they announce nothing as strong as {}",
                                     recipient.name, best->wrap->name, cipher.name));
    return {.hash = *best->scheme->hash, .wrap_size = best->wrap->key_size, .cofactor = best->scheme->cofactor};
}

cms::KeyManagement key_management(Context& context, const ChosenRecipient& recipient, const cms::Algorithm& cipher) {
    const Options& options = context.options();
    if (recipient.certificate.is_rsa()) {
        const auto announced = recipient.announced ? recipient.announced->oaep : std::nullopt;
        if (announced || options.flag("oaep")) return announced.value_or(cms::kOaep);
        return default_key_management(recipient.certificate);
    }
    cms::KeyAgreement agreement = key_agreement(context, recipient, cipher);
    agreement.shared = options.flag("shared-agreement");
    return agreement;
}

}  // namespace

Recipients choose_recipients(Context& context) {
    const auto addresses = named_addresses(context.options());
    const auto files = context.options().list("recipient-cert");
    const bool named = !addresses.empty() || !files.empty() || gives_secrets(context.options());
    const Message& message = context.message();
    if (named)
        warn_of_left_out_bcc(context, addresses);
    else
        check_readable(message);
    const bool others = named || !message.to.empty() || !message.cc.empty();
    if (!others && message.bcc.empty())
        throw Error(ErrorKind::usage, "nobody to encrypt to: the input has no To, Cc or Bcc",
                    "-r ADDRESS or --recipient-cert FILE names a recipient");
    if (!named && !message.bcc.empty()) check_bcc(context, others);

    Recipients recipients;
    std::vector<ChosenRecipient>& main = recipients.main.recipients;
    Finder finder(context);
    for (const std::string& address : addresses)
        add(main, finder.by_address(address));
    for (const std::string& file : files)
        add(main, finder.by_file(file));
    if (!named) {
        for (const auto* field : {&message.to, &message.cc})
            for (const std::string& address : *field)
                add(main, finder.by_address(address));
        for (const std::string& address : message.bcc)
            add_copy(recipients.bcc, finder.by_address(address));
    }
    finder.finish();
    recipients.main.secrets = context.secrets();
    if (!named || !main.empty()) add(main, self_recipient(context));
    if (!named && main.empty())
        throw Error(ErrorKind::no_key, "nobody but Bcc to encrypt to, and the sender has no encryption certificate",
                    "p11mime certs import FILE adds one");
    return recipients;
}

const cms::Algorithm& choose_cipher(Context& context, const Audience& audience) {
    if (const cms::Algorithm* cipher = cipher_of(context.options(), "cipher")) return *cipher;
    std::vector<std::string> unknown;
    std::vector<const Capabilities*> known;
    for (const ChosenRecipient& recipient : audience.recipients) {
        if (!recipient.announced)
            unknown.push_back(recipient.name);
        else if (!recipient.announced->ciphers.empty())
            known.push_back(&*recipient.announced);
    }
    if (audience.secrets.kek) unknown.emplace_back("those who share the key");
    if (audience.secrets.password) unknown.emplace_back("those who know the password");
    const bool all_known = unknown.empty() && known.size() == audience.recipients.size();
    const auto all_read = [&](const cms::Algorithm* cipher) {
        return std::all_of(known.begin(), known.end(), [&](const Capabilities* one) { return reads(*one, cipher); });
    };
    const cms::Algorithm* configured = cipher_of(context.options(), "unknown-cipher");
    const cms::Algorithm* chosen = configured != nullptr ? configured : default_cipher();
    if (all_known || !all_read(chosen)) {
        const auto ciphers = content_ciphers();
        const auto best = std::find_if(ciphers.begin(), ciphers.end(), [&](const cms::Algorithm* cipher) {
            return all_read(cipher) && (all_known || !cipher->authenticated);
        });
        chosen = best == ciphers.end() ? default_cipher() : *best;
    }
    tell_cipher(context, chosen, unknown, audience.recipients);
    return *chosen;
}

std::vector<cms::smime::Recipient> to_encrypt(Context& context, const Audience& audience,
                                              const cms::Algorithm& cipher) {
    std::vector<cms::smime::Recipient> all;
    for (const ChosenRecipient& recipient : audience.recipients)
        all.emplace_back(recipient.certificate, key_management(context, recipient, cipher));
    if (audience.secrets.kek) all.emplace_back(*audience.secrets.kek);
    if (audience.secrets.password) all.emplace_back(cms::Password{audience.secrets.password});
    return all;
}

}  // namespace p11mime::cli
