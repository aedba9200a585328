#include "cli/self_recipient.h"

#include <fmt/format.h>

#include "cli/expiry.h"
#include "cli/recipients.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

// Own is one's own certificate: the newest of the address book that is trusted or else one on a token, or else the
// newest of the address book with why it is not trusted. It comes with what this program reads with its key.
struct Own {
    std::optional<cms::Certificate> trusted, untrusted;
    Objection objection;
    cms::smime::Capabilities reading;
};

// Encrypting needs no token, so trouble with one is no answer; a --module that does not load is a mistake all the same.
template <class Ask>
auto ask_tokens(Context& context, Ask ask) -> decltype(ask()) {
    try {
        return ask();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token || !context.options().list("module").empty()) throw;
    }
    return std::nullopt;
}

Own in_book(Context& context, const std::string& address) {
    Own found;
    for (const BookEntry& entry : context.book()->by_address(address)) {
        const cms::Certificate& certificate = entry.certificate;
        if (!certificate.has_email(address) || !certificate.allows_encryption() || certificate.is_ca()) continue;
        const auto verdict = validate(certificate, {}, trust_to_encrypt(context), cms::Use::encryption);
        auto& newest = verdict.trusted ? found.trusted : found.untrusted;
        if (newest && newest->not_before() > certificate.not_before()) continue;
        newest = certificate;
        if (!verdict.trusted) found.objection = {verdict.reason, verdict.hint};
    }
    return found;
}

// What is on one's own token is one's own, whoever issued it.
std::optional<cms::Certificate> on_token(Context& context, const std::string& address) {
    token::KeyChoice choice;
    choice.address = address;
    choice.at = context.now();
    choice.use = token::KeyChoice::Use::encryption;
    return ask_tokens(context, [&] {
        auto result = choose_key(context.tokens(), choice);
        return result.key ? result.key->certificate.certificate : std::nullopt;
    });
}

// What the private key can undo as the token says that has the certificate; nothing where none at hand has it.
std::optional<cms::Abilities> abilities_on_token(Context& context, const cms::Certificate& certificate) {
    token::CertificateQuery query;
    query.issuer_der = certificate.issuer_der();
    query.serial_der = certificate.serial_der();
    return ask_tokens(context, [&]() -> std::optional<cms::Abilities> {
        for (const auto& token : context.tokens().tokens())
            for (const auto& object : token->find_certificates(query))
                if (object.certificate == certificate) return token->abilities(certificate.spki_der());
        return std::nullopt;
    });
}

// The certificate tells of OAEP before any token is asked, and alone where its token is not at hand.
std::optional<cms::RsaOaep> own_oaep(Context& context, const cms::Certificate& certificate) {
    const auto announced = announced_capabilities(certificate, std::nullopt);
    if (!announced || !announced->oaep) return std::nullopt;
    const auto abilities = abilities_on_token(context, certificate);
    if (!abilities) return announced->oaep;
    return abilities->oaep ? std::optional(cms::kOaep) : std::nullopt;
}

// This program is what the sender reads mail with, so its ciphers count.
cms::smime::Capabilities own_reading(Context& context, const cms::Certificate& certificate) {
    auto own = cms::smime::parse_capabilities(cms::smime::own_capabilities({.oaep = false, .agreement = true}));
    own.oaep = own_oaep(context, certificate);
    return own;
}

Own own_certificate(Context& context, const std::string& address) {
    Own own = in_book(context, address);
    if (!own.trusted) own.trusted = on_token(context, address);
    if (const auto& chosen = own.trusted ? own.trusted : own.untrusted) own.reading = own_reading(context, *chosen);
    return own;
}

}  // namespace

cms::Abilities own_abilities(Context& context, const cms::Certificate& certificate) {
    return {.oaep = own_oaep(context, certificate).has_value(), .agreement = !certificate.is_rsa()};
}

std::optional<cms::smime::Capabilities> announced_capabilities(const cms::Certificate& certificate,
                                                               const std::optional<Bytes>& remembered) {
    std::optional<cms::smime::Capabilities> announced;
    for (const auto& der : {remembered, certificate.smime_capabilities()}) {
        if (!der || (announced && !announced->ciphers.empty())) continue;
        auto capabilities = cms::smime::parse_capabilities(*der);
        if (!announced || !capabilities.ciphers.empty()) announced = std::move(capabilities);
    }
    return announced;
}

std::optional<ChosenRecipient> self_recipient(Context& context) {
    if (context.options().flag("no-self")) return std::nullopt;
    const auto from = context.options().text("from");
    const auto addresses = from ? std::vector<std::string>{*from} : context.message().from;
    std::optional<ChosenRecipient> untrusted;
    std::string line;
    std::vector<std::string> hints;
    for (const std::string& address : addresses) {
        const auto own = context.run().once<Own>(
            address, [&] { return own_certificate(context, address); }, Run::Lasts::token);
        if (own->trusted) {
            warn_of_end(context, *own->trusted);
            return ChosenRecipient{address, *own->trusted, own->reading};
        }
        if (!own->untrusted || untrusted) continue;
        untrusted = ChosenRecipient{address, *own->untrusted, own->reading};
        line = fmt::format("the certificate of the sender {} is not trusted: {}", address, own->objection.reason);
        add_hint(hints, own->objection.hint);
    }
    if (untrusted) {
        add_hint(hints, "--allow-untrusted-recipients encrypts all the same, --no-self leaves the sender out");
        if (!context.options().flag("allow-untrusted-recipients"))
            throw Error(ErrorKind::untrusted, line, fmt::format("{}", fmt::join(hints, "; ")));
        context.warn("recipient-untrusted", line);
        return untrusted;
    }
    const std::string sender = addresses.empty() ? "" : fmt::format(" {}", fmt::join(addresses, ", "));
    context.warn("not-to-self", fmt::format("no encryption certificate for the sender{}: you won't be able to read "
                                            "this mail yourself; --no-self says that this is meant",
                                            sender));
    return std::nullopt;
}

}  // namespace p11mime::cli
