#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <typeinfo>
#include <vector>

#include "cli/address_book.h"
#include "cli/certificate_files.h"
#include "cli/options.h"
#include "cli/pins.h"
#include "cli/revocation_source.h"
#include "cli/terminal.h"
#include "cms/smime/report.h"
#include "cms/trust.h"
#include "token/token.h"
#include "token/turns.h"

namespace p11mime::cli {

/// Run is what one run of the program has for all mails: options, tokens, PINs, the address book, trust. Whatever costs
/// time is opened at first use. Safe for several threads.
class Run {
  public:
    Run(const Options& options, Terminal& terminal);

    const Options& options() const { return options_; }
    Terminal& terminal() { return terminal_; }
    cms::Time now() const { return clock_->now(); }
    const cms::Clock& clock() const { return *clock_; }

    /// warn tells a person, and the reports of all mails from then on.
    void warn(const std::string& kind, const std::string& message);
    /// hold_file_warnings keeps what is told of broken files from people until tell_file_warnings.
    void hold_file_warnings();
    void tell_file_warnings();
    /// warnings are all so far; those of modules that were loaded meanwhile are told first.
    std::vector<cms::smime::Warning> warnings();
    /// say_once says a line unless it was said before.
    void say_once(const std::string& line);
    /// warn_once does so with a warning that the caller reports.
    void warn_once(const std::string& line);

    Pins& pins();
    token::Tokens& tokens();
    /// turns are those of the user's processes with their tokens.
    std::shared_ptr<token::Turns> turns();
    /// lost_tokens are those of the tokens in use that are gone by now.
    std::vector<token::LostToken> lost_tokens();
    /// forget_tokens drops what was made of tokens (Lasts::token).
    void forget_tokens();
    std::shared_ptr<AddressBook> book() { return book_; }
    const cms::Trust& trust();  ///< without the sources of issuers and of revocation, of which each mail has its own
    std::shared_ptr<cms::IssuerSource> issuers_for_one_mail();         ///< null unless they are to be fetched
    std::shared_ptr<cms::RevocationSource> revocation_for_one_mail();  ///< null where it is not looked at
    /// more_certificates are where intermediates are looked up: --intermediates, then the address book.
    std::vector<std::shared_ptr<cms::CertificateSource>> more_certificates();

    /// Lasts says how long what was made once holds: for the run, or until its token is pulled.
    enum class Lasts { run, token };

    /// once has something that many mails need made for the first of them; an Error is thrown at each of them too.
    template <class Value>
    std::shared_ptr<const Value> once(const std::string& key, const std::function<Value()>& make,
                                      Lasts lasts = Lasts::run);

  private:
    token::OtherCertificates others();
    Warn warn_of_files();

    struct Made {
        std::shared_ptr<const void> value;
        std::exception_ptr failure;
        Lasts lasts;
    };

    const Options& options_;
    Terminal& terminal_;
    std::shared_ptr<const cms::Clock> clock_;
    std::shared_ptr<AddressBook> book_;

    std::recursive_mutex mutex_;  // of the rest
    std::vector<cms::smime::Warning> warnings_;
    std::optional<std::vector<std::string>> held_;  // warnings of files, where these are held
    std::size_t token_warnings_ = 0;                // how many of the modules' were taken over
    std::set<std::string> said_;
    std::unique_ptr<Pins> pins_;
    std::shared_ptr<token::Turns> turns_;
    std::unique_ptr<token::Tokens> tokens_;
    std::exception_ptr no_tokens_;  // why they could not be opened
    std::optional<cms::Trust> trust_;
    std::shared_ptr<FetchedIssuers> issuers_;
    std::shared_ptr<RevocationFiles> revocation_;
    std::vector<std::shared_ptr<cms::CertificateSource>> more_certificates_;

    std::recursive_mutex making_;
    std::map<std::string, Made> made_;
};

/// HeldFileWarnings holds them while it lives, so that what is said of a mail comes first.
class HeldFileWarnings {
  public:
    explicit HeldFileWarnings(Run& run) : run_(run) { run_.hold_file_warnings(); }
    ~HeldFileWarnings() { run_.tell_file_warnings(); }
    HeldFileWarnings(const HeldFileWarnings&) = delete;
    HeldFileWarnings& operator=(const HeldFileWarnings&) = delete;

  private:
    Run& run_;
};

template <class Value>
std::shared_ptr<const Value> Run::once(const std::string& key, const std::function<Value()>& make, Lasts lasts) {
    const std::lock_guard lock(making_);
    const auto [entry, fresh] = made_.try_emplace(std::string(typeid(Value).name()) + ' ' + key);
    Made& made = entry->second;
    if (fresh) {
        made.lasts = lasts;
        try {
            made.value = std::make_shared<const Value>(make());
        } catch (const Error&) {
            made.failure = std::current_exception();
        }
    }
    if (made.failure) std::rethrow_exception(made.failure);
    return std::static_pointer_cast<const Value>(made.value);
}

}  // namespace p11mime::cli
