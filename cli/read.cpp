#include <fmt/format.h>

#include <algorithm>

#include "cli/card_wait.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/html_page.h"
#include "cli/key_choice.h"
#include "cli/paths.h"
#include "cli/remember.h"
#include "cli/settings.h"
#include "cli/tapped_job.h"
#include "cli/verdict.h"
#include "cms/smime/read.h"
#include "cms/trust.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

using cms::smime::Report;
using cms::smime::Task;

// OwnKeys is what was found on the tokens for one list of recipients.
struct OwnKeys {
    std::vector<std::unique_ptr<cms::Decrypter>> keys;
    std::vector<std::string> skipped;
};

std::string list_name(std::span<const cms::RecipientIdentifier> recipients) {
    std::string name;
    for (const auto& recipient : recipients)
        for (const Bytes* part : {&recipient.issuer_der, &recipient.serial_der, &recipient.key_identifier})
            name += fmt::format("{} {} ", part->size(), text_of(*part));
    return name;
}

// Modules are loaded for the first encrypted layer only.
class LazyKeys final : public cms::DecrypterSource {
  public:
    explicit LazyKeys(Context& context) : context_(context) {}

    std::vector<std::unique_ptr<cms::Decrypter>> find(std::span<const cms::RecipientIdentifier> recipients,
                                                      const cms::Intent& intent) override {
        found_ = context_.run().once<OwnKeys>(
            list_name(recipients),
            [&] {
                if (!has_secrets()) (void)tokens_at_hand(context_);  // else "none of the keys at hand" is to be said
                return look_for(recipients, intent_of_run(intent));
            },
            Run::Lasts::token);
        std::vector<std::unique_ptr<cms::Decrypter>> keys;
        for (const auto& key : found_->keys)
            keys.push_back(key->clone());
        return keys;
    }
    std::vector<std::string> skipped() const override { return found_ ? found_->skipped : std::vector<std::string>{}; }

  private:
    OwnKeys look_for(std::span<const cms::RecipientIdentifier> recipients, const cms::Intent& intent) {
        OwnKeys own;
        (void)with_other_cards(context_, "no key for this mail", [&] {
            own.keys = context_.tokens().find(recipients, intent);
            own.skipped = context_.tokens().skipped();
            return !own.keys.empty();
        });
        return own;
    }
    // The first login holds for all mails of a run, so whoever types the PIN is told how many there are.
    cms::Intent intent_of_run(const cms::Intent& intent) const {
        const std::size_t count = context_.options().files().size();
        if (count < 2) return intent;
        return {fmt::format("{}, and {} more mail{}", intent.what, count - 1, count == 2 ? "" : "s")};
    }
    bool has_secrets() const { return context_.options().text("kek") || context_.options().text("password-source"); }

    Context& context_;
    std::shared_ptr<const OwnKeys> found_;
};

cms::smime::ReadOptions read_options(Context& context, Task task) {
    const Options& options = context.options();
    cms::smime::ReadOptions read;
    read.task = task;
    if (context.input_name() != "-") read.name = context.input_name();
    read.entity = options.flag("entity");
    read.sender_check = sender_check_of(options);
    read.known_addresses = [book = context.book()] { return book->addresses(); };
    read.allow_weak = options.flag("allow-weak");
    if (options.takes(kSecrets)) read.secrets = context.secrets();
    if (const auto content = options.text("content")) {
        if (*content == "-" && context.input_name() == "-")
            throw Error(ErrorKind::usage, "signature and content cannot both be standard input");
        std::shared_ptr<FileInput> input = FileInput::open_path(*content, {});
        context.add_input(*input);
        read.detached_content = std::move(input);
    }
    return read;
}

// What of the content is written: all that holds, what is merely not trusted unless --strict or in the mail's own
// place, where it could not be judged again once it is trusted, what is broken only where asked for.
bool writes_content(const Options& options, const Report& report) {
    switch (report.exit_status()) {
        case 0:
            return true;
        case 3:
            return !options.flag("strict") && !options.flag("in-place");
        default:
            return report.result == cms::smime::Result::invalid && options.flag("even-if-invalid");
    }
}

// staged runs the job, and says whether there is content. What was changed or does not decrypt is none, and an answer
// all the same: the report says so.
bool staged(const cms::smime::ReadJob& report, Output& output, cms::Job& job, const Input& input) {
    try {
        output.stage(job, input);
        return true;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::failed || report.report().result != cms::smime::Result::invalid) throw;
        return false;
    }
}

void tell(Context& context, const Report& report) {
    context.voice().say(verdict_words(report).sentence(), verdict_tone(report));
    for (const auto& warning : report.warnings)
        context.warn(warning.kind, warning.message);
    if (context.voice().named()) return;  // of many, one line each
    for (const std::string& line : layer_lines(report, context.options().takes(kVerdict)))
        context.voice().detail(line);
}

std::string report_of(Context& context, const Report& report, std::optional<std::string> result) {
    if (!context.reports()) return {};
    ReportFrame frame = frame_of(context, report.exit_status(), std::move(result));
    frame.reason = report.reason;
    frame.hint = report.hint;
    if (std::any_of(report.layers.begin(), report.layers.end(), [](const auto& layer) { return layer.failed; }))
        frame.warnings.push_back({"decryption-failed", report.reason});
    frame.message = {};
    frame.message.from = report.from;
    frame.message.subject = report.subject;
    frame.message.date = report.date;
    return read_report(frame, report);
}

// check_page refuses an --html that cannot be meant. From then on the page is there for errors too (write_error_page).
void check_page(Context& context) {
    const auto path = page_path(context.options());
    if (!path) return;
    if (*path == "-") throw Error(ErrorKind::usage, "--html takes a file, not standard output");
    const auto content = context.options().takes(kContent) ? context.options().text("content") : std::nullopt;
    if (same_file(*path, context.input_name()) || (content && same_file(*path, *content)))
        throw Error(ErrorKind::usage, "--html names the input");
    context.add_outputs({*path});
}

// page_output is where --html goes, or null.
std::unique_ptr<Output> page_output(Context& context) {
    const auto path = page_path(context.options());
    return path ? context.output_to(*path) : nullptr;
}

// find_paths looks for the chains of the certificates that a mail was opened with, for the page alone: they change no
// verdict, so that trouble with them is none.
void find_paths(Context& context, Report& report) {
    for (cms::smime::Layer& layer : report.layers)
        for (cms::smime::RecipientSummary& recipient : layer.recipients) {
            if (!recipient.key || !recipient.key->certificate) continue;
            try {
                recipient.key->path = cms::validate(*recipient.key->certificate, {}, asking_nobody(context.trust()),
                                                    cms::Use::encryption);
            } catch (const Error&) {
                recipient.key->path.reset();
            }
        }
}

int read(Context& context, Task task) {
    const Options& options = context.options();
    check_page(context);
    const auto path = options.text("output");
    if (options.flag("even-if-invalid") && (!path || *path == "-"))
        throw Error(ErrorKind::usage, "--even-if-invalid needs -o FILE");
    std::optional<HeldFileWarnings> held;
    if (!context.in_batch()) held.emplace(context.run());
    LazyKeys keys(context);
    const auto job =
        cms::smime::read_job(task == Task::verify ? nullptr : &keys, task == Task::decrypt ? nullptr : &context.trust(),
                             read_options(context, task));
    FileInput& input = context.input();
    Outputs outputs;
    outputs.push_back(context.output());
    auto page = page_output(context);
    MailText text;
    TappedJob tapped(*job, [&](Source& content) { text = read_mail_text(content); });
    context.start_progress();
    const bool has_content = staged(*job, *outputs.front(), page ? static_cast<cms::Job&>(tapped) : *job, input);
    Report report = job->report();
    context.end_progress();

    if (outputs.front()->on_terminal()) context.voice().hold();  // else content could scroll the verdict away
    tell(context, report);
    if (options.flag("remember")) remember(context, report);
    const bool writes = has_content && writes_content(options, report);
    if (!writes) outputs.clear();
    if (page) {
        find_paths(context, report);
        const bool shows = writes && report.result != cms::smime::Result::invalid;
        page->stage_bytes(to_bytes(
            bytes_of(html_page(report, shows ? std::optional(std::move(text)) : std::nullopt, context.now()))));
        outputs.insert(outputs.begin(), std::move(page));
    }
    if (report.exit_status() == 3 && options.flag("in-place"))
        context.warn("left-in-place", "left as it is, so that it can be judged again once it is trusted");
    const std::string result(name(report.result));
    context.deliver(std::move(outputs), report_of(context, report, result), result);
    return report.exit_status();
}

}  // namespace

int verify(Context& context) {
    return read(context, Task::verify);
}

int decrypt(Context& context) {
    return read(context, Task::decrypt);
}

int open(Context& context) {
    return read(context, Task::open);
}

int inspect(Context& context) {
    const auto job = cms::smime::read_job(nullptr, nullptr, read_options(context, Task::inspect));
    context.start_progress();
    Output::to_nowhere()->stage(*job, context.input());
    const Report& report = job->report();
    for (const auto& warning : report.warnings)
        context.warn(warning.kind, warning.message);
    if (!context.reports_to_stdout()) {
        if (report.layers.empty())
            context.terminal().print(report.openpgp ? "neither signed nor encrypted with S/MIME"
                                                    : "neither signed nor encrypted");
        for (const std::string& line : layer_lines(report, false))
            context.terminal().print(line);
    }
    context.deliver({}, report_of(context, report, std::nullopt));  // nothing was judged
    return report.exit_status();
}

}  // namespace p11mime::cli
