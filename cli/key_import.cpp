#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/certificate_files.h"
#include "cli/commands.h"
#include "cli/key_choice.h"
#include "cli/key_report.h"
#include "cli/secret_file.h"
#include "cms/encode.h"
#include "cms/pkcs12.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestFile = 4 * 1024 * 1024;  // of PKCS#12; decades of keys take some 100 KiB

std::string only_file(Context& context, const std::string& what) {
    if (context.options().files().empty())
        throw Error(ErrorKind::usage, fmt::format("{} needs {}", context.options().command(), what),
                    "- is standard input");
    return context.options().files().front();
}

cms::Pkcs12File read_pkcs12(const std::string& path) {
    const Fd file(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    SecretBytes bytes = read_secret_file(file, kLongestFile + 1, fmt::format("PKCS#12 file '{}'", path));
    if (bytes.size() > kLongestFile)
        throw Error(ErrorKind::malformed, fmt::format("'{}' is longer than any PKCS#12 file", path));
    try {
        return cms::Pkcs12File::from_bytes(std::move(bytes));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        throw Error(ErrorKind::malformed, fmt::format("'{}': {}", path, error.what()), error.hint());
    }
}

// A file without a password opens with an empty one, so that nobody is asked for it.
cms::Pkcs12 opened(Context& context, const cms::Pkcs12File& file, const std::string& path) {
    if (auto content = file.open(SecretBytes())) return std::move(*content);
    std::optional<PinSource> source;
    if (const auto text = context.options().text("password-source")) source = PinSource::parse(*text);
    const SecretBytes password = context.pins().secret(source, fmt::format("password of '{}'", path), false);
    if (auto content = file.open(password)) return std::move(*content);
    throw Error(ErrorKind::usage, fmt::format("the password of '{}' is wrong", path),
                "it is the one that was chosen when the file was exported, and not the PIN of a token");
}

std::string label_of(const Options& options, const cms::ExportedKey& key) {
    if (const auto label = options.text("label")) return *label;
    if (!key.name.empty()) return key.name;
    if (key.certificates.empty()) return "imported key";
    const cms::Certificate& newest = key.certificates.front();
    return newest.common_name().empty() ? newest.subject() : newest.common_name();
}

std::vector<token::KeyImport> imports_of(const Options& options, const cms::Pkcs12& content) {
    const Bytes id = id_of(options);
    if (content.keys.size() > 1 && (!id.empty() || options.text("label")))
        throw Error(ErrorKind::usage,
                    fmt::format("--id and --label are for one key, and the file has {}", content.keys.size()));
    std::vector<token::KeyImport> imports;
    for (const cms::ExportedKey& one : content.keys)
        imports.push_back({.key = one.key.get(),
                           .label = label_of(options, one),
                           .id = id.empty() ? cms::key_identifier(cms::encode(one.key.get(), i2d_PUBKEY)) : id,
                           .certificates = one.certificates});
    return imports;
}

// Certificates of CAs are of no use on a token; signing finds those below a root in the address book, and a root is
// trusted by its owner's decision alone.
OtherImport keep_other(Context& context, const cms::Certificate& certificate) {
    const std::string name = certificate.subject();
    if (!certificate.is_ca() || certificate.self_issued()) {
        context.terminal().say(fmt::format("{} is left out: {}", name,
                                           certificate.is_ca()
                                               ? "p11mime certs trust makes a root an anchor of your own"
                                               : "its private key is not in the file"));
        return {certificate, false};
    }
    try {
        context.book()->put(certificate, std::nullopt, "import", context.now());
        context.terminal().say(
            fmt::format("{} is a CA's, and goes into the address book for the chain of what you sign", name));
        return {certificate, true};
    } catch (const Error& error) {
        context.warn("address-book", fmt::format("{} cannot be kept: {}", name, error.what()));
        return {certificate, false};
    }
}

}  // namespace

int import_certificate(Context& context) {
    const auto certificates = read_certificates(only_file(context, "a certificate file"));
    const auto end = std::find_if(certificates.begin(), certificates.end(),
                                  [](const cms::Certificate& one) { return !one.is_ca(); });
    const cms::Certificate& certificate = end == certificates.end() ? certificates.front() : *end;
    const token::KeyOnToken chosen = key_of_certificate(context, certificate);
    const std::string label = context.options().text("label").value_or(chosen.key.label);
    chosen.token->import_certificate(certificate, label, chosen.key.id);
    if (certificates.size() > 1)
        context.terminal().say("only the end certificate of the file is put on the token; certs import takes the rest");
    finish_key_command(
        context,
        {.token = chosen.token->info().label, .uri = chosen.key.uri, .certificate = certificate, .deleted = {}},
        fmt::format("{} is now on token '{}'", certificate.subject(), chosen.token->info().label));
    return 0;
}

int import_p12(Context& context) {
    const std::string path = only_file(context, "a PKCS#12 file");
    const cms::Pkcs12File file = read_pkcs12(path);
    const auto token = only_token(context);
    const cms::Pkcs12 content = opened(context, file, path);
    if (content.keys.empty())
        throw Error(ErrorKind::malformed, fmt::format("'{}' holds no private key", path),
                    "key import-cert and certs import take certificates");
    const std::vector<token::KeyImport> imports = imports_of(context.options(), content);
    std::vector<token::ImportedKey> made = token->import_keys(imports);
    KeyReport report{.token = token->info().label, .uri = token->uri().to_string()};
    report.imported.emplace();
    for (token::ImportedKey& one : made) {
        context.terminal().say(fmt::format("key '{}' ({}) is now on token '{}', with {} of its certificates",
                                           one.key.label, one.key.description, token->info().label,
                                           one.certificates.size()));
        report.imported->keys.push_back(std::move(one));
    }
    for (const cms::Certificate& other : content.others)
        report.imported->others.push_back(keep_other(context, other));
    finish_key_command(context, report,
                       fmt::format("'{}' holds the private key still: keep it safe, or delete it", path));
    return 0;
}

}  // namespace p11mime::cli
