#include "cli/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "cli/failure.h"
#include "cli/fd.h"
#include "cli/paths.h"
#include "cli/sqlite.h"
#include "cli/system_error.h"
#include "cms/digests.h"
#include "mime/error.h"
#include "mime/hex.h"
#include "mime/stream.h"

namespace p11mime::cli {

namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS done (
  job TEXT NOT NULL, input TEXT NOT NULL, options TEXT NOT NULL,
  input_inode INTEGER NOT NULL, input_size INTEGER NOT NULL, input_modified INTEGER NOT NULL,
  output_inode INTEGER NOT NULL, output_size INTEGER NOT NULL, output_modified INTEGER NOT NULL,
  output_digest TEXT NOT NULL, exit INTEGER NOT NULL, result TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (job, input));
CREATE INDEX IF NOT EXISTS done_content ON done (job, output_size, output_digest);
CREATE INDEX IF NOT EXISTS done_at ON done (at);
CREATE TABLE copy (
  job TEXT NOT NULL, input TEXT NOT NULL, path TEXT NOT NULL,
  inode INTEGER NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
  PRIMARY KEY (job, input, path), FOREIGN KEY (job, input) REFERENCES done ON DELETE CASCADE);
)";
constexpr std::int64_t kSchemaVersion = 2;
constexpr std::int64_t kKeptSeconds = 2LL * 365 * 24 * 3600;
constexpr const char* kColumns =
    "input_inode, input_size, input_modified, output_inode, output_size, output_modified, output_digest, exit, result, "
    "options, input";

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::unique_ptr<Database> open_database(const std::string& path) {
    try {
        return Database::open(path, "record of batches", kSchema, kSchemaVersion);
    } catch (const Error& error) {
        throw Error(error.kind(), error.what(), "set XDG_STATE_HOME to a directory that can be written to");
    }
}

// Where a PIN comes from or how many mails are worked on at a time makes no difference to the outputs.
std::string digest_of_options(const Options& options) {
    constexpr std::array kNoMatter{"batch",  "directory",  "in-place", "jobs",     "json",
                                   "module", "pin-source", "remember", "sysexits", "help"};
    std::string text;
    for (const OptionSpec& spec : option_table()) {
        if (std::find(kNoMatter.begin(), kNoMatter.end(), std::string_view(spec.name)) != kNoMatter.end()) continue;
        for (const std::string& value : options.list(spec.name))
            text += fmt::format("{} {} {}\n", spec.name, value.size(), value);
    }
    return hex(cms::digest_of(cms::Hash::sha256, bytes_of(text)));
}

// The device is left out: its number may be another one after the next start of the machine.
bool same(const FileStamp& a, const FileStamp& b) {
    return a.identity.inode == b.identity.inode && a.size == b.size && a.modified == b.modified;
}

}  // namespace

struct Journal::Found {
    Done done;
    std::string options;
};

namespace {

FileStamp stamp_at(const Statement& query, int column) {
    return {.identity = {0, static_cast<std::uint64_t>(query.number(column))},
            .size = static_cast<std::uint64_t>(query.number(column + 1)),
            .modified = query.number(column + 2)};
}

void bind(Statement& statement, const FileStamp& stamp) {
    statement.bind(static_cast<std::int64_t>(stamp.identity.inode));
    statement.bind(static_cast<std::int64_t>(stamp.size)).bind(stamp.modified);
}

}  // namespace

// Locks holds one byte of a lock file for each directory, so that many take one descriptor; they end with the process.
class Journal::Locks {
  public:
    Locks(const std::string& path, const std::vector<std::string>& directories)
        : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        if (!file_) throw system_error(fmt::format("cannot open '{}'", path), errno);
        for (const std::string& directory : directories)
            if (!take(directory))
                throw Error(ErrorKind::io, fmt::format("another batch is at work in '{}'", directory),
                            "wait for it to end");
    }

  private:
    bool take(const std::string& directory) const {
        const auto stamp = FileStamp::of(directory);
        if (!stamp) return true;  // its mails will tell
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        constexpr std::uint64_t kPlaces = std::uint64_t{1} << 62U;
        lock.l_start = static_cast<off_t>((stamp->identity.inode * 31 + stamp->identity.device) % kPlaces);
        lock.l_len = 1;
        return ::fcntl(file_.get(), F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
    }

    Fd file_;
};

Journal::Journal(const std::string& path, const Options& options, const BatchPlan& plan)
    : job_(fmt::format("{} {}", options.command(), plan.destination)),
      options_(digest_of_options(options)),
      in_place_(options.flag("in-place")),
      reads_(reads_mail(options.command())),
      judges_(options.takes(kVerdict)),
      database_(open_database(path)) {
    locks_ = std::make_unique<Locks>(path + ".lock", plan.directories);
    database_->run("PRAGMA journal_mode = TRUNCATE");
    Statement old(*database_, "DELETE FROM done WHERE at < ?");
    old.bind(now() - kKeptSeconds).step();
    Statement any(*database_, "SELECT 1 FROM done WHERE job = ? LIMIT 1");
    known_ = any.bind(job_).step();
}

Journal::~Journal() = default;

std::string Journal::default_path() {
    return xdg_directory("XDG_STATE_HOME", ".local/state") + "/p11mime/batches.sqlite";
}

std::optional<Journal::Found> Journal::by_input(const std::string& input) {
    const std::lock_guard lock(mutex_);
    Statement query(*database_, fmt::format("SELECT {} FROM done WHERE job = ? AND input = ?", kColumns));
    query.bind(job_).bind(input);
    return found(query);
}

std::optional<Journal::Found> Journal::by_content(const std::string& path, std::uint64_t size) {
    {
        const std::lock_guard lock(mutex_);
        Statement query(*database_, "SELECT 1 FROM done WHERE job = ? AND output_size = ? LIMIT 1");
        if (!query.bind(job_).bind(static_cast<std::int64_t>(size)).step()) return std::nullopt;
    }
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;  // opening it as an input will tell
    const std::string digest = file_digest(file.get(), path);
    const std::lock_guard lock(mutex_);
    Statement query(*database_,
                    fmt::format("SELECT {} FROM done WHERE job = ? AND output_size = ? AND output_digest = ? ORDER BY "
                                "options = ? DESC LIMIT 1",
                                kColumns));
    query.bind(job_).bind(static_cast<std::int64_t>(size)).bind(digest).bind(options_);
    return found(query);
}

std::optional<Journal::Found> Journal::found(Statement& query) {
    if (!query.step()) return std::nullopt;
    Found found{.done = {.input = query.text(10),
                         .input_stamp = stamp_at(query, 0),
                         .output_stamp = stamp_at(query, 3),
                         .output_digest = query.text(6),
                         .exit = static_cast<int>(query.number(7)),
                         .result = query.text(8)},
                .options = query.text(9)};
    return found;
}

Journal::Finding Journal::look_up(const Assignment& assignment) {
    if (!known_) return {};
    const std::string& path = assignment.resolved;
    const auto now = FileStamp::of(path);
    if (!now) return {};
    return in_place_ ? look_up_in_place(path, *now) : look_up_output(path, *now, assignment.output);
}

// What counts for a mail that was made is the content, wherever it was moved or copied to. Anybody can write what a
// mail that was read contains, so there it must be the very file.
Journal::Finding Journal::look_up_in_place(const std::string& path, const FileStamp& now) {
    const auto before = by_input(path);
    const bool is_output = before && same(before->done.output_stamp, now);
    const auto done = !reads_ ? by_content(path, now.size) : is_output ? before : std::nullopt;
    if (done && done->options != options_)
        throw Error(ErrorKind::usage, "an earlier run, with other options, has replaced this mail already",
                    "leave it out, or add to it with -d DIR instead of --in-place");
    if (done) return {.done = done->done, .remark = {}};
    if (!before || same(before->done.input_stamp, now)) return {};
    return {.done = {}, .remark = "changed since an earlier run was done with it; done anew"};
}

Journal::Finding Journal::look_up_output(const std::string& path, const FileStamp& now, const std::string& output) {
    const auto there = FileStamp::of(output);
    if (!there) return {};
    const auto before = by_input(path);
    if (!before) return {};
    if (!same(before->done.output_stamp, *there))
        return {.done = {}, .remark = fmt::format("'{}' is not what an earlier run made; replaced", output)};
    if (before->options != options_) return {.done = {}, .remark = "done before with other options; done anew"};
    if (!same(before->done.input_stamp, now))
        return {.done = {}, .remark = "changed since an earlier run was done with it; done anew"};
    if (judges_) return {};
    if (!copies_are_there(path)) return {.done = {}, .remark = "a copy for Bcc is gone or was changed; done anew"};
    return {.done = before->done, .remark = {}};
}

bool Journal::copies_are_there(const std::string& input) {
    const std::lock_guard lock(mutex_);
    Statement query(*database_, "SELECT inode, size, modified, path FROM copy WHERE job = ? AND input = ?");
    query.bind(job_).bind(input);
    while (query.step()) {
        const auto there = FileStamp::of(query.text(3));
        if (!there || !same(stamp_at(query, 0), *there)) return false;
    }
    return true;
}

bool Journal::is_leftover(const std::string& path) {
    const auto left = FileStamp::of(path);
    if (!left) return false;
    const auto inode = static_cast<std::int64_t>(left->identity.inode);
    const std::lock_guard lock(mutex_);
    Statement query(*database_, fmt::format("SELECT {} FROM done WHERE input_inode = ? OR output_inode = ?", kColumns));
    query.bind(inode).bind(inode);
    while (const auto each = found(query)) {
        const FileStamp& input = each->done.input_stamp;
        const FileStamp& output = each->done.output_stamp;
        const auto there = FileStamp::of(each->done.input);
        if (!there) continue;
        if (same(input, *left) && same(output, *there)) return true;
        if (same(output, *left) && same(input, *there)) return true;
    }
    return false;
}

void Journal::record(std::span<const Done> done) {
    if (done.empty()) return;
    const std::lock_guard lock(mutex_);
    Transaction transaction(*database_);
    for (const Done& each : done) {
        Statement put(*database_, "INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        put.bind(job_).bind(each.input).bind(options_);
        bind(put, each.input_stamp);
        bind(put, each.output_stamp);
        put.bind(each.output_digest).bind(static_cast<std::int64_t>(each.exit)).bind(each.result).bind(now());
        put.step();
        for (const auto& [path, stamp] : each.copies) {
            Statement put_copy(*database_, "INSERT INTO copy VALUES (?, ?, ?, ?, ?, ?)");
            put_copy.bind(job_).bind(each.input).bind(path);
            bind(put_copy, stamp);
            put_copy.step();
        }
    }
    transaction.commit();
}

std::string file_digest(int fd, const std::string& name) {
    cms::Digests digests({cms::Hash::sha256});
    Bytes buffer(kPieceSize);
    for (std::uint64_t position = 0;;) {
        const ssize_t count = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(position));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw system_error(fmt::format("cannot read '{}'", name), errno);
        if (count == 0) return hex(digests.value(cms::Hash::sha256).value());
        digests.push(ByteView(buffer).first(static_cast<std::size_t>(count)));
        position += static_cast<std::uint64_t>(count);
    }
}

}  // namespace p11mime::cli
