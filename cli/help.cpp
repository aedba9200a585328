#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/options.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kNameWidth = 16;
constexpr std::size_t kScreenWidth = 80;
constexpr std::size_t kHalfWidth = kScreenWidth / 2;
constexpr std::ptrdiff_t kMostLines = 23;  // a screen has 25, two are the usage

std::string spelled(const OptionSpec& spec) {
    std::string text = spec.letter != 0 ? fmt::format("-{}, ", spec.letter) : "";
    text += fmt::format("--{}", spec.name);
    if (*spec.value != '\0') text += fmt::format(" {}", spec.value);
    return text;
}

// add_to_row puts an entry on the last of some lines where there is room on it.
void add_to_row(std::string& lines, const std::string& entry) {
    const std::size_t start = lines.rfind('\n') + 1;  // 0 where there is but one line
    if (lines.size() - start + entry.size() > kScreenWidth) lines += "\n";
    lines += entry;
}

// Two short options share a line; those whose names say it all stand close together at the end.
std::string in_columns(Groups groups) {
    std::string lines, pending, names;
    for (const OptionSpec& spec : option_table()) {
        if ((spec.groups & groups) == 0) continue;
        if (*spec.description == '\0') {
            add_to_row(names, "  " + spelled(spec));
            continue;
        }
        const std::string entry = fmt::format("  {:<{}}  {}", spelled(spec), kNameWidth, spec.description);
        if (entry.size() >= kHalfWidth) {
            lines += entry + "\n";
        } else if (pending.empty()) {
            pending = entry;
        } else {
            lines += fmt::format("{:<{}}{}\n", std::exchange(pending, ""), kHalfWidth, entry);
        }
    }
    if (!pending.empty()) lines += pending + "\n";
    return names.empty() ? lines : lines + names + "\n";
}

// As many options as there is room for share a line; one that is too long leaves its place to those that follow.
std::string in_a_row(Groups groups) {
    constexpr std::ptrdiff_t kOpenLines = 4;  // so that an option stays near its fellows
    std::vector<std::string> lines;
    for (const OptionSpec& spec : option_table()) {
        if ((spec.groups & groups) == 0) continue;
        const std::string entry = *spec.description == '\0' ? "  " + spelled(spec)
                                                            : fmt::format("  {} ({})", spelled(spec), spec.description);
        const auto first = lines.end() - std::min(kOpenLines, std::ssize(lines));
        const auto line = std::find_if(
            first, lines.end(), [&](const std::string& open) { return open.size() + entry.size() <= kScreenWidth; });
        if (line == lines.end())
            lines.push_back(entry);
        else
            *line += entry;
    }
    return fmt::format("{}\n", fmt::join(lines, "\n"));
}

// The help of every command fits a screen; one with many options has no room for columns.
std::string option_lines(Groups groups) {
    std::string columns = in_columns(groups);
    return std::count(columns.begin(), columns.end(), '\n') <= kMostLines ? columns : in_a_row(groups);
}

}  // namespace

std::string command_help(const CommandSpec& command) {
    return fmt::format("usage: p11mime {} [options]{}{}\n{}\n", command.name, *command.arguments != '\0' ? " " : "",
                       command.arguments, command.summary) +
           option_lines(command.groups);
}

std::string group_help(std::string_view group) {
    std::string text;
    for (const CommandSpec& command : command_table())
        if (std::string_view(command.name).substr(0, group.size() + 1) == fmt::format("{} ", group))
            text += fmt::format("  {:<16}  {}\n", command.name, command.summary);
    return fmt::format("p11mime {} COMMAND [options]; each COMMAND has --help\n", group) + text;
}

std::string general_help() {
    std::string text = "p11mime COMMAND [options] [FILE]: S/MIME with private keys on PKCS#11 tokens\n";
    for (const CommandSpec& command : command_table())
        if (std::string_view(command.name).find(' ') == std::string_view::npos)
            text += fmt::format("  {:<8}  {}\n", command.name, command.summary);
    text +=
        "  key       generate, csr, self-sign, import-cert, import-p12, delete,\n"
        "            change-pin, unblock\n"
        "  certs     import, list, export, remove, trust, lookup: the address book\n"
        "p11mime COMMAND --help lists the options; p11mime --version the libraries.\n"
        "Without FILE, or with -, the input is standard input; without -o, the output is\n"
        "standard output; many files need -d DIR, --in-place or -n, and the worst status\n"
        "counts. Options may be set in $XDG_CONFIG_HOME/p11mime/config.\n"
        "Exit: 0 all holds, 1 the message fails, 2 usage, 3 intact but not trusted,\n"
        "4 token trouble, 5 no key or certificate for a recipient, 6 malformed or not\n"
        "S/MIME, 7 input or output. --sysexits: 1 and 6 become 65, 2 64, 3 77, 5 67,\n"
        "4 and 7 75.\n";
    return text;
}

}  // namespace p11mime::cli
