#include "softhsm-tests/support/card_readers.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

#include "softhsm-tests/support/built.h"

namespace p11mime::test {

namespace {

constexpr const char* kReaderDriver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
constexpr int kPort = 35963;  // of the first reader; the second has the next

// What the namespaces need: a loopback interface whose connections acknowledge at once, since each APDU takes 40 ms
// otherwise, and a directory for pcscd's socket.
constexpr const char* kPrepare = R"(set -e
ip link set lo up
for network in 127.0.0.0/8 127.0.0.1; do
    ip route change table local local $network dev lo proto kernel scope host src 127.0.0.1 quickack 1
done
[ -d /run/pcscd ] || { mount -t tmpfs tmpfs /run; mkdir /run/pcscd; }
mount --bind "$1" /run/pcscd
touch "$1/ready"
exec sleep infinity)";

std::string first_library(const std::string& name) {
    for (const char* directory : {"/usr/lib/x86_64-linux-gnu/", "/usr/lib/aarch64-linux-gnu/", "/usr/lib/"})
        if (std::filesystem::exists(directory + name)) return directory + name;
    return {};
}

// connected is a socket that is connected to `path`; -1 where nobody listens there.
int connected(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
    std::copy(path.begin(), path.end(), address.sun_path);
    const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return connection;
    ::close(connection);
    return -1;
}

// conversation sends one line to a socket and returns the line that comes back; "" where nobody listens.
std::string conversation(const std::string& path, const std::string& line) {
    const int connection = connected(path);
    if (connection < 0) return {};
    const std::string whole = line + "\n";
    ::send(connection, whole.data(), whole.size(), MSG_NOSIGNAL);
    std::string reply;
    char c = 0;
    while (::recv(connection, &c, 1, 0) == 1 && c != '\n')
        reply += c;
    ::close(connection);
    return reply;
}

bool listens(const std::string& path) {
    const int connection = connected(path);
    if (connection >= 0) ::close(connection);
    return connection >= 0;
}

// reader_line is what `opensc-tool --list-readers` says of a reader: "0    Yes             Virtual PCD 00 00".
std::string reader_line(const Desk& desk, const std::string& reader) {
    const std::string list = desk.run({"opensc-tool", "--list-readers"}).out;
    const std::size_t name = list.find(reader);
    if (name == std::string::npos) return {};
    const std::size_t begin = list.rfind('\n', name) + 1;
    return list.substr(begin, name - begin);
}

}  // namespace

PivCard::PivCard(const Desk& desk, int number, std::string reader)
    : desk_(desk),
      number_(number),
      reader_(std::move(reader)),
      directory_(desk.path(fmt::format("pcsc/card{}", number))),
      serial_(fmt::format("{:02x}", number + 1)) {
    std::filesystem::create_directories(directory_ + "/keys");
}

void PivCard::put(const std::string& reference, const Identity& identity) {
    write_file(directory_ + "/keys/" + reference + ".key", identity.key_pem);
    put_certificate(reference, identity);
}

void PivCard::put_certificate(const std::string& reference, const Identity& identity) {
    write_file(directory_ + "/keys/" + reference + ".pem", identity.certificate_pem);
}

void PivCard::insert() {
    order(fmt::format("replace {}/keys {}", directory_, serial_));
    order("insert");
    wait_until([&] { return reader_line(desk_, reader_).find("Yes") != std::string::npos; }, "a card in " + reader_);
}

void PivCard::remove() {
    order("remove");
    wait_until([&] { return reader_line(desk_, reader_).find("No") != std::string::npos; }, "no card in " + reader_);
}

std::string PivCard::order(const std::string& command) const {
    std::string answer = conversation(directory_ + "/control", command);
    if (!answer.starts_with("ok")) throw std::runtime_error("the card was told: " + command + ", it says: " + answer);
    return answer;
}

std::string PivCard::status(const std::string& name) const {
    const std::string all = order("status");
    const std::size_t found = all.find(" " + name + "=");
    if (found == std::string::npos) throw std::runtime_error("the card knows no " + name);
    const std::size_t begin = found + name.size() + 2;
    return all.substr(begin, all.find(' ', begin) - begin);
}

unsigned PivCard::tries() const {
    const std::string out = done(
        desk_.run({"opensc-tool", "--reader", std::to_string(number_), "--card-driver", "default", "--send-apdu",
                   "00:A4:04:00:05:A0:00:00:03:08:00", "--send-apdu", "00:20:FF:80", "--send-apdu", "00:20:00:80"}));
    const std::string answer = out.substr(out.rfind("(SW1="));
    if (answer.starts_with("(SW1=0x69, SW2=0x83)")) return 0;
    const std::string counted = "(SW1=0x63, SW2=0xC";
    if (!answer.starts_with(counted)) throw std::runtime_error("no retry counter: " + out);
    return static_cast<unsigned>(std::stoul(answer.substr(counted.size(), 1), nullptr, 16));
}

std::vector<std::string> PivCard::transmitted(const std::string& instruction, const std::string& other) const {
    std::vector<std::string> found;
    std::istringstream lines(log());
    for (std::string line; std::getline(lines, line);)
        if (const std::string ins = line.substr(3, 2); ins == instruction || ins == other) found.push_back(line);
    return found;
}

int PivCard::pins_sent() const {
    const auto all = transmitted("20");
    return static_cast<int>(std::count_if(
        all.begin(), all.end(), [](const std::string& line) { return line.find(" Lc=8 ") != std::string::npos; }));
}

int PivCard::pins_refused() const {
    const auto all = transmitted("20");
    return static_cast<int>(std::count_if(all.begin(), all.end(), [](const std::string& line) {
        return line.find(" Lc=8 ") != std::string::npos && !line.ends_with(" 9000");
    }));
}

std::string CardReaders::opensc_module() {
    return first_library("opensc-pkcs11.so");
}

std::string CardReaders::ykcs11_module() {
    return first_library("libykcs11.so");
}

std::string CardReaders::why_not() {
    if (geteuid() != 0) return "namespaces need root";
    constexpr std::array needed{std::pair{"/usr/sbin/pcscd", "pcscd"}, std::pair{kReaderDriver, "vsmartcard-vpcd"},
                                std::pair{"/usr/bin/opensc-tool", "opensc"}};
    for (const auto& [file, package] : needed)
        if (!std::filesystem::exists(file)) return fmt::format("the package {} is not installed", package);
    if (opensc_module().empty()) return "the package opensc-pkcs11 is not installed";
    const Outcome allowed = run_process({.arguments = {"unshare", "-m", "-n", "ip", "link", "set", "lo", "up"}});
    return allowed.status == 0 ? "" : "no namespaces: " + allowed.err;
}

CardReaders::CardReaders(Desk& desk, const std::string& name) : desk_(desk), directory_(desk.path("pcsc")) {
    std::filesystem::create_directories(directory_ + "/readers");
    std::filesystem::create_directories(directory_ + "/no-drivers");
    std::filesystem::create_directories(desk.path("cache"));
    desk.module = opensc_module();
    desk.environment["PCSCLITE_CSOCK_NAME"] = directory_ + "/pcscd.comm";
    desk.environment["OPENSC_CONF"] = desk.file("opensc.conf", "app default { }\n");
    desk.environment["XDG_CACHE_HOME"] = desk.path("cache");
    desk.environment["ASAN_OPTIONS"] = "detect_leaks=0";  // OpenSC leaks what it parses of EC keys
    write_file(directory_ + "/readers/vpcd",
               fmt::format("FRIENDLYNAME \"{0}\"\nDEVICENAME /dev/null:{1:#x}\nLIBPATH {2}\nCHANNELID {1:#x}\n", name,
                           kPort, kReaderDriver));
    namespaces_.emplace(Command{.arguments = {"unshare", "-m", "-n", "sh", "-c", kPrepare, "sh", directory_}},
                        directory_ + "/namespaces.log");
    wait_until(
        [&] {
            if (!namespaces_->running()) throw std::runtime_error(read_file(directory_ + "/namespaces.log"));
            return std::filesystem::exists(directory_ + "/ready");
        },
        "namespaces");
    for (int number = 0; number < 2; ++number) {
        cards_.emplace_back(new PivCard(desk, number, fmt::format("{} 00 {:02}", name, number)));
        const std::string& own = cards_.back()->directory_;
        running_cards_.emplace_back(
            Command{.arguments =
                        inside({built_path("p11mime-piv-card"), "--keys", own + "/keys", "--control", own + "/control",
                                "--port", std::to_string(kPort + number), "--pin", std::string(kUserPin), "--puk",
                                std::string(kPuk), "--log", own + "/log", "--outside"})},
            own + "/errors");
        wait_until([&] { return conversation(own + "/control", "status").starts_with("ok"); }, "the card");
    }
    start();
}

Command CardReaders::pcscd(const std::string& readers) const {
    return {.arguments = inside({"pcscd", "--foreground", "--info", "--config", readers}),
            .environment = {{"PCSCLITE_HP_DROPDIR", directory_ + "/no-drivers"}}};
}

void CardReaders::run(const std::string& readers) {
    pcscd_.reset();
    for (const char* left : {"/pcscd.comm", "/pcscd.pid"})  // by one that was killed
        std::filesystem::remove(directory_ + left);
    pcscd_.emplace(pcscd(readers), directory_ + "/pcscd.log");
}

void CardReaders::start() {
    run(directory_ + "/readers");
    wait_until([&] { return !reader_line(desk_, cards_.back()->reader()).empty(); }, "pcscd and its readers");
}

// opensc-tool finds no readers without a pcscd as well, so that it does not tell when this one is there.
void CardReaders::unplug() {
    run(directory_ + "/no-drivers");
    wait_until([&] { return listens(directory_ + "/pcscd.comm"); }, "pcscd without readers");
}

void CardReaders::stop() {
    pcscd_.reset();
}

std::vector<std::string> CardReaders::inside(const std::vector<std::string>& arguments) const {
    const std::string process = std::to_string(namespaces_->pid());
    std::vector<std::string> all = {"nsenter", "--target", process, "--mount", "--net", "--"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

}  // namespace p11mime::test
