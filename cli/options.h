#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.h"

namespace p11mime::cli {

/// Values are option values by long name; a flag that is set has the one value "true".
using Values = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Options is a parsed command line with the config files behind it.
class Options {
  public:
    Options(const CommandSpec& command, Values values, std::vector<std::string> files)
        : command_(&command), values_(std::move(values)), files_(std::move(files)) {}

    std::string command() const { return command_->name; }
    bool takes(Group group) const { return (command_->groups & group) != 0; }
    bool flag(std::string_view name) const { return values_.find(name) != values_.end(); }
    std::optional<std::string> text(std::string_view name) const;
    std::vector<std::string> list(std::string_view name) const;
    const std::vector<std::string>& files() const { return files_; }

    /// required is the text of an option that must be there. Throws Error(usage).
    std::string required(std::string_view name) const;

    /// choice is the text of an option that must be one of the allowed values; nothing where the option is not set.
    /// Throws Error(usage).
    std::optional<std::string> choice(std::string_view name, std::span<const std::string_view> allowed) const;

  private:
    const CommandSpec* command_;
    Values values_;
    std::vector<std::string> files_;
};

/// ConfigFiles are the config files, the one that wins first; what does not exist is left out.
std::vector<std::string> config_files();

/// parse_options reads what follows the command on a command line; options that it does not set come from the config
/// files, the first file that has one wins. Throws Error(usage).
Options parse_options(const CommandSpec& command, const std::vector<std::string>& arguments,
                      const std::vector<std::string>& config);

/// command_help is the help text of one command, general_help that of the program.
std::string command_help(const CommandSpec& command);
std::string general_help();

/// group_help lists the commands that start with a word ("key", "certs").
std::string group_help(std::string_view group);

}  // namespace p11mime::cli
