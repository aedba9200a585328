#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/pin_source.h"
#include "cli/pinentry.h"
#include "cli/terminal.h"
#include "token/pin.h"
#include "token/uri.h"

namespace p11mime::cli {

/// PinSettings is what a command line says about PINs.
struct PinSettings {
    std::optional<PinSource> source;              ///< --pin-source
    std::optional<PinSource> puk_source;          ///< --puk-source
    std::optional<PinSource> new_source;          ///< --new-pin-source
    std::vector<token::Uri> uris;                 ///< --token and --key, with their pin-source and pin-value
    bool batch = false;                           ///< never ask
    bool reuse = false;                           ///< --pin-reuse
    std::optional<std::chrono::seconds> cache;    ///< --pin-cache
    std::optional<std::string> pinentry_program;  ///< of the config
    std::vector<std::string> secret_variables;    ///< that children are not to inherit
};

/// Pins gets PINs from where the command line says: without a source from the reader's PIN pad, else from pinentry
/// where there is a display or GPG_TTY, else from the terminal. A PIN that was not typed for a token goes to one token
/// alone for each URI that names one, or, where none is named, to one: the first that asks. A token whose login has
/// failed gets no other PIN: throws Error(token). Safe for several threads, which are served one after the other.
class Pins final : public token::PinProvider {
  public:
    Pins(Terminal& terminal, PinSettings settings) : terminal_(terminal), settings_(std::move(settings)) {}

    /// stored says whether PINs come from anything but a person.
    bool stored() const;

    std::optional<token::Pin> pin(const token::PinRequest& request) override;
    bool answers_at_once(const token::PinRequest& request) override;
    bool use_reader(const token::PinRequest& request) override;
    void say(const std::string& line) override { terminal_.say(line); }
    void ended(const token::PinRequest& request, const token::Pin* pin, token::LoginOutcome outcome) override;

    /// secret gets something else than a token's PIN ("password") from `source`, or a person where unset. `twice` has
    /// it typed twice. Throws Error(usage) where it is not to be had.
    SecretBytes secret(const std::optional<PinSource>& source, const std::string& what, bool twice);

  private:
    const std::optional<PinSource>& source_of(token::PinKind kind) const;
    void expect_first(const token::PinRequest& request);
    bool has_given(const token::PinRequest& request) const;
    std::optional<token::Pin> given(const token::PinRequest& request);
    std::vector<const token::Uri*> bound_to(const token::TokenInfo& token);
    std::optional<token::Pin> remembered(const token::PinRequest& request) const;
    std::optional<token::Pin> ask(const token::PinRequest& request);
    std::optional<SecretBytes> type(const Question& question, const std::optional<PinSource>& source, bool twice);
    std::optional<SecretBytes> type_once(const Question& question, const std::optional<PinSource>& source);
    bool prefers_pinentry() const;
    void cache(const token::PinRequest& request, const token::Pin& pin);

    std::mutex mutex_;
    Terminal& terminal_;
    PinSettings settings_;
    std::set<std::string> asked_;               // tokens, in any module, whose login has not ended well
    std::map<std::string, SecretBytes> typed_;  // for --pin-reuse, by token
    SecretBytes read_;                          // from the source: a descriptor gives its line once
    // The token that a URI's PIN, or, without a URI that names one, the source's went to.
    std::map<const token::Uri*, std::string> bound_;
    bool told_of_reuse_ = false;
    bool told_of_no_cache_ = false;
};

}  // namespace p11mime::cli
