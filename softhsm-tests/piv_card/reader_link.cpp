#include "softhsm-tests/piv_card/reader_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace p11mime::piv_card {

bool ReaderLink::open(std::uint16_t port) {
    close();
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) return false;
    const int yes = 1;
    ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(made);
        return false;
    }
    socket_ = made;
    return true;
}

void ReaderLink::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

bool ReaderLink::read_all(Byte* to, std::size_t size) {
    while (size > 0) {
        const ssize_t count = ::recv(socket_, to, size, 0);
        if (count <= 0) return false;
        to += count;
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

std::optional<Bytes> ReaderLink::read() {
    Byte length[2];
    Bytes message;
    bool whole = read_all(length, sizeof length);
    if (whole) {
        message.resize(static_cast<std::size_t>(length[0]) << 8 | length[1]);
        whole = read_all(message.data(), message.size());
    }
    if (whole) return message;
    close();
    return std::nullopt;
}

void ReaderLink::write(ByteView message) {
    Bytes bytes = {static_cast<Byte>(message.size() >> 8), static_cast<Byte>(message.size())};
    bytes.insert(bytes.end(), message.begin(), message.end());
    for (std::size_t sent = 0; sent < bytes.size() && is_open();) {
        const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return close();
        sent += static_cast<std::size_t>(count);
    }
}

}  // namespace p11mime::piv_card
