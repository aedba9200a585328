#include "softhsm-tests/support/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

namespace p11mime::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "p11mime-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail(name);
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) fail(path);
}

std::string names(const std::filesystem::path& directory) {
    std::set<std::string> sorted;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        sorted.insert(entry.path().filename().string());
    std::string all;
    for (const std::string& name : sorted)
        all += (all.empty() ? "" : " ") + name;
    return all;
}

}  // namespace p11mime::test
