#include "cli/signing.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "cli/card_wait.h"
#include "cli/expiry.h"
#include "cli/self_recipient.h"
#include "cli/settings.h"
#include "cli/timestamps.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestChain = 10;
constexpr std::size_t kMostRead = 4;  // certificates with one subject, for a key that was named

struct Sender {
    token::ChosenKey key;
    std::string address;  // "" where a URI named the key and the mail has no From
    bool named = false;   // by a URI
};

// SenderKit is what is the same for all mails of one sender.
struct SenderKit {
    Sender sender;
    std::vector<cms::Certificate> chain;
    std::optional<cms::Certificate> encryption_certificate;
    cms::Abilities abilities;             // of the key that mail to the sender is encrypted to
    std::unique_ptr<cms::Signer> signer;  // whose clones sign

    const cms::Certificate& certificate() const { return *sender.key.certificate.certificate; }
};
using SenderKits = std::vector<std::shared_ptr<const SenderKit>>;

std::vector<std::string> sender_addresses(Context& context) {
    if (const auto from = context.options().text("from")) return {*from};
    return context.message().from;
}

[[noreturn]] void none_fits(Context& context, const std::string& wanted, const std::vector<std::string>& passed_over) {
    for (const std::string& line : passed_over)
        context.voice().detail(line);
    throw Error(ErrorKind::token, fmt::format("no signing key {}", wanted),
                "p11mime tokens lists what is at hand; --key URI names a key");
}

// What the first login is for. It holds for all mails of a run, so whoever types the PIN is told how many there are.
std::string intent(Context& context) {
    const Message& message = context.message();
    const std::string mail = cms::smime::mail_name(fmt::format("{}", fmt::join(message.to, ", ")), message.subject);
    const std::size_t count = context.options().files().size();
    return count > 1 ? fmt::format("sign {} mails, among them {}", count, mail) : "sign " + mail;
}

// A certificate that was named is taken as it is, so it is judged here.
void check_named(const cms::Certificate& certificate, cms::Time now) {
    const std::string subject = certificate.subject();
    if (!certificate.valid_at(now))
        throw Error(ErrorKind::untrusted,
                    fmt::format("the certificate {} is valid only from {} to {}", subject,
                                cms::format_time(certificate.not_before()), cms::format_time(certificate.not_after())));
    if (!certificate.allows_signing())
        throw Error(ErrorKind::untrusted,
                    fmt::format("the key usage of certificate {} does not allow signing", subject));
    if (!certificate.allows_email())
        throw Error(ErrorKind::untrusted, fmt::format("the certificate {} is not for e-mail", subject));
}

token::ChosenKey named_key(Context& context, const std::string& text) {
    const token::Uri uri = token::Uri::parse(text);
    token::KeyChoice choice;
    choice.uri = &uri;
    choice.at = context.now();
    choice.what = intent(context);
    auto result = choose_key(context.tokens(), choice);
    if (!result.key) none_fits(context, fmt::format("with a certificate fits {}", uri.to_string()), result.passed_over);
    if (!result.key->certificate.certificate)
        throw Error(ErrorKind::token, "the certificate that the URI names cannot be read");
    check_named(*result.key->certificate.certificate, context.now());
    return std::move(*result.key);
}

Sender key_of_address(Context& context, const std::vector<std::string>& addresses) {
    const std::string wanted = fmt::format("for {}", fmt::join(addresses, ", "));
    std::vector<std::string> passed_over;
    std::optional<Sender> sender;
    const bool found = with_other_cards(context, fmt::format("no signing key {}", wanted), [&] {
        passed_over.clear();
        for (const std::string& address : addresses) {
            token::KeyChoice choice;
            choice.address = address;
            choice.at = context.now();
            choice.what = intent(context);
            auto result = choose_key(context.tokens(), choice);
            if (result.key) sender = Sender{std::move(*result.key), address, false};
            if (sender) return true;
            passed_over.insert(passed_over.end(), result.passed_over.begin(), result.passed_over.end());
        }
        return false;
    });
    if (!found) none_fits(context, wanted, passed_over);
    return std::move(*sender);
}

void tell(Context& context, const Sender& sender) {
    std::string line = fmt::format("signing with {} from token '{}'", sender.key.certificate.certificate->subject(),
                                   sender.key.token->info().label);
    if (sender.key.alternatives > 0)
        line += sender.key.alternatives == 1 ? " (another fits too)"
                                             : fmt::format(" ({} others fit too)", sender.key.alternatives);
    context.say_once(line);
}

// The certificates on the signer's token that may have the subject. To choose by address all were read, and some tokens
// find none by its subject; a named key costs its token no more than a search and a few reads, however many
// certificates it has kept over the years: nothing where these are too many.
std::optional<std::vector<cms::Certificate>> on_token(const Sender& sender, const Bytes& subject_der) {
    token::Token& token = *sender.key.token;
    token::CertificateQuery query;
    if (sender.named) query.subject_der = subject_der;
    const auto objects = sender.named ? token.find_few_certificates(query, kMostRead) : token.find_certificates(query);
    if (!objects) return std::nullopt;
    std::vector<cms::Certificate> found;
    for (const auto& object : *objects)
        if (object.certificate) found.push_back(*object.certificate);
    return found;
}

// ForEncryption is the certificate that mail to the sender can be encrypted with.
struct ForEncryption {
    std::optional<cms::Certificate> certificate;
    bool in_book = false;  // and not on the signer's token
};

// The named certificate itself, else the newest on the signer's token, else one of the address book.
ForEncryption for_encryption(Context& context, const Sender& sender) {
    const cms::Certificate& signing = *sender.key.certificate.certificate;
    std::string address = sender.address;
    if (address.empty() || !signing.has_email(address))
        address = signing.emails().empty() ? "" : signing.emails().front();
    if (address.empty()) return {};
    const auto fits = [&](const cms::Certificate& candidate) {
        return !candidate.is_ca() && candidate.has_email(address) && candidate.allows_encryption() &&
               candidate.allows_email() && candidate.valid_at(context.now());
    };
    if (sender.named && fits(signing)) return {signing};
    std::optional<cms::Certificate> newest;
    const auto consider = [&](const cms::Certificate& candidate) {
        if (fits(candidate) && (!newest || candidate.not_before() > newest->not_before())) newest = candidate;
    };
    const auto own = on_token(sender, signing.subject_der());
    if (own) std::for_each(own->begin(), own->end(), consider);
    const bool in_book = !newest;
    if (in_book)
        for (const BookEntry& entry : context.book()->by_address(address))
            consider(entry.certificate);
    if (!newest && !own)
        context.say_once(
            fmt::format("token '{}' has too many certificates of {} to look for the one to encrypt with; "
                        "p11mime certs import puts that into the address book",
                        sender.key.token->info().label, signing.subject()));
    return {newest, in_book};
}

// Without another certificate the signing one is what mail to the sender may be encrypted with.
cms::Abilities abilities_of(Context& context, const Sender& sender, const ForEncryption& encryption) {
    if (encryption.certificate && encryption.in_book) return own_abilities(context, *encryption.certificate);
    const cms::Certificate& certificate = encryption.certificate.value_or(*sender.key.certificate.certificate);
    return sender.key.token->abilities(certificate.spki_der());
}

std::vector<cms::Certificate> issuers_of(Context& context, const Sender& sender, const cms::Certificate& certificate) {
    auto issuers = on_token(sender, certificate.issuer_der()).value_or(std::vector<cms::Certificate>());
    for (const auto& source : context.more_certificates())
        for (cms::Certificate& issuer : source->by_subject(certificate.issuer_der()))
            issuers.push_back(std::move(issuer));
    std::erase_if(issuers, [&](const cms::Certificate& issuer) {
        return issuer.subject_der() != certificate.issuer_der() || issuer.self_issued() || !issuer.is_ca();
    });
    return issuers;
}

// False where the certificate was there already.
bool add(std::vector<cms::Certificate>& chain, const cms::Certificate& certificate) {
    if (std::find(chain.begin(), chain.end(), certificate) != chain.end()) return false;
    chain.push_back(certificate);
    return true;
}

// Follows issuers up to but not including the root. Where an issuer has several certificates all go along: a receiver
// builds the path.
void add_chain(Context& context, std::vector<cms::Certificate>& chain, const Sender& sender) {
    std::vector<cms::Certificate> open = {*sender.key.certificate.certificate};
    while (!open.empty() && chain.size() < kLongestChain) {
        const cms::Certificate certificate = open.back();
        open.pop_back();
        if (certificate.self_issued()) continue;
        for (const cms::Certificate& issuer : issuers_of(context, sender, certificate))
            if (add(chain, issuer)) open.push_back(issuer);
    }
}

SenderKit make_kit(Context& context, Sender sender) {
    tell(context, sender);
    SenderKit kit{
        .sender = std::move(sender), .chain = {}, .encryption_certificate = {}, .abilities = {}, .signer = {}};
    if (!context.options().flag("no-chain")) add_chain(context, kit.chain, kit.sender);
    const ForEncryption encryption = for_encryption(context, kit.sender);
    kit.encryption_certificate = encryption.certificate;
    kit.signer = kit.sender.key.token->signer(kit.sender.key.certificate);
    kit.abilities = abilities_of(context, kit.sender, encryption);
    return kit;
}

SenderKits choose_senders(Context& context) {
    const auto addresses = sender_addresses(context);
    const auto uris = context.options().list("key");
    if (uris.empty() && addresses.empty())
        throw Error(ErrorKind::usage, "the input has no From address to pick a signing key by",
                    "--key URI or --from ADDRESS names the key");
    const auto kit_of = [&](const std::string& name, const std::function<Sender()>& choose) {
        return context.run().once<SenderKit>(
            name, [&] { return make_kit(context, choose()); }, Run::Lasts::token);
    };
    if (uris.empty()) require_token(context.run(), std::nullopt);
    for (const std::string& uri : uris)
        require_token(context.run(), token::Uri::parse(uri));
    if (uris.empty())
        return {
            kit_of(fmt::format("{}", fmt::join(addresses, " ")), [&] { return key_of_address(context, addresses); })};
    const std::string address = addresses.empty() ? "" : addresses.front();
    SenderKits kits;
    for (const std::string& uri : uris)
        kits.push_back(kit_of(fmt::format("{} {}", uri, address), [&] {
            return Sender{named_key(context, uri), address, true};
        }));
    return kits;
}

// Receivers hold the certificate against the mail's From, whatever picked the key.
void warn_of_sender_check(Context& context, const SenderKits& kits) {
    for (const std::string& address : context.message().from) {
        const bool signs = std::any_of(kits.begin(), kits.end(),
                                       [&](const auto& kit) { return kit->certificate().has_email(address); });
        if (!signs && !kits.empty())
            context.warn("sender-mismatch",
                         fmt::format("the certificate {} is not of the sender {}: the sender check of receivers will "
                                     "fail",
                                     kits.front()->certificate().subject(), address));
    }
}

}  // namespace

std::vector<cms::Signer*> Signing::pointers() const {
    std::vector<cms::Signer*> all;
    for (const auto& signer : signers)
        all.push_back(signer.get());
    return all;
}

Signing prepare_signing(Context& context) {
    const Options& options = context.options();
    Signing signing;
    signing.options.form = form_of(options);
    signing.options.opaque = options.flag("opaque");
    signing.options.detached = options.flag("detached");
    signing.options.entity = options.flag("entity");
    signing.options.compress = options.flag("compress");
    signing.options.protect_headers = protects_headers(options, false);
    signing.options.protection_required = options.flag("protect-headers");
    signing.options.digest = digest_of(options);
    signing.options.pss = options.flag("pss");
    if (signing.options.detached && signing.options.form == cms::smime::Form::smime)
        throw Error(ErrorKind::usage, "--detached needs --form der or --form pem",
                    "a mail that is signed in the clear is detached as it is");
    if (signing.options.detached && signing.options.compress)
        throw Error(ErrorKind::usage, "--detached leaves out the content that --compress is for", "choose one of them");
    if (signing.options.detached && signing.options.opaque)
        throw Error(ErrorKind::usage, "--detached and --opaque exclude each other");

    if (const auto url = options.text("timestamp")) signing.options.timestamps = timestamps_from(context, *url);
    const SenderKits kits = choose_senders(context);
    warn_of_sender_check(context, kits);
    for (const auto& kit : kits) {
        for (const cms::Certificate& issuer : kit->chain)
            add(signing.options.chain, issuer);
        warn_of_end(context, kit->certificate());
        signing.used.push_back({kit->certificate(), kit->sender.key.token->info().label, ""});
        signing.signers.push_back(kit->signer->clone());
    }
    signing.options.encryption_certificate = kits.front()->encryption_certificate;
    if (signing.options.encryption_certificate) warn_of_end(context, *signing.options.encryption_certificate);
    signing.options.abilities = kits.front()->abilities;
    return signing;
}

}  // namespace p11mime::cli
