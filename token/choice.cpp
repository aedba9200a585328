#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <set>

#include "mime/error.h"
#include "token/module.h"
#include "token/token.h"

namespace p11mime::token {

namespace {

struct Candidate {
    std::shared_ptr<Token> token;
    CertificateObject certificate;
};

std::string day(cms::Time time) {
    return cms::format_time(time).substr(0, 10);
}

std::string describe(const Candidate& candidate) {
    const std::string subject = candidate.certificate.certificate ? candidate.certificate.certificate->subject() : "";
    return fmt::format("{}, certificate '{}'", token_name(candidate.token->info()),
                       subject.empty() ? candidate.certificate.label : subject);
}

/// why_not says why a certificate does not fit, or is empty where it does.
std::string why_not(const CertificateObject& object, const KeyChoice& choice) {
    if (!object.certificate) return "it cannot be read";
    const cms::Certificate& certificate = *object.certificate;
    if (!choice.address.empty() && !certificate.has_email(choice.address))
        return fmt::format("no e-mail address {}", choice.address);
    if (choice.at < certificate.not_before()) return fmt::format("not valid before {}", day(certificate.not_before()));
    if (choice.at > certificate.not_after()) return fmt::format("expired on {}", day(certificate.not_after()));
    if (choice.use == KeyChoice::Use::signing && !certificate.allows_signing())
        return "key usage does not allow signing";
    if (choice.use == KeyChoice::Use::encryption && !certificate.allows_encryption())
        return "key usage does not allow encryption";
    if (!certificate.allows_email()) return "extended key usage does not allow e-mail";
    return {};
}

bool names_object(const Uri* uri) {
    return uri != nullptr && (uri->id || uri->object);
}

std::vector<CertificateObject> certificates_on(Token& token, const Uri* uri) {
    CertificateQuery query;
    if (uri != nullptr && uri->id) query.id = to_bytes(bytes_of(*uri->id));
    const bool key_label = uri != nullptr && uri->type == "private";
    if (uri != nullptr && uri->object && !(key_label && query.id)) query.label = uri->object;
    return token.find_certificates(query);
}

/// Choice is one run of choose_key.
class Choice {
  public:
    Choice(Tokens& tokens, const KeyChoice& wanted) : tokens_(tokens), wanted_(wanted) {}
    KeyChoiceResult run();

  private:
    void collect();
    void collect_of_keys();
    void judge();
    void pick();
    bool has_key(const Candidate& candidate);
    void pass_over(const Candidate& candidate, std::string_view why);
    void keep(const Error& error);

    Tokens& tokens_;
    const KeyChoice& wanted_;
    std::vector<Candidate> seen_;
    std::vector<Candidate> fitting_;  // the best first
    std::set<const Token*> troubled_;
    std::exception_ptr trouble_;
    KeyChoiceResult result_;
};

KeyChoiceResult Choice::run() {
    collect();
    judge();
    pick();
    if (!result_.key && trouble_) std::rethrow_exception(trouble_);
    return std::move(result_);
}

void Choice::collect() {
    for (const std::shared_ptr<Token>& token : tokens_.tokens()) {
        if (wanted_.uri != nullptr && !wanted_.uri->matches(token->info())) continue;
        try {
            for (CertificateObject& object : certificates_on(*token, wanted_.uri))
                seen_.push_back({token, std::move(object)});
        } catch (const Error& error) {
            keep(error);
        }
    }
    if (seen_.empty() && wanted_.uri != nullptr && wanted_.uri->object && wanted_.uri->type != "cert")
        collect_of_keys();
}

/// collect_of_keys finds the certificates that belong to the private keys with a label.
void Choice::collect_of_keys() {
    try {
        for (const KeyOnToken& found : tokens_.find_keys({.uri = wanted_.uri, .certificate = nullptr})) {
            if (found.key.id.empty()) continue;
            for (CertificateObject& object : found.token->find_certificates(
                     {.id = found.key.id, .label = {}, .subject_der = {}, .issuer_der = {}, .serial_der = {}}))
                seen_.push_back({found.token, std::move(object)});
        }
    } catch (const Error& error) {
        keep(error);
    }
}

/// judge sorts out what does not fit. A certificate that a URI names itself is taken as it is: whether it is to be
/// trusted is judged by whoever uses it.
void Choice::judge() {
    std::vector<Candidate> named;
    std::vector<std::pair<Candidate, std::string>> passed_over;
    for (const Candidate& candidate : seen_) {
        const std::string why = why_not(candidate.certificate, wanted_);
        if (why.empty())
            fitting_.push_back(candidate);
        else
            passed_over.emplace_back(candidate, why);
        if (candidate.certificate.certificate) named.push_back(candidate);
    }
    for (const auto& [candidate, why] : passed_over)
        pass_over(candidate, why);
    if (fitting_.empty() && names_object(wanted_.uri)) fitting_ = std::move(named);
    std::stable_sort(fitting_.begin(), fitting_.end(), [](const Candidate& a, const Candidate& b) {
        return a.certificate.certificate->not_before() > b.certificate.certificate->not_before();
    });
}

void Choice::pick() {
    for (std::size_t i = 0; i < fitting_.size(); ++i) {
        const Candidate& candidate = fitting_[i];
        if (wanted_.use == KeyChoice::Use::signing && !has_key(candidate)) continue;
        result_.key = ChosenKey{
            .token = candidate.token, .certificate = candidate.certificate, .alternatives = fitting_.size() - i - 1};
        return;
    }
}

bool Choice::has_key(const Candidate& candidate) {
    if (troubled_.contains(candidate.token.get())) return false;
    try {
        if (const auto why = tokens_.why_not_ask(*candidate.token, *candidate.certificate.certificate, wanted_.uri)) {
            if (why->kind() != ErrorKind::token && !trouble_) throw Error(*why);
            pass_over(candidate, why->what());
            return false;
        }
        if (candidate.token->has_private_key(candidate.certificate, wanted_.what)) return true;
        pass_over(candidate, "no private key with its id on the token");
    } catch (const Error& error) {
        keep(error);
        troubled_.insert(candidate.token.get());
    }
    return false;
}

void Choice::pass_over(const Candidate& candidate, std::string_view why) {
    result_.passed_over.push_back(fmt::format("{}: {}", describe(candidate), why));
}

/// keep holds a token's trouble back: another token may have the key.
void Choice::keep(const Error& error) {
    if (error.kind() != ErrorKind::token) throw;
    result_.passed_over.emplace_back(error.what());
    if (!trouble_) trouble_ = std::current_exception();
}

}  // namespace

KeyChoiceResult choose_key(Tokens& tokens, const KeyChoice& choice) {
    return Choice(tokens, choice).run();
}

}  // namespace p11mime::token
