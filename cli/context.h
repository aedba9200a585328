#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/delivery.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/secrets.h"
#include "cli/voice.h"

namespace p11mime::cli {

/// Assignment is one mail of a batch: where it comes from and where it goes.
struct Assignment {
    std::string input;     ///< as given
    std::string resolved;  ///< the input, links followed
    std::string output;    ///< the input itself for --in-place, "" for no output
    std::string copies;    ///< below --bcc-separately, so that one mail's copies don't replace another's
};

/// Context is what a command works with: the run, and the one mail that it is called for.
class Context {
  public:
    /// For a command that is called once: the input and output that the options name, delivered at once.
    explicit Context(Run& run);
    /// For one mail of a batch: what is to be delivered is kept, and with `named` messages too, with the input's name.
    Context(Run& run, const Assignment& assignment, bool named);

    Run& run() { return run_; }
    const Options& options() const { return run_.options(); }
    Terminal& terminal() { return run_.terminal(); }
    Voice& voice() { return voice_; }
    cms::Time now() const { return run_.now(); }
    const cms::Clock& clock() const { return run_.clock(); }
    bool in_batch() const { return assignment_.has_value(); }

    /// say_once says what holds for many mails the first time.
    void say_once(const std::string& line) { run_.say_once(line); }
    /// warn tells a person and the report.
    void warn(const std::string& kind, const std::string& message);
    /// warn_once tells a person the first time in the run, and the report of each mail once.
    void warn_once(const std::string& kind, const std::string& message);
    /// warnings are those of the run and of the mail so far.
    std::vector<cms::smime::Warning> warnings();

    Pins& pins() { return run_.pins(); }
    token::Tokens& tokens() { return run_.tokens(); }
    const cms::GivenSecrets& secrets();  ///< of --kek and --password-source
    std::shared_ptr<AddressBook> book() { return run_.book(); }
    const cms::Trust& trust();  ///< the run's, with the mail's own sources of issuers and of revocation
    std::vector<std::shared_ptr<cms::CertificateSource>> more_certificates() { return run_.more_certificates(); }

    /// start_progress and end_progress are for the bar of a mail that is worked on alone.
    void start_progress();
    void end_progress();

    FileInput& input();
    std::string input_name() const;  ///< as the report has it
    const Message& message();        ///< of the input's header
    bool input_opened() const { return input_ != nullptr; }
    void close_input() { input_.reset(); }  ///< where nothing will be read again

    /// output is where the command's data goes: -d, -o, --in-place, standard output, or nowhere.
    std::unique_ptr<Output> output();
    /// output_to is a file that must not be one of the inputs.
    std::unique_ptr<Output> output_to(const std::string& path);
    /// copies_directory is where copies for Bcc go.
    std::string copies_directory() const;
    /// add_input names another file that no output may replace.
    void add_input(const FileInput& input);

    /// add_outputs names files that will be written besides -o and --json. Throws Error(usage) where two of all are
    /// one.
    void add_outputs(const std::vector<std::string>& paths);

    /// deliver commits outputs and the report (--json), all or none, and then says what the voice holds; in a batch it
    /// keeps them.
    void deliver(Outputs outputs, const std::string& report, const std::string& result = "done");
    /// Kept is what a batch is to deliver.
    struct Kept {
        Outputs outputs;
        std::string report;
        std::string result;
    };
    Kept& kept() { return kept_; }

    /// reports says whether a report is asked for; else an empty one will do.
    bool reports() const { return options().text("json").has_value(); }
    bool reports_to_stdout() const { return options().text("json") == "-"; }
    /// check_report throws Error(usage) where --json would mix with data or replace it.
    void check_report() const;

  private:
    void check_outputs() const;
    bool replaces_input() const { return options().flag("in-place"); }

    Run& run_;
    std::optional<Assignment> assignment_;
    Voice voice_;
    std::optional<cms::Trust> trust_;
    std::vector<cms::smime::Warning> warnings_;
    std::unique_ptr<FileInput> input_;
    std::optional<Message> message_;
    std::vector<FileIdentity> inputs_;
    std::vector<std::string> more_outputs_;
    Kept kept_;
};

}  // namespace p11mime::cli
