// Issuers of certificates that are fetched.

#include <algorithm>
#include <catch2/catch.hpp>

#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Issuers counts what it is asked for.
struct Issuers final : IssuerSource {
    std::vector<Certificate> there;
    int asked = 0;
    std::vector<Certificate> asked_about;
    Found issuers_of(const Certificate& certificate) override {
        ++asked;
        asked_about.push_back(certificate);
        Found found;
        for (const Certificate& each : there)
            if (each.subject_der() == certificate.issuer_der()) found.certificates.push_back(each);
        if (found.certificates.empty()) found.missing = {"the server is away"};
        return found;
    }
};

// says_where is of a certificate that says where its issuer's is.
CertificateSpec says_where(CertificateSpec spec) {
    spec.more_extensions = "authorityInfoAccess=caIssuers;URI:http://ca.example/ca.cer";
    return spec;
}

// BridgeWorld is a root that is trusted, a bridge below it that has certified a partner's root, and Alice below that.
struct BridgeWorld {
    SoftwareKey root = certify(authority_spec("Root"));
    SoftwareKey bridge = certify(says_where(authority_spec("Bridge")), &root);
    SoftwareKey partner = certify(authority_spec("Partner Root"));
    SoftwareKey cross = cross_certify(partner, says_where(authority_spec("Partner Root")), bridge);
    SoftwareKey authority = certify(says_where(authority_spec("Authority")), &partner);
    Certificate alice = certify(says_where({}), &authority).certificate;
    std::shared_ptr<Issuers> issuers = std::make_shared<Issuers>();
    Trust trust = trust_in({root.certificate});

    BridgeWorld() {
        issuers->there = {authority.certificate, cross.certificate, bridge.certificate};
        trust.issuers = issuers;
    }
    // dead_ends are certificates that say that others have certified the partner's root, whose issuers nobody has.
    std::vector<SoftwareKey> dead_ends(int count) const {
        std::vector<SoftwareKey> made;
        for (int i = 0; i < count; ++i) {
            const SoftwareKey nobody = certify(authority_spec("Nobody " + std::to_string(i)));
            made.push_back(cross_certify(partner, says_where(authority_spec("Partner Root")), nobody));
        }
        return made;
    }
    PathVerdict judge(const std::vector<SoftwareKey>& along) const {
        issuers->asked = 0;
        issuers->asked_about.clear();
        return test::judge(alice, along, trust);
    }
};

}  // namespace

TEST_CASE("missing issuers are fetched where that is asked for, and not for long") {
    RevocationBench bench;
    bench.trust.revocation = nullptr;
    const SoftwareKey upper = certify(authority_spec("Upper"), &bench.root);
    const SoftwareKey lower = certify(authority_spec("Lower"), &upper);
    const Certificate alice = certify({}, &lower).certificate;
    const auto issuers = std::make_shared<Issuers>();
    issuers->there = {upper.certificate, lower.certificate};
    CHECK_FALSE(bench.judge(alice).trusted);
    bench.trust.issuers = issuers;
    CHECK(bench.judge(alice).trusted);
    CHECK(issuers->asked == 2);
    CHECK(bench.judge(bench.issue()).trusted);
    CHECK(issuers->asked == 2);

    issuers->there = {lower.certificate};
    const PathVerdict away = bench.judge(alice);
    CHECK(away.reason ==
          "the issuer of CN=Lower,O=Example (CN=Upper,O=Example) is neither trusted nor known: the server is away");
    CHECK_THAT(away.hint, Catch::Contains("--intermediates FILE") && !Catch::Contains("--fetch-issuers"));
    // Someone who has endless issuers is asked a few times, not counting who does not say where they are.
    std::vector<SoftwareKey> chain{certify(says_where(authority_spec("0")), &lower)};
    for (int i = 1; i < 15; ++i)
        chain.push_back(certify(says_where(authority_spec(std::to_string(i))), &chain.back()));
    issuers->there = {lower.certificate, upper.certificate};
    for (const SoftwareKey& each : chain)
        issuers->there.push_back(each.certificate);
    issuers->asked = 0;
    const PathVerdict endless = bench.judge(certify(says_where({}), &chain.back()).certificate);
    CHECK(issuers->asked == 12);
    CHECK(endless.reason ==
          "the issuer of CN=3,O=Example (CN=2,O=Example) is neither trusted nor known: no more than "
          "12 issuers are fetched for one certificate");
    CHECK_THAT(endless.hint, Catch::StartsWith("--intermediates FILE adds its certificate"));
    issuers->asked = 0;
    CHECK_FALSE(bench.judge(certify({}, &chain.back()).certificate).trusted);
    CHECK(issuers->asked == 13);
}

TEST_CASE("the way over a bridge is fetched whatever else is known of the partner's root") {
    BridgeWorld world;
    const auto bridged = [&](const std::vector<SoftwareKey>& along) {
        const PathVerdict verdict = world.judge(along);
        return trusted(verdict) &&
               verdict.chain == std::vector{world.alice, world.authority.certificate, world.cross.certificate,
                                            world.bridge.certificate, world.root.certificate};
    };
    CHECK(bridged({world.authority}));
    CHECK(world.issuers->asked_about == std::vector{world.authority.certificate, world.cross.certificate});
    CHECK(bridged({world.authority, world.partner}));
    CHECK(bridged({world.partner, world.authority}));
    CHECK(world.issuers->asked_about == std::vector{world.authority.certificate, world.cross.certificate});
    CHECK(bridged({world.partner, world.authority, world.cross}));
    CHECK(world.issuers->asked_about == std::vector{world.cross.certificate});

    const auto dead_ends = world.dead_ends(1);
    world.issuers->there.insert(world.issuers->there.begin(), {dead_ends[0].certificate, world.partner.certificate});
    CHECK(bridged({world.authority}));
    CHECK(bridged({}));
}

TEST_CASE("certificates that somebody adds keep no way over a bridge from being fetched") {
    BridgeWorld world;
    std::vector<SoftwareKey> along;
    SECTION("that lead nowhere") {
        along = world.dead_ends(20);
    }
    SECTION("that have ended") {
        CertificateSpec old = authority_spec("Partner Root");
        old.begins_in_days = -20;
        old.ends_in_days = -10;
        along = {cross_certify(world.partner, old, world.root)};
    }
    SECTION("that only have the names of authorities") {
        const SoftwareKey nobody = certify(authority_spec("Nobody"));
        for (const char* name : {"Authority", "Partner Root", "Bridge"})
            for (int i = 0; i < 20; ++i) {
                along.push_back(certify(says_where(authority_spec(name)), &nobody));
                along.push_back(certify(authority_spec(name)));
            }
    }
    along.push_back(world.authority);
    CHECK(trusted(world.judge(along)));
    std::reverse(along.begin(), along.end());
    CHECK(trusted(world.judge(along)));
}

TEST_CASE("nobody is asked about certificates that no signature leads to") {
    BridgeWorld world;
    world.issuers->there.clear();
    CertificateSpec unsure = says_where({});
    unsure.authority_key_identifier = "";
    world.alice = certify(unsure, &world.authority).certificate;
    const SoftwareKey nobody = certify(authority_spec("Nobody"));
    const SoftwareKey namesake = certify(says_where(authority_spec("Authority")), &nobody);
    CHECK_FALSE(world.judge({namesake}).trusted);
    CHECK(world.issuers->asked_about == std::vector{world.alice});
    CHECK_FALSE(world.judge({namesake, world.authority}).trusted);
    CHECK(world.issuers->asked_about == std::vector{world.authority.certificate, world.alice});
}

TEST_CASE("who lacks a bridge is not told to trust the partner's root") {
    BridgeWorld world;
    const std::string lacking =
        "the issuer of CN=Partner Root,O=Example (CN=Bridge,O=Example) is neither trusted nor "
        "known";
    const std::vector<SoftwareKey> along{world.partner, world.authority, world.cross};
    for (const bool fetching : {false, true}) {
        world.trust.issuers = fetching ? world.issuers : nullptr;
        world.issuers->there.clear();
        const PathVerdict verdict = world.judge(along);
        CHECK(verdict.reason == (fetching ? lacking + ": the server is away" : lacking));
        CHECK_THAT(verdict.hint, Catch::Contains("--intermediates FILE"));
        CHECK(verdict.hint.find("--fetch-issuers") == (fetching ? std::string::npos : 0));
    }
    const SoftwareKey nowhere = cross_certify(world.partner, authority_spec("Partner Root"), world.bridge);
    CHECK_THAT(world.judge({world.partner, nowhere, world.authority}).reason, Catch::StartsWith(lacking));
    // One that has ended would not help.
    CertificateSpec old = says_where(authority_spec("Partner Root"));
    old.begins_in_days = -20;
    old.ends_in_days = -10;
    const SoftwareKey ended = cross_certify(world.partner, old, world.bridge);
    CHECK(world.judge({ended, world.partner, world.authority}).reason ==
          "the root CN=Partner Root,O=Example is not trusted");
}

TEST_CASE("issuers are fetched too where those that are known lead to no trusted path") {
    RevocationBench bench;
    bench.trust.revocation = nullptr;
    const auto issuers = std::make_shared<Issuers>();
    const SoftwareKey upper = certify(authority_spec("Upper"), &bench.root);
    const SoftwareKey lower = certify(authority_spec("Lower"), &upper);
    const Certificate alice = certify({}, &lower).certificate;
    issuers->there = {upper.certificate, lower.certificate};
    const auto judge = [&](bool fetching, std::vector<Certificate> along) {
        bench.trust.issuers = fetching ? issuers : nullptr;
        bench.surplus = std::move(along);
        issuers->asked = 0;
        return bench.judge(alice);
    };
    SECTION("because one came along as a root of its own") {
        const Certificate self_signed = certify_key(upper.key, authority_spec("Upper"), nullptr);
        const std::vector along{lower.certificate, self_signed};
        CHECK_THAT(judge(false, along).reason, Catch::Contains("the root CN=Upper,O=Example is not trusted"));
        CHECK(judge(true, along).trusted);
        CHECK(issuers->asked == 1);
        issuers->there = {lower.certificate, self_signed};
        CHECK_FALSE(judge(true, along).trusted);
        CHECK(issuers->asked == 2);
    }
    SECTION("because one came along that has ended") {
        CertificateSpec old = authority_spec("Lower");
        old.begins_in_days = -20;
        old.ends_in_days = -10;
        const std::vector along{upper.certificate, certify_key(lower.key, old, &upper)};
        CHECK_THAT(judge(false, along).reason, Catch::Contains("CN=Lower,O=Example has ended"));
        const PathVerdict verdict = judge(true, along);
        CHECK(verdict.trusted);
        CHECK(verdict.chain.at(1) == lower.certificate);
        issuers->there.clear();
        CHECK_THAT(judge(true, along).reason, Catch::Contains("CN=Lower,O=Example has ended"));
        CHECK(issuers->asked == 3);  // Lower's, Upper's and Alice's
    }
}

TEST_CASE("an authority's new certificate is fetched where the old one is revoked, unless others know its key") {
    RevocationBench bench;
    const SoftwareKey old = certify(authority_spec("Authority"), &bench.root);
    const SoftwareKey renewed{old.key, certify_key(old.key, authority_spec("Authority"), &bench.root)};
    const Certificate alice =
        certify({.more_extensions = "authorityInfoAccess=caIssuers;URI:http://ca.example/ca.cer"}, &old).certificate;
    const auto issuers = std::make_shared<Issuers>();
    issuers->there = {renewed.certificate};
    bench.surplus = {old.certificate};
    const auto judge = [&](const std::string& reason, bool fetching) {
        bench.trust.issuers = fetching ? issuers : nullptr;
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {{.certificate = old.certificate, .reason = reason}}});
        bench.add_crl({}, old);
        issuers->asked = 0;
        return bench.judge(alice);
    };
    const PathVerdict verdict = judge("superseded", true);
    CHECK(good(verdict));
    CHECK(verdict.chain.at(1) == renewed.certificate);

    const PathVerdict without = judge("superseded", false);
    CHECK(revoked(without, "CN=Authority,O=Example is revoked"));
    CHECK(without.hint ==
          "if it was renewed, --fetch-issuers fetches its new certificate, --intermediates FILE adds it");

    CHECK(revoked(judge("keyCompromise", true), "key compromise"));
    CHECK(judge("keyCompromise", true).hint.empty());
    CHECK(issuers->asked == 0);
}

TEST_CASE("no issuers are fetched where no other path can be better") {
    RevocationBench bench;
    const auto issuers = std::make_shared<Issuers>();
    bench.trust.issuers = issuers;
    CHECK_FALSE(bench.judge(bench.issue({.begins_in_days = -20, .ends_in_days = -10})).trusted);
    CHECK_FALSE(bench.judge(bench.issue({.extended_key_usage = "serverAuth"})).trusted);
    CHECK_FALSE(bench.judge(bench.issue({.key_usage = "critical,keyAgreement"})).trusted);
    const Certificate alice = bench.issue();
    bench.add_crl({.entries = {{.certificate = alice}}});
    CHECK(revoked(bench.judge(alice)));
    bench.trust.require_revocation = true;
    bench.source->here.crls.clear();
    CHECK_FALSE(bench.judge(alice).trusted);
    CHECK(issuers->asked == 0);
}

TEST_CASE("no issuers are fetched for a signature that does not verify") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    CertificateSpec old = authority_spec("Test Intermediate");
    old.begins_in_days = -20;
    old.ends_in_days = -10;
    const auto issuers = std::make_shared<Issuers>();
    issuers->there = {bench.intermediate.certificate};
    Trust trust = trust_in({bench.root.certificate}, {certify_key(bench.intermediate.key, old, &bench.root)});
    trust.issuers = issuers;
    const auto chain = [&](std::string_view changed) {
        constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nHello\r\n";
        return bench
            .verify(craft::signed_data(
                        {.content = changed,
                         .signer_infos = {craft::signer_info(alice, craft::usual_attributes(kContent), kContent)},
                         .certificates = {alice.certificate}}),
                    trust)
            .signer()
            .chain;
    };
    CHECK(chain("Content-Type: text/plain\r\n\r\nHallo\r\n") == smime::ChainState::untrusted);
    CHECK(issuers->asked == 0);
    CHECK(chain("Content-Type: text/plain\r\n\r\nHello\r\n") == smime::ChainState::trusted);
    CHECK(issuers->asked > 0);
}
