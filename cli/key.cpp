#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/key_choice.h"
#include "cli/key_report.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

bool is_encrypted_to(const token::KeyObject& key, const token::Belongings& belongings) {
    const auto& certificates = belongings.certificates;
    if (certificates.empty()) return key.can_decrypt || key.can_derive;
    return std::any_of(certificates.begin(), certificates.end(), [](const token::CertificateObject& one) {
        return !one.certificate || one.certificate->allows_encryption();
    });
}

// Names what goes with a key, and what can't be done without it.
void tell_loss(Context& context, const ChosenPrivateKey& chosen, const std::string& what) {
    const token::Belongings belongings = chosen.token->belongings(chosen.key);
    Terminal& terminal = context.terminal();
    terminal.say(fmt::format("{} on token '{}' goes with what belongs to it:", what, chosen.token->info().label));
    terminal.detail("the private key, of which a token gives out no copy");
    for (const token::CertificateObject& one : belongings.certificates)
        terminal.detail(one.certificate ? fmt::format("the certificate {}, serial {}, which ends on {}",
                                                      one.certificate->subject(), one.certificate->serial_hex(),
                                                      cms::format_time(one.certificate->not_after()).substr(0, 10))
                                        : fmt::format("the certificate '{}', which cannot be read", one.label));
    if (is_encrypted_to(chosen.key, belongings))
        terminal.warn("mail that is encrypted to this key can't be read any more, past mail either");
    for (const std::string& other : belongings.others)
        terminal.detail(fmt::format("the key '{}' with the same id stays", other));
}

// The one token whose PIN is concerned, and where its PINs come from.
struct PinChange {
    std::shared_ptr<token::Token> token;
    std::optional<PinSource> new_source;
};

PinChange pin_change(Context& context) {
    PinChange change;
    if (const auto source = context.options().text("new-pin-source")) change.new_source = PinSource::parse(*source);
    change.token = only_token(context);
    return change;
}

SecretBytes new_pin(Context& context, const PinChange& change) {
    return context.pins().secret(change.new_source, fmt::format("new PIN of token '{}'", change.token->info().label),
                                 true);
}

KeyReport report_of(const token::Token& token) {
    return {.token = token.info().label, .uri = token.uri().to_string(), .certificate = {}, .deleted = {}};
}

}  // namespace

int delete_key(Context& context) {
    const Options& options = context.options();
    if (options.flag("batch") && !options.flag("yes"))
        throw Error(ErrorKind::usage, "--batch does not ask whether to delete", "--yes says so");
    const ChosenPrivateKey chosen = only_key(context);
    const std::string what = fmt::format("key '{}' ({})", chosen.key.label, chosen.key.description);
    tell_loss(context, chosen, what);
    if (!options.flag("yes")) {
        const auto sure = context.terminal().confirm(
            fmt::format("Delete {} from token '{}' for good?", what, chosen.token->info().label));
        if (!sure) throw Error(ErrorKind::usage, "no terminal to ask on whether to delete", "--yes says so");
        if (!*sure) throw Error(ErrorKind::usage, "not deleted");
    }
    const std::size_t count = chosen.token->destroy(chosen.key);
    finish_key_command(
        context, {.token = chosen.token->info().label, .uri = chosen.key.uri, .certificate = {}, .deleted = count},
        fmt::format("{} deleted, {} objects in all", what, count));
    return 0;
}

int change_pin(Context& context) {
    const PinChange change = pin_change(context);
    auto old_pin =
        context.pins().pin({.token = change.token->info(), .key_label = "", .what = "change it", .pin_source = ""});
    if (!old_pin)
        throw Error(ErrorKind::token, fmt::format("no PIN for token '{}'", change.token->info().label),
                    "--pin-source names where it comes from");
    change.token->change_pin(old_pin->value, new_pin(context, change));
    finish_key_command(context, report_of(*change.token),
                       fmt::format("the PIN of token '{}' is changed", change.token->info().label));
    return 0;
}

int unblock_pin(Context& context) {
    std::optional<PinSource> puk_source;
    if (const auto source = context.options().text("puk-source")) puk_source = PinSource::parse(*source);
    const PinChange change = pin_change(context);
    const std::string label = change.token->info().label;
    const SecretBytes puk = context.pins().secret(puk_source, fmt::format("PUK of token '{}'", label), false);
    change.token->unblock(puk, new_pin(context, change));
    finish_key_command(context, report_of(*change.token),
                       fmt::format("token '{}' has a new PIN and is no longer blocked", label));
    return 0;
}

}  // namespace p11mime::cli
