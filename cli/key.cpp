#include <fmt/format.h>

#include <algorithm>

#include "cli/certificate_files.h"
#include "cli/commands.h"
#include "cli/key_choice.h"
#include "cli/listing_json.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

void done(Context& context, const KeyReport& report, const std::string& line) {
    context.deliver({}, key_report(frame_of(context, 0, "done"), report));
    context.terminal().say(line);
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

int import_certificate(Context& context) {
    if (context.options().files().empty())
        throw Error(ErrorKind::usage, "key import-cert needs a certificate file", "- is standard input");
    const auto certificates = read_certificates(context.options().files().front());
    const auto end = std::find_if(certificates.begin(), certificates.end(),
                                  [](const cms::Certificate& one) { return !one.is_ca(); });
    const cms::Certificate& certificate = end == certificates.end() ? certificates.front() : *end;
    const ChosenPrivateKey chosen = key_of_certificate(context, certificate);
    const std::string label = context.options().text("label").value_or(chosen.key.label);
    chosen.token->import_certificate(certificate, label, chosen.key.id);
    if (certificates.size() > 1)
        context.terminal().say("only the end certificate of the file is put on the token; certs import takes the rest");
    done(context,
         {.token = chosen.token->info().label, .uri = chosen.key.uri, .certificate = certificate, .deleted = {}},
         fmt::format("{} is now on token '{}'", certificate.subject(), chosen.token->info().label));
    return 0;
}

int delete_key(Context& context) {
    const Options& options = context.options();
    if (options.flag("batch") && !options.flag("yes"))
        throw Error(ErrorKind::usage, "--batch does not ask whether to delete", "--yes says so");
    const ChosenPrivateKey chosen = only_key(context);
    const std::string what =
        fmt::format("key '{}' ({}) and its certificates", chosen.key.label, chosen.key.description);
    if (!options.flag("yes")) {
        const auto sure = context.terminal().confirm(
            fmt::format("Delete {} from token '{}' for good?", what, chosen.token->info().label));
        if (!sure) throw Error(ErrorKind::usage, "no terminal to ask on whether to delete", "--yes says so");
        if (!*sure) throw Error(ErrorKind::usage, "not deleted");
    }
    const std::size_t count = chosen.token->destroy(chosen.key.id);
    done(context, {.token = chosen.token->info().label, .uri = chosen.key.uri, .certificate = {}, .deleted = count},
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
    done(context, report_of(*change.token),
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
    done(context, report_of(*change.token), fmt::format("token '{}' has a new PIN and is no longer blocked", label));
    return 0;
}

}  // namespace p11mime::cli
