#include "cli/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/batch_plan.h"
#include "cli/paths.h"
#include "cli/temporary_file.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

// refuse_files_of_trust refuses an output in the place of certificates, CRLs or keys that the command reads.
void refuse_files_of_trust(const Options& options, const std::string& output) {
    for (const char* option : {"ca", "intermediates", "crl", "recipient-cert", "own-cert", "kek"})
        for (const std::string& file : options.list(option))
            if (!is_device(output) && same_file(output, file))
                throw Error(ErrorKind::usage, fmt::format("'{}' is to be written, and read for --{}", output, option));
}

}  // namespace

Context::Context(Run& run) : run_(run), voice_(run.terminal()) {}

Context::Context(Run& run, const Assignment& assignment, bool named)
    : run_(run), assignment_(assignment), voice_(run.terminal(), named ? assignment.input : "") {}

void Context::warn(const std::string& kind, const std::string& message) {
    voice_.warn(message);
    warnings_.push_back({kind, message});
}

void Context::warn_once(const std::string& kind, const std::string& message) {
    run_.warn_once(message);
    const bool reported = std::any_of(warnings_.begin(), warnings_.end(),
                                      [&](const auto& warning) { return warning.message == message; });
    if (!reported) warnings_.push_back({kind, message});
}

std::vector<cms::smime::Warning> Context::warnings() {
    auto all = run_.warnings();
    all.insert(all.end(), warnings_.begin(), warnings_.end());
    return all;
}

void Context::start_progress() {
    if (!voice_.named()) terminal().start_progress();
}

void Context::end_progress() {
    if (!voice_.named()) terminal().end_progress();
}

const cms::GivenSecrets& Context::secrets() {
    return *run_.once<cms::GivenSecrets>("secrets", [&] { return given_secrets(options(), pins()); });
}

const cms::Trust& Context::trust() {
    if (!trust_) {
        cms::Trust trust = run_.trust();
        trust.issuers = run_.issuers_for_one_mail();
        trust.revocation = run_.revocation_for_one_mail();
        trust_ = std::move(trust);
    }
    return *trust_;
}

std::string Context::input_name() const {
    if (assignment_) return assignment_->input;
    return options().files().empty() ? "-" : options().files().front();
}

FileInput& Context::input() {
    if (!input_) {
        Watcher watcher;
        if (!voice_.named()) watcher = [this](auto done, auto total) { terminal().progress(done, total); };
        input_ = FileInput::open_path(input_name(), std::move(watcher));
        add_input(*input_);
    }
    return *input_;
}

const Message& Context::message() {
    if (!message_) message_ = read_message(input());
    return *message_;
}

void Context::add_input(const FileInput& input) {
    if (const auto stamp = input.stamp()) inputs_.push_back(stamp->identity);
}

std::unique_ptr<Output> Context::output() {
    if (assignment_) {
        if (assignment_->output.empty()) return Output::to_nowhere();
        if (!replaces_input()) return output_to(assignment_->output);
        if (const auto stamp = input().stamp()) return Output::in_place_of(assignment_->output, *stamp);
        throw Error(ErrorKind::io, fmt::format("'{}' is not a regular file", assignment_->input));
    }
    const auto path = options().text("output");
    if (options().flag("no-output")) {
        if (path) throw Error(ErrorKind::usage, "-n and -o exclude each other");
        return Output::to_nowhere();
    }
    if (path && *path != "-") return output_to(*path);
    return Output::to_stdout(inputs_);
}

std::unique_ptr<Output> Context::output_to(const std::string& path) {
    refuse_files_of_trust(options(), path);
    if (assignment_) return Output::to_file(path, inputs_, Output::Others::refused);
    auto output = Output::to_file(path, inputs_);
    // What a killed run has left may be content that nothing vouches for. A batch has done so for all its mails.
    if (output->revocable()) remove_stale_files(parent_directory(path), {inputs_.begin(), inputs_.end()});
    return output;
}

std::string Context::copies_directory() const {
    const std::string directory = options().text("bcc-separately").value_or("");
    return assignment_ ? fmt::format("{}/{}", directory, assignment_->copies) : directory;
}

void Context::check_report() const {
    const auto report = options().text("json");
    if (!report) return;
    if (is_batch(options())) return check_batch_report(options());
    const auto data = options().text("output");
    const bool makes_data = options().takes(kOutput) && (!options().takes(kGenerate) || options().flag("csr"));
    const bool data_to_stdout = makes_data && !options().flag("no-output") && (!data || data == "-");
    if (*report == "-" && data_to_stdout)
        throw Error(ErrorKind::usage, "--json - and the data would both go to standard output",
                    "add -o FILE, or write the report to a file");
    check_outputs();
    if (*report != "-" && !options().files().empty() && same_file(*report, input_name()))
        throw Error(ErrorKind::usage, "--json names the input");
}

void Context::add_outputs(const std::vector<std::string>& paths) {
    more_outputs_.insert(more_outputs_.end(), paths.begin(), paths.end());
    check_outputs();
}

void Context::check_outputs() const {
    std::vector<std::string> paths = more_outputs_;
    for (const char* option : {"output", "json"})
        if (const auto path = options().text(option); path && *path != "-") paths.push_back(*path);
    if (assignment_ && !assignment_->output.empty()) paths.push_back(assignment_->output);
    std::set<std::string> taken;
    for (const std::string& path : paths) {
        if (!is_device(path) && !taken.insert(destination(path)).second)
            throw Error(ErrorKind::usage, fmt::format("two outputs would go to one file, '{}'", path));
        refuse_files_of_trust(options(), path);
    }
}

void Context::deliver(Outputs outputs, const std::string& report, const std::string& result) {
    if (assignment_) {
        kept_ = {std::move(outputs), report, result};
        return;
    }
    terminal().end_progress();
    // The report goes before the data, since what went to a pipe cannot be taken back; on standard output it cannot
    // either, and a report of the failure would come after it.
    std::vector<Output*> all;
    for (const auto& output : outputs)
        all.push_back(output.get());
    std::unique_ptr<Output> report_output;
    if (const auto path = options().text("json")) {
        report_output = *path == "-" ? Output::to_stdout() : output_to(*path);
        report_output->stage_bytes(to_bytes(bytes_of(report)));
        all.insert(*path == "-" ? all.end() : all.begin(), report_output.get());
    }
    cli::deliver(all);
    voice_.speak();
}

}  // namespace p11mime::cli
