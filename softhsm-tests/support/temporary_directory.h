#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace p11mime::test {

/// TemporaryDirectory is a new directory that goes away, with all that is in it, when this does.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string operator/(std::string_view name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

/// read_file returns a whole file; write_file replaces one. Both throw std::system_error.
std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view content);

/// names lists the names of the files in a directory, sorted.
std::string names(const std::filesystem::path& directory);

}  // namespace p11mime::test
