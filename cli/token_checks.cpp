#include "cli/token_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/certificate_files.h"
#include "cli/expiry.h"
#include "cli/pin_record.h"
#include "cms/sign_scheme.h"
#include "mime/error.h"
#include "token/lock_advice.h"

namespace p11mime::cli {

namespace {

using Standing = Check::Standing;
using Way = token::Method::Way;

constexpr std::string_view kTestMessage = "p11mime doctor makes a test signature.";

std::string token_name(const token::Token& token) {
    return fmt::format("token '{}'", token.info().label);
}

std::string day(cms::Time time) {
    return cms::format_time(time).substr(0, 10);
}

Check check_state(const token::Token& token) {
    const token::TokenInfo& info = token.info();
    const auto state = [&](Standing standing, std::string_view words, std::string fix) {
        return Check{"token", standing, fmt::format("'{}' (serial {}): {}", info.label, info.serial, words),
                     std::move(fix)};
    };
    if (!info.login_required && info.pin_state != token::PinState::locked)
        return state(Standing::good, "it wants no PIN", "");
    if (const auto refused = refused_at(info))
        return state(
            Standing::remark,
            fmt::format("it has refused a stored PIN ({}), which is not sent again", cms::format_time(*refused)),
            "give the right one; should that be the right one by now: p11mime tokens --forget");
    switch (info.pin_state) {
        case token::PinState::ok:
            return token::shows_tries(info) ? state(Standing::good, "it reports no trouble with its PIN", "")
                                            : state(Standing::good, "a TPM does not tell how its PIN stands", "");
        case token::PinState::few_tries:
            return state(Standing::remark, "a wrong PIN was entered, few tries are left",
                         "the right PIN, entered once, gives all tries back");
        case token::PinState::last_try:
            return state(Standing::remark, "one try is left before the PIN is locked",
                         "look the PIN up before it is entered again");
        case token::PinState::locked:
            return state(Standing::failed, "its PIN is locked", token::unlock_hint(info));
        case token::PinState::not_set:
            return state(Standing::failed, "it has no PIN yet", "set one with the PUK: p11mime key unblock");
        case token::PinState::to_be_changed:
            return state(Standing::remark, "its PIN must be changed", "p11mime key change-pin");
    }
    return state(Standing::good, "", "");
}

// Defect is why a certificate is of no use for new mail.
struct Defect {
    std::string message, fix;
};

std::optional<Defect> defect_of(const cms::Certificate& certificate, cms::Time now) {
    if (now < certificate.not_before())
        return Defect{fmt::format("is not valid before {}", day(certificate.not_before())),
                      "check the clock of this machine, or wait"};
    if (now > certificate.not_after())
        return Defect{fmt::format("ended on {}{}", day(certificate.not_after()),
                                  certificate.allows_encryption() ? "; it still decrypts old mail" : ""),
                      "have a new one issued: p11mime key csr"};
    if (!certificate.allows_signing() && !certificate.allows_encryption())
        return Defect{"has a key usage that allows neither signing nor encryption", "have one for e-mail issued"};
    if (!certificate.allows_email())
        return Defect{"is not for e-mail (extended key usage)", "have one for e-mail issued"};
    if (certificate.emails().empty())
        return Defect{"has no e-mail address: the sender check of receivers will fail",
                      "have one with the address issued: p11mime key csr --email ADDRESS"};
    return std::nullopt;
}

std::string uses(const cms::Certificate& certificate) {
    std::vector<std::string_view> words;
    if (certificate.allows_signing()) words.emplace_back("sign");
    if (certificate.allows_encryption()) words.emplace_back("encrypt");
    return fmt::format("{}", fmt::join(words, ", "));
}

// Own is the certificates on a token that are its holder's.
struct Own {
    std::vector<cms::Certificate> certificates, issuers;
    std::size_t unreadable = 0;
};

Own own_certificates(token::Token& token) {
    Own own;
    for (const token::CertificateObject& object : token.certificates()) {
        if (!object.certificate)
            ++own.unreadable;
        else if (object.certificate->is_ca())
            own.issuers.push_back(*object.certificate);
        else
            own.certificates.push_back(*object.certificate);
    }
    return own;
}

Check check_dates_and_use(const cms::Certificate& certificate, cms::Time now, bool others) {
    const std::string subject = certificate.subject();
    if (const auto defect = defect_of(certificate, now))
        return {"certificate", others ? Standing::remark : Standing::failed,
                fmt::format("{} {}", subject, defect->message), defect->fix, ErrorKind::untrusted};
    const std::string line = fmt::format("{} <{}> ({}), until {}", subject, fmt::join(certificate.emails(), ", "),
                                         uses(certificate), day(certificate.not_after()));
    if (ends_soon(certificate, now))
        return {"certificate", Standing::remark, fmt::format("{}: it ends soon", line),
                "have a new one issued: p11mime key csr"};
    return {"certificate", Standing::good, line, ""};
}

// An issuer that is not known may be a root or an intermediate, which only a person can tell.
std::string chain_fix(const cms::PathVerdict& verdict) {
    constexpr const char* kRoot = "name the root with --ca FILE, or once for all: p11mime certs trust FILE";
    if (verdict.chain.empty()) return kRoot;
    const cms::Certificate& top = verdict.chain.back();
    if (top.issuer_der() == top.subject_der()) return kRoot;
    return fmt::format(
        "if {} is an intermediate CA, give its certificate with --intermediates FILE, or once for all: "
        "p11mime certs import FILE; if it is a root: --ca FILE, or p11mime certs trust FILE",
        top.issuer());
}

// What the default anchors do not know, the machine's TLS store may.
Check check_chain(Context& context, const cms::Certificate& certificate, const Own& own) {
    const auto use = certificate.allows_signing() ? cms::Use::signing : cms::Use::encryption;
    const std::string subject = certificate.subject();
    cms::Trust trust = context.trust();
    const cms::PathVerdict verdict = cms::validate(certificate, own.issuers, trust, use);
    if (verdict.trusted)
        return {"certificate", Standing::good,
                fmt::format("{}: its chain ends at {}", subject, verdict.chain.back().subject()), ""};
    trust.anchors = {std::make_shared<SystemAnchors>()};
    if (cms::validate(certificate, own.issuers, trust, use).trusted)
        return {"certificate", Standing::remark,
                fmt::format("{}: its root is one of the machine's TLS store, not of those for e-mail", subject),
                "correspondents need it as an anchor: --ca FILE, or --system-ca"};
    return {"certificate", Standing::failed, fmt::format("{}: {}", subject, verdict.reason), chain_fix(verdict),
            ErrorKind::untrusted};
}

Check check_method(const cms::Certificate& certificate, const token::Method& method) {
    const std::string line =
        fmt::format("{} with the {} key of {}", method.name, certificate.key_type(),
                    certificate.common_name().empty() ? certificate.subject() : certificate.common_name());
    switch (method.way) {
        case Way::native:
            return {"mechanism", Standing::good, fmt::format("{}: native", line), ""};
        case Way::raw:
            return {"mechanism", Standing::good, fmt::format("{}: raw RSA, the padding is done here", line), ""};
        case Way::untried:
            return {"mechanism", Standing::unchecked, fmt::format("{}: shows after a login only", line), "--sign"};
        case Way::none:
            return {"mechanism", Standing::remark, fmt::format("{}: the token does not offer it", line),
                    "use another token where correspondents want it"};
    }
    return {"mechanism", Standing::good, line, ""};
}

bool signs_mail(const cms::Certificate& certificate, cms::Time now) {
    return certificate.allows_signing() && certificate.allows_email() && certificate.valid_at(now);
}

bool takes_mail(const cms::Certificate& certificate, cms::Time now) {
    return certificate.allows_encryption() && certificate.allows_email() && certificate.valid_at(now);
}

bool has_method(const std::vector<token::Method>& methods, bool signs) {
    return std::any_of(methods.begin(), methods.end(),
                       [&](const token::Method& method) { return method.signs == signs && method.way != Way::none; });
}

Check sign_once(token::Token& token, const token::CertificateObject& object) {
    const cms::Certificate& certificate = *object.certificate;
    const auto scheme = cms::default_scheme(certificate.spki_der());
    const std::string line = fmt::format("{} by the key of {}", cms::scheme_text(scheme), certificate.subject());
    try {
        (void)token.signer(object)->sign(scheme, bytes_of(kTestMessage), {"make a test signature"}, {});
    } catch (const token::WrongSignature& error) {
        return {"signature", Standing::failed, fmt::format("{} does not verify", line),
                fmt::format("{}: import its own with p11mime key import-cert", error.hint())};
    }
    return {"signature", Standing::good, fmt::format("{} verifies", line), ""};
}

}  // namespace

Checks check_certificates(Context& context, token::Token& token) {
    Checks checks = {check_state(token)};
    const Own own = own_certificates(token);
    if (own.unreadable > 0)
        checks.push_back({"certificate", Standing::remark,
                          fmt::format("{} of {} cannot be read", own.unreadable, token_name(token)), ""});
    if (own.certificates.empty())
        checks.push_back({"certificate", Standing::failed, fmt::format("{} has none", token_name(token)),
                          "have one issued for its key: p11mime key csr, then p11mime key import-cert"});
    const cms::Time now = context.now();
    const bool some_good = std::any_of(own.certificates.begin(), own.certificates.end(),
                                       [&](const auto& each) { return !defect_of(each, now); });
    for (const cms::Certificate& certificate : own.certificates) {
        checks.push_back(check_dates_and_use(certificate, now, some_good));
        if (!defect_of(certificate, now)) checks.push_back(check_chain(context, certificate, own));
    }
    return checks;
}

Checks check_mechanisms(token::Token& token) {
    Checks checks;
    for (const cms::Certificate& certificate : own_certificates(token).certificates)
        for (const token::Method& method : token.methods(certificate.spki_der()))
            if (method.signs ? certificate.allows_signing() : certificate.allows_encryption())
                checks.push_back(check_method(certificate, method));
    return checks;
}

void add_uses(Context& context, token::Token& token, bool logged_in, Uses& uses) {
    for (const token::CertificateObject& object : token.certificates()) {
        if (!object.certificate || object.certificate->is_ca()) continue;
        const cms::Certificate& certificate = *object.certificate;
        uses.certificates = true;
        if (logged_in && !token.has_private_key(object, "make a test signature")) continue;
        const auto methods = token.methods(certificate.spki_der());
        const bool signs = signs_mail(certificate, context.now());
        const bool decrypts = takes_mail(certificate, context.now());
        uses.may_sign |= signs;
        uses.may_decrypt |= decrypts;
        uses.sign |= signs && has_method(methods, true);
        uses.decrypt |= decrypts && has_method(methods, false);
    }
}

Checks check_uses(const Uses& uses, bool wants_signature) {
    constexpr const char* kIssue = "have one issued: p11mime key csr, then p11mime key import-cert";
    constexpr const char* kOtherToken = "use another token, or another module for this one: --module FILE";
    Checks checks;
    if (!uses.certificates) return checks;  // said of each token
    if (!uses.may_sign)
        checks.push_back({"certificate", Standing::failed, "none with its private key can sign mail now", kIssue,
                          ErrorKind::untrusted});
    else if (!uses.sign)
        checks.push_back(
            {"mechanism", Standing::failed, "none signs with the keys of the certificates for signing", kOtherToken});
    if (!uses.may_decrypt)
        checks.push_back(
            {"certificate", Standing::remark, "none with its private key can have mail encrypted to it now", kIssue});
    else if (!uses.decrypt)
        checks.push_back({"mechanism", Standing::failed,
                          "none decrypts with the keys of the certificates for encryption", kOtherToken});
    if (wants_signature && !uses.may_sign)
        checks.push_back({"signature", Standing::failed, "there is no certificate to make a test signature with",
                          kIssue, ErrorKind::untrusted});
    return checks;
}

Checks check_signature(Context& context, token::Token& token) {
    Checks checks;
    for (const token::CertificateObject& object : token.certificates()) {
        if (!object.certificate || object.certificate->is_ca() || !signs_mail(*object.certificate, context.now()))
            continue;
        try {
            checks.push_back(sign_once(token, object));
        } catch (const Error& error) {
            checks.push_back({"signature", Standing::failed, error.what(), error.hint(), error.kind()});
            if (error.kind() == ErrorKind::token) break;  // the next key would ask for the same PIN
        }
    }
    return checks;
}

Checks check_no_signature(token::Token& token) {
    return {{"signature", Standing::unchecked, fmt::format("no login to {} was asked for", token_name(token)),
             "p11mime doctor --sign makes a test signature"}};
}

}  // namespace p11mime::cli
