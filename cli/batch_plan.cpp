#include "cli/batch_plan.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <thread>

#include "cli/paths.h"
#include "mime/error.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

constexpr unsigned kMostJobs = 256;

// Open files: what the program and the modules have open besides mails; what a mail in work has open, the module's for
// its session included; and the most outputs that may wait for the disk.
constexpr unsigned kFilesBesides = 64;
constexpr unsigned kFilesPerJob = 4;
constexpr unsigned kMostWaiting = 128;

std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

unsigned jobs_of(const Options& options) {
    const auto text = options.text("jobs");
    if (!text) return std::clamp(std::thread::hardware_concurrency(), 1U, kMostJobs);
    unsigned jobs = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), jobs);
    if (failure != std::errc() || end != text->data() + text->size() || jobs < 1 || jobs > kMostJobs)
        throw Error(ErrorKind::usage, fmt::format("--jobs does not take '{}'", *text),
                    fmt::format("it takes a number from 1 to {}", kMostJobs));
    return jobs;
}

// Half of the files that may be open are for mails in work, half for outputs that wait.
void limit_open_files(BatchPlan& plan) {
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = RLIM_INFINITY;
    constexpr rlim_t kEnough = kFilesBesides + 2 * kFilesPerJob * kMostJobs;
    const auto all = static_cast<unsigned>(std::min(limit.rlim_cur, kEnough));
    const unsigned half = (all > 2 * kFilesBesides ? all - kFilesBesides : all / 2) / 2;
    plan.most_open = std::clamp(half, 1U, kMostWaiting);
    const unsigned most_jobs = std::max(half / kFilesPerJob, 1U);
    if (plan.jobs <= most_jobs) return;
    plan.jobs = most_jobs;
    plan.remark =
        fmt::format("{} mails at a time: no more files can be open at once; 'ulimit -n' raises that", plan.jobs);
}

void check_options(const Options& options) {
    const bool to_directory = options.text("directory").has_value();
    const bool in_place = options.flag("in-place");
    const bool no_output = options.flag("no-output");
    if (to_directory + in_place + no_output > 1)
        throw Error(ErrorKind::usage, "-d, --in-place and -n exclude each other");
    if (options.text("output"))
        throw Error(ErrorKind::usage, "-o takes the output of one file", "-d DIR takes those of many");
    if (!to_directory && !in_place && !no_output)
        throw Error(ErrorKind::usage, "several files, but no place for their outputs",
                    options.takes(kNoOutput) ? "add -d DIR, --in-place, or -n for the verdicts alone"
                                             : "add -d DIR or --in-place");
    if (options.files().empty())
        throw Error(ErrorKind::usage,
                    fmt::format("{} takes files, not standard input", in_place ? "--in-place" : "-d"));
    if (options.takes(kVerdict) && options.text("html"))
        throw Error(ErrorKind::usage, "--html goes with one mail", "open one file at a time, with -o or -n");
    if (options.text("content"))
        throw Error(ErrorKind::usage, "--content goes with one signature", "check one file at a time, with -o or -n");
    for (const std::string& file : options.files())
        if (file == "-") throw Error(ErrorKind::usage, "standard input cannot be one of several files");
}

// Destinations follows the links to each directory once, since many mails come from one.
class Destinations {
  public:
    std::string of(const std::string& path) {
        const std::string name = base_name(path);
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return destination(path);
        const auto [entry, fresh] = directories_.try_emplace(parent_directory(path));
        if (fresh) entry->second = destination(entry->first);
        return fmt::format("{}/{}", entry->second == "/" ? "" : entry->second, name);
    }

  private:
    std::map<std::string, std::string> directories_;
};

std::string existing_directory(const std::string& path) {
    make_directory(path);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
        throw Error(ErrorKind::io, fmt::format("'{}' is not a directory", path));
    return destination(path);
}

// Names that some file systems take for one are no two names.
void check_names(const std::vector<std::string>& files) {
    std::map<std::string, const std::string*> taken;
    for (const std::string& file : files) {
        const auto [entry, fresh] = taken.try_emplace(mime::ascii_lower(base_name(file)), &file);
        if (!fresh)
            throw Error(ErrorKind::usage,
                        fmt::format("the outputs of '{}' and '{}' would have one name", *entry->second, file),
                        "give them names that differ, or run the command once for each");
    }
}

std::set<FileIdentity> identities(const std::vector<std::string>& files) {
    std::set<FileIdentity> all;
    for (const std::string& file : files)
        if (const auto stamp = FileStamp::of(file)) all.insert(stamp->identity);
    return all;
}

void check_outputs(const BatchPlan& plan) {
    std::set<FileIdentity> outputs;
    for (const Assignment& assignment : plan.assignments) {
        const auto there = FileStamp::of(assignment.output);
        if (!there) continue;
        if (plan.inputs.contains(there->identity))
            throw Error(ErrorKind::usage, fmt::format("the output '{}' is an input too", assignment.output),
                        "--in-place replaces inputs");
        if (!outputs.insert(there->identity).second)
            throw Error(ErrorKind::usage, fmt::format("two outputs would go to one file, '{}'", assignment.output));
    }
}

void check_in_place(const std::vector<std::string>& files) {
    std::map<FileIdentity, const std::string*> seen;
    for (const std::string& file : files) {
        const auto stamp = FileStamp::of(file);
        if (!stamp) continue;
        const auto [entry, fresh] = seen.try_emplace(stamp->identity, &file);
        if (!fresh) throw Error(ErrorKind::usage, fmt::format("'{}' and '{}' are one file", *entry->second, file));
    }
}

void check_copies(const Options& options, const BatchPlan& plan) {
    const auto copies = options.text("bcc-separately");
    if (!copies) return;
    check_names(options.files());
    for (const std::string& directory : plan.directories)
        if (destination(*copies) == directory)
            throw Error(ErrorKind::usage, "--bcc-separately names the directory of the outputs",
                        "name another one: each mail's copies get a directory of the mail's name there");
}

}  // namespace

void check_batch_report(const Options& options) {
    const auto report = options.text("json");
    if (!report || *report == "-" || is_device(*report)) return;
    const auto directory = options.text("directory");
    const std::string path = destination(*report);
    for (const std::string& file : options.files()) {
        if (same_file(*report, file)) throw Error(ErrorKind::usage, "--json names an input");
        if (directory && base_name(file) == base_name(path) &&
            destination(fmt::format("{}/{}", *directory, base_name(file))) == path)
            throw Error(ErrorKind::usage, fmt::format("two outputs would go to one file, '{}'", *report));
    }
}

bool is_batch(const Options& options) {
    return options.takes(kMany) &&
           (options.files().size() > 1 || options.text("directory") || options.flag("in-place"));
}

BatchPlan plan_batch(const Options& options) {
    check_options(options);
    BatchPlan plan;
    plan.jobs = jobs_of(options);
    limit_open_files(plan);
    Destinations destinations;
    const auto assign = [&](const std::string& file, std::string output) {
        plan.assignments.push_back({file, destinations.of(file), std::move(output), base_name(file)});
    };
    plan.inputs = identities(options.files());
    if (const auto given = options.text("directory")) {
        check_names(options.files());
        const std::string directory = existing_directory(*given);
        plan.directories = {directory};
        plan.destination = directory;
        for (const std::string& file : options.files())
            assign(file, fmt::format("{}/{}", *given, base_name(file)));
        check_outputs(plan);
    } else if (options.flag("in-place")) {
        check_in_place(options.files());
        plan.destination = "in place";
        std::set<std::string> directories;
        for (const std::string& file : options.files()) {
            assign(file, file);
            directories.insert(parent_directory(plan.assignments.back().resolved));
        }
        plan.directories.assign(directories.begin(), directories.end());
    } else {
        for (const std::string& file : options.files())
            assign(file, "");
    }
    check_copies(options, plan);
    return plan;
}

}  // namespace p11mime::cli
