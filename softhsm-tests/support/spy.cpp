#include "softhsm-tests/support/spy.h"

#include <algorithm>
#include <sstream>

namespace p11mime::test {

namespace {

std::string log_file(const Desk& desk) {
    return desk.path("spy.log");
}

}  // namespace

SpyLog::SpyLog(const std::string& text) {
    constexpr std::string_view kObject = "[in] hObject = ";
    std::istringstream lines(text);
    std::string object;
    bool asking = false;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t digits = line.find_first_not_of("0123456789");
        if (digits > 0 && digits != std::string::npos && line.compare(digits, 4, ": C_") == 0)
            sequence_.push_back(line.substr(digits + 2));
        if (line.starts_with(kObject)) object = line.substr(kObject.size());
        if (line.starts_with("    CKA_VALUE ") && asking) ++certificate_reads_[object];
        if (line.starts_with("[in] pTemplate")) asking = true;
        if (line.starts_with("[out]")) asking = false;
    }
}

int SpyLog::calls(const std::string& function) const {
    if (function.empty()) return static_cast<int>(sequence_.size());
    return static_cast<int>(std::count(sequence_.begin(), sequence_.end(), function));
}

std::map<std::string, std::string> spy_environment(const Desk& desk) {
    return {{"PKCS11_MODULE_PATH", SoftHsm::spy_module()},
            {"PKCS11SPY", desk.module},
            {"PKCS11SPY_OUTPUT", log_file(desk)},
            {"ASAN_OPTIONS", "detect_leaks=0"}};  // pkcs11-spy leaks
}

SpyLog spy_log(const Desk& desk) {
    return SpyLog(read_file(log_file(desk)));
}

void forget_spy_log(const Desk& desk) {
    std::filesystem::remove(log_file(desk));
}

Spied spied(const Desk& desk, Command command) {
    forget_spy_log(desk);
    for (const auto& [name, value] : desk.environment)
        command.environment.emplace(name, value);
    for (const auto& [name, value] : spy_environment(desk))
        command.environment[name] = value;
    Outcome outcome = run_process(command);
    return {std::move(outcome), std::filesystem::exists(log_file(desk)) ? spy_log(desk) : SpyLog("")};
}

Spied spied_p11mime(const Desk& desk, const std::vector<std::string>& arguments, const std::string& input) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--module", SoftHsm::spy_module()});
    Command command = desk.p11mime_command(all);
    command.input = input;
    return spied(desk, std::move(command));
}

}  // namespace p11mime::test
