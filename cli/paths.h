#pragma once

#include <string>

namespace p11mime::cli {

/// xdg_directory is a base directory of the XDG specification: what the environment variable says where that is
/// absolute, else `fallback` below the home directory.
std::string xdg_directory(const char* variable, const char* fallback);

/// parent_directory is the directory that a path is in, "." for a bare name.
std::string parent_directory(const std::string& path);

/// destination is where a file written to `path` ends up: links are followed, those that lead nowhere yet too.
std::string destination(std::string path);

/// make_directory makes a directory, with `mode` less the umask, where there is nothing by its name. Throws Error(io).
void make_directory(const std::string& path, unsigned mode = 0777);

/// turns_file is what the user's processes lock, made where it is missing: in p11mime below $XDG_STATE_HOME, which is
/// the same for a desktop session and for cron, or, where it cannot be made there, below an $XDG_RUNTIME_DIR that is
/// theirs. "" where neither is to be had.
std::string turns_file();

/// is_device says whether there is something at `path` that is neither a regular file nor a directory.
bool is_device(const std::string& path);

/// same_file says whether two paths lead to one existing file.
bool same_file(const std::string& a, const std::string& b);

}  // namespace p11mime::cli
