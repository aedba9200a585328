#include "cli/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/paths.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr std::string_view kPrefix = ".p11mime-";
constexpr std::string_view kUnique = "XXXXXX";

[[noreturn]] void fail(const std::string& name, int cause) {
    throw_if_interrupted();  // which removes temporary files
    throw Error(ErrorKind::io, fmt::format("cannot write {}: {}", name, std::strerror(cause)));
}

// Where the file system has no locks, files left behind stay.
bool lock(int fd, int how) {
    int result = 0;
    do {
        result = ::flock(fd, how);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

}  // namespace

TemporaryFile::TemporaryFile(std::string path, OnSignal on_signal)
    : path_(std::move(path)), name_(fmt::format("'{}'", path_)) {
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
    throw_if_interrupted();
    if (replaced && exchange(*replaced, replacing)) {
        state_ = State::exchanged;
        return;
    }
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(name_, errno);
    state_ = State::renamed;
    guard_.reset();
    temporary_.clear();
}

// Puts the new file in place of an old one. Not every file system can.
bool TemporaryFile::exchange(const FileStamp& replaced, Replacing replacing) {
    const SignalsHeld held;  // one must not have the old file removed
    const auto swap = [&] {
        return ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0;
    };
    if (!swap()) return false;
    if (replacing == Replacing::unchanged && FileStamp::of(temporary_) != replaced && swap())
        throw Error(ErrorKind::io, fmt::format("{} was changed meanwhile", name_), "run the command again");
    guard_.reset();
    return true;
}

void TemporaryFile::retract() noexcept {
    if (state_ == State::exchanged && ::rename(temporary_.c_str(), path_.c_str()) == 0) temporary_.clear();
    if (state_ == State::renamed) ::unlink(path_.c_str());
    state_ = State::made;
}

void remove_stale_files(const std::string& directory) {
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(directory, failure)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kUnique.size()) continue;
        const Fd file(::open(entry.path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (file && lock(file.get(), LOCK_EX | LOCK_NB)) ::unlink(entry.path().c_str());
    }
}

void sync_directory(const std::string& path) {
    const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory && ::fsync(directory.get()) != 0 && errno != EINVAL) fail(fmt::format("'{}'", path), errno);
}

}  // namespace p11mime::cli
