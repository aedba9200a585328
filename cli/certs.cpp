#include <fmt/format.h>

#include "cli/certificate_files.h"
#include "cli/commands.h"
#include "cli/listing_json.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "cms/certs_only.h"
#include "cms/trust_settings.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

std::string describe(const cms::Certificate& certificate) {
    std::string subject = shortened(certificate.subject(), kLongestName);
    const auto emails = certificate.emails();
    if (emails.empty()) return subject;
    return fmt::format("{} <{}>", subject, shortened(fmt::to_string(fmt::join(emails, ", ")), kLongestName));
}

std::string argument(const Context& context, const char* what) {
    const auto& files = context.options().files();
    if (files.empty()) throw Error(ErrorKind::usage, fmt::format("{} needs {}", context.options().command(), what));
    return files.front();
}

// An address has an "@", a fingerprint has not.
std::vector<BookEntry> named(Context& context, const std::string& what) {
    return what.find('@') != std::string::npos ? context.book()->by_address(what)
                                               : context.book()->by_fingerprint(what);
}

[[noreturn]] void not_there(const std::string& what) {
    throw Error(ErrorKind::no_key, fmt::format("nothing in the address book for '{}'", what),
                "p11mime certs list shows what is there");
}

std::vector<Anchor> anchors_named(Context& context, const std::string& fingerprint) {
    const auto digits = normal_fingerprint(fingerprint);
    std::vector<Anchor> found;
    if (!digits) return found;
    for (Anchor& anchor : context.book()->anchors())
        if (anchor.certificate.fingerprint_sha256().starts_with(*digits)) found.push_back(std::move(anchor));
    return found;
}

const char* where_from(const BookEntry& entry) {
    if (entry.source == "mail") return "from a signed mail";
    return entry.source == "directory" ? "from a directory" : "imported";
}

// settings_words says what an anchor is trusted for where its file says so: "rejected for emailProtection".
std::string settings_words(const cms::TrustSettings& settings) {
    std::vector<std::string> words;
    const auto add = [&](const char* what, const std::vector<std::string>& uses) {
        words.push_back(fmt::format("{} {}", what, shortened(fmt::to_string(fmt::join(uses, ", ")), kLongestName)));
    };
    if (settings.limited && settings.trusted.empty()) words.emplace_back("trusted for nothing");
    if (!settings.trusted.empty()) add("trusted only for", settings.trusted);
    if (!settings.rejected.empty()) add("rejected for", settings.rejected);
    return fmt::to_string(fmt::join(words, ", "));
}

// vouches_for_all says whether an anchor that has an address, as a person's, is an authority's all the same: openssl
// makes such where somebody signs their own, unless told otherwise.
bool vouches_for_all(const cms::Certificate& anchor) {
    return anchor.is_ca() && !anchor.emails().empty() && !cms::trust_settings(anchor).any();
}

std::string anchor_words(const cms::Certificate& anchor) {
    const cms::TrustSettings settings = cms::trust_settings(anchor);
    if (vouches_for_all(anchor)) return "own anchor, vouches for every address";
    return settings.any() ? "own anchor, " + settings_words(settings) : "own anchor";
}

std::string trusting_words(const cms::Certificate& anchor, bool added) {
    const cms::TrustSettings settings = cms::trust_settings(anchor);
    if (!settings.any()) return added ? "trusted from now on" : "was trusted already";
    return fmt::format("{}, by the settings in its file", settings_words(settings)) +
           (added ? "" : ", as it was already");
}

void print(Terminal& terminal, const cms::Certificate& certificate, std::string_view source, cms::Time now) {
    terminal.print(describe(certificate));
    terminal.print(fmt::format("  {}, {}", certificate.key_type(), source));
    terminal.print(fmt::format("  issued by {}", shortened(certificate.issuer(), kLongestName)));
    terminal.print(fmt::format("  valid {} to {}{}", cms::format_time(certificate.not_before()).substr(0, 10),
                               cms::format_time(certificate.not_after()).substr(0, 10),
                               certificate.valid_at(now) ? "" : ", NOT VALID NOW"));
    terminal.print(fmt::format("  {}", certificate.fingerprint_sha256()));
}

}  // namespace

int import_certificates(Context& context) {
    (void)argument(context, "a certificate file");
    // All files are read before the first certificate is kept.
    std::vector<cms::Certificate> all;
    for (const std::string& file : context.options().files())
        for (cms::Certificate& certificate : read_certificates(file))
            all.push_back(std::move(certificate));
    std::vector<BookEntry> imported;
    for (const cms::Certificate& certificate : all) {
        const bool added = context.book()->put(certificate, std::nullopt, "import", context.now());
        context.terminal().say(fmt::format("{}: {}", added ? "imported" : "was there already", describe(certificate)));
        if (certificate.emails().empty() && !certificate.is_ca())
            context.warn("no-address",
                         fmt::format("{} has no e-mail address, so -r will not find it", certificate.subject()));
        imported.push_back({certificate, std::nullopt, "import", context.now()});
    }
    context.deliver({}, certs_report(frame_of(context, 0, "done"), imported, {}));
    return 0;
}

int list_certificates(Context& context) {
    const auto& files = context.options().files();
    const auto certificates = files.empty() ? context.book()->all() : named(context, files.front());
    const auto anchors = files.empty() ? context.book()->anchors() : std::vector<Anchor>{};
    if (!context.reports_to_stdout()) {
        for (const BookEntry& entry : certificates)
            print(context.terminal(), entry.certificate, where_from(entry), context.now());
        for (const Anchor& anchor : anchors)
            print(context.terminal(), anchor.certificate, anchor_words(anchor.certificate), context.now());
    }
    if (!files.empty() && certificates.empty()) not_there(files.front());
    context.deliver({}, certs_report(frame_of(context, 0, "done"), certificates, anchors));
    return 0;
}

namespace {

Bytes exported(const std::vector<BookEntry>& entries, CertificatesForm form) {
    std::vector<cms::Certificate> certificates;
    for (const BookEntry& entry : entries)
        certificates.push_back(entry.certificate);
    switch (form) {
        case CertificatesForm::p7c:
            return cms::certs_only(certificates);
        case CertificatesForm::der:
            if (certificates.size() > 1)
                throw Error(ErrorKind::usage, fmt::format("{} certificates, but DER holds one", certificates.size()),
                            "name one by its fingerprint, or choose --form p7c");
            return certificates.front().der();
        case CertificatesForm::pem:
            break;
    }
    std::string pem;
    for (const cms::Certificate& certificate : certificates)
        pem += certificate.pem();
    return to_bytes(bytes_of(pem));
}

}  // namespace

int export_certificates(Context& context) {
    const std::string what = argument(context, "an address or fingerprint");
    const auto certificates = named(context, what);
    if (certificates.empty()) not_there(what);
    Outputs outputs;
    outputs.push_back(context.output());
    outputs.front()->stage_bytes(exported(certificates, certificates_form_of(context.options())));
    context.deliver(std::move(outputs), certs_report(frame_of(context, 0, "done"), certificates, {}));
    return 0;
}

int remove_certificates(Context& context) {
    const std::string what = argument(context, "an address or fingerprint");
    const auto certificates = named(context, what);
    const auto anchors = anchors_named(context, what);
    if (certificates.empty() && anchors.empty()) not_there(what);
    const bool by_fingerprint = what.find('@') == std::string::npos;
    if (by_fingerprint && (certificates.size() > 1 || anchors.size() > 1))
        throw Error(ErrorKind::usage, fmt::format("several fingerprints start with {}", what), "give more digits");
    for (const BookEntry& entry : certificates) {
        context.book()->remove(entry.certificate.fingerprint_sha256());
        context.terminal().say(fmt::format("removed: {}", describe(entry.certificate)));
    }
    for (const Anchor& anchor : anchors) {
        context.book()->distrust(anchor.certificate.fingerprint_sha256());
        context.terminal().say(fmt::format("no longer an anchor: {}", describe(anchor.certificate)));
    }
    context.deliver({}, certs_report(frame_of(context, 0, "done"), certificates, anchors));
    return 0;
}

int trust_certificate(Context& context) {
    const auto certificates = cms::combine_settings(read_certificates(argument(context, "a certificate file")));
    std::vector<Anchor> anchors;
    for (const cms::Certificate& certificate : certificates) {
        const bool added = context.book()->trust(certificate, context.now());
        context.terminal().say(fmt::format("{}: {}", trusting_words(certificate, added), describe(certificate)));
        context.terminal().say(
            fmt::format("compare its SHA-256 fingerprint with the one that it is known by elsewhere: {}",
                        certificate.fingerprint_sha256()));
        if (!certificate.is_ca())
            context.warn("no-authority", fmt::format("{} is no certificate authority: it is trusted by itself alone",
                                                     display_name(certificate)));
        if (vouches_for_all(certificate))
            context.warn("authority", fmt::format("whoever has the key of {} can vouch for every address from now on, "
                                                  "for its certificate is an authority's; if a person is meant, ask "
                                                  "them for one that is not (CA:FALSE)",
                                                  describe(certificate)));
        anchors.push_back({certificate, context.now()});
    }
    context.deliver({}, certs_report(frame_of(context, 0, "done"), {}, anchors));
    return 0;
}

}  // namespace p11mime::cli
