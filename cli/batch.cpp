#include "cli/batch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "cli/card_return.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/journal.h"
#include "cli/report_lines.h"
#include "cli/signals.h"
#include "mime/signals_held.h"

namespace p11mime::cli {

namespace {

// How many mails go to disk together, unless that would take too long.
constexpr std::size_t kTogether = 64;
constexpr std::chrono::milliseconds kGathering{100};

// How many of the mails that one trouble concerns are named; a report (--json) names all.
constexpr std::size_t kMostNamed = 20;

constexpr std::array kWorstFirst{7, 4, 1, 6, 5, 2, 3, 0};

int rank(int status) {
    return static_cast<int>(std::find(kWorstFirst.begin(), kWorstFirst.end(), status) - kWorstFirst.begin());
}

std::string_view words_for(int status) {
    switch (status) {
        case 0:
            return "good";
        case 1:
            return "failed";
        case 2:
            return "with a usage error";
        case 3:
            return "not to be trusted";
        case 4:
            return "with token trouble";
        case 5:
            return "without a key or certificate";
        case 6:
            return "malformed or not S/MIME";
        default:
            return "not read or written";
    }
}

// Mail is one that was worked on and waits to be delivered.
struct Mail {
    Mail(Run& run, const Assignment& assignment, bool named) : context(run, assignment, named) {}

    Context context;
    int status = 0;
    std::optional<Done> record;  // of what is to be delivered
    bool done_before = false;
};

std::size_t outputs_of(const std::vector<std::unique_ptr<Mail>>& mails) {
    std::size_t all = 0;
    for (const auto& mail : mails)
        all += mail->context.kept().outputs.size();
    return all;
}

class Batch {
  public:
    Batch(Run& run, int (*command)(Context& context))
        : run_(run),
          command_(command),
          plan_(plan_batch(run.options())),
          report_(run.options().text("json")),
          named_(plan_.assignments.size() > 1) {
        if (!plan_.destination.empty()) journal_.emplace(Journal::default_path(), run.options(), plan_);
        for (const std::string& directory : plan_.directories)
            clean(directory);
    }

    int run();

  private:
    void clean(const std::string& directory);
    void work();
    bool enough() const;
    std::unique_ptr<Mail> process(const Assignment& assignment);
    bool passed_over(Mail& mail, const Assignment& assignment);
    std::optional<Error> attempt(Mail& mail, const Assignment& assignment);
    void fail(Mail& mail, const Error& error);
    bool repeats(Mail& mail, const Error& error);
    std::optional<Done> record_of(Mail& mail, const Assignment& assignment);
    void deliver(std::vector<std::unique_ptr<Mail>>& mails);
    void count(Mail& mail);
    void summarize();

    Run& run_;
    int (*command_)(Context& context);
    BatchPlan plan_;
    ReportLines report_;
    std::optional<Journal> journal_;
    bool named_;
    CardReturn cards_{run_};

    std::atomic<std::size_t> next_{0};
    std::atomic<bool> stop_{false};  // the batch itself has failed

    std::mutex mutex_;
    std::condition_variable gathered_;  // mails wait, or no worker is left
    std::condition_variable room_;      // more outputs may be open
    std::vector<std::unique_ptr<Mail>> waiting_;
    std::size_t open_ = 0;  // outputs of mails that wait or are being delivered
    std::size_t working_ = 0;

    // Of the thread that delivers.
    std::map<int, std::size_t> counts_;
    std::size_t counted_ = 0;
    std::map<int, std::size_t> done_before_;                          // of the counts
    std::map<std::string, std::vector<std::string>> token_troubles_;  // each with the mails after the first
};

// Removes what killed runs have left, but never a mail that may be the only one.
void Batch::clean(const std::string& directory) {
    remove_stale_files(directory, plan_.inputs);
    if (!journal_ || !journal_->in_place()) return;
    for (const std::string& path : set_aside_files(directory)) {
        if (journal_->is_leftover(path))
            ::unlink(path.c_str());
        else
            run_.warn("set-aside",
                      fmt::format("'{}' was kept when an earlier run was ended while it replaced a mail that had "
                                  "changed; move it to where it belongs",
                                  path));
    }
}

int Batch::run() {
    if (!plan_.remark.empty()) run_.terminal().say(plan_.remark);
    if (named_) run_.terminal().start_progress();
    std::vector<std::jthread> workers;
    std::optional<Error> failure;
    {
        const SignalsHeld held;  // signals are the main thread's
        const std::size_t count = std::min<std::size_t>(plan_.jobs, plan_.assignments.size());
        working_ = count;
        for (std::size_t i = 0; i < count; ++i)
            workers.emplace_back([this] { work(); });
    }
    for (;;) {
        std::vector<std::unique_ptr<Mail>> mails;
        {
            std::unique_lock lock(mutex_);
            gathered_.wait(lock, [this] { return !waiting_.empty() || working_ == 0; });
            gathered_.wait_for(lock, kGathering, [this] { return enough() || working_ == 0; });
            mails.swap(waiting_);
            if (mails.empty()) break;
        }
        const std::size_t outputs = outputs_of(mails);  // a mail that fails gives its own up
        try {
            if (!failure) deliver(mails);
        } catch (...) {
            failure = current_error();
            stop_ = true;
        }
        mails.clear();
        const std::lock_guard lock(mutex_);
        open_ -= outputs;
        room_.notify_all();
    }
    workers.clear();
    run_.terminal().end_progress();
    (void)run_.warnings();
    try {
        report_.finish();
    } catch (const Error& error) {
        if (!failure) failure = error;
    }
    if (named_) summarize();
    if (failure) {
        run_.terminal().error(failure->what(), failure->hint());
        return status_of(failure->kind());
    }
    if (interrupting_signal() != 0) {
        run_.terminal().error("interrupted");
        return status_of(ErrorKind::io);
    }
    const auto worst = std::min_element(counts_.begin(), counts_.end(),
                                        [](const auto& a, const auto& b) { return rank(a.first) < rank(b.first); });
    return worst->first;
}

void Batch::work() {
    while (!stop_ && interrupting_signal() == 0) {
        const std::size_t index = next_++;
        if (index >= plan_.assignments.size()) break;
        auto mail = process(plan_.assignments[index]);
        std::unique_lock lock(mutex_);
        open_ += mail->context.kept().outputs.size();
        waiting_.push_back(std::move(mail));
        if (waiting_.size() == 1 || enough()) gathered_.notify_one();
        room_.wait(lock, [this] { return open_ < plan_.most_open; });
    }
    const std::lock_guard lock(mutex_);
    if (--working_ == 0) gathered_.notify_one();
}

bool Batch::enough() const {
    return waiting_.size() >= kTogether || open_ >= plan_.most_open;
}

// What failed for the loss of a card is done again from the start once that is back: nothing of it was delivered.
std::unique_ptr<Mail> Batch::process(const Assignment& assignment) {
    for (;;) {
        auto mail = std::make_unique<Mail>(run_, assignment, named_);
        std::optional<Error> failure;
        std::size_t work = 0;
        {
            const CardReturn::Work working(cards_);
            work = working.number();
            failure = attempt(*mail, assignment);
        }
        if (!failure) return mail;
        failure = cards_.await(work, *failure);
        if (!failure) continue;
        fail(*mail, *failure);
        return mail;
    }
}

// A mail that an earlier run was done with keeps the status that it got then, and no verdict.
bool Batch::passed_over(Mail& mail, const Assignment& assignment) {
    const Journal::Finding finding = journal_->look_up(assignment);
    if (!finding.remark.empty()) mail.context.warn("done-anew", finding.remark);
    if (!finding.done) return false;
    mail.done_before = true;
    mail.status = finding.done->exit;
    const bool gone = journal_->reads() && journal_->in_place();
    const std::string words = gone ? "an earlier run put the content in the mail's place; it is not looked at again"
                                   : "an earlier run was done with this mail; it was not looked at again";
    if (gone) mail.context.voice().warn(words);
    ReportFrame frame = frame_of(mail.context, mail.status, gone ? std::nullopt : std::optional(finding.done->result));
    frame.warnings.push_back({"done-before", words});
    mail.context.deliver({}, empty_report(frame));
    return true;
}

std::optional<Error> Batch::attempt(Mail& mail, const Assignment& assignment) {
    try {
        if (journal_ && passed_over(mail, assignment)) return std::nullopt;
        mail.status = command_(mail.context);
        mail.record = record_of(mail, assignment);
        mail.context.close_input();
        return std::nullopt;
    } catch (...) {
        return current_error();
    }
}

void Batch::fail(Mail& mail, const Error& error) {
    mail.status = status_of(error.kind());
    mail.record.reset();
    if (!repeats(mail, error)) mail.context.voice().error(error.what(), error.hint());
    mail.context.deliver({}, error_report(mail.context, error));
}

// Trouble with a token is said once, with the mails that it keeps from being done named together in the end.
bool Batch::repeats(Mail& mail, const Error& error) {
    if (!named_ || error.kind() != ErrorKind::token) return false;
    const std::lock_guard lock(mutex_);
    const auto [trouble, fresh] = token_troubles_.try_emplace(error.what());
    if (!fresh) trouble->second.push_back(mail.context.input_name());
    return !fresh;
}

std::optional<Done> Batch::record_of(Mail& mail, const Assignment& assignment) {
    const Outputs& outputs = mail.context.kept().outputs;
    if (!journal_ || outputs.empty()) return std::nullopt;
    const auto input = mail.context.input().stamp();
    if (!input) return std::nullopt;  // a pipe's content is gone
    const int staged = outputs.back()->staged();
    Done done{.input = assignment.resolved,
              .input_stamp = *input,
              .output_stamp = FileStamp::of_descriptor(staged, assignment.output),
              .output_digest = {},
              .exit = mail.status,
              .result = mail.context.kept().result,
              .copies = {}};
    for (const auto& copy : std::span(outputs).first(outputs.size() - 1))
        done.copies.emplace_back(copy->path(), FileStamp::of_descriptor(copy->staged(), copy->path()));
    if (journal_->in_place()) done.output_digest = file_digest(staged, assignment.output);
    return done;
}

void Batch::deliver(std::vector<std::unique_ptr<Mail>>& mails) {
    if (interrupting_signal() != 0) return;  // temporary files are gone
    std::vector<Parcel> parcels(mails.size());
    for (std::size_t i = 0; i < mails.size(); ++i)
        for (const auto& output : mails[i]->context.kept().outputs)
            parcels[i].outputs.push_back(output.get());
    sync_parcels(parcels);
    std::vector<Done> records;
    for (std::size_t i = 0; i < mails.size(); ++i)
        if (mails[i]->record && !parcels[i].failure) records.push_back(std::move(*mails[i]->record));
    if (journal_) journal_->record(records);
    commit_parcels(parcels);
    for (std::size_t i = 0; i < mails.size(); ++i) {
        if (parcels[i].failure && interrupting_signal() != 0) continue;
        if (parcels[i].failure) fail(*mails[i], *parcels[i].failure);
        count(*mails[i]);
    }
}

void Batch::count(Mail& mail) {
    ++counts_[mail.status];
    ++counted_;
    if (mail.done_before) ++done_before_[mail.status];
    report_.add(mail.context.kept().report);
    mail.context.voice().speak();
    if (named_) run_.terminal().count_progress(counted_, plan_.assignments.size());
}

void Batch::summarize() {
    for (const auto& [trouble, mails] : token_troubles_) {
        if (mails.empty()) continue;
        const auto named = std::span(mails).first(std::min(mails.size(), kMostNamed));
        std::string line = fmt::format("{}: also {}", trouble, fmt::join(named, ", "));
        if (named.size() < mails.size()) line += fmt::format(" and {} more", mails.size() - named.size());
        run_.terminal().say(line);
    }
    std::string line = fmt::format("{} mails:", plan_.assignments.size());
    const auto add = [&](std::size_t count, std::string_view words) {
        if (count > 0) line += fmt::format(" {} {},", count, words);
    };
    for (auto status = kWorstFirst.rbegin(); status != kWorstFirst.rend(); ++status) {
        const auto found = counts_.find(*status);
        if (found == counts_.end()) continue;
        const std::size_t before = done_before_[*status];
        add(found->second - before, words_for(*status));
        // Nothing was found good that was not looked at.
        add(before, *status == 0 ? "done before" : fmt::format("{} when done before", words_for(*status)));
    }
    line.pop_back();
    if (counted_ < plan_.assignments.size())
        line += fmt::format("; {} not done: run the command again to go on", plan_.assignments.size() - counted_);
    run_.terminal().say(line);
}

}  // namespace

int run_batch(Run& run, int (*command)(Context& context)) {
    return Batch(run, command).run();
}

}  // namespace p11mime::cli
