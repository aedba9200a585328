#include "cli/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "cli/paths.h"
#include "cli/system_error.h"
#include "mime/error.h"
#include "mime/signals_held.h"

namespace p11mime::cli {

namespace {

constexpr std::string_view kPrefix = ".p11mime-unfinished-";
constexpr std::string_view kSetAside = ".p11mime-replaced-";
constexpr std::string_view kUnique = "XXXXXX";

[[noreturn]] void fail(const std::string& name, int cause) {
    throw_if_interrupted();  // which removes temporary files
    throw system_error(fmt::format("cannot write {}", name), cause);
}

// Where the file system has no locks, files left behind stay.
bool lock(int fd, int how) {
    int result = 0;
    do {
        result = ::flock(fd, how);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

std::vector<std::string> files_named(const std::string& directory, std::string_view prefix) {
    std::vector<std::string> paths;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(directory, failure)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(prefix) && name.size() == prefix.size() + kUnique.size())
            paths.push_back(entry.path().string());
    }
    return paths;
}

}  // namespace

TemporaryFile::TemporaryFile(std::string path, OnSignal on_signal)
    : path_(std::move(path)), name_(fmt::format("'{}'", path_)), on_signal_(on_signal) {
    const SignalsHeld held;  // none may find the file made but not yet registered
    // One that somebody takes for left behind, before it is locked, is made again.
    do {
        make();
        (void)lock(fd_.get(), LOCK_EX);
    } while (!FileStamp::of(temporary_));
    if (on_signal == OnSignal::remove) guard_.emplace(temporary_);
}

void TemporaryFile::make() {
    temporary_ = fmt::format("{}/{}{}", parent_directory(path_), kPrefix, kUnique);
    fd_ = Fd(::mkostemp(temporary_.data(), O_CLOEXEC));
    if (fd_) return;
    temporary_.clear();
    fail(name_, errno);
}

TemporaryFile::~TemporaryFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void TemporaryFile::write_out() const {
    (void)::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);  // sync() follows
}

void TemporaryFile::sync() const {
    if (::fsync(fd_.get()) != 0) fail(name_, errno);
}

void TemporaryFile::publish(const std::optional<FileStamp>& replaced, Replacing replacing) {
    if (on_signal_ == OnSignal::remove) throw_if_interrupted();
    const SignalsHeld held;  // one must not have the old file removed
    if (replaced && replacing == Replacing::unchanged) return replace_unchanged(*replaced);
    if (replaced && exchange()) {
        guard_.reset();
        state_ = State::exchanged;
        return;
    }
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(name_, errno);
    state_ = State::renamed;
    guard_.reset();
    temporary_.clear();
}

// Puts the new file in place of what is there. Not every file system can.
bool TemporaryFile::exchange() const {
    return ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0;
}

// There may be no other copy of what is there by now, so it gets a name that nothing removes unseen.
void TemporaryFile::replace_unchanged(const FileStamp& replaced) {
    const auto check = [&] {
        const auto there = FileStamp::of(path_);
        if (there == replaced) return;
        throw Error(ErrorKind::io,
                    fmt::format("{} {} meanwhile", name_, there ? "was changed" : "was moved or deleted"),
                    "run the command again");
    };
    check();
    set_aside();
    if (!exchange()) {
        check();
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(name_, errno);
        temporary_.clear();
        state_ = State::final;
        return;
    }
    if (FileStamp::of(temporary_) == replaced) {
        state_ = State::exchanged;
        return;
    }
    (void)exchange();
    const auto left = FileStamp::of(temporary_);
    if (left && left->identity == FileStamp::of_descriptor(fd_.get(), path_).identity)
        throw Error(ErrorKind::io, fmt::format("{} was changed meanwhile", name_), "run the command again");
    const std::string kept = std::exchange(temporary_, {});
    throw Error(ErrorKind::io, fmt::format("{} was changed meanwhile; what it was changed to is now '{}'", name_, kept),
                "move it back");
}

void TemporaryFile::set_aside() {
    const std::string unique = temporary_.substr(temporary_.size() - kUnique.size());
    const std::string path = fmt::format("{}/{}{}", parent_directory(path_), kSetAside, unique);
    if (FileStamp::of(path)) fail(name_, EEXIST);
    if (::rename(temporary_.c_str(), path.c_str()) != 0) fail(name_, errno);
    guard_.reset();
    temporary_ = path;
}

void TemporaryFile::retract() noexcept {
    if (state_ == State::exchanged && ::rename(temporary_.c_str(), path_.c_str()) == 0) temporary_.clear();
    if (state_ == State::renamed) ::unlink(path_.c_str());
    state_ = State::made;
}

void remove_stale_files(const std::string& directory, const std::set<FileIdentity>& kept) {
    for (const std::string& path : files_named(directory, kPrefix)) {
        const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!file || kept.contains(FileStamp::of_descriptor(file.get(), path).identity)) continue;
        if (lock(file.get(), LOCK_EX | LOCK_NB)) ::unlink(path.c_str());
    }
}

std::vector<std::string> set_aside_files(const std::string& directory) {
    return files_named(directory, kSetAside);
}

void sync_directory(const std::string& path) {
    const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory && ::fsync(directory.get()) != 0 && errno != EINVAL) fail(fmt::format("'{}'", path), errno);
}

}  // namespace p11mime::cli
