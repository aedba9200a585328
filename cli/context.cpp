#include "cli/context.h"

#include <fmt/format.h>

#include <set>

#include "cli/paths.h"
#include "cli/settings.h"
#include "cli/trust_options.h"
#include "mime/error.h"

namespace p11mime::cli {

Context::Context(const Options& options, Terminal& terminal)
    : options_(options),
      terminal_(terminal),
      clock_(std::make_shared<cms::SystemClock>()),
      book_(std::make_shared<AddressBook>(AddressBook::default_path())) {}

void Context::warn(const std::string& kind, const std::string& message) {
    terminal_.warn(message);
    warnings_.push_back({kind, message});
}

const std::vector<cms::smime::Warning>& Context::warnings() {
    if (tokens_) {
        const auto all = tokens_->warnings();
        for (; token_warnings_ < all.size(); ++token_warnings_)
            warn("module", all[token_warnings_]);
    }
    return warnings_;
}

Pins& Context::pins() {
    if (!pins_) {
        PinSettings settings = pin_settings_of(options_);
        for (const token::Uri& uri : settings.uris)
            if (uri.pin_value) warn("pin-value", "a PIN in a URI can be seen by other users of this machine");
        pins_ = std::make_unique<Pins>(terminal_, std::move(settings));
    }
    return *pins_;
}

token::Tokens& Context::tokens() {
    if (!tokens_) {
        token::TokensOptions narrowed{.modules = options_.list("module"), .token = std::nullopt};
        if (const auto uri = options_.text("token")) narrowed.token = token::Uri::parse(*uri);
        tokens_ = token::Tokens::open(std::move(narrowed), pins());
    }
    return *tokens_;
}

const cms::Trust& Context::trust() {
    if (!trust_) trust_ = trust_of(options_, book_, clock_);
    return *trust_;
}

std::vector<std::shared_ptr<cms::CertificateSource>> Context::more_certificates() {
    return intermediates_of(options_, book_);
}

std::string Context::input_name() const {
    return options_.files().empty() ? "-" : options_.files().front();
}

FileInput& Context::input() {
    if (!input_) {
        input_ = FileInput::open_path(input_name(), [this](auto done, auto total) { terminal_.progress(done, total); });
        add_input(*input_);
    }
    return *input_;
}

const Message& Context::message() {
    if (!message_) message_ = read_message(input());
    return *message_;
}

void Context::add_input(const FileInput& input) {
    if (const auto identity = input.identity()) inputs_.push_back(*identity);
}

std::unique_ptr<Output> Context::output() {
    const auto path = options_.text("output");
    if (options_.flag("in-place")) {
        if (path || options_.flag("no-output") || input_name() == "-")
            throw Error(ErrorKind::usage, "--in-place takes a file and neither -o nor -n");
        return Output::to_file(input_name());
    }
    if (options_.flag("no-output")) {
        if (path) throw Error(ErrorKind::usage, "-n and -o exclude each other");
        return Output::to_nowhere();
    }
    if (path && *path != "-") return output_to(*path);
    return Output::to_stdout(inputs_);
}

std::unique_ptr<Output> Context::output_to(const std::string& path) {
    return Output::to_file(path, inputs_);
}

void Context::check_report() const {
    const auto report = options_.text("json");
    if (!report) return;
    const auto data = options_.text("output");
    const bool data_to_stdout =
        options_.takes(kOutput) && !options_.flag("no-output") && !options_.flag("in-place") && (!data || data == "-");
    if (*report == "-" && data_to_stdout)
        throw Error(ErrorKind::usage, "--json - and the data would both go to standard output",
                    "add -o FILE, or write the report to a file");
    check_outputs();
    if (*report != "-" && !options_.files().empty() && same_file(*report, input_name()))
        throw Error(ErrorKind::usage, "--json names the input");
}

void Context::add_outputs(const std::vector<std::string>& paths) {
    more_outputs_.insert(more_outputs_.end(), paths.begin(), paths.end());
    check_outputs();
}

void Context::check_outputs() const {
    std::vector<std::string> paths = more_outputs_;
    for (const char* option : {"output", "json"})
        if (const auto path = options_.text(option); path && *path != "-") paths.push_back(*path);
    if (options_.flag("in-place")) paths.push_back(input_name());
    std::set<std::string> taken;
    for (const std::string& path : paths)
        if (!is_device(path) && !taken.insert(destination(path)).second)
            throw Error(ErrorKind::usage, fmt::format("two outputs would go to one file, '{}'", path));
}

void Context::deliver(const std::vector<Output*>& outputs, const std::string& report) {
    terminal_.end_progress();
    // The report goes before the data: what went to a pipe cannot be taken back.
    std::vector<Output*> all;
    std::unique_ptr<Output> report_output;
    if (const auto path = options_.text("json")) {
        report_output = *path == "-" ? Output::to_stdout() : output_to(*path);
        report_output->stage_bytes(to_bytes(bytes_of(report)));
        all.push_back(report_output.get());
    }
    all.insert(all.end(), outputs.begin(), outputs.end());
    cli::deliver(all);
}

}  // namespace p11mime::cli
