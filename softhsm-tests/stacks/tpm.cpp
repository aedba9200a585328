#include "softhsm-tests/stacks/tpm.h"

namespace p11mime::test {

namespace {

/// copy replaces a directory by another one, where that is there.
void copy(const std::string& from, const std::string& to) {
    if (!std::filesystem::exists(from)) return;
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to);
}

}  // namespace

void TpmStack::need(Way way) {
    need_file(kModule, "libtpm2-pkcs11-1");
    need_file("/usr/bin/swtpm", "swtpm");
    need_file("/usr/bin/tpm2_getcap", "tpm2-tools");
    if (way == Way::direct) return;
    need_file("/usr/bin/dbus-daemon", "dbus-daemon");
    need_file("/usr/sbin/tpm2-abrmd", "tpm2-abrmd");
    need_file("/usr/lib/x86_64-linux-gnu/libtss2-tcti-tabrmd.so.0", "libtss2-tcti-tabrmd0");
}

TpmStack::TpmStack(Way way) : Stack({.token = "TPM", .pin = std::string(kUserPin)}) {
    std::map<std::string, std::string>& environment = office.desk.environment;
    environment["TPM2_PKCS11_STORE"] = directory("store");
    environment["TPM2_PKCS11_TCTI"] = "swtpm:path=" + socket("tpm");
    office.desk.module = kModule;
    restart();
    if (way == Way::resource_manager) start_manager();
    initialise();
}

void TpmStack::restart() {
    tpm_.reset();
    for (const std::string& path : {socket("tpm"), control()})
        std::filesystem::remove(path);
    copy(office.desk.path("kept"), directory("tpm"));
    tpm_.emplace(Command{.arguments = {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + directory("tpm"), "--server",
                                       "type=unixio,path=" + socket("tpm"), "--ctrl", "type=unixio,path=" + control(),
                                       "--flags", "not-need-init,startup-clear"}},
                 log("swtpm"));
    for (const std::string& path : {socket("tpm"), control()})
        wait_until([&] { return std::filesystem::exists(path); }, "the TPM's " + path);
}

void TpmStack::keep() const {
    copy(office.desk.path("tpm"), office.desk.path("kept"));
}

void TpmStack::start_manager() {
    std::map<std::string, std::string>& environment = office.desk.environment;
    environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=" + socket("bus");
    environment["TPM2_PKCS11_TCTI"] = "tabrmd:bus_type=session";
    bus_.emplace(Command{.arguments = {"dbus-daemon", "--session", "--nofork", "--nopidfile",
                                       "--address=unix:path=" + socket("bus")}},
                 log("dbus"));
    wait_until([&] { return std::filesystem::exists(socket("bus")); }, "the message bus");
    manager_.emplace(
        Command{.arguments = {"tpm2-abrmd", "--session", "--allow-root", "--tcti=swtpm:path=" + socket("tpm")},
                .environment = environment},
        log("tpm2-abrmd"));
    wait_until([&] { return tool_says({"--list-slots"}).find("uninitialized") != std::string::npos; },
               "the TPM's resource manager");
}

void TpmStack::need_puk() {
    done(office.desk.run(
        {"tpm2_dictionarylockout", "--clear-lockout", "--tcti", office.desk.environment.at("TPM2_PKCS11_TCTI")}));
}

std::string TpmStack::sessions() const {
    return done(office.desk.run({"tpm2_getcap", "--tcti", "swtpm:path=" + socket("tpm"), "handles-loaded-session"}));
}

std::string TpmStack::directory(const std::string& name) const {
    std::filesystem::create_directories(office.desk.path(name));
    return office.desk.path(name);
}

std::unique_ptr<Stack> start_tpm() {
    TpmStack::need(TpmStack::Way::resource_manager);
    return std::make_unique<TpmStack>(TpmStack::Way::resource_manager);
}

}  // namespace p11mime::test
