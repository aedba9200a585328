#include <fmt/format.h>

#include <algorithm>

#include "cli/certificate_files.h"
#include "cli/commands.h"
#include "cli/key_choice.h"
#include "cli/listing_json.h"
#include "cli/settings.h"
#include "cms/certificate_request.h"
#include "cms/sign_scheme.h"
#include "mime/address.h"
#include "mime/error.h"
#include "mime/header.h"
#include "mime/hex.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestId = 64;

Bytes id_of(const Options& options) {
    const std::string text = options.text("id").value_or("");
    auto id = parse_hex(text);
    if (!id || id->size() > kLongestId)
        throw Error(ErrorKind::usage, fmt::format("--id does not take '{}'", text),
                    fmt::format("it takes up to {} bytes in hexadecimal digits", kLongestId));
    return std::move(*id);
}

cms::CertificateSubject subject_of(const Options& options) {
    cms::CertificateSubject subject;
    subject.emails = options.list("email");
    subject.common_name = options.text("name").value_or("");
    subject.organization = options.text("organization").value_or("");
    subject.country = options.text("country").value_or("");
    if (subject.emails.empty()) (void)options.required("email");
    for (const std::string& email : subject.emails)
        if (!mime::is_mailbox(email))
            throw Error(ErrorKind::usage, fmt::format("--email does not take '{}'", email),
                        "an address looks like alice@example.gov");
    if (subject.common_name.empty()) subject.common_name = subject.emails.front();
    if (!subject.country.empty() && subject.country.size() != 2)
        throw Error(ErrorKind::usage, "--country takes two letters");
    return subject;
}

// Writes bytes to the output and the report beside them.
void write(Context& context, Bytes bytes, const KeyReport& report) {
    Outputs outputs;
    outputs.push_back(context.output());
    outputs.front()->stage_bytes(std::move(bytes));
    context.deliver(std::move(outputs), key_report(frame_of(context, 0, "done"), report));
}

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

int generate_key(Context& context) {
    const Options& options = context.options();
    (void)options.required("type");
    const auto spec = token::key_spec(*options.choice("type", token::key_spec_names()));
    const std::string label = options.required("label");
    const Bytes id = id_of(options);
    const auto token = only_token(context);
    context.terminal().say(fmt::format("generating a key on token '{}'", token->info().label));
    const token::KeyObject key = token->generate(*spec, label, id);
    if (!context.reports_to_stdout()) context.terminal().print(key.uri);
    const KeyReport report{.token = token->info().label, .uri = key.uri, .certificate = {}, .deleted = {}};
    context.deliver({}, key_report(frame_of(context, 0, "done"), report));
    return 0;
}

int request_certificate(Context& context) {
    cms::CertificateSubject subject = subject_of(context.options());
    const bool der = wants_der(context.options());
    const ChosenPrivateKey chosen = only_key(context);
    const Bytes spki = chosen.token->public_key_spki(chosen.key);
    subject.abilities = chosen.token->abilities(spki);
    const auto signer = chosen.token->raw_signer(chosen.key);
    const Bytes request = cms::certificate_request(spki, subject, *signer, cms::default_scheme(spki));
    const KeyReport report{
        .token = chosen.token->info().label, .uri = chosen.key.uri, .certificate = {}, .deleted = {}};
    write(context, der ? request : to_bytes(bytes_of(cms::pem(request, "CERTIFICATE REQUEST"))), report);
    return 0;
}

int self_sign(Context& context) {
    cms::CertificateSubject subject = subject_of(context.options());
    const bool der = wants_der(context.options());
    const std::chrono::days lifetime = lifetime_of(context.options());
    const ChosenPrivateKey chosen = only_key(context);
    const Bytes spki = chosen.token->public_key_spki(chosen.key);
    subject.abilities = chosen.token->abilities(spki);
    const auto signer = chosen.token->raw_signer(chosen.key);
    const cms::Certificate certificate =
        cms::self_signed(spki, subject, *signer, cms::default_scheme(spki), context.now(), lifetime);
    chosen.token->import_certificate(certificate, chosen.key.label, chosen.key.id);
    const KeyReport report{
        .token = chosen.token->info().label, .uri = chosen.key.uri, .certificate = certificate, .deleted = {}};
    write(context, der ? certificate.der() : to_bytes(bytes_of(certificate.pem())), report);
    return 0;
}

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
