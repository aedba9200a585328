#pragma once

#include <map>
#include <string>
#include <vector>

namespace p11mime::cli {

/// child_environment is what a program that is started inherits: this one's variables, less those that are `hidden`
/// since they hold secrets, and those `added`, each as "NAME=VALUE".
std::vector<std::string> child_environment(const std::vector<std::string>& hidden,
                                           const std::map<std::string, std::string>& added = {});

/// null_ended is what exec takes of texts, which must outlive it.
std::vector<char*> null_ended(std::vector<std::string>& texts);

}  // namespace p11mime::cli
