// What files and servers tell of revocation, and which servers are asked.

#include <map>

#include "softhsm-tests/cli_revocation_source.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;

TEST_CASE("what a server told is known for the rest of the run, and it is asked once") {
    Agency agency;
    SECTION("by OCSP") {
        std::optional<Certificate> alice;
        const HttpServer server([&](const HttpServer::Request& request) { return agency.revoking(*alice, request); });
        alice = agency.certify_one("Alice", "authorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
        CHECK(agency.judge(*alice, -2 * kDay) == RevocationState::revoked);
        CHECK(agency.judge(*alice) == RevocationState::revoked);
        CHECK(agency.judge(*alice, -20 * kDay) == RevocationState::good);
        CHECK(server.requests().size() == 1);
    }
    SECTION("by a CRL that cannot be kept") {
        std::map<std::string, std::string> files;
        const HttpServer server(
            [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
        const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
        files["/a.crl"] = agency.crl(
            {.entries = {{.certificate = alice, .since = -10 * kDay}}, .this_update = -2 * kDay, .next_update = -kDay});
        for (int i = 0; i < 2; ++i)
            CHECK(agency.judge(alice, -3 * kDay) == RevocationState::revoked);
        CHECK(server.requests().size() == 1);
    }
    SECTION("by a delta CRL, for all that it completes") {
        std::map<std::string, std::string> files;
        const HttpServer server(
            [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
        const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
        const Certificate bob = agency.certify_one("Bob", at(server, "/b.crl"));
        files["/a.crl"] = files["/b.crl"] =
            agency.crl({.number = 5, .this_update = -60, .extensions = "freshestCRL=URI:" + server.url("/delta.crl")});
        files["/delta.crl"] = agency.crl({.entries = {{.certificate = bob}}, .number = 7, .base_number = 5});
        CHECK(agency.judge(alice) == RevocationState::good);
        CHECK(agency.judge(bob) == RevocationState::revoked);
        CHECK(server.requests() == std::vector<std::string>{"GET /a.crl", "GET /delta.crl", "GET /b.crl"});
    }
}

TEST_CASE("a CRL by another key of the issuer counts where it names the certificate's place, and from the cache then") {
    Agency agency;
    const SoftwareKey rolled = certify(long_ago(authority_spec("Root")), &agency.root);
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    cms::Trust trust = trust_in({agency.root.certificate}, {rolled.certificate});
    const auto judged = [&](std::shared_ptr<RevocationFiles> source) {
        trust.revocation = std::make_shared<RevocationOfMail>(std::move(source));
        return cms::validate(alice, {}, trust, cms::Use::signing);
    };
    SECTION("it names it") {
        crl = text(make_crl({.extensions = "issuingDistributionPoint=critical,@point\n",
                             .sections = "[point]\nfullname=URI:" + server.url("/a.crl") + "\n"},
                            rolled));
        for (const bool online : {true, false})
            CHECK(judged(agency.started({}, online)).revocation == RevocationState::good);
        CHECK(server.requests().size() == 1);
    }
    SECTION("it does not, and may be there in place of the one that lists the certificate") {
        crl = text(make_crl({}, rolled));
        trust.require_revocation = GENERATE(false, true);
        for (const bool online : {true, false}) {
            const cms::PathVerdict verdict = judged(agency.started({}, online));
            CHECK(verdict.trusted != trust.require_revocation);
            CHECK(verdict.revocation == RevocationState::unknown);
            CHECK_THAT(verdict.revocation_reason + verdict.reason,
                       Catch::Contains("it is by another key of the issuer, and does not name the place where the "
                                       "certificate says that its CRL is"));
        }
        crl = agency.crl({.entries = {{.certificate = alice}}});
        CHECK(judged(agency.started({})).revocation == RevocationState::revoked);
    }
}

TEST_CASE("a CRL counts whose delta CRL is in a directory that is not named, which is told") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    cms::Trust trust = trust_in({agency.root.certificate});
    trust.require_revocation = true;
    trust.revocation = std::make_shared<RevocationOfMail>(agency.source);
    const auto judged = [&](const std::string& deltas_at) {
        crl = agency.crl({.extensions = "freshestCRL=URI:" + deltas_at});
        const std::string path = "/" + std::to_string(server.requests().size()) + ".crl";
        return cms::validate(agency.certify_one("Alice", at(server, path)), {}, trust, cms::Use::signing);
    };
    const cms::PathVerdict verdict = judged("ldap:///CN=Delta?deltaRevocationList?base");
    CHECK(verdict.trusted);
    CHECK(verdict.revocation == RevocationState::good);
    CHECK_THAT(verdict.revocation_reason,
               Catch::Contains("what has changed since could not be had: ") && Catch::Contains("'ldap:///CN=Delta"));
    CHECK(judged("ldap://127.0.0.1:1/CN=Delta?deltaRevocationList?base").revocation == RevocationState::unknown);
}

TEST_CASE("a CRL that is broken is told of, and what is with it in a file does not count") {
    Agency agency;
    const Certificate alice = agency.certify_one("Alice", "");
    const auto pem = [&](const CrlSpec& spec) {
        return run_process({.arguments = {"openssl", "crl", "-inform", "DER"}, .input = agency.crl(spec)}).out;
    };
    const std::string lists = pem({.entries = {{.certificate = alice}}});
    const std::string broken = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n" + lists;
    const std::string file = agency.directory / "root.pem";
    for (const std::string& content : {broken, pem({}) + broken}) {
        write_file(file, content);
        agency.source = agency.started({file});
        CHECK_THROWS_WITH(agency.judge(alice), "a CRL in '" + file + "' is broken");
    }
    write_file(file, pem({.this_update = -60}) + lists);
    agency.source = agency.started({file});
    CHECK(agency.judge(alice) == RevocationState::revoked);

    const std::string crls = agency.directory / "crls";
    std::filesystem::create_directory(crls);
    write_file(crls + "/note", "not a CRL");
    write_file(crls + "/root.pem", pem({}) + broken);
    agency.source = agency.started({crls});
    for (int i = 0; i < 2; ++i)
        CHECK(agency.judge(alice) == RevocationState::unknown);
    REQUIRE(agency.warnings.size() == 1);
    CHECK(agency.warnings[0] == "a CRL in '" + crls + "/root.pem' is broken; what is in that file does not count");
}

TEST_CASE("a CRL in DER may have white space after it, and one that is cut off is told of") {
    Agency agency;
    const Certificate alice = agency.certify_one("Alice", "");
    const std::string lists = agency.crl({.entries = {{.certificate = alice}}});
    const std::string crls = agency.directory / "crls";
    std::filesystem::create_directory(crls);
    SECTION("white space") {
        write_file(crls + "/root", lists + "\r\n \t\n");
        for (const std::string& path : {crls, crls + "/root"}) {
            agency.source = agency.started({path});
            CHECK(agency.judge(alice) == RevocationState::revoked);
        }
        CHECK(agency.warnings.empty());
    }
    SECTION("cut off") {
        const auto [name, content] = GENERATE_COPY(table<std::string, std::string>(
            {{"root", lists.substr(0, lists.size() - 5)}, {"root.crl", lists.substr(0, 1)}, {"root.crl", ""}}));
        const std::string file = crls + "/" + name;
        write_file(file, content);
        agency.source = agency.started({crls});
        CHECK(agency.judge(alice) == RevocationState::unknown);
        REQUIRE(agency.warnings.size() == 1);
        CHECK(agency.warnings[0] == "a CRL in '" + file + "' is broken; what is in that file does not count");
        agency.source = agency.started({file});
        CHECK_THROWS_WITH(agency.judge(alice), "a CRL in '" + file + "' is broken");
    }
    SECTION("something else") {
        write_file(crls + "/root.pem", agency.root.certificate.pem());
        write_file(crls + "/root.der", text(agency.root.certificate.der()));
        write_file(crls + "/note", "0 of 7");
        agency.source = agency.started({crls});
        CHECK(agency.judge(alice) == RevocationState::unknown);
        CHECK(agency.warnings.empty());
    }
}

TEST_CASE(
    "all CRLs that are at one place are kept, until the last of them that counts ends, one that revokes for longer") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/all.crl"));
    const auto pem = [&](CrlSpec spec, const std::string& reasons) {
        spec.extensions = "issuingDistributionPoint=critical,@idp";
        spec.sections = "[idp]\nonlysomereasons=" + reasons + "\n";
        return run_process({.arguments = {"openssl", "crl", "-inform", "DER"}, .input = agency.crl(spec)}).out;
    };
    // The newer is looked at first.
    const int age = GENERATE(10, 50);
    files["/all.crl"] =
        pem({.this_update = -30, .next_update = kDay}, "keyCompromise") +
        pem({.entries = {{.certificate = alice, .reason = "superseded"}}, .this_update = -age, .next_update = 2 * kDay},
            "superseded");
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.clock->ahead = std::chrono::hours(36);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.clock->ahead = std::chrono::hours(49);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
}

TEST_CASE("no place of a CRL is asked again for what it gave before") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice =
        agency.certify_one("Alice", "crlDistributionPoints=dp",
                           "[dp]\nfullname=URI:" + server.url("/a.crl") + ",URI:" + server.url("/more.crl") + "\n");
    files["/a.crl"] = files["/more.crl"] = agency.crl({.this_update = -2 * kDay, .next_update = -kDay});
    CHECK(agency.judge(alice) == RevocationState::unknown);
    const auto asked = server.requests();
    CHECK(agency.judge(alice) == RevocationState::unknown);
    CHECK(server.requests() == asked);
}

TEST_CASE("another place is asked where what the one before gave tells nothing of the certificate") {
    Agency agency;
    std::map<std::string, std::string> files;
    std::optional<Certificate> alice;
    const HttpServer server([&](const HttpServer::Request& request) {
        const auto file = files.find(request.path);
        if (file != files.end()) return HttpServer::Answer{.body = file->second};
        if (request.path == "/knows") return agency.revoking(*alice, request);
        const OcspSpec spec{.status = OcspSpec::Status::unknown, .request = to_bytes(bytes_of(request.body))};
        const Certificate about = request.path == "/other" ? agency.root.certificate : *alice;
        return HttpServer::Answer{.type = "application/ocsp-response",
                                  .body = text(make_ocsp(spec, about, agency.root.certificate, agency.root))};
    });
    const auto points = [&](const std::string& first) {
        return agency.certify_one("Alice", "crlDistributionPoints=dp",
                                  "[dp]\nfullname=URI:" + server.url(first) + ",URI:" + server.url("/new.crl") + "\n");
    };
    const auto responders = [&](const std::string& first) {
        return agency.certify_one(
            "Alice", "authorityInfoAccess=OCSP;URI:" + server.url(first) + ",OCSP;URI:" + server.url("/knows"));
    };
    const auto revoked = [&](const std::vector<std::string>& asked) {
        files["/new.crl"] = agency.crl({.entries = {{.certificate = *alice}}});
        CHECK(agency.judge(*alice) == RevocationState::revoked);
        CHECK(server.requests() == asked);
    };
    SECTION("a CRL that has ended") {
        alice = points("/old.crl");
        files["/old.crl"] = agency.crl({.this_update = -2 * kDay, .next_update = -kDay});
        revoked({"GET /old.crl", "GET /new.crl"});
    }
    SECTION("a CRL for others") {
        alice = points("/authorities.crl");
        files["/authorities.crl"] =
            agency.crl({.extensions = "issuingDistributionPoint=critical,@idp", .sections = "[idp]\nonlyCA=TRUE\n"});
        revoked({"GET /authorities.crl", "GET /new.crl"});
    }
    SECTION("a CRL for some reasons") {
        alice = points("/some.crl");
        files["/some.crl"] = agency.crl({.extensions = "issuingDistributionPoint=critical,@idp",
                                         .sections = "[idp]\nonlysomereasons=keyCompromise\n"});
        revoked({"GET /some.crl", "GET /new.crl"});
    }
    SECTION("a responder that does not know the certificate") {
        alice = responders("/ignorant");
        revoked({"POST /ignorant", "POST /knows"});
    }
    SECTION("a response about another certificate") {
        alice = responders("/other");
        revoked({"POST /other", "POST /knows"});
    }
    SECTION("a delta CRL that has ended") {
        alice = agency.certify_one("Alice", at(server, "/base.crl"));
        files["/base.crl"] = agency.crl(
            {.number = 5,
             .this_update = -3 * kDay,
             .extensions = "freshestCRL=dp",
             .sections = "[dp]\nfullname=URI:" + server.url("/old.crl") + ",URI:" + server.url("/new.crl") + "\n"});
        files["/old.crl"] = agency.crl({.number = 6, .base_number = 5, .this_update = -2 * kDay, .next_update = -kDay});
        files["/new.crl"] = agency.crl({.entries = {{.certificate = *alice}}, .number = 7, .base_number = 5});
        CHECK(agency.judge(*alice) == RevocationState::revoked);
        CHECK(server.requests() == std::vector<std::string>{"GET /base.crl", "GET /old.crl", "GET /new.crl"});
    }
    SECTION("but not where it tells") {
        alice = points("/good.crl");
        files["/good.crl"] = agency.crl({});
        CHECK(agency.judge(*alice) == RevocationState::good);
        CHECK(server.requests() == std::vector<std::string>{"GET /good.crl"});
    }
}
