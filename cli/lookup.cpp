#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/directories.h"
#include "cli/failure.h"
#include "cli/listing_json.h"
#include "cli/recipients.h"
#include "cli/terminal.h"
#include "cms/smime/judge.h"
#include "mime/address.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

std::string address_of(const Context& context) {
    const auto& files = context.options().files();
    const std::string text = files.empty() ? "" : files.front();
    const auto parsed = mime::parse_addresses(text);
    if (parsed.size() != 1 || !mime::unreadable_addresses(text).empty())
        throw Error(ErrorKind::usage, fmt::format("certs lookup needs one address, not '{}'", text),
                    "p11mime certs lookup bob@example.org");
    return parsed.front().mailbox;
}

std::vector<std::string> directories_of(const Context& context) {
    auto directories = context.options().list("ldap-directory");
    if (directories.empty())
        throw Error(ErrorKind::usage, "no directory is named to look in",
                    "'ldap-directory = ldap://HOST/BASE' in the config, or --ldap-directory");
    for (const std::string& directory : directories)
        (void)search_url(directory, "");  // all are right before one is asked
    return directories;
}

// What a directory has and is not shown must not be taken for nothing.
void warn_of_others(Context& context, const std::string& directory, const FoundCertificates& found) {
    const auto warn = [&](std::size_t count, const char* what) {
        if (count != 0)
            context.warn("directory", fmt::format("'{}' has {} value{} for certificates {}", directory, count,
                                                  count == 1 ? "" : "s", what));
    };
    warn(found.broken, "that cannot be read");
    warn(found.left_out, "beyond the limit, which were not looked at");
}

// A directory that does not answer is a warning as long as another does. It may be in the user's own network.
std::vector<cms::Certificate> ask(Context& context, const std::string& directory, const std::string& address,
                                  std::optional<Error>& failure) {
    try {
        FoundCertificates found =
            certificates_of(Fetcher({server_of(directory)}).search(search_url(directory, address)));
        warn_of_others(context, directory, found);
        return std::move(found.certificates);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::io) throw;
        context.warn("directory", error.what());
        failure = error;
        return {};
    }
}

Objection objection_for(Context& context, const std::string& address, const cms::Certificate& certificate,
                        std::span<const cms::Certificate> others) {
    if (!certificate.has_email(address)) return {fmt::format("it is not for {}", address)};
    Objection objection = objection_to(context, certificate, others);
    tell_remarks(context, objection.path);
    return objection;
}

// path_words names the certificates of a path, the root last.
std::string path_words(const std::vector<cms::Certificate>& chain) {
    std::vector<std::string> names;
    for (const cms::Certificate& each : chain)
        names.push_back(shortened(each.subject(), kLongestName));
    return fmt::to_string(fmt::join(names, ", issued by "));
}

std::string revocation_words(const cms::PathVerdict& path) {
    const auto state = cms::smime::revocation_of(path.revocation);
    const std::string text(state == cms::smime::Revocation::not_checked ? "not checked" : name(state));
    return path.revocation_reason.empty() ? text : fmt::format("{} ({})", text, path.revocation_reason);
}

void tell(Context& context, const LookedUp& found) {
    const cms::Certificate& certificate = found.certificate;
    context.terminal().say(fmt::format("{}: {}", found.reason.empty() ? "usable" : "not usable",
                                       shortened(certificate.subject(), kLongestName)));
    if (!found.reason.empty()) context.terminal().detail(found.reason);
    context.terminal().detail(
        fmt::format("for {}", shortened(fmt::to_string(fmt::join(certificate.emails(), ", ")), kLongestName)));
    context.terminal().detail(
        fmt::format("{}, issued by {}", certificate.key_type(), shortened(certificate.issuer(), kLongestName)));
    context.terminal().detail(fmt::format("valid {} to {}, from {}",
                                          cms::format_time(certificate.not_before()).substr(0, 10),
                                          cms::format_time(certificate.not_after()).substr(0, 10), found.directory));
    if (!found.path.chain.empty()) {
        context.terminal().detail(fmt::format("path: {}", path_words(found.path.chain)));
        context.terminal().detail(fmt::format("revocation: {}", shortened(revocation_words(found.path), kLongestText)));
    }
    context.terminal().detail(fmt::format("SHA-256 fingerprint {}", certificate.fingerprint_sha256()));
}

bool may_keep(Context& context, std::size_t usable, const std::string& address) {
    if (context.options().flag("yes")) return true;
    const auto sure =
        context.options().flag("batch")
            ? std::nullopt
            : context.terminal().confirm(fmt::format(
                  "Keep {} for {} in the address book?",
                  usable == 1 ? "this certificate" : fmt::format("these {} certificates", usable), address));
    if (!sure) context.terminal().say("not kept: --yes keeps what is usable");
    return sure.value_or(false);
}

}  // namespace

int lookup_certificates(Context& context) {
    const std::string address = address_of(context);
    std::vector<LookedUp> found;
    std::vector<std::string> hints{"the reasons are above"};
    std::optional<Error> failure;
    std::size_t answers = 0;
    for (const std::string& directory : directories_of(context)) {
        std::optional<Error> failed;
        const auto certificates = ask(context, directory, address, failed);
        failed ? void(failure = failed) : void(++answers);
        for (const cms::Certificate& each : certificates)
            if (std::none_of(found.begin(), found.end(), [&](const auto& one) { return one.certificate == each; })) {
                Objection objection = objection_for(context, address, each, certificates);
                found.push_back({each, directory, objection.reason, std::move(objection.path)});
                add_hint(hints, objection.hint);
            }
    }
    if (answers == 0) throw Error(*failure);
    if (found.empty())
        throw Error(ErrorKind::no_key, fmt::format("no directory has a certificate for {}", address),
                    "p11mime certs import FILE keeps one that you have otherwise");
    for (const LookedUp& each : found)
        tell(context, each);
    const auto usable = static_cast<std::size_t>(
        std::count_if(found.begin(), found.end(), [](const LookedUp& each) { return each.reason.empty(); }));
    if (usable == 0) {
        const Error error(ErrorKind::untrusted, fmt::format("no certificate for {} is usable", address),
                          fmt::format("{}", fmt::join(hints, "; ")));
        context.terminal().error(error.what(), error.hint());
        context.deliver({}, lookup_report(error_frame(context, error), found));
        return status_of(error.kind());
    }
    if (may_keep(context, usable, address))
        for (LookedUp& each : found)
            if (each.reason.empty()) {
                (void)context.book()->put(each.certificate, std::nullopt, "directory", context.now());
                each.kept = true;
                context.terminal().say(fmt::format("kept: {}", shortened(each.certificate.subject(), kLongestName)));
            }
    context.deliver({}, lookup_report(frame_of(context, 0, "done"), found));
    return 0;
}

}  // namespace p11mime::cli
