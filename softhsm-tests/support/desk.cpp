#include "softhsm-tests/support/desk.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "softhsm-tests/support/program.h"

namespace p11mime::test {

namespace {

bool uses_tokens(const std::string& command) {
    constexpr std::array names{"sign", "encrypt", "decrypt", "seal", "open", "tokens", "key"};
    return std::find(names.begin(), names.end(), command) != names.end();
}

}  // namespace

Desk::Desk() : module(SoftHsm::module()) {
    std::filesystem::create_directory(path("tokens"));
    std::filesystem::create_directory(path("home"));
    std::filesystem::create_directory(path("run"));
    environment["SOFTHSM2_CONF"] = configure("ALL");
    environment["HOME"] = path("home");
    environment["XDG_CONFIG_HOME"] = path("home/config");
    environment["XDG_DATA_HOME"] = path("home/data");
    environment["XDG_STATE_HOME"] = path("home/state");
    environment["XDG_RUNTIME_DIR"] = path("run");
    environment["TMPDIR"] = directory_.path().string();
    environment["DESK_PIN"] = kUserPin;
    environment["LC_ALL"] = "C.UTF-8";
    environment["TZ"] = "UTC";
    add_token("Desk");
}

void Desk::add_token(const std::string& label, std::string_view pin) const {
    done(run({"softhsm2-util", "--init-token", "--free", "--label", label, "--pin", std::string(pin), "--so-pin",
              std::string(kSoPin)}));
}

std::string Desk::configure(std::string_view mechanisms) const {
    return file("softhsm2.conf", "directories.tokendir = " + path("tokens") +
                                     "\nobjectstore.backend = file\nslots.mechanisms = " + std::string(mechanisms) +
                                     "\n");
}

void Desk::restrict(std::string_view mechanisms) const {
    configure(mechanisms);
}

void Desk::put(const Identity& identity, const std::string& id) {
    done(run(key_import("Desk", file("put.pem", identity.key_pem), identity.name, id)));
    std::filesystem::remove(path("put.pem"));
    put_certificate(identity, id);
}

void Desk::put_certificate(const Identity& identity, const std::string& id) {
    done(run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login", "--pin",
              std::string(kUserPin), "--write-object", file("put.der", identity.certificate_der()), "--type", "cert",
              "--id", id, "--label", identity.name}));
    std::filesystem::remove(path("put.der"));
}

Command Desk::p11mime_command(const std::vector<std::string>& arguments) const {
    Command command{.arguments = launcher, .environment = environment};
    command.arguments.push_back(program());
    auto rest = arguments.begin();
    const bool adds = rest != arguments.end() && uses_tokens(*rest) &&
                      std::find(arguments.begin(), arguments.end(), "--module") == arguments.end();
    const bool key_command = rest != arguments.end() && *rest == "key" && arguments.size() > 1;
    for (int words = key_command ? 2 : 1; words > 0 && rest != arguments.end(); --words)
        command.arguments.push_back(*rest++);
    const bool adds_pin = adds && arguments.front() != "tokens" &&
                          std::find(arguments.begin(), arguments.end(), "--pin-source") == arguments.end();
    if (adds && !module.empty()) command.arguments.insert(command.arguments.end(), {"--module", module});
    if (adds_pin) command.arguments.insert(command.arguments.end(), {"--pin-source", "env:DESK_PIN"});
    command.arguments.insert(command.arguments.end(), rest, arguments.end());
    return command;
}

Outcome Desk::p11mime(const std::vector<std::string>& arguments, const std::string& input) const {
    Command command = p11mime_command(arguments);
    command.input = input;
    return run_process(command);
}

Outcome Desk::run(const std::vector<std::string>& arguments, const std::string& input) const {
    std::vector<std::string> command = launcher;
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_process({.arguments = std::move(command), .environment = environment, .input = input});
}

std::string Desk::file(const std::string& name, std::string_view content) const {
    write_file(path(name), content);
    return path(name);
}

std::string done(const Outcome& outcome) {
    if (outcome.status != 0)
        throw std::runtime_error("exit " + std::to_string(outcome.status) + ": " + outcome.err + outcome.out);
    return outcome.out;
}

}  // namespace p11mime::test
