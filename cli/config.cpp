#include "cli/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "cli/options.h"
#include "cli/paths.h"
#include "cli/pin_source.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace po = boost::program_options;

namespace {

std::string trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

// The parser does not tell lines; this finds the one that sets a key ("section.name" or "name").
std::size_t line_of(const std::string& file, const std::string& key) {
    std::ifstream in(file);
    std::string section;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        line = trimmed(line.substr(0, line.find('#')));
        if (line.size() > 2 && line.front() == '[' && line.back() == ']')
            section = line.substr(1, line.size() - 2) + ".";
        else if (section + trimmed(line.substr(0, line.find('='))) == key)
            return number;
    }
    return 0;
}

[[noreturn]] void refuse(const std::string& file, const std::string& key, const std::string& why) {
    throw Error(ErrorKind::usage, fmt::format("{}:{}: {}", file, line_of(file, key), why),
                "keys are long option names, without dashes");
}

bool known(std::string_view name) {
    const auto table = option_table();
    return std::any_of(table.begin(), table.end(), [&](const auto& spec) { return spec.name == name; }) &&
           name != "help";
}

struct Key {
    std::string section;  // "" for what holds for every command
    std::string name;
};

Key split(const std::string& key) {
    const auto dot = key.rfind('.');
    if (dot == std::string::npos) return {"", key};
    return {key.substr(0, dot), key.substr(dot + 1)};
}

void check(const std::string& file, const std::string& key) {
    const Key parts = split(key);
    if (!parts.section.empty() && find_command(parts.section) == nullptr)
        refuse(file, key, fmt::format("unknown section [{}]", parts.section));
    if (!known(parts.name)) refuse(file, key, fmt::format("unknown key '{}'", parts.name));
}

// in_its_place is the value of a key: a file of trust or keys is one beside the config file, not in the directory that
// somebody happens to be in, where others may have put one of that name.
std::string in_its_place(const std::string& file, const std::string& key, const std::string& value) {
    constexpr std::array<std::string_view, 6> kFiles{"ca", "intermediates", "crl", "own-cert", "recipient-cert", "kek"};
    const bool names_file = std::find(kFiles.begin(), kFiles.end(), key) != kFiles.end();
    if (!names_file || value.empty() || value.starts_with('/')) return value;
    return parent_directory(file) + '/' + value;
}

// The parser knows comments by "#" alone; lines that start with ";" become empty, so that the others keep their number.
std::string without_comments(std::istream& in, const std::string& file) {
    std::string text;
    std::string line;
    while (std::getline(in, line)) {
        if (!trimmed(line).starts_with(";")) text += line;
        text += '\n';
    }
    if (in.bad()) throw system_error(fmt::format("cannot read '{}'", file), errno);
    return text;
}

// read is all that a file sets; nothing where there is none.
std::optional<po::parsed_options> read(const std::string& file) {
    std::ifstream from(file);
    if (!from) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw system_error(fmt::format("cannot read '{}'", file), errno);
    }
    try {
        std::istringstream in(without_comments(from, file));
        return po::parse_config_file(in, po::options_description(), true);
    } catch (const po::error& error) {
        throw Error(ErrorKind::usage, fmt::format("{}: {}", file, error.what()), "lines are: key = value");
    }
}

}  // namespace

std::vector<std::string> config_files() {
    return {xdg_directory("XDG_CONFIG_HOME", ".config") + "/p11mime/config", "/etc/p11mime/config"};
}

void store_config(const std::string& file, const CommandSpec& command, const po::options_description& options,
                  po::variables_map& map) {
    const auto all = read(file);
    if (!all) return;
    for (const std::string& wanted : {std::string(command.name), std::string()}) {
        po::parsed_options some(&options);
        for (const po::option& option : all->options) {
            check(file, option.string_key);
            const Key key = split(option.string_key);
            if (key.section != wanted || options.find_nothrow(key.name, false) == nullptr) continue;
            some.options.push_back(option);
            some.options.back().string_key = key.name;
            for (std::string& value : some.options.back().value)
                value = in_its_place(file, key.name, value);
            some.options.back().unregistered = false;
        }
        try {
            po::store(some, map);
        } catch (const po::error_with_option_name& error) {
            refuse(file, (wanted.empty() ? "" : wanted + ".") + error.get_option_name(), error.what());
        }
    }
}

std::vector<std::string> secret_variables(const std::vector<std::string>& files) {
    std::vector<std::string> names;
    for (const std::string& file : files) {
        const auto all = read(file);
        if (!all) continue;
        for (const po::option& option : all->options) {
            if (!option.string_key.ends_with("-source") || option.value.empty()) continue;
            const PinSource source = PinSource::parse(option.value.front());
            if (source.kind == PinSource::Kind::env) names.push_back(source.where);
        }
    }
    return names;
}

}  // namespace p11mime::cli
