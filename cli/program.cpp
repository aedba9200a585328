#include "cli/program.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <boost/version.hpp>

#include "cli/batch.h"
#include "cli/card_wait.h"
#include "cli/commands.h"
#include "cli/delivery.h"
#include "cli/failure.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/settings.h"
#include "cms/secure_heap.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

struct Entry {
    const char* command;
    int (*run)(Context& context);
};

constexpr Entry kEntries[] = {
    {"sign", sign},
    {"verify", verify},
    {"encrypt", encrypt},
    {"decrypt", decrypt},
    {"seal", seal},
    {"open", open},
    {"inspect", inspect},
    {"tokens", list_tokens},
    {"watch", watch},
    {"doctor", examine},
    {"key generate", generate_key},
    {"key csr", request_certificate},
    {"key self-sign", self_sign},
    {"key import-cert", import_certificate},
    {"key import-p12", import_p12},
    {"key delete", delete_key},
    {"key change-pin", change_pin},
    {"key unblock", unblock_pin},
    {"certs import", import_certificates},
    {"certs list", list_certificates},
    {"certs export", export_certificates},
    {"certs remove", remove_certificates},
    {"certs trust", trust_certificate},
    {"certs lookup", lookup_certificates},
};

std::string version_text() {
    return fmt::format(
        "p11mime {}\nbuilt with {}, p11-kit {}, SQLite {}, Boost {}.{}.{}, fmt {}.{}.{}, nlohmann-json {}\n",
        P11MIME_VERSION, openssl_version(), P11MIME_P11KIT_VERSION, SQLITE_VERSION, BOOST_VERSION / 100000,
        BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100, FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
        FMT_VERSION % 100, P11MIME_JSON_VERSION);
}

// Says what went wrong, to the person and in the report, and returns the status.
int fail(Context& context, const Error& given) {
    Error error = explained(context.run(), given);
    (void)context.warnings();
    context.terminal().error(error.what(), error.hint());
    try {
        write_error_page(context, error);
    } catch (const Error& second) {
        if (error.kind() != ErrorKind::io) {
            context.terminal().error(second.what(), second.hint());
            error = second;
        }
    }
    try {
        context.check_report();
        context.deliver({}, error_report(context, error));
    } catch (const Error& second) {
        if (second.kind() == ErrorKind::io && error.kind() != ErrorKind::io)
            context.terminal().error(second.what(), second.hint());
        if (second.kind() == ErrorKind::io) return status_of(second.kind());
    }
    return status_of(error.kind());
}

int run_command(const Options& options, Terminal& terminal) {
    Run run(options, terminal);
    Context context(run);
    try {
        check_settings(options);
        const auto entry = std::find_if(std::begin(kEntries), std::end(kEntries),
                                        [&](const Entry& each) { return options.command() == each.command; });
        if (entry == std::end(kEntries)) throw Error(ErrorKind::usage, fmt::format("no command {}", options.command()));
        context.check_report();
        if (is_batch(options)) return run_batch(run, entry->run);
        const int status = entry->run(context);
        (void)run.warnings();
        return status;
    } catch (...) {
        return fail(context, current_error());
    }
}

// The command is the first word, or the first two.
std::string command_name(std::vector<std::string>& arguments) {
    std::string name = arguments.front();
    arguments.erase(arguments.begin());
    if (is_command_group(name) && !arguments.empty() && !arguments.front().starts_with("-")) {
        name += " " + arguments.front();
        arguments.erase(arguments.begin());
    }
    return name;
}

const CommandSpec& command_of(const std::string& name) {
    if (const CommandSpec* command = find_command(name)) return *command;
    const std::string hint = "p11mime --help lists the commands";
    if (is_command_group(name))
        throw Error(ErrorKind::usage, fmt::format("{} what?", name), fmt::format("p11mime {} --help lists it", name));
    if (name.starts_with("-")) throw Error(ErrorKind::usage, "the command comes before the options", hint);
    throw Error(ErrorKind::usage, fmt::format("unknown command '{}'", name), hint);
}

bool is_help(const std::string& word) {
    return word == "--help" || word == "-h" || word == "help";
}

int run_line(std::vector<std::string> arguments, Terminal& terminal) {
    if (arguments.empty()) throw Error(ErrorKind::usage, "no command", "p11mime --help lists them");
    if (arguments.front() == "--version") {
        terminal.print_text(version_text());
        return 0;
    }
    if (is_help(arguments.front()) && arguments.size() == 1) {
        terminal.print_text(general_help());
        return 0;
    }
    if (arguments.front() == "help") {
        arguments.erase(arguments.begin());
        arguments.emplace_back("--help");
    }
    const std::string name = command_name(arguments);
    if (is_command_group(name) && !arguments.empty() && is_help(arguments.front())) {
        terminal.print_text(group_help(name));
        return 0;
    }
    const CommandSpec& command = command_of(name);
    const Options options = parse_options(command, arguments, config_files());
    if (options.flag("help")) {
        terminal.print_text(command_help(command));
        return 0;
    }
    const int status = run_command(options, terminal);
    return options.flag("sysexits") ? sysexit(status) : status;
}

// The value of an option on a command line that could not be parsed.
std::optional<std::string> option_of(const std::vector<std::string>& arguments, const std::string& option) {
    std::optional<std::string> value;
    for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
        if (arguments[i].starts_with(option + "=")) value = arguments[i].substr(option.size() + 1);
        if (arguments[i] == option && i + 1 < arguments.size()) value = arguments[i + 1];
    }
    return value;
}

// Reports a command line that could not be parsed, where it says where to. A file that it names otherwise is left
// alone.
void report_usage(std::vector<std::string> arguments, const Error& error) {
    const auto path = option_of(arguments, "--json");
    if (!path || path->empty() || path->starts_with("--")) return;
    const auto elsewhere = [&](const std::string& argument) {
        return argument != *path && *path != "-" && !is_device(*path) && same_file(argument, *path);
    };
    if (std::any_of(arguments.begin(), arguments.end(), elsewhere)) return;
    if (std::count(arguments.begin(), arguments.end(), *path) > 1) return;
    ReportFrame frame;
    frame.command = command_name(arguments);
    frame.exit = status_of(error.kind());
    frame.result = result_of(error);
    frame.error = error;
    const auto output = *path == "-" ? Output::to_stdout() : Output::to_file(*path);
    output->stage_bytes(to_bytes(bytes_of(empty_report(frame))));
    deliver({output.get()});
}

// The config counts even where the command line cannot be parsed.
bool maps_status(std::vector<std::string> arguments) {
    if (std::find(arguments.begin(), arguments.end(), "--sysexits") != arguments.end()) return true;
    if (arguments.empty()) return false;
    try {
        const CommandSpec* command = find_command(command_name(arguments));
        return command != nullptr && parse_options(*command, {}, config_files()).flag("sysexits");
    } catch (const Error&) {
        return false;  // the config itself cannot be read
    }
}

}  // namespace

ReportFrame frame_of(Context& context, int exit, std::optional<std::string> result) {
    ReportFrame frame;
    frame.command = context.options().command();
    frame.exit = exit;
    frame.result = std::move(result);
    if (context.options().takes(kMail)) frame.input = context.input_name();
    frame.warnings = context.warnings();
    return frame;
}

int sysexit(int status) {
    switch (status) {
        case 0:
            return 0;
        case 1:
        case 6:
            return 65;  // EX_DATAERR
        case 2:
            return 64;  // EX_USAGE
        case 3:
            return 77;  // EX_NOPERM
        case 5:
            return 67;  // EX_NOUSER
        default:
            return 75;  // EX_TEMPFAIL
    }
}

int run(const std::vector<std::string>& arguments, Terminal& terminal) {
    try {
        return run_line(arguments, terminal);
    } catch (const Error& error) {
        terminal.error(error.what(), error.hint());
        int status = status_of(error.kind());
        try {
            report_usage(arguments, error);
        } catch (const Error& second) {
            terminal.error(second.what(), second.hint());
            status = status_of(second.kind());
        }
        return maps_status(arguments) ? sysexit(status) : status;
    }
}

}  // namespace p11mime::cli
