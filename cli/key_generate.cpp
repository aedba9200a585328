#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/key_choice.h"
#include "cli/listing_json.h"
#include "cli/settings.h"
#include "cms/certificate_request.h"
#include "cms/sign_scheme.h"
#include "mime/address.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

cms::CertificateSubject subject_of(const Options& options) {
    cms::CertificateSubject subject;
    subject.emails = options.list("email");
    subject.common_name = options.text("name").value_or("");
    subject.organization = options.text("organization").value_or("");
    subject.country = options.text("country").value_or("");
    subject.profile = profile_of(options);
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

KeyReport report_of(const token::KeyOnToken& chosen, std::optional<cms::Certificate> certificate = {}) {
    return {.token = chosen.token->info().label,
            .uri = chosen.key.uri,
            .certificate = std::move(certificate),
            .deleted = {}};
}

// NewKey is what is asked for.
struct NewKey {
    token::KeySpec spec{};
    cms::Profile profile = cms::Profile::both;
    std::string label;
    Bytes id;
};

NewKey new_key(const Options& options) {
    (void)options.required("type");
    const std::string type = *options.choice("type", token::key_spec_names());
    NewKey key{.spec = *token::key_spec(type),
               .profile = profile_of(options),
               .label = options.required("label"),
               .id = id_of(options)};
    if (!token::allows(key.spec, key.profile))
        throw Error(
            ErrorKind::usage, fmt::format("{} keys are not for --profile {}", type, *options.text("profile")),
            key.profile == cms::Profile::sign ? "x25519 and x448 keys only agree" : "ed25519 and ed448 keys only sign");
    if (options.flag("csr") && !token::can_sign(key.spec))
        throw Error(ErrorKind::usage, fmt::format("{} keys cannot sign a request", type),
                    "a CA that certifies them takes the public key another way");
    return key;
}

// What is asked for of a certificate belongs to a request.
void refuse_subject(const Options& options) {
    for (const char* option : {"email", "name", "output"})
        if (options.flag(option))
            throw Error(ErrorKind::usage, fmt::format("--{} is for --csr", option),
                        "key generate --csr requests a certificate for the new key, key csr for one that is there");
}

token::KeyObject generate(Context& context, token::Token& token, const NewKey& wanted) {
    context.terminal().say(fmt::format("generating a key on token '{}'", token.info().label));
    return token.generate(wanted.spec, wanted.label, wanted.id, wanted.profile);
}

Bytes request_for(const token::KeyOnToken& chosen, cms::CertificateSubject subject, bool der) {
    const Bytes spki = chosen.token->public_key_spki(chosen.key);
    subject.abilities = chosen.token->abilities(spki);
    const auto signer = chosen.token->raw_signer(chosen.key);
    Bytes request = cms::certificate_request(spki, subject, *signer, cms::default_scheme(spki));
    return der ? request : to_bytes(bytes_of(cms::pem(request, "CERTIFICATE REQUEST")));
}

}  // namespace

int generate_key(Context& context) {
    const Options& options = context.options();
    const NewKey wanted = new_key(options);
    if (!options.flag("csr")) {
        refuse_subject(options);
        const auto token = only_token(context);
        const token::KeyOnToken made{token, generate(context, *token, wanted)};
        if (!context.reports_to_stdout()) context.terminal().print(made.key.uri);
        context.deliver({}, key_report(frame_of(context, 0, "done"), report_of(made)));
        return 0;
    }
    const cms::CertificateSubject subject = subject_of(options);
    const bool der = wants_der(options);
    const auto token = only_token(context);
    const token::KeyOnToken made{token, generate(context, *token, wanted)};
    context.terminal().say(fmt::format("the key is {}", made.key.uri));  // also where the request fails
    write(context, request_for(made, subject, der), report_of(made));
    return 0;
}

int request_certificate(Context& context) {
    const cms::CertificateSubject subject = subject_of(context.options());
    const bool der = wants_der(context.options());
    const token::KeyOnToken chosen = only_key(context);
    write(context, request_for(chosen, subject, der), report_of(chosen));
    return 0;
}

int self_sign(Context& context) {
    cms::CertificateSubject subject = subject_of(context.options());
    const bool der = wants_der(context.options());
    const std::chrono::days lifetime = lifetime_of(context.options());
    const token::KeyOnToken chosen = only_key(context);
    const Bytes spki = chosen.token->public_key_spki(chosen.key);
    subject.abilities = chosen.token->abilities(spki);
    const auto signer = chosen.token->raw_signer(chosen.key);
    const cms::Certificate certificate =
        cms::self_signed(spki, subject, *signer, cms::default_scheme(spki), context.now(), lifetime);
    chosen.token->import_certificate(certificate, chosen.key.label, chosen.key.id);
    write(context, der ? certificate.der() : to_bytes(bytes_of(certificate.pem())), report_of(chosen, certificate));
    return 0;
}

}  // namespace p11mime::cli
