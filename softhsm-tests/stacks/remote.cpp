#include "softhsm-tests/stacks/remote.h"

#include <sstream>

namespace p11mime::test {

namespace {

// listens says whether a server takes connections at a socket: a while after that is there (proc_net_unix: its flag is
// __SO_ACCEPTCON).
bool listens(const std::string& socket) {
    std::istringstream sockets(read_file("/proc/net/unix"));
    for (std::string line; std::getline(sockets, line);)
        if (line.ends_with(" " + socket) && line.find(" 00010000 ") != std::string::npos) return true;
    return false;
}

}  // namespace

void RemoteStack::need() {
    need_file(kModule, "p11-kit-modules");
    need_file("/usr/libexec/p11-kit/p11-kit-server", "p11-kit");
}

RemoteStack::RemoteStack() : Stack({.token = "Desk", .pin = std::string(kUserPin)}) {
    restart(SoftHsm::module(), {});
    office.desk.module = kModule;
    office.desk.environment["P11_KIT_SERVER_ADDRESS"] = "unix:path=" + office.desk.path("socket");
}

void RemoteStack::restart(const std::string& module, const std::map<std::string, std::string>& more) {
    const std::string socket = office.desk.path("socket");
    server_.reset();
    std::filesystem::remove(socket);
    Command command{.arguments = {"setsid", "p11-kit", "server", "-f", "-n", socket, "--provider", module, token_uri()},
                    .environment = office.desk.environment};
    command.environment.insert(more.begin(), more.end());
    server_.emplace(command, office.desk.path("server.log"));
    wait_until([&] { return listens(socket); }, "p11-kit server");
}

std::unique_ptr<Stack> start_remote() {
    RemoteStack::need();
    return std::make_unique<RemoteStack>();
}

}  // namespace p11mime::test
