#pragma once

#include <string>

namespace p11mime::cli {

/// xdg_directory is a base directory of the XDG specification: what the environment variable says where that is
/// absolute, else `fallback` below the home directory.
std::string xdg_directory(const char* variable, const char* fallback);

/// parent_directory is the directory that a path is in, "." for a bare name.
std::string parent_directory(const std::string& path);

/// same_file says whether two paths lead to one existing file.
bool same_file(const std::string& a, const std::string& b);

}  // namespace p11mime::cli
