#include "cli/settings.h"

#include <fmt/format.h>

#include <charconv>

#include "cms/policies.h"
#include "mime/error.h"

namespace p11mime::cli {

using Names = std::string_view[];

cms::smime::Form form_of(const Options& options) {
    const auto form = options.choice("form", Names{"smime", "der", "pem"});
    if (form == "der") return cms::smime::Form::der;
    if (form == "pem") return cms::smime::Form::pem;
    return cms::smime::Form::smime;
}

bool wants_der(const Options& options) {
    return options.choice("form", Names{"pem", "der"}) == "der";
}

CertificatesForm certificates_form_of(const Options& options) {
    const auto form = options.choice("form", Names{"pem", "der", "p7c"});
    if (form == "der") return CertificatesForm::der;
    return form == "p7c" ? CertificatesForm::p7c : CertificatesForm::pem;
}

std::optional<cms::Hash> digest_of(const Options& options) {
    const auto digest = options.choice("digest", Names{"sha256", "sha384", "sha512"});
    if (!digest) return std::nullopt;
    if (digest == "sha256") return cms::Hash::sha256;
    return digest == "sha384" ? cms::Hash::sha384 : cms::Hash::sha512;
}

const cms::Algorithm* cipher_of(const Options& options, std::string_view name) {
    std::vector<std::string_view> names;
    for (const cms::Algorithm* cipher : cms::smime::content_ciphers())
        names.push_back(cipher->name);
    const auto cipher = options.choice(name, names);
    return cipher ? cms::smime::content_cipher(*cipher) : nullptr;
}

bool protects_headers(const Options& options, bool usual) {
    const bool wanted = options.flag("protect-headers"), unwanted = options.flag("no-protect-headers");
    if (wanted && unwanted)
        throw Error(ErrorKind::usage, "--protect-headers and --no-protect-headers exclude each other",
                    "leave one of them out, also of the config");
    return wanted || (usual && !unwanted);
}

std::optional<cms::smime::SenderCheck> sender_check_of(const Options& options) {
    const auto check = options.choice("sender-check", Names{"require", "warn", "off"});
    if (!check) return std::nullopt;
    if (check == "require") return cms::smime::SenderCheck::require;
    return check == "warn" ? cms::smime::SenderCheck::warn : cms::smime::SenderCheck::off;
}

cms::Purpose purpose_of(const Options& options) {
    return options.choice("purpose", Names{"email", "any"}) == "any" ? cms::Purpose::any : cms::Purpose::email;
}

cms::PolicyDemands policy_demands_of(const Options& options) {
    cms::PolicyDemands demands;
    demands.accepted = options.list("policy");
    for (const std::string& policy : demands.accepted)
        if (!cms::is_dotted_oid(policy))
            throw Error(ErrorKind::usage, fmt::format("--policy does not take '{}'", policy),
                        "a policy is an object identifier in dots, as 2.23.140.1.5.3.3");
    demands.explicit_policy = options.flag("explicit-policy");
    demands.inhibit_mapping = options.flag("inhibit-policy-mapping");
    demands.inhibit_any_policy = options.flag("inhibit-any-policy");
    return demands;
}

std::optional<cms::Time> time_of(const Options& options) {
    const auto at = options.text("at");
    if (!at) return std::nullopt;
    const auto time = cms::parse_time(*at);
    if (!time)
        throw Error(ErrorKind::usage, fmt::format("--at does not understand '{}'", *at),
                    "a time looks like 2026-01-31T12:00:00Z");
    return time;
}

std::chrono::days lifetime_of(const Options& options) {
    const std::string text = options.text("days").value_or("365");
    int days = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), days);
    constexpr int kMost = 36'500;
    if (failure != std::errc() || end != text.data() + text.size() || days < 1 || days > kMost)
        throw Error(ErrorKind::usage, fmt::format("--days does not take '{}'", text),
                    fmt::format("it takes a number from 1 to {}", kMost));
    return std::chrono::days(days);
}

cms::Profile profile_of(const Options& options) {
    const auto profile = options.choice("profile", Names{"sign", "encrypt", "both"});
    if (profile == "sign") return cms::Profile::sign;
    return profile == "encrypt" ? cms::Profile::encrypt : cms::Profile::both;
}

std::optional<std::chrono::seconds> wait_of(const Options& options) {
    const auto text = options.text("wait");
    if (!text) return std::nullopt;
    unsigned seconds = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    constexpr unsigned kMost = 86'400;
    if (failure != std::errc() || end != text->data() + text->size() || seconds > kMost)
        throw Error(ErrorKind::usage, fmt::format("--wait does not take '{}'", *text),
                    fmt::format("it takes a number of seconds up to {}", kMost));
    return std::chrono::seconds(seconds);
}

Revocation revocation_of(const Options& options) {
    const auto revocation = options.choice("revocation", Names{"off", "offline", "online"});
    if (revocation == "online") return Revocation::online;
    if (revocation != "off") return Revocation::offline;
    if (options.flag("require-revocation"))
        throw Error(ErrorKind::usage, "--require-revocation does not go with --revocation off",
                    "--revocation offline looks at what is at hand, online asks the servers");
    return Revocation::off;
}

namespace {

// "90s", "10m" or "1h".
std::optional<std::chrono::seconds> pin_cache_of(const Options& options) {
    const auto text = options.text("pin-cache");
    if (!text) return std::nullopt;
    unsigned count = 0;
    const char* end = text->data() + text->size();
    const auto [unit, failure] = std::from_chars(text->data(), end, count);
    const std::string_view name(unit, static_cast<std::size_t>(end - unit));
    std::chrono::seconds each{0};
    if (name == "s") each = std::chrono::seconds(1);
    if (name == "m") each = std::chrono::minutes(1);
    if (name == "h") each = std::chrono::hours(1);
    constexpr unsigned kMostCount = 86'400;
    constexpr auto kMost = std::chrono::hours(24);
    if (failure != std::errc() || each.count() == 0 || count == 0 || count > kMostCount || count * each > kMost)
        throw Error(ErrorKind::usage, fmt::format("--pin-cache does not take '{}'", *text),
                    "it takes a time of at most 24 hours, as 90s, 10m or 1h");
    return count * each;
}

std::optional<PinSource> source_of(const Options& options, std::string_view name) {
    const auto text = options.text(name);
    return text ? std::optional(PinSource::parse(*text)) : std::nullopt;
}

}  // namespace

PinSettings pin_settings_of(const Options& options) {
    PinSettings settings;
    settings.batch = options.flag("batch");
    settings.reuse = options.flag("pin-reuse");
    settings.cache = pin_cache_of(options);
    settings.source = source_of(options, "pin-source");
    settings.puk_source = source_of(options, "puk-source");
    settings.new_source = source_of(options, "new-pin-source");
    settings.pinentry_program = options.text("pinentry-program");
    const auto password_source = source_of(options, "password-source");
    using Sources = std::initializer_list<const std::optional<PinSource>*>;
    for (const auto* source : Sources{&settings.source, &settings.puk_source, &settings.new_source, &password_source})
        if (*source && (*source)->kind == PinSource::Kind::env) settings.secret_variables.push_back((*source)->where);
    if (settings.reuse && (settings.batch || (settings.source && settings.source->stored())))
        throw Error(ErrorKind::usage, "--pin-reuse is for a PIN that a person types",
                    "a stored one is sent for each mail anyway");
    if (password_source && password_source->kind == PinSource::Kind::pad)
        throw Error(ErrorKind::usage, "a PIN pad gives no password");
    for (const std::string name : {"key", "token"})
        for (const std::string& uri : options.list(name))
            settings.uris.push_back(token::Uri::parse(uri));
    return settings;
}

void check_settings(const Options& options) {
    if (options.takes(kForm)) (void)form_of(options);
    if (options.takes(kPemOrDer)) (void)wants_der(options);
    if (options.takes(kCertsForm)) (void)certificates_form_of(options);
    (void)digest_of(options);
    (void)cipher_of(options, "cipher");
    (void)cipher_of(options, "unknown-cipher");
    (void)protects_headers(options, false);
    (void)sender_check_of(options);
    (void)purpose_of(options);
    (void)policy_demands_of(options);
    (void)time_of(options);
    (void)lifetime_of(options);
    (void)profile_of(options);
    (void)wait_of(options);
    (void)revocation_of(options);
    (void)pin_settings_of(options);
}

}  // namespace p11mime::cli
