#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/address_book.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pins.h"
#include "cli/terminal.h"
#include "cms/smime/report.h"
#include "cms/trust.h"
#include "token/token.h"

namespace p11mime::cli {

/// Context is what a command works with. Whatever costs time (modules, the address book, anchors, the input) is opened
/// at first use.
class Context {
  public:
    Context(const Options& options, Terminal& terminal);

    const Options& options() const { return options_; }
    Terminal& terminal() { return terminal_; }
    cms::Time now() const { return clock_->now(); }
    const cms::Clock& clock() const { return *clock_; }

    /// warn tells a person and the report.
    void warn(const std::string& kind, const std::string& message);
    /// warnings are all so far; those of modules that were loaded meanwhile are told first.
    const std::vector<cms::smime::Warning>& warnings();

    Pins& pins();
    token::Tokens& tokens();
    std::shared_ptr<AddressBook> book() { return book_; }
    const cms::Trust& trust();
    /// more_certificates are where intermediates are looked up: --intermediates, then the address book.
    std::vector<std::shared_ptr<cms::CertificateSource>> more_certificates();

    FileInput& input();
    std::string input_name() const;  ///< as the report has it
    const Message& message();        ///< of the input's header
    bool input_opened() const { return input_ != nullptr; }

    /// output is where the command's data goes: -o, --in-place, standard output, or nowhere.
    std::unique_ptr<Output> output();
    /// output_to is a file that must not be one of the inputs.
    std::unique_ptr<Output> output_to(const std::string& path);
    /// add_input names another file that no output may replace.
    void add_input(const FileInput& input);

    /// add_outputs names files that will be written besides -o and --json. Throws Error(usage) where two of all are
    /// one.
    void add_outputs(const std::vector<std::string>& paths);

    /// deliver commits outputs and the report (--json), all or none.
    void deliver(const std::vector<Output*>& outputs, const std::string& report);
    bool reports_to_stdout() const { return options_.text("json") == "-"; }
    /// check_report throws Error(usage) where --json would mix with data or replace it.
    void check_report() const;

  private:
    void check_outputs() const;

    const Options& options_;
    Terminal& terminal_;
    std::shared_ptr<const cms::Clock> clock_;
    std::vector<cms::smime::Warning> warnings_;
    std::size_t token_warnings_ = 0;  // how many of the modules' were taken over
    std::unique_ptr<Pins> pins_;
    std::unique_ptr<token::Tokens> tokens_;
    std::shared_ptr<AddressBook> book_;
    std::optional<cms::Trust> trust_;
    std::unique_ptr<FileInput> input_;
    std::optional<Message> message_;
    std::vector<FileIdentity> inputs_;
    std::vector<std::string> more_outputs_;
};

}  // namespace p11mime::cli
