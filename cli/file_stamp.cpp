#include "cli/file_stamp.h"

#include <fmt/format.h>

#include <cerrno>

#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

FileStamp FileStamp::of(const struct stat& status) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    return {.identity = {status.st_dev, status.st_ino},
            .size = static_cast<std::uint64_t>(status.st_size),
            .modified = status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

std::optional<FileStamp> FileStamp::of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return of(status);
}

FileStamp FileStamp::of_descriptor(int fd, const std::string& name) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) throw system_error(fmt::format("cannot read '{}'", name), errno);
    return of(status);
}

}  // namespace p11mime::cli
