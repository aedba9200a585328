#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/secret.h"

namespace p11mime::cli {

/// Question is what a person is asked a secret with. All of it may hold text that others wrote.
struct Question {
    std::string prompt;                ///< "PIN"
    std::vector<std::string> details;  ///< whose PIN, for which key and what, and how the tries stand; a line each
    std::string refused;               ///< why the one typed before did not do; "" where none was
};

/// Pinentry asks for secrets through GnuPG's pinentry, a program of its own that is talked to over the Assuan protocol.
/// What is typed is kept in wiped memory on its way, and no password manager is asked or told.
class Pinentry {
  public:
    /// find is the program's file: `configured` where that is set, else pinentry in PATH; nothing where there is none.
    static std::optional<std::string> find(const std::optional<std::string>& configured);

    /// `hidden` names variables of the environment that the program is not to inherit, since they hold secrets.
    explicit Pinentry(std::string program, std::vector<std::string> hidden = {})
        : program_(std::move(program)), hidden_(std::move(hidden)) {}

    /// ask returns what was typed. Throws Error(token) where the person cancelled or typed nothing, or the program does
    /// not work; Error(io) once a signal has come.
    SecretBytes ask(const Question& question) const;

  private:
    std::string program_;
    std::vector<std::string> hidden_;
};

}  // namespace p11mime::cli
