#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

namespace p11mime::cli {

/// FileIdentity tells files apart, whatever paths lead to them.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const FileIdentity&) const = default;
    bool operator<(const FileIdentity& other) const {
        return std::tie(device, inode) < std::tie(other.device, other.inode);
    }
};

/// FileStamp is what stays the same as long as nobody writes to a file or puts another one in its place.
struct FileStamp {
    FileIdentity identity;
    std::uint64_t size = 0;     ///< in bytes
    std::int64_t modified = 0;  ///< in nanoseconds since 1970
    bool operator==(const FileStamp&) const = default;

    static FileStamp of(const struct stat& status);
    /// of a file that may not be there, links followed.
    static std::optional<FileStamp> of(const std::string& path);
    /// of_descriptor throws Error(io) that names the file.
    static FileStamp of_descriptor(int fd, const std::string& name);
};

}  // namespace p11mime::cli
