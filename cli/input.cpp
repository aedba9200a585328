#include "cli/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/signals.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& name, int cause) {
    throw system_error(fmt::format("cannot {} '{}'", what, name), cause);
}

std::size_t read_at(int fd, std::uint64_t offset, std::span<Byte> into, const std::string& name) {
    for (;;) {
        throw_if_interrupted();
        const ssize_t count = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR) fail("read", name, errno);
    }
}

// A buffer no larger than needed, and not filled with zeros first: that would cost a small mail more than reading it.
class Piece {
  public:
    explicit Piece(std::uint64_t most = kPieceSize)
        : size_(static_cast<std::size_t>(std::clamp<std::uint64_t>(most, 1, kPieceSize))),
          bytes_(std::make_unique_for_overwrite<Byte[]>(size_)) {}
    std::span<Byte> room() const { return {bytes_.get(), size_}; }
    ByteView first(std::size_t count) const { return room().first(count); }

  private:
    std::size_t size_;
    std::unique_ptr<Byte[]> bytes_;
};

class RegularInput final : public FileInput {
  public:
    RegularInput(Fd fd, std::string name, const struct stat& status, std::uint64_t begin, Watcher watcher)
        : fd_(std::move(fd)),
          name_(std::move(name)),
          stamp_(FileStamp::of(status)),
          begin_(begin),
          watcher_(std::move(watcher)) {}

    std::unique_ptr<Source> open() const override;
    const std::string& name() const override { return name_; }
    std::optional<FileStamp> stamp() const override { return stamp_; }

    void check_unchanged() const {
        if (FileStamp::of_descriptor(fd_.get(), name_) != stamp_)
            throw Error(ErrorKind::io, fmt::format("'{}' changed while read", name_), "run the command again");
    }

    class Reader final : public Source {
      public:
        explicit Reader(const RegularInput& input) : input_(input), buffer_(input.stamp_.size) {}

        ByteView pull() override {
            const std::size_t count =
                read_at(input_.fd_.get(), input_.begin_ + position_, buffer_.room(), input_.name_);
            if (count == 0) input_.check_unchanged();
            position_ += count;
            if (input_.watcher_) input_.watcher_(position_, input_.stamp_.size);
            return buffer_.first(count);
        }

      private:
        const RegularInput& input_;
        Piece buffer_;
        std::uint64_t position_ = 0;
    };

  private:
    Fd fd_;
    std::string name_;
    FileStamp stamp_;
    std::uint64_t begin_;  // where standard input stood
    Watcher watcher_;
};

std::unique_ptr<Source> RegularInput::open() const {
    check_unchanged();
    return std::make_unique<Reader>(*this);
}

Fd unlinked_file() {
    const char* set = std::getenv("TMPDIR");
    const std::string directory = set != nullptr && set[0] != '\0' ? set : "/tmp";
    Fd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd) return fd;
    // Not every file system has O_TMPFILE.
    std::string path = directory + "/p11mime-XXXXXX";
    fd = Fd(::mkostemp(path.data(), O_CLOEXEC));
    if (!fd)
        throw system_error(fmt::format("cannot make a temporary file in '{}'", directory), errno,
                           "set TMPDIR to a directory with room");
    ::unlink(path.c_str());
    return fd;
}

class SpooledInput final : public FileInput {
  public:
    SpooledInput(Fd fd, std::string name, Watcher watcher)
        : fd_(std::move(fd)), name_(std::move(name)), watcher_(std::move(watcher)), spool_(unlinked_file()) {}

    std::unique_ptr<Source> open() const override { return std::make_unique<Reader>(*this); }
    const std::string& name() const override { return name_; }
    std::optional<FileStamp> stamp() const override { return std::nullopt; }

    // Reads from the spool, and past its end from the pipe into the spool.
    class Reader final : public Source {
      public:
        explicit Reader(const SpooledInput& input) : input_(input) {}

        ByteView pull() override {
            const std::size_t count = position_ < input_.spooled_ ? read_spool() : input_.extend(buffer_.room());
            position_ += count;
            if (input_.watcher_) {
                const bool known = input_.ended_;
                input_.watcher_(position_, known ? std::optional(input_.spooled_) : std::nullopt);
            }
            return buffer_.first(count);
        }

      private:
        std::size_t read_spool() {
            const std::size_t count = read_at(input_.spool_.get(), position_, buffer_.room(), input_.name_);
            if (count == 0) throw Error(ErrorKind::io, "the temporary file of the input was cut off");
            return static_cast<std::size_t>(std::min<std::uint64_t>(count, input_.spooled_ - position_));
        }

        const SpooledInput& input_;
        Piece buffer_;
        std::uint64_t position_ = 0;
    };

  private:
    std::size_t extend(std::span<Byte> buffer) const {
        if (ended_) return 0;
        for (;;) {
            wait_readable(fd_.get());
            const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail("read", name_, errno);
            if (count == 0) ended_ = true;
            keep(ByteView(buffer).first(static_cast<std::size_t>(count)));
            return static_cast<std::size_t>(count);
        }
    }

    void keep(ByteView bytes) const {
        while (!bytes.empty()) {
            const ssize_t count = ::pwrite(spool_.get(), bytes.data(), bytes.size(), static_cast<off_t>(spooled_));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) throw system_error("cannot keep the input", errno, "set TMPDIR to a directory with room");
            spooled_ += static_cast<std::uint64_t>(count);
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
    }

    Fd fd_;
    std::string name_;
    Watcher watcher_;
    Fd spool_;
    mutable std::uint64_t spooled_ = 0;
    mutable bool ended_ = false;
};

Fd open_fd(const std::string& path) {
    if (path == "-") return Fd(::fcntl(0, F_DUPFD_CLOEXEC, 3));
    for (;;) {
        throw_if_interrupted();
        Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
        if (fd || errno != EINTR) return fd;
    }
}

}  // namespace

std::unique_ptr<FileInput> FileInput::open_path(const std::string& path, Watcher watcher) {
    const std::string shown = path == "-" ? "standard input" : path;
    Fd fd = open_fd(path);
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) fail("open", shown, errno);
    if (S_ISDIR(status.st_mode)) throw Error(ErrorKind::io, fmt::format("'{}' is a directory", shown));
    if (!S_ISREG(status.st_mode)) return std::make_unique<SpooledInput>(std::move(fd), path, std::move(watcher));
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    const off_t position = path == "-" ? ::lseek(fd.get(), 0, SEEK_CUR) : 0;
    const auto begin = static_cast<std::uint64_t>(std::max<off_t>(position, 0));
    return std::make_unique<RegularInput>(std::move(fd), path, status, begin, std::move(watcher));
}

}  // namespace p11mime::cli
