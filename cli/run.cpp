#include "cli/run.h"

#include "cli/certificate_files.h"
#include "cli/paths.h"
#include "cli/settings.h"
#include "cli/trust_options.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {
constexpr const char* kWaitedInVain =
    "another p11mime of yours is busy with a token for long, this one went on beside it";
constexpr const char* kNoTurns =
    "no lock file can be made in the state directory ($XDG_STATE_HOME, else ~/.local/state), so nothing keeps two "
    "p11mime of yours from sending a wrong stored PIN at a time";
}  // namespace

Run::Run(const Options& options, Terminal& terminal)
    : options_(options),
      terminal_(terminal),
      clock_(std::make_shared<cms::SystemClock>()),
      book_(std::make_shared<AddressBook>(AddressBook::default_path())) {}

void Run::warn(const std::string& kind, const std::string& message) {
    const std::lock_guard lock(mutex_);
    terminal_.warn(message);
    warnings_.push_back({kind, message});
}

Warn Run::warn_of_files() {
    return [this](const std::string& line) {
        constexpr const char* kKind = "broken-file";
        const std::lock_guard lock(mutex_);
        if (!held_) return warn(kKind, line);
        held_->push_back(line);
        warnings_.push_back({kKind, line});
    };
}

void Run::hold_file_warnings() {
    const std::lock_guard lock(mutex_);
    held_.emplace();
}

void Run::tell_file_warnings() {
    const std::lock_guard lock(mutex_);
    for (const std::string& line : *held_)
        terminal_.warn(line);
    held_.reset();
}

std::vector<cms::smime::Warning> Run::warnings() {
    const std::lock_guard lock(mutex_);
    if (turns_ && turns_->waited_in_vain() && said_.insert(kWaitedInVain).second) warn("module", kWaitedInVain);
    if (tokens_) {
        const auto all = tokens_->warnings();
        for (; token_warnings_ < all.size(); ++token_warnings_)
            warn("module", all[token_warnings_]);
    }
    return warnings_;
}

void Run::say_once(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (said_.insert(line).second) terminal_.say(line);
}

void Run::warn_once(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (said_.insert(line).second) terminal_.warn(line);
}

Pins& Run::pins() {
    const std::lock_guard lock(mutex_);
    if (!pins_) {
        PinSettings settings = pin_settings_of(options_);
        for (const token::Uri& uri : settings.uris)
            if (uri.pin_value) warn("pin-value", "a PIN in a URI can be seen by other users of this machine");
        pins_ = std::make_unique<Pins>(terminal_, std::move(settings));
    }
    return *pins_;
}

// The certificates of one's own keys that are on no token.
token::OtherCertificates Run::others() {
    token::OtherCertificates others{.own = nullptr, .known = nullptr, .typed = !pins().stored()};
    if (!options_.takes(kOwnCerts)) return others;
    others.known = book_;
    if (auto files = options_.list("own-cert"); !files.empty())
        others.own = std::make_shared<CertificateFiles>(std::move(files), warn_of_files());
    return others;
}

std::shared_ptr<token::Turns> Run::turns() {
    const std::lock_guard lock(mutex_);
    if (turns_) return turns_;
    const std::string file = turns_file();
    if (file.empty()) warn("module", kNoTurns);
    turns_ = std::make_shared<token::Turns>(file);
    return turns_;
}

token::Tokens& Run::tokens() {
    const std::lock_guard lock(mutex_);
    if (no_tokens_) std::rethrow_exception(no_tokens_);
    if (tokens_) return *tokens_;
    token::TokensOptions narrowed{
        .modules = options_.list("module"), .token = std::nullopt, .others = others(), .turns = turns()};
    if (const auto uri = options_.text("token")) narrowed.token = token::Uri::parse(*uri);
    try {
        tokens_ = token::Tokens::open(std::move(narrowed), pins());
    } catch (const Error&) {
        no_tokens_ = std::current_exception();
        throw;
    }
    return *tokens_;
}

std::vector<token::LostToken> Run::lost_tokens() {
    {
        const std::lock_guard lock(mutex_);
        if (!tokens_) return {};
    }
    return tokens_->lost();
}

void Run::forget_tokens() {
    const std::lock_guard lock(making_);
    std::erase_if(made_, [](const auto& entry) { return entry.second.lasts == Lasts::token; });
}

const cms::Trust& Run::trust() {
    const std::lock_guard lock(mutex_);
    if (!trust_) trust_ = trust_of(options_, book_, clock_, warn_of_files());
    return *trust_;
}

std::shared_ptr<cms::IssuerSource> Run::issuers_for_one_mail() {
    if (!options_.flag("fetch-issuers")) return nullptr;
    const std::lock_guard lock(mutex_);
    if (!issuers_)
        issuers_ = std::make_shared<FetchedIssuers>(std::make_shared<Fetcher>(options_.list("private-hosts")));
    return std::make_shared<IssuerFetcher>(issuers_);
}

std::shared_ptr<cms::RevocationSource> Run::revocation_for_one_mail() {
    const std::lock_guard lock(mutex_);
    if (!revocation_) revocation_ = revocation_files_of(options_, clock_, warn_of_files());
    return revocation_ ? std::make_shared<RevocationOfMail>(revocation_) : nullptr;
}

std::vector<std::shared_ptr<cms::CertificateSource>> Run::more_certificates() {
    const std::lock_guard lock(mutex_);
    if (more_certificates_.empty()) more_certificates_ = intermediates_of(options_, book_, warn_of_files());
    return more_certificates_;
}

}  // namespace p11mime::cli
