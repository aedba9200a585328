#include "softhsm-tests/support/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace p11mime::test {

namespace {

void send_all(int connection, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
        const auto count = ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
    }
}

// receive reads until `text` holds what is asked for; false at the end of the connection.
bool receive(int connection, std::string& text, const std::function<bool()>& enough) {
    std::array<char, 4096> piece{};
    while (!enough()) {
        const auto count = ::recv(connection, piece.data(), piece.size(), 0);
        if (count <= 0) return false;
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
    return true;
}

HttpServer::Handler serving(std::map<std::string, std::string> files) {
    return [files = std::move(files)](const HttpServer::Request& request) {
        const auto found = files.find(request.path);
        if (found == files.end()) return HttpServer::Answer{.status = 404};
        return HttpServer::Answer{.body = found->second};
    };
}

}  // namespace

HttpServer::HttpServer(std::map<std::string, std::string> files) : HttpServer(serving(std::move(files))) {}

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("cannot listen on loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

HttpServer::~HttpServer() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int connection : held_)
        ::close(connection);
}

std::string HttpServer::url(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<std::string> HttpServer::requests() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines;
    for (const Request& each : requests_)
        lines.push_back(each.method + " " + each.path);
    return lines;
}

HttpServer::Request HttpServer::last() const {
    const std::lock_guard lock(mutex_);
    return requests_.at(requests_.size() - 1);
}

void HttpServer::serve() {
    while (!ending_) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) continue;
        answer(connection);
        if (held_.empty() || held_.back() != connection) ::close(connection);
    }
}

void HttpServer::answer(int connection) {
    std::string text;
    std::size_t body = 0;
    if (!receive(connection, text, [&] {
            body = text.find("\r\n\r\n");
            return body != std::string::npos;
        }))
        return;
    body += 4;
    Request request;
    request.method = text.substr(0, text.find(' '));
    const auto path = request.method.size() + 1;
    request.path = text.substr(path, text.find(' ', path) - path);
    for (std::size_t line = text.find("\r\n") + 2; line + 2 < body;) {
        const auto end = text.find("\r\n", line);
        const auto colon = text.find(':', line);
        std::string name = text.substr(line, colon - line);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.fields[name] = text.substr(std::min(colon + 2, end), end - std::min(colon + 2, end));
        line = end + 2;
    }
    const auto length = request.fields.find("content-length");
    const std::size_t size = length == request.fields.end() ? 0 : std::stoul(length->second);
    if (!receive(connection, text, [&] { return text.size() >= body + size; })) return;
    request.body = text.substr(body, size);
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    const Answer answer = handler_(request);
    std::string head =
        fmt::format("HTTP/1.1 {} answer\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
                    answer.status, answer.type, answer.body.size());
    if (!answer.location.empty()) head += fmt::format("Location: {}\r\n", answer.location);
    send_all(connection, head);
    if (answer.keep_open)
        held_.push_back(connection);
    else
        send_all(connection, "\r\n" + answer.body);
}

}  // namespace p11mime::test
