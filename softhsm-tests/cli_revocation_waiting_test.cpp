// How long servers that tell of revocation are waited for.

#include <future>
#include <list>

#include "softhsm-tests/cli_revocation_source.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;

TEST_CASE("a thread that asks the same waits for the answer that another is waiting for") {
    Agency agency;
    std::optional<Certificate> alice;
    std::promise<void> asked, second;
    const HttpServer server([&](const HttpServer::Request& request) {
        asked.set_value();
        second.get_future().wait();
        return agency.revoking(*alice, request);
    });
    alice = agency.certify_one("Alice", "authorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
    auto one = std::async(std::launch::async, [&] { return agency.judge(*alice); });
    asked.get_future().wait();
    auto other = std::async(std::launch::async, [&] {
        second.set_value();
        return agency.judge(*alice);
    });
    CHECK(one.get() == RevocationState::revoked);
    CHECK(other.get() == RevocationState::revoked);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a server that never answers is waited for once in a run") {
    Agency agency;
    const HttpServer server([](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; });
    const auto reason = [&](const std::string& name) {
        const Certificate certificate =
            agency.certify_one(name, at(server, "/" + name) + "\nauthorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
        cms::Trust trust = trust_in({agency.root.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(600));
        return cms::validate(certificate, {}, trust, cms::Use::signing).revocation_reason;
    };
    for (const char* name : {"Alice", "Bob"})
        CHECK_THAT(reason(name), Catch::Contains("did not answer before, and was not asked again"));
    CHECK(server.requests() == std::vector<std::string>{"POST /ocsp"});
}

TEST_CASE("servers that never answer keep a mail waiting for no longer than it has for all of them") {
    Agency agency;
    const auto hang = [](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; };
    std::list<HttpServer> servers;
    std::string access;
    for (int i = 0; i < 5; ++i)
        access += (i == 0 ? "authorityInfoAccess=" : ",") + ("OCSP;URI:" + servers.emplace_back(hang).url("/"));
    const HttpServer works([&](const HttpServer::Request&) { return HttpServer::Answer{.body = agency.crl({})}; });
    const Certificate alice = agency.certify_one("Alice", access);
    const Certificate bob = agency.certify_one("Bob", at(works, "/crl"));
    cms::Trust trust = trust_in({agency.root.certificate});
    trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(600));
    const auto judge = [&](const Certificate& certificate) {
        return cms::validate(certificate, {}, trust, cms::Use::signing);
    };
    CHECK_THAT(judge(alice).revocation_reason, Catch::Contains("are too slow"));
    CHECK(servers.front().requests().size() == 1);
    CHECK(servers.back().requests().empty());
    CHECK_THAT(judge(bob).revocation_reason, Catch::Contains("are too slow"));
    CHECK(works.requests().empty());
    // Another mail has its own time.
    CHECK(agency.judge(bob) == RevocationState::good);
}

TEST_CASE("answers that come at once take nothing of a mail's time") {
    Patience patience(std::chrono::hours(1));
    CHECK(patience.spend([] { return 7; }) == 7);
    CHECK(patience.left() == std::chrono::hours(1));
}

TEST_CASE("a thread does not wait for a server that another asks something else") {
    Agency agency;
    // Each of the two servers answers once both were asked.
    std::promise<void> asked[2];
    std::shared_future<void> both[2] = {asked[0].get_future().share(), asked[1].get_future().share()};
    const std::string crl = agency.crl({});
    const std::string ca = text(agency.root.certificate.der());
    const auto answer = [&](int own) {
        return [&, own](const HttpServer::Request& request) {
            asked[own].set_value();
            both[1 - own].wait();
            return HttpServer::Answer{.body = request.path == "/ca" ? ca : crl};
        };
    };
    const HttpServer here(answer(0)), there(answer(1));
    SECTION("for CRLs") {
        const Certificate alice = agency.certify_one("Alice", at(here, "/crl"));
        const Certificate bob = agency.certify_one("Bob", at(there, "/crl"));
        auto one = std::async(std::launch::async, [&] { return agency.judge(alice); });
        auto other = std::async(std::launch::async, [&] { return agency.judge(bob); });
        CHECK(one.get() == RevocationState::good);
        CHECK(other.get() == RevocationState::good);
    }
    SECTION("for issuers") {
        const auto access = [](const HttpServer& server) {
            return "authorityInfoAccess=caIssuers;URI:" + server.url("/ca");
        };
        const Certificate alice = agency.certify_one("Alice", access(here));
        const Certificate bob = agency.certify_one("Bob", access(there));
        const auto fetched =
            std::make_shared<FetchedIssuers>(std::make_shared<Fetcher>(std::vector<std::string>{"127.0.0.1"}));
        const auto found = [&](const Certificate& certificate) {
            return IssuerFetcher(fetched).issuers_of(certificate).certificates.size();
        };
        auto one = std::async(std::launch::async, [&] { return found(alice); });
        auto other = std::async(std::launch::async, [&] { return found(bob); });
        CHECK(one.get() == 1);
        CHECK(other.get() == 1);
    }
}
