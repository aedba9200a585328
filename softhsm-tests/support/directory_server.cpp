#include "softhsm-tests/support/directory_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace p11mime::test {

namespace {

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

// slapd takes no port 0.
int free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const bool bound = ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(probe);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

}  // namespace

DirectoryServer::DirectoryServer(const std::string& ldif) {
    const std::string config = directory_ / "slapd.conf";
    const std::string data = directory_ / "data.ldif";
    std::filesystem::create_directories(directory_ / "db");
    std::ofstream(config) << fmt::format(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n"
        "include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\n"
        "suffix \"o=Example\"\ndirectory {}\n",
        directory_ / "db");
    std::ofstream(data) << ldif;
    const Outcome added = run_process({.arguments = {"/usr/sbin/slapadd", "-f", config, "-l", data}});
    if (added.status != 0) throw std::runtime_error("slapadd: " + added.err);
    // Another test may take the port in between.
    for (int tries = 0; tries < 5 && !server_; ++tries) {
        port_ = free_port();
        server_.emplace(Command{.arguments = {"/usr/sbin/slapd", "-f", config, "-h", url(""), "-d", "0"}},
                        directory_ / "log");
        wait_until([&] { return answers() || !server_->running(); }, "slapd to answer");
        if (!server_->running()) server_.reset();
    }
    if (!server_) throw std::runtime_error("slapd does not start");
}

bool DirectoryServer::installed() {
    return std::filesystem::exists("/usr/sbin/slapd");
}

std::string DirectoryServer::url(const std::string& rest) const {
    return fmt::format("ldap://127.0.0.1:{}/{}", port_, rest);
}

bool DirectoryServer::answers() const {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port_);
    const bool there = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return there;
}

}  // namespace p11mime::test
