// About whom servers are asked, in what order, and what it means that there was no time left to ask.

#include <algorithm>
#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation_authority.h"
#include "softhsm-tests/cms_timestamp.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Asked keeps whom it was asked about, and whose questions began.
struct Asked final : TestSource {
    std::vector<std::string> names;
    RevocationEvidence fetch(const Certificate& certificate, const Certificate& issuer, From from,
                             const Tells& tells) override {
        names.push_back(certificate.common_name());
        return TestSource::fetch(certificate, issuer, from, tells);
    }
    void begin() override { names.emplace_back("begin"); }
    bool about(const std::string& name) const { return std::ranges::find(names, name) != names.end(); }
};

}  // namespace

TEST_CASE("servers are asked about a signer before they are about its time-stamps") {
    TimestampBench world;
    const auto source = std::make_shared<Asked>();
    world.trust.revocation = source;
    CHECK(world.bench.verify(world.signed_mail(world.openssl()), world.trust).signer().integrity == Integrity::valid);
    REQUIRE(source->about("Stamper"));
    CHECK(source->names.at(0) == "begin");
    CHECK(source->names.at(1) == "Alice");
    CHECK(std::ranges::count(source->names, "begin") == 1);
    const auto first_of_stamper = std::ranges::find(source->names, "Stamper");
    CHECK(std::find(first_of_stamper, source->names.end(), "Alice") == source->names.end());
}

TEST_CASE("who was not asked about for the time that others took is not trusted") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.source->points.missing = {"the servers are too slow"};
    CHECK(unknown(bench.judge(alice), "too slow"));
    bench.source->points.starved = true;
    const PathVerdict verdict = bench.judge(alice);
    CHECK_FALSE(verdict.trusted);
    CHECK(verdict.revocation == RevocationState::unknown);
    CHECK_THAT(verdict.reason, Catch::EndsWith("is revoked is not known: the servers are too slow"));

    bench.source->points.at_points = {Crl::from_der(make_crl({}, bench.root))};
    CHECK(good(bench.judge(alice)));

    // A time-stamp is not what is to be found out about.
    bench.source->points.at_points.clear();
    bench.trust.purpose = Purpose::timestamps;
    CHECK(unknown(bench.judge(bench.issue(timestamping_spec())), "too slow"));
}

TEST_CASE("nobody is asked about what is below an authority that is known to be revoked") {
    AuthorityBench scene;
    const auto source = std::make_shared<Asked>();
    scene.bench.trust.revocation = scene.bench.source = source;
    const auto root_tells = [&](const std::string& reason) {
        source->here.crls.clear();
        source->names.clear();
        CrlSpec spec;
        if (!reason.empty()) spec.entries = {{.certificate = scene.authority.certificate, .reason = reason}};
        scene.bench.add_crl(spec);
    };
    root_tells("");
    CHECK(unknown(scene.judge(), "CN=Alice"));
    CHECK(source->about("Alice"));
    root_tells(GENERATE("keyCompromise", "superseded"));
    CHECK(revoked(scene.judge(), "CN=Authority"));
    CHECK_FALSE(source->about("Alice"));

    // It may come back, or was not revoked then.
    root_tells("certificateHold");
    CHECK(revoked(scene.judge(), "CN=Authority"));
    CHECK(source->about("Alice"));
    root_tells("keyCompromise");
    scene.bench.at(-120);
    scene.judge();
    CHECK(source->about("Alice"));
}
