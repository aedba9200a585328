// About whom servers are asked, in what order, and what it means that there was no time left to ask.

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "softhsm-tests/cms_revocation_authority.h"
#include "softhsm-tests/cms_timestamp.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Asked keeps whom it was asked about, each once, and when it was about a signer from then on.
struct Asked final : TestSource {
    std::vector<std::string> names;
    RevocationEvidence fetch(const Certificate& certificate, const Certificate& issuer, From from,
                             const Tells& tells) override {
        note(certificate.common_name());
        return TestSource::fetch(certificate, issuer, from, tells);
    }
    RevocationEvidence fetch_delta(const Certificate& certificate, const std::optional<Crl>& base,
                                   const Tells& tells) override {
        note(certificate.common_name());
        return TestSource::fetch_delta(certificate, base, tells);
    }
    void begin() override { note("begin"); }
    bool about(const std::string& name) const { return std::ranges::find(names, name) != names.end(); }

  private:
    void note(const std::string& name) {
        if (!about(name)) names.push_back(name);
    }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("servers are asked about a signer before they are about its time-stamps") {
    TimestampBench world;
    const auto source = std::make_shared<Asked>();
    world.trust.revocation = source;
    CHECK(world.bench.verify(world.signed_mail(world.openssl()), world.trust).signer().integrity == Integrity::valid);
    CHECK(source->names == Names{"begin", "Test Intermediate", "Alice", "Stamper"});
}

TEST_CASE("who was not asked about for the time that others took is not trusted") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.source->points.missing = {{"the servers are too slow"}};
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

TEST_CASE("servers are asked about an authority before whom it has certified, and not about whom a revoked one has") {
    AuthorityBench scene;
    const auto source = std::make_shared<Asked>();
    scene.bench.trust.revocation = scene.bench.source = source;
    const Bytes by_authority = make_crl({}, scene.authority);
    source->here = {};
    const auto judge = [&](const std::optional<std::string>& reason) {
        source->names.clear();
        source->kept.clear();
        CrlSpec spec;
        if (reason) spec.entries = {{.certificate = scene.authority.certificate, .reason = *reason}};
        source->points.crls = {Crl::from_der(make_crl(spec, scene.bench.root)), Crl::from_der(by_authority)};
        return scene.judge();
    };
    const auto kept = [&] { return std::ranges::find(source->kept, by_authority) != source->kept.end(); };
    SECTION("where it is not") {
        CHECK(good(judge({})));
        CHECK(source->names == Names{"Authority", "Alice"});
        CHECK(kept());
    }
    SECTION("where it is, and its key is as good as before") {
        CHECK(revoked(judge("superseded"), "CN=Authority"));
        CHECK(source->names == Names{"Authority", "Alice"});
    }
    SECTION("where others may know its key") {
        CHECK(revoked(judge(GENERATE("keyCompromise", "certificateHold", "")), "CN=Authority"));
        CHECK(source->names == Names{"Authority"});
        CHECK_FALSE(kept());
    }
    SECTION("but what is at hand of those counts, and is not kept") {
        source->here.crls = {Crl::from_der(make_crl(scene.lists_alice(), scene.authority))};
        CHECK(revoked(judge("keyCompromise"), "CN=Alice"));
        CHECK(source->names == Names{"Authority"});
        CHECK(std::ranges::find(source->kept, source->here.crls.front().der()) == source->kept.end());
    }
    SECTION("where it was not at the time that counts") {
        scene.bench.at(-120);
        judge("keyCompromise");
        CHECK(source->about("Alice"));
    }
}
