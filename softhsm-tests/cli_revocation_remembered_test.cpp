// What was told of revocation and is known in runs to come.

#include <map>

#include "softhsm-tests/cli_revocation_source.h"
#include "softhsm-tests/support/other_signature.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;

TEST_CASE("what was told of a revocation online is known offline afterwards") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice =
        agency.certify_one("Alice", at(server, "/a.crl") + "\nfreshestCRL=URI:" + server.url("/delta.crl"));
    CrlSpec base{.number = 5, .this_update = -60}, delta{.number = 6, .base_number = 5};
    SECTION("by a delta CRL") {
        delta.entries = {{.certificate = alice, .reason = "keyCompromise"}};
    }
    SECTION("by one whose base is older") {
        base.number = 4;
        delta.entries = {{.certificate = alice, .reason = "keyCompromise"}};
    }
    SECTION("on hold") {
        base.entries = {{.certificate = alice, .reason = "certificateHold"}};
    }
    SECTION("on hold by a delta CRL") {
        delta.entries = {{.certificate = alice, .reason = "certificateHold"}};
    }
    files["/a.crl"] = agency.crl(base);
    files["/delta.crl"] = agency.crl(delta);
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
}

TEST_CASE("a revocation that was told once is known whatever its server tells later") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const Certificate bob = agency.certify_one("Bob", at(server, "/a.crl"));
    const auto judged_anew = [&](const Certificate& certificate, bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(certificate);
    };
    CrlSpec listing{.entries = {{.certificate = alice}}, .number = 7};
    SECTION("in a CRL that ends") {}
    SECTION("in one that does not say until when it holds") {
        listing.next_update = std::nullopt;
    }
    SECTION("in a delta CRL") {
        listing.base_number = 5;
    }
    files["/a.crl"] = agency.crl(listing);
    CHECK(judged_anew(alice, true) == RevocationState::revoked);
    // An older CRL is played back to who asks of another certificate.
    agency.clock->ahead = std::chrono::hours(25);
    files["/a.crl"] = agency.crl({.number = 6, .this_update = -40, .next_update = 30 * kDay});
    CHECK(judged_anew(bob, true) == RevocationState::good);
    CHECK(judged_anew(alice, true) == RevocationState::revoked);
    CHECK(judged_anew(alice, false) == RevocationState::revoked);
    CHECK(judged_anew(bob, false) == RevocationState::good);
    CHECK(agency.warnings.empty());
}

TEST_CASE("a revocation that the cache told of is known after its CRL is gone from there") {
    Agency agency;
    std::map<std::string, std::string> files;
    std::optional<Certificate> alice;
    const HttpServer server([&](const HttpServer::Request& request) {
        if (request.method == "POST") return agency.revoking(*alice, request);
        return HttpServer::Answer{.body = files.at(request.path)};
    });
    const Certificate bob = agency.certify_one("Bob", at(server, "/a.crl"));
    alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const auto judged_anew = [&](const Certificate& certificate, bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(certificate);
    };
    CrlSpec listing{.entries = {{.certificate = *alice}}, .number = 7};
    SECTION("of a CRL") {}
    SECTION("of a delta CRL") {
        files["/delta.crl"] = agency.crl({.entries = listing.entries, .number = 7, .base_number = 6});
        listing = {.number = 6, .this_update = -60, .extensions = "freshestCRL=URI:" + server.url("/delta.crl")};
    }
    files["/a.crl"] = agency.crl(listing);
    CHECK(judged_anew(bob, true) == RevocationState::good);
    const auto asked = server.requests();
    CHECK(judged_anew(*alice, GENERATE(false, true)) == RevocationState::revoked);
    CHECK(server.requests() == asked);

    agency.clock->ahead = std::chrono::hours(25);
    files["/a.crl"] = agency.crl({.number = 5, .this_update = -90, .next_update = 30 * kDay});
    CHECK(judged_anew(bob, true) == RevocationState::good);
    CHECK(judged_anew(*alice, true) == RevocationState::revoked);
    CHECK(judged_anew(*alice, false) == RevocationState::revoked);
    CHECK(agency.warnings.empty());
}

TEST_CASE("many certificates that one large CRL revokes are remembered, and the CRL is kept") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    // An extension that nobody has to know makes it large: the cache would not hold one for each certificate.
    constexpr int kMany = 9;
    CrlSpec large{.extensions = "1.2.3.4.5=DER:" + std::string(2 * RevocationCache::kMostBytes / (kMany - 1), '0')};
    std::vector<Certificate> revoked;
    for (int i = 0; i < kMany; ++i) {
        revoked.push_back(agency.certify_one("Bob " + std::to_string(i), at(server, "/a.crl")));
        large.entries.push_back({.certificate = revoked.back()});
    }
    crl = agency.crl(large);
    for (const Certificate& each : revoked)
        CHECK(agency.judge(each) == RevocationState::revoked);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::good);
    agency.clock->ahead = std::chrono::hours(25);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::unknown);
    for (const Certificate& each : revoked)
        CHECK(agency.judge(each) == RevocationState::revoked);
}

TEST_CASE("a revocation is known of a certificate whose signature somebody has written in another way") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const Certificate other = with_other_signature(alice);
    REQUIRE(other.fingerprint_sha256() != alice.fingerprint_sha256());
    crl = agency.crl({.entries = {{.certificate = alice}}, .number = 7});
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.clock->ahead = std::chrono::hours(25);
    crl = agency.crl({.number = 6, .this_update = -40, .next_update = 30 * kDay});
    agency.source = agency.started({});
    CHECK(agency.judge(other) == RevocationState::revoked);
}

TEST_CASE("that others know a key is remembered for its other certificates, in which nothing tells of it") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const SoftwareKey alice = certify(long_ago({.more_extensions = at(server, "/a.crl")}), &agency.root);
    const Certificate renewed =
        certify_key(alice.key, long_ago({.more_extensions = at(server, "/b.crl")}), &agency.root);
    const auto judged_anew = [&](const Certificate& certificate, bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(certificate);
    };
    const auto told_of_alice = [&](const std::string& reason) {
        files["/a.crl"] = agency.crl({.entries = {{.certificate = alice.certificate, .reason = reason}}, .number = 7});
        files["/b.crl"] = agency.crl({.number = 6, .this_update = -40});
        return judged_anew(alice.certificate, true) == RevocationState::revoked;
    };
    SECTION("for a key compromise") {
        CHECK(told_of_alice("keyCompromise"));
        CHECK(judged_anew(renewed, true) == RevocationState::revoked);
        CHECK(judged_anew(renewed, false) == RevocationState::revoked);
        CHECK(judged_anew(agency.certify_one("Bob", at(server, "/b.crl")), true) == RevocationState::good);
    }
    SECTION("for no other reason") {
        const char* reason = GENERATE("superseded", "", "CACompromise");
        CHECK(told_of_alice(reason));
        CHECK(judged_anew(renewed, true) == RevocationState::good);
    }
}

TEST_CASE("a hold that was told once gives way to newer evidence") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    files["/a.crl"] =
        agency.crl({.entries = {{.certificate = alice, .reason = "certificateHold"}}, .number = 7, .this_update = -60});
    CHECK(agency.judge(alice) == RevocationState::revoked);
    files["/a.crl"] = agency.crl({.number = 8});
    const auto judged_later = [&] {
        agency.clock->ahead = std::chrono::hours(48);  // what was fetched has ended
        agency.source = agency.started({}, false);
        const RevocationState state = agency.judge(alice);
        agency.clock->ahead = {};
        return state;
    };
    CHECK(judged_later() == RevocationState::revoked);
    for (const bool online : {true, false}) {
        agency.source = agency.started({}, online);
        CHECK(agency.judge(alice) == RevocationState::good);
    }
    CHECK(judged_later() == RevocationState::unknown);
}

TEST_CASE("a hold that a server told to be lifted does not come back as what told so ends before what told of it") {
    Agency agency;
    std::string crl;
    std::optional<std::string> response;
    const HttpServer server([&](const HttpServer::Request& request) {
        if (request.method != "POST") return HttpServer::Answer{.body = crl};
        return HttpServer::Answer{.type = "application/ocsp-response", .body = response.value_or("")};
    });
    const Certificate alice =
        agency.certify_one("Alice", at(server, "/a.crl") + "\nauthorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
    const auto judged_anew = [&](bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(alice);
    };
    CrlSpec weekly{.entries = {{.certificate = alice, .since = -90, .reason = "certificateHold"}},
                   .number = 7,
                   .this_update = -60,
                   .next_update = 7 * kDay};
    crl = agency.crl(weekly);
    CHECK(judged_anew(true) == RevocationState::revoked);
    response = text(make_ocsp({.this_update = -10, .next_update = 60}, alice, agency.root.certificate, agency.root));
    CHECK(judged_anew(true) == RevocationState::good);
    CHECK(judged_anew(false) == RevocationState::good);
    agency.clock->ahead = std::chrono::hours(2);
    CHECK(judged_anew(false) == RevocationState::unknown);
    CHECK(judged_anew(true) == RevocationState::unknown);
    // It is put on hold again.
    weekly.number = 8;
    weekly.this_update = 90;
    crl = agency.crl(weekly);
    CHECK(judged_anew(true) == RevocationState::revoked);
    CHECK(judged_anew(false) == RevocationState::revoked);
}

TEST_CASE("what is damaged in the cache is told of, and fetched anew where servers are asked") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const bool lists = GENERATE(false, true);
    files["/a.crl"] = lists ? agency.crl({.entries = {{.certificate = alice}}}) : agency.crl({});
    const RevocationState state = lists ? RevocationState::revoked : RevocationState::good;
    CHECK(agency.judge(alice) == state);
    Database::open(agency.directory / "revocation.db", "revocation cache", "", 3)
        ->run("UPDATE evidence SET der = x'3000'");
    CHECK(agency.warnings.empty());
    const bool online = GENERATE(false, true);
    agency.source = agency.started({}, online);
    for (int i = 0; i < 2; ++i)
        CHECK(agency.judge(alice) == (online || lists ? state : RevocationState::unknown));
    REQUIRE(agency.warnings.size() == 1);
    CHECK_THAT(agency.warnings.front(), Catch::Contains("what the revocation cache has of 'http://") &&
                                            Catch::EndsWith("/a.crl' is broken, and does not count"));
}

TEST_CASE("a CRL in the cache gives way to a newer one alone") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const Certificate carol = agency.certify_one("Carol", at(server, "/a.crl"));
    const auto after_another = [&](const CrlSpec& other) {
        crl = agency.crl({.entries = {{.certificate = carol}}, .number = 10, .this_update = -60});
        CHECK(agency.judge(alice) == RevocationState::good);
        crl = agency.crl(other);
        agency.source = agency.started({});
        CHECK(agency.judge(alice, -50) == RevocationState::good);  // which asks again
        CHECK(server.requests().size() == 2);
        agency.source = agency.started({}, false);
        return agency.judge(carol);
    };
    SECTION("an older one") {
        CHECK(after_another({.number = 9, .this_update = -90}) == RevocationState::revoked);
    }
    SECTION("a newer one") {
        CHECK(after_another({.number = 11, .this_update = -45}) == RevocationState::good);
    }
}

TEST_CASE("an OCSP response in the cache gives way to a newer one alone") {
    Agency agency;
    OcspSpec spec;
    std::optional<Certificate> alice;
    const HttpServer server([&](const HttpServer::Request&) {
        return HttpServer::Answer{.type = "application/ocsp-response",
                                  .body = text(make_ocsp(spec, *alice, agency.root.certificate, agency.root))};
    });
    alice = agency.certify_one("Alice", "authorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
    spec = {.this_update = -60, .next_update = kDay, .produced_at = -60};
    CHECK(agency.judge(*alice) == RevocationState::good);
    const int later = GENERATE(-1, 1);
    spec = {.this_update = -60 + 20 * later, .next_update = 30, .produced_at = -60 + 20 * later};
    agency.source = agency.started({});
    CHECK(agency.judge(*alice, -30) == RevocationState::good);  // which asks again
    CHECK(server.requests().size() == 2);
    agency.source = agency.started({}, false);
    agency.clock->ahead = std::chrono::hours(1);
    CHECK(agency.judge(*alice) == (later < 0 ? RevocationState::good : RevocationState::unknown));
}

TEST_CASE("a delta CRL at a certificate's own place tells of all that name it, offline afterwards too") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const std::string places = at(server, "/a.crl") + "\nfreshestCRL=URI:" + server.url("/delta.crl");
    const Certificate alice = agency.certify_one("Alice", places), bob = agency.certify_one("Bob", places);
    files["/a.crl"] = agency.crl({.number = 5, .this_update = -60});
    files["/delta.crl"] = agency.crl({.entries = {{.certificate = bob}}, .number = 6, .base_number = 5});
    CHECK(agency.judge(alice) == RevocationState::good);
    CHECK(server.requests().size() == 2);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::good);
    CHECK(agency.judge(bob) == RevocationState::revoked);
}
