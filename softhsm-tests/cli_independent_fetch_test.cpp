// Evidence and issuers that several threads fetch at once.

#include "cli/revocation_source.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "softhsm-tests/support/evidence.h"
#include "softhsm-tests/support/http_server.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;

namespace {

// PatientServer answers no request before it has got two.
class PatientServer {
  public:
    explicit PatientServer(std::string body) : body_(std::move(body)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener_, 2) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~PatientServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    PatientServer(const PatientServer&) = delete;
    PatientServer& operator=(const PatientServer&) = delete;

    std::string url(const std::string& path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

  private:
    void serve() const {
        std::vector<int> waiting;
        while (waiting.size() < 2) {
            const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) break;
            waiting.push_back(connection);
            std::string request;
            char piece[4096];
            for (ssize_t count = 1; count > 0 && request.find("\r\n\r\n") == std::string::npos;) {
                count = ::recv(connection, piece, sizeof piece, 0);
                if (count > 0) request.append(piece, static_cast<std::size_t>(count));
            }
        }
        const std::string answer =
            fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", body_.size(), body_);
        for (const int connection : waiting) {
            ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
            ::close(connection);
        }
    }

    std::string body_;
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port_ = 0;
    std::thread thread_;
};

std::string text(const Bytes& bytes) {
    return {bytes.begin(), bytes.end()};
}

struct Source {
    TemporaryDirectory directory;
    std::shared_ptr<Fetcher> fetcher = std::make_shared<Fetcher>(std::vector<std::string>{"127.0.0.1"});
    RevocationFiles files{
        {}, RevocationCache(directory / "revocation.db"), fetcher, std::make_shared<cms::SystemClock>()};
    SoftwareKey root = certify(authority_spec("Root"));

    cms::Certificate with(const std::string& extension) const {
        return certify({.more_extensions = extension}, &root).certificate;
    }
    std::size_t fetched(const cms::Certificate& certificate) {
        return files.fetch(certificate, root.certificate, cms::RevocationSource::From::distribution_points).crls.size();
    }
};

}  // namespace

TEST_CASE("fetches from two places do not wait for each other", "[cli]") {
    Source source;
    const PatientServer server(text(make_crl({}, source.root)));
    std::size_t first = 0, second = 0;
    std::thread other(
        [&] { first = source.fetched(source.with("crlDistributionPoints=URI:" + server.url("/first"))); });
    second = source.fetched(source.with("crlDistributionPoints=URI:" + server.url("/second")));
    other.join();
    CHECK(first == 1);
    CHECK(second == 1);
}

TEST_CASE("fetches of two issuers do not wait for each other", "[cli]") {
    Source source;
    const PatientServer server(text(source.root.certificate.der()));
    IssuerFetcher issuers(source.fetcher);
    std::size_t first = 0, second = 0;
    const auto found = [&](const std::string& path) {
        return issuers.issuers_of(source.with("authorityInfoAccess=caIssuers;URI:" + server.url(path)))
            .certificates.size();
    };
    std::thread other([&] { first = found("/first"); });
    second = found("/second");
    other.join();
    CHECK(first == 1);
    CHECK(second == 1);
}

TEST_CASE("threads that want the same ask once and have the same answer", "[cli]") {
    Source source;
    const HttpServer server({{"/root.crl", text(make_crl({}, source.root))}});
    const cms::Certificate alice = source.with("crlDistributionPoints=URI:" + server.url("/root.crl"));
    constexpr std::size_t kThreads = 4;
    std::vector<std::size_t> counts(kThreads);
    std::vector<std::thread> threads;
    for (std::size_t& count : counts)
        threads.emplace_back([&] { count = source.fetched(alice); });
    for (std::thread& each : threads)
        each.join();
    CHECK(counts == std::vector<std::size_t>(kThreads, 1));
    CHECK(server.requests() == std::vector<std::string>{"GET /root.crl"});
    CHECK(source.files.at_hand(alice, source.root.certificate).crls.size() == 1);
}
