#include "cli/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <set>

#include "cli/config.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace po = boost::program_options;

namespace {

std::string see_help(const CommandSpec& command) {
    return fmt::format("p11mime {} --help lists the options", command.name);
}

po::options_description description_for(Groups groups) {
    po::options_description description;
    for (const OptionSpec& spec : option_table()) {
        if ((spec.groups & groups) == 0) continue;
        const std::string names = spec.letter != 0 ? fmt::format("{},{}", spec.name, spec.letter) : spec.name;
        switch (spec.kind) {
            case OptionKind::flag:
                description.add_options()(names.c_str(), po::bool_switch());
                break;
            case OptionKind::text:
                description.add_options()(names.c_str(), po::value<std::string>());
                break;
            case OptionKind::list:
                description.add_options()(names.c_str(), po::value<std::vector<std::string>>());
                break;
        }
    }
    return description;
}

Values values_of(const po::variables_map& map, Groups groups) {
    Values values;
    for (const OptionSpec& spec : option_table()) {
        if ((spec.groups & groups) == 0 || map.count(spec.name) == 0) continue;
        const po::variable_value& value = map[spec.name];
        switch (spec.kind) {
            case OptionKind::flag:
                if (value.as<bool>()) values[spec.name] = {"true"};
                break;
            case OptionKind::text:
                values[spec.name] = {value.as<std::string>()};
                break;
            case OptionKind::list:
                values[spec.name] = value.as<std::vector<std::string>>();
                break;
        }
    }
    return values;
}

// What the command line gives takes its opposite out of the config.
Values overridden(Values values, const Values& given) {
    constexpr std::pair<const char*, const char*> kOpposites{"protect-headers", "no-protect-headers"};
    const bool first = given.contains(kOpposites.first), second = given.contains(kOpposites.second);
    if (first && !second) values.erase(kOpposites.second);
    if (second && !first) values.erase(kOpposites.first);
    return values;
}

// Takes the positional arguments out, so that the rest are options alone.
std::vector<std::string> take_files(po::parsed_options& parsed) {
    std::vector<std::string> files;
    for (const auto& option : parsed.options)
        if (option.position_key >= 0) files.insert(files.end(), option.value.begin(), option.value.end());
    std::erase_if(parsed.options, [](const auto& option) { return option.position_key >= 0; });
    return files;
}

// Of what takes one value, the last one given counts.
void keep_last(po::parsed_options& parsed) {
    const auto repeats = [](const std::string& name) {
        return std::any_of(option_table().begin(), option_table().end(),
                           [&](const OptionSpec& spec) { return spec.name == name && spec.kind == OptionKind::list; });
    };
    std::set<std::string> seen;
    std::vector<po::option> kept;
    for (auto option = parsed.options.rbegin(); option != parsed.options.rend(); ++option)
        if (seen.insert(option->string_key).second || repeats(option->string_key)) kept.push_back(*option);
    std::reverse(kept.begin(), kept.end());
    parsed.options = std::move(kept);
}

void check_files(const CommandSpec& command, const std::vector<std::string>& files) {
    if (files.size() <= command.most_files) return;
    throw Error(ErrorKind::usage, fmt::format("'{}' is one argument too many", files[command.most_files]),
                see_help(command));
}

}  // namespace

std::optional<std::string> Options::text(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second.back();
}

std::vector<std::string> Options::list(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::string Options::required(std::string_view name) const {
    const auto value = text(name);
    if (!value) throw Error(ErrorKind::usage, fmt::format("{} needs --{}", command(), name), see_help(*command_));
    return *value;
}

std::optional<std::string> Options::choice(std::string_view name, std::span<const std::string_view> allowed) const {
    auto value = text(name);
    if (!value || std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return value;
    const std::string hint = fmt::format("--{} takes {}", name, fmt::join(allowed, ", "));
    throw Error(ErrorKind::usage, fmt::format("--{} does not know '{}'", name, *value), hint);
}

Options parse_options(const CommandSpec& command, const std::vector<std::string>& arguments,
                      const std::vector<std::string>& config) {
    const Groups groups = command.groups | kConfigOnly;
    const po::options_description on_line = description_for(command.groups);
    const po::options_description everywhere = description_for(groups);
    po::variables_map map;
    std::vector<std::string> files;
    try {
        po::parsed_options parsed = po::command_line_parser(arguments).options(on_line).run();
        files = take_files(parsed);
        keep_last(parsed);
        po::store(parsed, map);
    } catch (const po::unknown_option& unknown) {
        const std::string name = unknown.get_option_name();
        throw Error(ErrorKind::usage, fmt::format("{} has no option {}", command.name, name), see_help(command));
    } catch (const po::error& error) {
        throw Error(ErrorKind::usage, error.what(), see_help(command));
    }
    const bool help = map["help"].as<bool>();
    if (!help) check_files(command, files);
    const Values given = values_of(map, groups);
    if (!help)
        for (const std::string& file : config)
            store_config(file, command, everywhere, map);
    return Options(command, overridden(values_of(map, groups), given), std::move(files));
}

}  // namespace p11mime::cli
