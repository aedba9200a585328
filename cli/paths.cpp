#include "cli/paths.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "cli/fd.h"
#include "cli/system_error.h"

namespace p11mime::cli {

namespace {

constexpr int kMostLinks = 40;  // as Linux follows

bool is_own_directory(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
}

// A file in a directory of the user's own below `base`; "" where it cannot be made there.
std::string file_to_lock(const std::string& base) {
    const std::string directory = fmt::format("{}/p11mime", base);
    ::mkdir(directory.c_str(), 0700);
    if (!is_own_directory(directory)) return "";
    std::string file = directory + "/turns.lock";
    const Fd made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    return made ? file : "";
}

}  // namespace

std::string xdg_directory(const char* variable, const char* fallback) {
    const char* set = std::getenv(variable);
    if (set != nullptr && set[0] == '/') return set;
    if (const char* home = std::getenv("HOME"); home != nullptr && home[0] != '\0')
        return std::string(home) + "/" + fallback;
    const passwd* user = getpwuid(getuid());
    return std::string(user != nullptr ? user->pw_dir : "") + "/" + fallback;
}

std::string parent_directory(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string destination(std::string path) {
    using Resolved = std::unique_ptr<char, decltype([](char* text) { std::free(text); })>;
    for (int links = 0; links < kMostLinks; ++links) {
        if (const Resolved real{::realpath(path.c_str(), nullptr)}) return real.get();
        std::error_code none;
        const std::string target = std::filesystem::read_symlink(path, none).string();
        if (none) break;
        path = target.starts_with("/") ? target : parent_directory(path) + "/" + target;
    }
    const Resolved directory(::realpath(parent_directory(path).c_str(), nullptr));
    return directory ? fmt::format("{}/{}", directory.get(), path.substr(path.rfind('/') + 1)) : path;
}

void make_directory(const std::string& path, unsigned mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
        throw system_error(fmt::format("cannot make '{}'", path), errno);
}

std::string turns_file() {
    std::error_code ignored;
    const std::string state = xdg_directory("XDG_STATE_HOME", ".local/state");
    std::filesystem::create_directories(state, ignored);
    if (std::string file = file_to_lock(state); !file.empty()) return file;
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const bool usable = runtime != nullptr && runtime[0] == '/' && is_own_directory(runtime);
    return usable ? file_to_lock(runtime) : "";
}

bool is_device(const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

bool same_file(const std::string& a, const std::string& b) {
    struct stat one {};
    struct stat other {};
    return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

}  // namespace p11mime::cli
