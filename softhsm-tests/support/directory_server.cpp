#include "softhsm-tests/support/directory_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "mime/codec.h"
#include "softhsm-tests/support/desk.h"
#include "softhsm-tests/support/program.h"

namespace p11mime::test {

namespace {

constexpr const char* kSlapd = "/usr/sbin/slapd";

sockaddr_in local(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<in_port_t>(port));
    return address;
}

// free_port asks the system for one. Another process may take it before slapd does; slapd then ends.
int free_port() {
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = local(0);
    socklen_t size = sizeof address;
    const bool bound = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                       getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    close(probe);
    if (!bound) throw std::runtime_error("no port for slapd");
    return ntohs(address.sin_port);
}

bool answers(int port) {
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = local(port);
    const bool connected = connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(connection);
    return connected;
}

std::string ldif(const std::vector<DirectoryServer::Person>& people) {
    std::string text = fmt::format(
        "dn: {}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n", DirectoryServer::kBase);
    for (const auto& person : people) {
        text += fmt::format("\ndn: cn={0},{1}\nobjectClass: inetOrgPerson\ncn: {0}\nsn: {0}\nmail: {2}\n", person.name,
                            DirectoryServer::kBase, person.email);
        for (const std::string& der : person.certificates)
            text += fmt::format("userCertificate;binary:: {}\n", mime::base64_text(bytes_of(der)));
    }
    return text;
}

}  // namespace

bool DirectoryServer::installed() {
    return std::filesystem::exists(kSlapd);
}

DirectoryServer::DirectoryServer(const std::vector<Person>& people) : port_(free_port()) {
    const std::string database = directory_ / "database", configuration = directory_ / "slapd.conf",
                      entries = directory_ / "people.ldif", log = directory_ / "slapd.log";
    std::filesystem::create_directory(database);
    write_file(configuration, fmt::format("include /etc/ldap/schema/core.schema\n"
                                          "include /etc/ldap/schema/cosine.schema\n"
                                          "include /etc/ldap/schema/inetorgperson.schema\n"
                                          "pidfile {}\n"
                                          "modulepath /usr/lib/ldap\n"
                                          "moduleload back_mdb\n"
                                          "database mdb\n"
                                          "maxsize 16777216\n"
                                          "suffix \"{}\"\n"
                                          "directory {}\n",
                                          directory_ / "pid", kBase, database));
    write_file(entries, ldif(people));
    done(run_process({.arguments = {kSlapd, "-T", "add", "-f", configuration, "-l", entries}}));
    write_file(log, "");
    server_.emplace(
        Command{.arguments = {kSlapd, "-d", "0", "-f", configuration, "-h", fmt::format("ldap://127.0.0.1:{}", port_)}},
        log);
    wait_until([&] { return answers(port_) || !server_->running(); }, "slapd");
    if (!server_->running()) throw std::runtime_error("slapd ended and said: " + read_file(log));
}

std::string DirectoryServer::url() const {
    return fmt::format("ldap://127.0.0.1:{}/{}", port_, kBase);
}

}  // namespace p11mime::test
