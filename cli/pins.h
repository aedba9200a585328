#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "token/pin.h"
#include "token/uri.h"

namespace p11mime::cli {

/// PinSource is where a PIN or password comes from: "tty", "env:VAR", "file:PATH" or "fd:N".
struct PinSource {
    enum class Kind { tty, env, file, fd } kind = Kind::tty;
    std::string where;  ///< variable, path or number

    /// parse throws Error(usage), without repeating what might be a PIN.
    static PinSource parse(std::string_view text);
};

/// read_secret takes a PIN or a password (`what`, for messages) from a source other than the terminal: the variable
/// (which is then wiped and unset), or the first line of the file or descriptor without its line ending. Throws
/// Error(usage) where there is none, Error(io) where it cannot be read.
SecretBytes read_secret(const PinSource& source, std::string_view what);

/// PinSettings is what a command line says about PINs.
struct PinSettings {
    std::optional<PinSource> source;  ///< --pin-source
    std::vector<token::Uri> uris;     ///< --token and --key, with their pin-source and pin-value
    bool batch = false;               ///< never ask
};

/// Pins gets PINs from where the command line says. A PIN that was not typed for a token goes only to the tokens that
/// the URIs name, or, where none is named, to the first token that asks. A token whose login has failed gets no other
/// PIN: throws Error(token). Safe for several threads, which are served one after the other.
class Pins final : public token::PinProvider {
  public:
    Pins(Terminal& terminal, PinSettings settings) : terminal_(terminal), settings_(std::move(settings)) {}

    /// stored says whether PINs come from anything but a person.
    bool stored() const;

    std::optional<token::Pin> pin(const token::PinRequest& request) override;
    void use_reader(const token::PinRequest& request) override;
    void say(const std::string& line) override { terminal_.say(line); }

    /// secret gets something else than a token's PIN ("PUK", "new PIN", "password") from `source`, or the terminal
    /// where unset. `twice` has it typed twice. Throws Error(usage) where it is not to be had.
    SecretBytes secret(const std::optional<PinSource>& source, const std::string& what, bool twice);

  private:
    void expect_first(const token::PinRequest& request);
    bool has_given(const token::PinRequest& request) const;
    token::Pin given(const token::PinRequest& request);
    std::optional<token::Pin> ask(const token::PinRequest& request);
    bool may_have(const token::TokenInfo& token);

    std::mutex mutex_;
    Terminal& terminal_;
    PinSettings settings_;
    std::set<std::string> logged_in_;      // tokens that have asked for their login
    SecretBytes read_;                     // from the source: a descriptor gives its line once
    std::optional<std::string> bound_to_;  // the token that the source's PIN went to
};

}  // namespace p11mime::cli
