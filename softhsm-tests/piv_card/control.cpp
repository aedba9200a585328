#include "softhsm-tests/piv_card/control.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "mime/hex.h"

namespace p11mime::piv_card {

namespace {

/// Words takes a line apart; what is missing or makes no sense throws std::invalid_argument.
class Words {
  public:
    explicit Words(const std::string& line) : stream_(line) {}

    std::string word() {
        std::string text;
        if (!(stream_ >> text)) throw std::invalid_argument("a word is missing");
        return text;
    }
    unsigned number(int base = 10) {
        const std::string text = word();
        std::size_t used = 0;
        const unsigned long value = std::stoul(text, &used, base);
        if (used != text.size()) throw std::invalid_argument("not a number: " + text);
        return static_cast<unsigned>(value);
    }
    Place place() {
        const std::string text = word();
        const auto place = parse_place(text);
        if (!place) throw std::invalid_argument("no such command: " + text);
        return *place;
    }
    Bytes bytes() {
        const auto value = parse_hex(word());
        if (!value) throw std::invalid_argument("not hexadecimal");
        return *value;
    }
    bool more() { return !(stream_ >> std::ws).eof(); }

  private:
    std::istringstream stream_;
};

unsigned tries(Words& words) {
    const unsigned number = words.number();
    if (number > 15) throw std::invalid_argument("a counter goes to 15");
    return number;
}

void run(VirtualCard& card, Words& words) {
    const std::string verb = words.word();
    if (verb == "status") return;
    if (verb == "remove") return card.remove();
    if (verb == "insert") return card.insert();
    if (verb == "release") return card.release();
    if (verb == "forget") return card.incidents.clear();
    if (verb == "remove-at") return card.incidents.add(words.place(), Removal{});
    if (verb == "hold-at") return card.incidents.add(words.place(), Hold{});
    if (verb == "fail-at") {
        const Place place = words.place();
        const auto status = static_cast<std::uint16_t>(words.number(16));
        return card.incidents.add(place, Refusal{status, words.more() ? words.number() : 1});
    }
    if (verb == "replace") {
        const std::string directory = words.word();
        return card.card.replace(KeyStore::load(directory), words.bytes());
    }
    if (verb == "slow") {
        card.slowness = std::chrono::milliseconds(words.number());
        return;
    }
    if (verb != "tries" && verb != "puk-tries") throw std::invalid_argument("no such command: " + verb);
    (verb == "tries" ? card.card.pin : card.card.puk).tries = tries(words);
}

}  // namespace

std::string run_command(VirtualCard& card, const std::string& line) try {
    Words words(line);
    run(card, words);
    return "ok " + card.status();
} catch (const std::exception& error) {
    return std::string("error: ") + error.what();
}

ControlSocket::ControlSocket(const std::string& path) : path_(path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
    std::copy(path.begin(), path.end(), address.sun_path);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener_ < 0 || ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0)
        throw std::system_error(errno, std::generic_category(), path);
}

ControlSocket::~ControlSocket() {
    for (const Client& client : clients_)
        ::close(client.socket);
    ::close(listener_);
    ::unlink(path_.c_str());
}

std::vector<int> ControlSocket::descriptors() const {
    std::vector<int> all = {listener_};
    for (const Client& client : clients_)
        all.push_back(client.socket);
    return all;
}

void ControlSocket::serve(int descriptor, VirtualCard& card) {
    if (descriptor == listener_) {
        const int accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (accepted >= 0) clients_.push_back({accepted, {}});
        return;
    }
    const auto client = std::find_if(clients_.begin(), clients_.end(),
                                     [&](const Client& candidate) { return candidate.socket == descriptor; });
    if (client == clients_.end()) return;
    char buffer[512];
    const ssize_t count = ::recv(descriptor, buffer, sizeof buffer, 0);
    if (count <= 0) {
        ::close(descriptor);
        clients_.erase(client);
        return;
    }
    client->begun.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = client->begun.find('\n')) != std::string::npos;) {
        const std::string reply = run_command(card, client->begun.substr(0, end)) + "\n";
        client->begun.erase(0, end + 1);
        static_cast<void>(::send(descriptor, reply.data(), reply.size(), MSG_NOSIGNAL));
    }
}

}  // namespace p11mime::piv_card
