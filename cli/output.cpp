#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "cli/paths.h"
#include "cli/signals.h"
#include "cli/system_error.h"
#include "cli/temporary_file.h"
#include "cli/visible_sink.h"
#include "mime/concurrent_sink.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

[[noreturn]] void fail(const std::string& name, int cause) {
    throw system_error(fmt::format("cannot write {}", name), cause);
}

class FdSink final : public Sink {
  public:
    FdSink(int fd, const std::string& name) : fd_(fd), name_(name) {}

    void push(ByteView bytes) override {
        // Jobs push small pieces too; the system is called for large ones only.
        if (held_.size() + bytes.size() <= kPieceSize) {
            held_.insert(held_.end(), bytes.begin(), bytes.end());
            return;
        }
        flush();
        if (bytes.size() < kPieceSize)
            held_.assign(bytes.begin(), bytes.end());
        else
            write_all(bytes);
    }
    void flush() {
        write_all(held_);
        held_.clear();
    }

  private:
    void write_all(ByteView bytes) const {
        while (!bytes.empty()) {
            throw_if_interrupted();
            const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail(name_, errno);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
    }

    int fd_;
    const std::string& name_;
    Bytes held_;
};

// The mask can be read only by setting it, so that is done once.
mode_t creation_mode() {
    static const mode_t mode = [] {
        const mode_t mask = ::umask(077);
        ::umask(mask);
        return 0666 & ~mask;
    }();
    return mode;
}

// A pass may end before the input does; opening once more tells whether the input has changed meanwhile.
bool run_pass(cms::Job& job, const Input& input, Sink& sink) {
    const bool good = job.pass(*input.open(), sink);
    (void)input.open();
    return good;
}

// Runs passes into a sink that takes everything and keeps nothing.
void run_dry(cms::Job& job, const Input& input) {
    NullSink nowhere;
    while (!run_pass(job, input, nowhere)) {
    }
}

class NoInput final : public Input {
  public:
    std::unique_ptr<Source> open() const override { return std::make_unique<ViewSource>(ByteView{}); }
};

// Writes what it was given.
class BytesJob final : public cms::Job {
  public:
    explicit BytesJob(Bytes bytes) : bytes_(std::move(bytes)) {}
    bool pass(Source&, Sink& output) override {
        output.push(bytes_);
        return true;
    }

  private:
    Bytes bytes_;
};

class NoOutput final : public Output {
  public:
    void stage(cms::Job& job, const Input& input) override { run_dry(job, input); }
    void commit() override {}
};

// Bytes that were written through cannot be taken back, so the job runs dry until it is good and once more at the end.
class StreamOutput final : public Output {
  public:
    StreamOutput(Fd owned, int fd, std::string name)
        : owned_(std::move(owned)), fd_(owned_ ? owned_.get() : fd), name_(std::move(name)) {}

    void stage(cms::Job& job, const Input& input) override {
        run_dry(job, input);
        job_ = &job;
        input_ = &input;
    }
    void commit() override {
        FdSink sink(fd_, name_);
        if (on_terminal()) {
            VisibleSink shown(sink);
            write(shown);
            shown.finish();
        } else {
            write(sink);
        }
        sink.flush();
    }
    bool revocable() const override { return false; }
    bool on_terminal() const override { return ::isatty(fd_) != 0; }

  private:
    void write(Sink& sink) {
        if (!run_pass(*job_, *input_, sink)) throw Error(ErrorKind::io, "the input changed while read");
    }

    Fd owned_;
    int fd_;
    std::string name_;
    cms::Job* job_ = nullptr;
    const Input* input_ = nullptr;
};

class FileOutput final : public Output {
  public:
    FileOutput(std::string path, std::optional<struct stat> replaced, TemporaryFile::Replacing replacing)
        : path_(std::move(path)), name_(fmt::format("'{}'", path_)), replaced_(replaced), replacing_(replacing) {}

    void stage(cms::Job& job, const Input& input) override {
        temporary_.emplace(path_);
        const int fd = temporary_->fd();
        for (bool again = false;; again = true) {
            if (again && (::ftruncate(fd, 0) != 0 || ::lseek(fd, 0, SEEK_SET) != 0)) fail(name_, errno);
            FdSink file(fd, name_);
            ConcurrentSink sink(file);
            const bool good = run_pass(job, input, sink);
            sink.wait();
            file.flush();
            if (good) break;
        }
        if (::fchmod(fd, replaced_ ? replaced_->st_mode & 0777U : creation_mode()) != 0) fail(name_, errno);
        // Only root may give files away; others keep what they make.
        if (replaced_ && ::fchown(fd, replaced_->st_uid, replaced_->st_gid) != 0) errno = 0;
    }
    void write_out() override { temporary_->write_out(); }
    void sync() override { temporary_->sync(); }
    void commit() override {
        temporary_->publish(replaced_ ? std::optional(FileStamp::of(*replaced_)) : std::nullopt, replacing_);
    }
    std::string path() const override { return path_; }
    void retract() noexcept override { temporary_->retract(); }
    int staged() const override { return temporary_->fd(); }

  private:
    std::string path_;
    std::string name_;
    std::optional<struct stat> replaced_;
    TemporaryFile::Replacing replacing_;
    std::optional<TemporaryFile> temporary_;
};

// Place is where a path leads, links followed, and what is there.
struct Place {
    std::string path;
    std::optional<struct stat> there;
};

Place place_of(const std::string& path) {
    const auto status_of = [](const std::string& name) -> std::optional<struct stat> {
        struct stat status {};
        if (::lstat(name.c_str(), &status) == 0) return status;
        if (errno != ENOENT) fail(fmt::format("'{}'", name), errno);
        return std::nullopt;
    };
    const auto there = status_of(path);
    if (!there || !S_ISLNK(there->st_mode)) return {path, there};
    const std::string end = destination(path);
    return {end, status_of(end)};
}

void refuse_input(const struct stat& status, const std::string& name, const std::vector<FileIdentity>& inputs) {
    const FileIdentity identity{status.st_dev, status.st_ino};
    if (S_ISREG(status.st_mode) && std::find(inputs.begin(), inputs.end(), identity) != inputs.end())
        throw Error(ErrorKind::usage, fmt::format("{} is the input too", name), "--in-place replaces the input");
}

}  // namespace

void Output::stage_bytes(Bytes bytes) {
    own_job_ = std::make_unique<BytesJob>(std::move(bytes));
    own_input_ = std::make_unique<NoInput>();
    stage(*own_job_, *own_input_);
}

std::unique_ptr<Output> Output::to_file(const std::string& path, const std::vector<FileIdentity>& inputs,
                                        Others others) {
    const std::string name = fmt::format("'{}'", path);
    const Place place = place_of(path);
    if (place.there) {
        if (S_ISDIR(place.there->st_mode)) throw Error(ErrorKind::io, fmt::format("{} is a directory", name));
        refuse_input(*place.there, name, inputs);
    }
    if (!place.there || S_ISREG(place.there->st_mode))
        return std::make_unique<FileOutput>(place.path, place.there, TemporaryFile::Replacing::whatever);
    if (others == Others::refused) throw Error(ErrorKind::io, fmt::format("{} is not a regular file", name));
    Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (!fd) fail(name, errno);
    return std::make_unique<StreamOutput>(std::move(fd), -1, name);
}

std::unique_ptr<Output> Output::in_place_of(const std::string& path, const FileStamp& input) {
    const Place place = place_of(path);
    if (!place.there) fail(fmt::format("'{}'", path), ENOENT);
    if (FileStamp::of(*place.there) != input)
        throw Error(ErrorKind::io, fmt::format("'{}' changed while read", path), "run the command again");
    return std::make_unique<FileOutput>(place.path, place.there, TemporaryFile::Replacing::unchanged);
}

std::unique_ptr<Output> Output::to_stdout(const std::vector<FileIdentity>& inputs) {
    struct stat status {};
    if (::fstat(1, &status) != 0) fail("standard output", errno);
    // Where it was closed when the program started, something that cannot be written to stands in for it.
    if ((::fcntl(1, F_GETFL) & O_ACCMODE) == O_RDONLY) fail("standard output", EBADF);
    refuse_input(status, "standard output", inputs);
    return std::make_unique<StreamOutput>(Fd(), 1, "standard output");
}

std::unique_ptr<Output> Output::to_nowhere() {
    return std::make_unique<NoOutput>();
}

}  // namespace p11mime::cli
