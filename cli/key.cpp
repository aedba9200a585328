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
void tell_loss(Context& context, const token::KeyOnToken& chosen, const std::string& what) {
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

KeyReport report_of(const token::Token& token) {
    return {.token = token.info().label, .uri = token.uri().to_string(), .certificate = {}, .deleted = {}};
}

}  // namespace

int delete_key(Context& context) {
    const Options& options = context.options();
    if (options.flag("batch") && !options.flag("yes"))
        throw Error(ErrorKind::usage, "--batch does not ask whether to delete", "--yes says so");
    const token::KeyOnToken chosen = only_key(context);
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
    const auto token = only_token(context);
    token->change_pin();
    finish_key_command(context, report_of(*token),
                       fmt::format("the PIN of token '{}' is changed", token->info().label));
    return 0;
}

int unblock_pin(Context& context) {
    const auto token = only_token(context);
    token->unblock();
    finish_key_command(context, report_of(*token),
                       fmt::format("token '{}' has a new PIN and is no longer blocked", token->info().label));
    return 0;
}

}  // namespace p11mime::cli
