// What the cache remembers of keys that others know, and of whom it tells that.

#include <map>
#include <string>

#include "softhsm-tests/cli_revocation_source.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;
using cms::Certificate;
using cms::RevocationState;

TEST_CASE("that others know a key is not remembered of who has no more in common than the key") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const SoftwareKey alice = certify(long_ago({.more_extensions = at(server, "/a.crl")}), &agency.root);
    const auto judged_after = [&](CertificateSpec spec) {
        const std::string path = "/" + std::to_string(files.size()) + ".crl";  // nothing of it is in the cache
        spec.more_extensions = at(server, path);
        const Certificate other = certify_key(alice.key, long_ago(spec), &agency.root);
        files["/a.crl"] = agency.crl({.number = 6, .this_update = -40});
        files[path] = agency.crl({.entries = {{.certificate = other, .reason = "keyCompromise"}}, .number = 7});
        agency.source = agency.started({});
        CHECK(agency.judge(other) == RevocationState::revoked);
        agency.source = agency.started({});
        return agency.verdict(alice.certificate);
    };
    CHECK(judged_after({.name = "Mallory", .alternative_name = "email:mallory@mallory.example"}).revocation ==
          RevocationState::good);
    CHECK(judged_after({.name = "Mallory", .alternative_name = ""}).revocation == RevocationState::good);
    const auto told = judged_after({.name = "Alice Else", .alternative_name = "email:Alice@Example.gov"});
    CHECK(told.revocation == RevocationState::revoked);
    CHECK_THAT(told.reason,
               Catch::StartsWith("the certificate of CN=Alice,O=Example is not to be relied on: others may "
                                 "know its key, as its certificate as CN=Alice Else,O=Example by "
                                 "CN=Root,O=Example (serial "));
    CHECK_THAT(told.reason, Catch::Contains(") is revoked since ") && Catch::EndsWith(" (key compromise)"));
}

TEST_CASE("an authority that may certify some names alone is remembered to tell of addresses alone") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const PrivateKey key = new_private_key(KeyKind::p256);
    const auto known = [&](const CertificateSpec& spec, bool limited) {
        const Certificate other = certify_key(key, spec, &agency.root);
        const cms::Telling telling{{agency.clock->now() - std::chrono::hours(1), "", cms::Cause::key_compromised}};
        agency.source->remember(other, limited, telling, agency.clock->now() + std::chrono::hours(1));
        agency.source = agency.started({}, false);
        return !agency.source->at_hand(certify_key(key, {}, &agency.root)).remembered.empty();
    };
    CHECK_FALSE(known({.alternative_name = ""}, true));
    CHECK_FALSE(known({.alternative_name = "email:mallory@mallory.example"}, true));
    CHECK(known(GENERATE(CertificateSpec{}, CertificateSpec{.name = "Alice Else"}), true));
}

TEST_CASE("what is told of a key since before its certificate was revoked counts, in whatever order it was told") {
    Agency agency;
    const SoftwareKey alice = certify(long_ago({}), &agency.root);
    const Certificate renewed = certify_key(alice.key, long_ago({}), &agency.root);
    const auto tell = [&](const Certificate& certificate, int days_ago) {
        const cms::Time now = agency.clock->now();
        const cms::Telling telling{{now - std::chrono::hours(24 * days_ago), "", cms::Cause::key_compromised}};
        agency.source->remember(certificate, false, telling, now + std::chrono::hours(1));
    };
    const bool first = GENERATE(true, false);
    if (first) tell(alice.certificate, 5);
    tell(renewed, 30);
    if (!first) tell(alice.certificate, 5);
    agency.source = agency.started({}, GENERATE(true, false));
    CHECK(agency.judge(alice.certificate, -15 * kDay) == RevocationState::revoked);
    CHECK(agency.judge(alice.certificate, -40 * kDay) != RevocationState::revoked);
}

TEST_CASE("what is told of a key in a run counts for its certificates that were looked at before") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const SoftwareKey alice = certify(long_ago({.more_extensions = at(server, "/a.crl")}), &agency.root);
    const Certificate renewed =
        certify_key(alice.key, long_ago({.more_extensions = at(server, "/b.crl")}), &agency.root);
    files["/a.crl"] =
        agency.crl({.entries = {{.certificate = alice.certificate, .reason = "keyCompromise"}}, .number = 7});
    files["/b.crl"] = agency.crl({.number = 6, .this_update = -40});
    CHECK(agency.judge(renewed) == RevocationState::good);
    CHECK(agency.judge(alice.certificate) == RevocationState::revoked);
    CHECK(agency.judge(renewed) == RevocationState::revoked);
}

TEST_CASE("what is remembered of a certificate is told in each run as it was in the first") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    CertificateSpec spec = long_ago(authority_spec("Authority"));
    spec.more_extensions = at(server, "/root.crl");
    const SoftwareKey authority = certify(spec, &agency.root);
    const Certificate alice = certify(long_ago({}), &authority).certificate;
    crl = agency.crl({.entries = {{.certificate = authority.certificate, .reason = "CACompromise"}}});
    for (const bool online : {true, false}) {
        cms::Trust trust = trust_in({agency.root.certificate}, {authority.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(agency.started({}, online));
        const cms::PathVerdict verdict = cms::validate(alice, {}, trust, cms::Use::signing);
        CHECK_THAT(verdict.reason, Catch::StartsWith("the certificate of CN=Authority,O=Example is revoked since ") &&
                                       Catch::EndsWith(" (compromise of the authority)"));
    }
}
