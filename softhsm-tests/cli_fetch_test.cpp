#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>

#include "cli/fetch.h"
#include "cli/public_address.h"
#include "mime/error.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/http_server.h"

using namespace p11mime;
using namespace p11mime::cli;
using p11mime::test::caught;
using p11mime::test::HttpServer;

namespace {

bool public_address(const std::string& text) {
    sockaddr_storage storage{};
    if (text.find(':') == std::string::npos) {
        auto& in = reinterpret_cast<sockaddr_in&>(storage);
        in.sin_family = AF_INET;
        REQUIRE(inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1);
    } else {
        auto& in = reinterpret_cast<sockaddr_in6&>(storage);
        in.sin6_family = AF_INET6;
        REQUIRE(inet_pton(AF_INET6, text.c_str(), &in.sin6_addr) == 1);
    }
    return is_public(reinterpret_cast<const sockaddr&>(storage));
}

std::string failure(const std::function<void()>& what) {
    try {
        what();
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::io);
        return error.what();
    }
    return "no error";
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("only addresses of the public Internet are public") {
    for (const char* address : {"0.0.0.0",
                                "10.1.2.3",
                                "100.64.0.1",
                                "100.127.255.255",
                                "127.0.0.1",
                                "127.9.9.9",
                                "169.254.169.254",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.168.1.1",
                                "192.0.2.1",
                                "198.18.0.1",
                                "198.19.255.255",
                                "203.0.113.5",
                                "224.0.0.1",
                                "239.1.1.1",
                                "240.0.0.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "fe80::1",
                                "fc00::1",
                                "fd12::1",
                                "ff02::1",
                                "::ffff:8.8.8.8",
                                "::ffff:127.0.0.1",
                                "2001:db8::1",
                                "2001::1",
                                "2002:7f00:1::",
                                "64:ff9b::10.0.0.1",
                                "::8.8.8.8",
                                "3fff::1"}) {
        CAPTURE(address);
        CHECK_FALSE(public_address(address));
    }
    for (const char* address :
         {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.1.1",
          "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2002:808:808::", "64:ff9b::8.8.8.8"}) {
        CAPTURE(address);
        CHECK(public_address(address));
    }
}

TEST_CASE("a fetch gets a body and posts one, without telling who asks") {
    HttpServer server([](const HttpServer::Request& request) {
        return HttpServer::Answer{.type = "application/Reply; x=1", .body = "got " + request.body};
    });
    Fetcher fetcher({"127.0.0.1"});
    CHECK(text_of(fetcher.get(server.url("/a?b"))) == "got ");
    CHECK(server.last().fields.at("user-agent") == "p11mime");
    CHECK(server.last().fields.count("cookie") == 0);
    CHECK(text_of(fetcher.post(server.url("/"), "application/query", bytes_of("it"), "application/reply")) == "got it");
    CHECK(server.last().fields.at("content-type") == "application/query");
    CHECK_THAT(failure([&] { fetcher.post(server.url("/"), "application/query", bytes_of("it"), "text/html"); }),
               Contains("the answer is not of type text/html"));
    CHECK(server.requests() == std::vector<std::string>{"GET /a?b", "POST /", "POST /"});
}

TEST_CASE("a private address is not connected to unless the config has its host") {
    HttpServer server(std::map<std::string, std::string>{{"/", "here"}});
    for (const auto& hosts : std::vector<std::vector<std::string>>{{}, {"127.0.0.2"}, {"127.0.0.1:1"}}) {
        Fetcher fetcher(hosts);
        CHECK_THAT(failure([&] { fetcher.get(server.url("/")); }), Contains("127.0.0.1 is no public address"));
    }
    const std::string by_name = "http://localhost:" + std::to_string(server.port()) + "/";
    CHECK_THAT(failure([&] { Fetcher({"127.0.0.1"}).get(by_name); }), Contains("is no public address"));
    CHECK(server.requests().empty());
    CHECK(text_of(Fetcher({"LOCALHOST"}).get(by_name)) == "here");
    CHECK(text_of(Fetcher({"127.0.0.1:" + std::to_string(server.port())}).get(server.url("/"))) == "here");
}

TEST_CASE("a fetch follows few redirects, to the web and to allowed hosts alone") {
    std::string location;
    HttpServer server([&](const HttpServer::Request& request) {
        if (request.path == "/end") return HttpServer::Answer{.body = request.method};
        return HttpServer::Answer{.status = 302, .location = location};
    });
    Fetcher fetcher({"127.0.0.1"});
    location = "/end";
    CHECK(text_of(fetcher.get(server.url("/"))) == "GET");
    CHECK(text_of(fetcher.post(server.url("/"), "a/b", bytes_of("x"), "")) == "POST");
    location = "file:///etc/passwd";
    CHECK_THAT(failure([&] { fetcher.get(server.url("/")); }), Contains("'file' is none of http,https"));
    location = "ldap://127.0.0.1/";
    CHECK_THAT(failure([&] { fetcher.get(server.url("/")); }), Contains("'ldap' is none of http,https"));
    location = "http://localhost:" + std::to_string(server.port()) + "/end";
    CHECK_THAT(failure([&] { fetcher.get(server.url("/")); }), Contains("is no public address"));
    location = "/";
    const auto before = server.requests().size();
    CHECK_THAT(failure([&] { fetcher.get(server.url("/")); }), Contains("more than 3 redirects"));
    CHECK(server.requests().size() == before + 4);
}

TEST_CASE("a fetch refuses what is no plain address of a server") {
    Fetcher fetcher({"127.0.0.1"});
    CHECK_THAT(failure([&] { fetcher.get("file:///etc/passwd"); }), Contains("'file' is none of"));
    CHECK_THAT(failure([&] { fetcher.get("ftp://127.0.0.1/"); }), Contains("'ftp' is none of"));
    CHECK_THAT(failure([&] { fetcher.get("ldap://127.0.0.1/"); }), Contains("'ldap' is none of"));
    CHECK_THAT(failure([&] { fetcher.search("http://127.0.0.1/"); }), Contains("'http' is none of"));
    CHECK_THAT(failure([&] { fetcher.get("http://me:secret@127.0.0.1/"); }), Contains("it holds a user's name"));
    CHECK_THAT(failure([&] { fetcher.get("http://"); }), Contains("cannot fetch"));
    CHECK_THAT(failure([&] { fetcher.get("http://127.0.0.1/" + std::string(3000, 'a')); }), Contains("too long"));
}

TEST_CASE("a fetch is bounded in size and time") {
    HttpServer server([](const HttpServer::Request& request) {
        if (request.path == "/never") return HttpServer::Answer{.keep_open = true};
        return HttpServer::Answer{.status = request.path == "/gone" ? 404 : 200, .body = std::string(1000, 'x')};
    });
    using std::chrono::milliseconds;
    Fetcher small({"127.0.0.1"}, {.most = 999, .connect = milliseconds(5000), .total = milliseconds(30000)});
    const Error large = caught([&] { small.get(server.url("/")); });
    CHECK_THAT(large.what(), Contains("over 999 bytes"));
    CHECK(large.hint() == "fetch it with another program");
    CHECK(caught([&] { small.post(server.url("/"), "application/query", {}, ""); }).hint() ==
          "whoever runs that server can mend it");
    Fetcher fitting({"127.0.0.1"}, {.most = 1000, .connect = milliseconds(5000), .total = milliseconds(30000)});
    CHECK(fitting.get(server.url("/")).size() == 1000);
    CHECK_THAT(failure([&] { fitting.get(server.url("/gone")); }), Contains("the server answers 404"));
    Fetcher hasty({"127.0.0.1"}, {.most = 1000, .connect = milliseconds(50), .total = milliseconds(100)});
    CHECK_THAT(failure([&] { hasty.get(server.url("/never")); }), Contains("timed out"));
    Fetcher waiting({"127.0.0.1"}, {.silence = milliseconds(1000)});
    CHECK_THAT(failure([&] { waiting.get(server.url("/never")); }), Contains("too slow") && Contains("1 seconds"));
}

TEST_CASE("a fetch takes no proxy from the environment") {
    HttpServer server(std::map<std::string, std::string>{{"/", "here"}});
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    CHECK(text_of(Fetcher({"127.0.0.1"}).get(server.url("/"))) == "here");
}

TEST_CASE("a directory's answer is read by entry, text and base64") {
    const auto entries = directory_entries(
        "DN: cn=A\n\tcn: A\n\n\tuserCertificate;binary:: AQID\n\tuserCertificate;binary:: BAU=\n\n\nDN: "
        "cn=B\n\tempty:\n");
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].name == "cn=A");
    REQUIRE(entries[0].values.size() == 3);
    CHECK(text_of(entries[0].values[0].value) == "A");
    CHECK(entries[0].values[1].attribute == "userCertificate");
    CHECK(entries[0].values[1].value == Bytes{1, 2, 3});
    CHECK(entries[0].values[2].value == Bytes{4, 5});
    CHECK(entries[1].values.at(0).value.empty());
    CHECK_THROWS_AS(directory_entries("what\n"), Error);
    CHECK_THROWS_AS(directory_entries("DN: a\n\tcn\n"), Error);
    CHECK_THROWS_AS(directory_entries("DN: a\n\tcn:: %%%\n"), Error);
    CHECK(is_directory_url("LDAPS://x"));
    CHECK_FALSE(is_directory_url("http://ldap://"));
}
