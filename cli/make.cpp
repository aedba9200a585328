#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/paths.h"
#include "cli/recipients.h"
#include "cli/settings.h"
#include "cli/signing.h"
#include "cli/temporary_file.h"
#include "cms/smime/field_names.h"
#include "mime/error.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

using JobHandle = std::unique_ptr<cms::smime::MakeJob>;

void warn_of(Context& context, const cms::smime::MakeJob& job) {
    for (const auto& warning : job.warnings())
        context.warn(warning.kind, warning.message);
}

std::string report_of(Context& context, const MadeReport& made) {
    if (!context.reports()) return {};
    ReportFrame frame = frame_of(context, 0, "done");
    frame.message = context.message();
    return made_report(frame, made);
}

cms::smime::EncryptOptions encrypt_options(Context& context, const Audience& audience, bool seals) {
    cms::smime::EncryptOptions options;
    options.form = form_of(context.options());
    options.entity = context.options().flag("entity");
    options.compress = context.options().flag("compress");
    options.protect_headers = protects_headers(context.options(), seals);
    options.protection_required = context.options().flag("protect-headers");
    options.cipher = &choose_cipher(context, audience);
    options.drop_fields = {cms::smime::kBlind.begin(), cms::smime::kBlind.end()};
    return options;
}

// A file name of an address: nothing that leads out of the directory or hides the file, and never that of another
// address.
std::string copy_path(const std::string& directory, const std::string& address) {
    std::string name;
    for (const char c : mime::ascii_lower(address)) {
        const bool safe = c != '/' && c != '%' && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
        if (safe && !(name.empty() && c == '.'))
            name += c;
        else
            name += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
    return fmt::format("{}/{}.eml", directory, name);
}

void make_copies_directory(Context& context, const std::string& directory) {
    if (context.in_batch()) make_directory(parent_directory(directory));
    make_directory(directory);
    if (context.in_batch()) remove_stale_files(directory);
}

// Encrypted mail and its Bcc copies, made by `job_for` for each list of recipients, all or none.
template <class JobFor>
int make_encrypted(Context& context, MadeReport made, JobFor job_for) {
    const Recipients recipients = choose_recipients(context);
    std::vector<JobHandle> jobs;
    Outputs outputs;
    context.start_progress();
    const auto stage = [&](const Audience& audience, std::unique_ptr<Output> output) {
        const auto options = encrypt_options(context, audience, !made.signers.empty());
        made.cipher = std::string(options.cipher->name);  // the main mail's, which is staged last
        jobs.push_back(job_for(to_encrypt(context, audience, *options.cipher), options));
        output->stage(*jobs.back(), context.input());
        outputs.push_back(std::move(output));
    };
    std::vector<std::string> copies;
    const std::string directory = context.copies_directory();
    if (!recipients.bcc.empty()) make_copies_directory(context, directory);
    for (const ChosenRecipient& recipient : recipients.bcc)
        copies.push_back(copy_path(directory, recipient.name));
    context.add_outputs(copies);
    auto main_output = context.output();
    for (std::size_t i = 0; i < copies.size(); ++i) {
        made.recipients.push_back({recipients.bcc[i].certificate, "", "bcc"});
        stage({{recipients.bcc[i]}, {}}, context.output_to(copies[i]));
    }
    for (const ChosenRecipient& recipient : recipients.main.recipients)
        made.recipients.push_back({recipient.certificate, "", "main"});
    if (recipients.main.secrets.kek) made.shared_secrets.emplace_back("kek");
    if (recipients.main.secrets.password) made.shared_secrets.emplace_back("password");
    stage(recipients.main, std::move(main_output));
    warn_of(context, *jobs.back());

    // The main output comes last: what went to a pipe cannot be taken back.
    context.deliver(std::move(outputs), report_of(context, made));
    return 0;
}

// As an entity all fields go inside, and what is inside each recipient reads.
void keep_bcc_out(Context& context) {
    if (context.options().flag("entity") && context.message().has_bcc)
        throw Error(ErrorKind::usage, "with --entity the Bcc field would be encrypted too, for every recipient to read",
                    "leave --entity out, or take the Bcc field out of the input");
}

}  // namespace

int sign(Context& context) {
    if (context.message().has_bcc)
        context.warn("bcc-stays",
                     "Bcc or Resent-Bcc stays in the mail: it is for the system that sends it to take out");
    Signing signing = prepare_signing(context);
    const auto job = sign_job(signing.pointers(), context.clock(), signing.options);
    Outputs outputs;
    outputs.push_back(context.output());
    context.start_progress();
    outputs.front()->stage(*job, context.input());
    warn_of(context, *job);
    context.deliver(std::move(outputs), report_of(context, {.signers = signing.used, .recipients = {}, .cipher = {}}));
    return 0;
}

int encrypt(Context& context) {
    (void)context.input();
    keep_bcc_out(context);
    return make_encrypted(context, {}, [](const std::vector<cms::smime::Recipient>& recipients, const auto& options) {
        return encrypt_job(recipients, options);
    });
}

int seal(Context& context) {
    (void)context.input();
    keep_bcc_out(context);
    const bool triple = context.options().flag("triple");
    Signing signing = prepare_signing(context);
    const MadeReport made{.signers = signing.used, .recipients = {}, .cipher = {}};
    return make_encrypted(
        context, made, [&](const std::vector<cms::smime::Recipient>& recipients, const auto& options) {
            return seal_job(signing.pointers(), context.clock(), signing.options, recipients, options, triple);
        });
}

}  // namespace p11mime::cli
