// How long servers that tell of revocation are waited for.

#include <fmt/format.h>

#include <future>
#include <list>
#include <thread>

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

TEST_CASE("an address that never answers is waited for once in a run") {
    Agency agency;
    const HttpServer server([](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; });
    const auto reason = [&](const std::string& name) {
        const Certificate certificate = agency.certify_one(name, "authorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
        cms::Trust trust = trust_in({agency.root.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(600));
        return cms::validate(certificate, {}, trust, cms::Use::signing).revocation_reason;
    };
    reason("Alice");
    CHECK_THAT(reason("Bob"), Catch::Contains("/ocsp' did not answer before, and was not asked again"));
    CHECK(server.requests() == std::vector<std::string>{"POST /ocsp"});
}

TEST_CASE("an address that does not answer in time keeps no other of its server from being asked") {
    Agency agency;
    const HttpServer server([&](const HttpServer::Request& request) {
        if (request.path != "/crl") return HttpServer::Answer{.keep_open = true};
        return HttpServer::Answer{.body = agency.crl({})};
    });
    const Certificate alice =
        agency.certify_one("Alice", at(server, "/crl") + "\nauthorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
    cms::Trust trust = trust_in({agency.root.certificate});
    trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(1'500));
    CHECK(cms::validate(alice, {}, trust, cms::Use::signing).revocation == RevocationState::good);
}

TEST_CASE("servers that never answer keep a mail waiting for no longer than it has for one certificate") {
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
    trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(1'800));
    const auto judge = [&](const Certificate& certificate) {
        return cms::validate(certificate, {}, trust, cms::Use::signing);
    };
    CHECK_THAT(judge(alice).revocation_reason, Catch::Contains("are too slow"));
    CHECK(servers.front().requests().size() == 1);
    CHECK(servers.back().requests().empty());
    // Nor does it get more by being judged again.
    CHECK_THAT(judge(alice).revocation_reason, Catch::Contains("are too slow"));
    CHECK(servers.back().requests().empty());
    // Another certificate of the mail has its own time.
    CHECK(judge(bob).revocation == RevocationState::good);
}

TEST_CASE("answers that come at once and tell take nothing of a mail's time, up to a limit") {
    using std::chrono::milliseconds;
    constexpr milliseconds kAll{15'000}, kWait{20};
    Patience patience(kAll);
    const auto wait = [&](milliseconds how_long) {
        return patience.spend([&] {
            std::this_thread::sleep_for(how_long);
            return 7;
        });
    };
    CHECK(wait(kWait) == 7);
    CHECK(patience.left() <= kAll - kWait);
    patience.forgive();
    CHECK(patience.left() == kAll);
    patience.forgive();
    CHECK(patience.left() == kAll);
    wait(2 * kAll / 30);  // not at once
    patience.forgive();
    CHECK(patience.left() <= kAll - 2 * kAll / 30);

    // Whatever else is slow, no more is forgiven than four times the patience.
    constexpr milliseconds kShort{300}, kAnswer{5};
    Patience shorter(kShort);
    int forgiven = 0;
    for (int i = 0; i < 400; ++i) {
        const milliseconds before = shorter.left();
        shorter.spend([&] { std::this_thread::sleep_for(kAnswer); });
        shorter.forgive();
        if (shorter.left() == before) ++forgiven;
    }
    CHECK(forgiven <= 4 * kShort / kAnswer);
}

TEST_CASE("servers that answer at once and tell nothing keep a mail waiting for no longer than silent ones") {
    Agency agency;
    const HttpServer server([](const HttpServer::Request&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        return HttpServer::Answer{.status = 404};
    });
    cms::Trust trust = trust_in({agency.root.certificate});
    trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(1'800));
    std::string reason;
    for (int name = 0; name < 40; ++name) {
        std::string points = "crlDistributionPoints=";
        for (int i = 0; i < 8; ++i)
            points += fmt::format("{}URI:{}", i == 0 ? "" : ",", server.url(fmt::format("/{}/{}", name, i)));
        const Certificate certificate = agency.certify_one(std::to_string(name), points);
        reason = cms::validate(certificate, {}, trust, cms::Use::signing).revocation_reason;
    }
    CHECK_THAT(reason, Catch::Contains("are too slow"));
    CHECK(server.requests().size() <= 120);
}

TEST_CASE("servers that a certificate names keep nobody from asking about the authority that made it") {
    Agency agency;
    std::string crl;
    const auto hang = [](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; };
    const HttpServer works([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    CertificateSpec spec = long_ago(authority_spec("Authority"));
    spec.more_extensions = at(works, "/root.crl");
    const SoftwareKey authority = certify(spec, &agency.root);
    std::list<HttpServer> servers;
    std::string points;
    for (int i = 0; i < 5; ++i)
        points += (i == 0 ? "crlDistributionPoints=URI:" : ",URI:") + servers.emplace_back(hang).url("/");
    const Certificate alice = certify({.more_extensions = points}, &authority).certificate;
    const auto judged = [&] {
        agency.source = agency.started({});
        cms::Trust trust = trust_in({agency.root.certificate}, {authority.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(1'800));
        return cms::validate(alice, {}, trust, cms::Use::signing);
    };
    crl = agency.crl({.next_update = -1});
    CHECK(judged().revocation == RevocationState::unknown);
    crl = agency.crl({.entries = {{.certificate = authority.certificate}}});
    CHECK(judged().revocation == RevocationState::revoked);
}

TEST_CASE("each certificate has a part of a mail's time, and for want of it a little, up to a limit") {
    using std::chrono::milliseconds;
    Patience patience(milliseconds(900));
    const auto use_up = [&] {
        Patience::Part part = patience.part();
        const milliseconds all = part.left;
        patience.turn(part);
        if (all.count() > 0) patience.spend([&] { std::this_thread::sleep_for(all); });
        CHECK(part.left <= milliseconds(0));
        return all;
    };
    CHECK(use_up() == milliseconds(600));
    const milliseconds second = use_up();
    CHECK(second <= milliseconds(200));
    CHECK(second > milliseconds(0));
    milliseconds others(0);
    for (milliseconds part(1); part.count() > 0; others += part)
        part = use_up();
    CHECK(others >= milliseconds(900));
    CHECK(others <= milliseconds(1'000));
}

TEST_CASE("who is not asked about for want of time is told of as such where a signer is to be found out about") {
    Agency agency;
    const auto hang = [](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; };
    std::list<HttpServer> servers;
    RevocationOfMail source(agency.source, std::chrono::milliseconds(60));
    const auto starved = [&] {
        const HttpServer& server = servers.emplace_back(hang);
        const Certificate certificate = agency.certify_one("Alice", at(server, "/crl"));
        const auto evidence =
            source.fetch(certificate, agency.root.certificate, cms::RevocationSource::From::distribution_points,
                         [](const auto&) { return false; });
        return evidence.starved;
    };
    CHECK_FALSE(starved());
    for (int i = 0; i < 25; ++i)
        CHECK_FALSE(starved());
    CHECK(servers.back().requests().empty());
    source.begin();
    CHECK(starved());
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
