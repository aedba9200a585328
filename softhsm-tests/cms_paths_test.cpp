// Several candidate paths: one that fails does not stand in the way of one that holds.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

#include "cms/candidate_paths.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

constexpr const char* kPolicy = "1.3.6.1.4.1.99999.1";

// PathWorld is an authority that two roots have certified, each in its own way, and Alice below it.
struct PathWorld {
    SoftwareKey first_root = certify(authority_spec("First Root"));
    SoftwareKey second_root = certify(authority_spec("Second Root"));
    SoftwareKey issuer = certify(authority_spec("Issuer"), &second_root);
    Trust trust = trust_in({first_root.certificate, second_root.certificate});

    SoftwareKey by_first(const CertificateSpec& spec) const { return cross_certify(issuer, spec, first_root); }
    Certificate alice(const std::string& extensions = {}) const {
        CertificateSpec spec;
        spec.more_extensions = extensions;
        return certify(spec, &issuer).certificate;
    }
    /// takes_the_other says that Alice is trusted by the second root alone, in whatever order the two come.
    void takes_the_other(const SoftwareKey& bad, std::string_view reason, const std::string& extensions = {}) const {
        const Certificate end = alice(extensions);
        CHECK(untrusted(judge(end, {bad}, trust), reason));
        for (const auto& along : {std::vector{bad, issuer}, std::vector{issuer, bad}}) {
            const PathVerdict verdict = judge(end, along, trust);
            CHECK(trusted(verdict));
            CHECK(verdict.chain.back() == second_root.certificate);
        }
    }
};

CertificateSpec issuer_spec(const std::string& extensions, const std::string& constraints = "critical,CA:TRUE") {
    CertificateSpec spec = authority_spec("Issuer", constraints);
    spec.more_extensions = extensions;
    return spec;
}

}  // namespace

TEST_CASE("another path is taken where the first has ended, is weak or not meant for e-mail") {
    const PathWorld world;
    CertificateSpec old = issuer_spec("");
    old.begins_in_days = -20;
    old.ends_in_days = -10;
    world.takes_the_other(world.by_first(old), "has ended on");
    CertificateSpec weak = issuer_spec("");
    weak.digest = "SHA1";
    world.takes_the_other(world.by_first(weak), "weak digest");
    CertificateSpec server = issuer_spec("");
    server.extended_key_usage = "serverAuth";
    world.takes_the_other(world.by_first(server), "not meant for e-mail");
}

TEST_CASE("another path is taken where the first has no right to the name, depth or critical extension") {
    const PathWorld world;
    world.takes_the_other(world.by_first(issuer_spec("nameConstraints=critical,permitted;email:example.org")),
                          "may not certify");
    world.takes_the_other(world.by_first(issuer_spec("1.2.3.4=critical,DER:0500")), "'1.2.3.4'");
    world.takes_the_other(world.by_first(issuer_spec("", "critical,CA:FALSE")), "may not issue certificates");

    CertificateSpec flat = authority_spec("Flat", "critical,CA:TRUE,pathlen:0");
    const SoftwareKey between = certify(flat, &world.first_root);
    const SoftwareKey too_deep = cross_certify(world.issuer, issuer_spec(""), between);
    const Certificate end = world.alice();
    CHECK(untrusted(judge(end, {between, too_deep}, world.trust), "may not issue certificates"));
    CHECK(trusted(judge(end, {between, too_deep, world.issuer}, world.trust)));
}

TEST_CASE("another path is taken where the first is not valid for an accepted policy") {
    PathWorld world;
    world.trust.policy.accepted = {kPolicy};
    world.trust.policy.explicit_policy = true;
    world.issuer =
        cross_certify(world.issuer, issuer_spec(std::string("certificatePolicies=") + kPolicy), world.second_root);
    world.takes_the_other(world.by_first(issuer_spec("certificatePolicies=1.2.3.4")), "no certificate policy",
                          std::string("certificatePolicies=") + kPolicy);
}

TEST_CASE("a path that follows a policy asked for is taken before one that does not") {
    PathWorld world;
    world.trust.policy.accepted = {kPolicy};
    const SoftwareKey other = world.by_first(issuer_spec("certificatePolicies=1.2.3.4"));
    world.issuer =
        cross_certify(world.issuer, issuer_spec(std::string("certificatePolicies=") + kPolicy), world.second_root);
    const Certificate end = world.alice(std::string("certificatePolicies=") + kPolicy);
    const PathVerdict alone = judge(end, {other}, world.trust);
    CHECK(trusted(alone));
    CHECK_FALSE(alone.policy_remark.empty());
    for (const auto& along : {std::vector{other, world.issuer}, std::vector{world.issuer, other}}) {
        const PathVerdict both = judge(end, along, world.trust);
        CHECK(trusted(both));
        CHECK(both.policy_remark.empty());
        CHECK(both.policies == std::vector<std::string>{kPolicy});
    }
}

TEST_CASE("another path is taken where an issuer in the first is revoked") {
    struct Source final : TestSource {
        RevocationEvidence at_hand(const Certificate&, const Certificate&) override {
            ++asked;
            return here;
        }
        int asked = 0;
    };
    PathWorld world;
    const auto source = std::make_shared<Source>();
    world.trust.revocation = source;
    const SoftwareKey bad = world.by_first(issuer_spec(""));
    source->here.crls.push_back(Crl::from_der(make_crl({.entries = {{bad.certificate}}}, world.first_root)));
    world.takes_the_other(bad, "is revoked");

    // Nothing is asked about certificates on no path to an anchor: each question is a beacon.
    const SoftwareKey stranger = certify(authority_spec("Stranger"));
    source->asked = 0;
    CHECK_FALSE(judge(certify({}, &stranger).certificate, {stranger}, world.trust).trusted);
    const SoftwareKey namesake = certify(issuer_spec(""), &world.first_root);
    CertificateSpec unsure;
    unsure.authority_key_identifier = "";
    const Certificate end = certify(unsure, &world.issuer).certificate;
    CHECK_FALSE(judge(end, {namesake}, world.trust).trusted);
    CHECK(source->asked == 0);
}

TEST_CASE("an issuer's namesake with another key does no harm") {
    const PathWorld world;
    CertificateSpec unsure;
    unsure.authority_key_identifier = "";  // nothing but the signature tells which issuer it is
    const Certificate end = certify(unsure, &world.issuer).certificate;
    const SoftwareKey namesake = certify(issuer_spec(""), &world.first_root);
    for (const auto& along : {std::vector{namesake, world.issuer}, std::vector{world.issuer, namesake}})
        CHECK(trusted(judge(end, along, world.trust)));
    CHECK(untrusted(judge(end, {namesake}, world.trust), "the signature on the certificate of CN=Alice"));

    // What is said is not that the namesake has not signed it, where there is more to say.
    CertificateSpec old = issuer_spec("");
    old.begins_in_days = -20;
    old.ends_in_days = -10;
    const SoftwareKey ended = cross_certify(world.issuer, old, world.second_root);
    for (const auto& along : {std::vector{namesake, ended}, std::vector{ended, namesake}})
        CHECK(untrusted(judge(end, along, world.trust), "CN=Issuer,O=Example has ended on"));
}

TEST_CASE("an authority that was renewed has issued what names its old certificate by serial number") {
    const PathWorld world;
    CertificateSpec old_spec = issuer_spec("");
    old_spec.begins_in_days = -20;
    old_spec.ends_in_days = -10;
    const SoftwareKey old = cross_certify(world.issuer, old_spec, world.second_root);
    CertificateSpec named;
    named.authority_key_identifier = "keyid,issuer:always";
    const Certificate end = certify(named, &old).certificate;
    for (const auto& along : {std::vector{world.issuer}, {world.issuer, old}, {old, world.issuer}}) {
        const PathVerdict verdict = judge(end, along, world.trust);
        CHECK(trusted(verdict));
        CHECK(verdict.chain.at(1) == world.issuer.certificate);
    }
    CHECK(untrusted(judge(end, {old}, world.trust), "CN=Issuer,O=Example has ended on"));

    // A root likewise.
    const Certificate renewed = certify_key(world.second_root.key, authority_spec("Second Root"), nullptr);
    CHECK(trusted(judge(certify(named, &world.second_root).certificate, {}, trust_in({renewed}))));
}

TEST_CASE("an authority whose other certificate has another key identifier has issued what its key has signed") {
    const PathWorld world;
    CertificateSpec spec = issuer_spec("");
    spec.subject_key_identifier = "01020304";
    const SoftwareKey otherwise = cross_certify(world.issuer, spec, world.second_root);
    const Certificate end = certify({}, &world.issuer).certificate;
    CHECK(trusted(judge(end, {otherwise}, world.trust)));
    // The one that is named comes first.
    for (const auto& along : {std::vector{otherwise, world.issuer}, {world.issuer, otherwise}})
        CHECK(judge(end, along, world.trust).chain.at(1) == world.issuer.certificate);

    // However many namesakes there are, they cost little, and are no issuers.
    const SoftwareKey namesake = certify(spec, &world.first_root);
    std::vector<SoftwareKey> namesakes;
    for (int i = 0; i < 60; ++i)
        namesakes.push_back(cross_certify(namesake, spec, world.first_root));
    const PathVerdict none = judge(end, namesakes, world.trust);
    CHECK(untrusted(none, "a certificate of that name is at hand, but this one names another key"));
    CHECK(none.verifications <= 20);
}

TEST_CASE("of several certificates of an authority the one that is named by serial number comes first") {
    const PathWorld world;
    const SoftwareKey other = world.by_first(issuer_spec(""));
    CertificateSpec named;
    named.authority_key_identifier = "keyid,issuer:always";
    for (const auto& [by, not_by] : {std::pair(world.issuer, other), {other, world.issuer}})
        for (const auto& along : {std::vector{by, not_by}, {not_by, by}})
            CHECK(judge(certify(named, &by).certificate, along, world.trust).chain.at(1) == by.certificate);
}

TEST_CASE("an authority's namesake with another key and serial number has issued nothing") {
    const PathWorld world;
    const SoftwareKey namesake = certify(issuer_spec(""), &world.first_root);
    CertificateSpec by_serial;
    by_serial.authority_key_identifier = "issuer:always";
    const Certificate end = certify(by_serial, &world.issuer).certificate;
    CHECK_FALSE(judge(end, {namesake}, world.trust).trusted);
    for (const auto& along : {std::vector{namesake, world.issuer}, {world.issuer, namesake}})
        CHECK(trusted(judge(end, along, world.trust)));
}

TEST_CASE("who takes an authority's name for a root of its own is named as that root, and has no issuer") {
    const PathWorld world;
    CertificateSpec spec = issuer_spec("");
    CertificateSpec unsure;
    SECTION("without a key identifier") {
        spec.authority_key_identifier = spec.subject_key_identifier = "";
        unsure.authority_key_identifier = "";
    }
    SECTION("with key identifiers") {}
    SECTION("as openssl makes it") {
        spec.authority_key_identifier = "";
    }
    const SoftwareKey impostor = certify(spec);
    const Certificate mallory = certify(unsure, &impostor).certificate;
    const std::string cause = "the root CN=Issuer,O=Example is not trusted";
    const std::string beside_another = cause + " (another certificate of that name is at hand, with another key)";
    CHECK(judge(mallory, {impostor}, world.trust).reason == cause);
    const Trust knowing = trust_in({world.second_root.certificate}, {world.issuer.certificate});
    for (const PathVerdict& verdict :
         {judge(mallory, {impostor, world.issuer}, world.trust), judge(mallory, {world.issuer, impostor}, world.trust),
          judge(mallory, {impostor}, knowing), judge(mallory, {impostor}, trust_in({world.issuer.certificate}))}) {
        CHECK(verdict.reason == beside_another);
        CHECK_THAT(verdict.hint, Catch::Contains("somebody else may be using that name"));
        CHECK(verdict.chain == std::vector{mallory, impostor.certificate});
        CHECK_FALSE(verdict.anchored);
        CHECK(verdict.at_fault == 1);
    }

    // Who has the authority's own certificate is trusted whatever else bears the name.
    CHECK(trusted(judge(world.alice(), {impostor, world.issuer}, world.trust)));
    CHECK(trusted(judge(mallory, {world.issuer}, trust_in({impostor.certificate}))));
}

TEST_CASE("an anchor's certificate of its own new key leads to it, though both have one name") {
    const SoftwareKey anchor = certify(authority_spec("Authority"));
    const SoftwareKey renewed = certify(authority_spec("Authority"), &anchor);
    CertificateSpec unsure;
    unsure.authority_key_identifier = "";
    const PathVerdict verdict = judge(certify(unsure, &renewed).certificate, {renewed}, trust_in({anchor.certificate}));
    CHECK(trusted(verdict));
    CHECK(verdict.chain.size() == 3);
}

TEST_CASE("authorities that certify each other lead round in no circle") {
    const PathWorld world;
    const SoftwareKey left = certify(authority_spec("Left"), &world.issuer);
    const SoftwareKey right = certify(authority_spec("Right"), &left);
    const SoftwareKey left_by_right = cross_certify(left, authority_spec("Left"), right);
    const SoftwareKey issuer_by_right = cross_certify(world.issuer, issuer_spec(""), right);
    const Certificate end = certify({}, &right).certificate;
    CHECK(untrusted(judge(end, {left_by_right, right}, world.trust), "neither trusted nor known"));
    const std::vector along{left_by_right, issuer_by_right, right, left, world.issuer};
    const PathVerdict verdict = judge(end, along, world.trust);
    CHECK(trusted(verdict));
    CHECK(verdict.chain.size() == 5);
    CHECK_FALSE(judge(end, along, trust_in({world.first_root.certificate})).trusted);
}

TEST_CASE("there is an end to the paths that are tried") {
    PathWorld world;
    CertificateSpec unsure;
    unsure.authority_key_identifier = "";
    const Certificate end = certify(unsure, &world.issuer).certificate;
    std::vector<SoftwareKey> namesakes;
    const PrivateKey key = new_private_key(KeyKind::p256);
    for (int i = 0; i < 60; ++i)
        namesakes.push_back({key, certify_key(key, issuer_spec(""), &world.first_root)});
    const PathVerdict verdict = judge(end, namesakes, world.trust);
    CHECK(untrusted(verdict, "signature"));
    CHECK(verdict.verifications > 0);
    CHECK(verdict.verifications < 100);

    // What one path has shown of an issuer is not tried in others.
    CertificateSpec again = authority_spec("First Root");
    const Certificate same_root = certify_key(world.first_root.key, again, nullptr);
    std::vector<SoftwareKey> few(namesakes.begin(), namesakes.begin() + 20);
    few.push_back(world.issuer);
    CHECK(trusted(judge(end, few, trust_in({world.first_root.certificate, same_root, world.second_root.certificate}))));

    // An end certificate that has ended has on every path.
    unsure.begins_in_days = -20;
    unsure.ends_in_days = -10;
    std::vector<SoftwareKey> crossed{world.issuer};
    for (int i = 0; i < 10; ++i)
        crossed.push_back(world.by_first(issuer_spec("")));
    const PathVerdict ended = judge(certify(unsure, &world.issuer).certificate, crossed, world.trust);
    CHECK(untrusted(ended, "CN=Alice,O=Example has ended on"));
    CHECK(ended.verifications == 0);

    // Those that we know are tried before those that came along.
    world.trust = trust_in({world.first_root.certificate, world.second_root.certificate}, {world.issuer.certificate});
    CHECK(trusted(judge(end, namesakes, world.trust)));
}

TEST_CASE("no path takes a name with the same key twice") {
    const SoftwareKey root = certify(authority_spec("Root"));
    std::vector<SoftwareKey> mesh;
    for (const char* name : {"A", "B", "C", "D"})
        mesh.push_back(certify(authority_spec(name), &root));
    Candidates candidates{{root.certificate}, {}};
    for (const SoftwareKey& each : mesh) {
        candidates.untrusted.push_back(each.certificate);
        for (const SoftwareKey& by : mesh)
            if (by.key != each.key)
                candidates.untrusted.push_back(
                    cross_certify(each, authority_spec(each.certificate.common_name()), by).certificate);
    }
    const Certificate end = certify({}, &mesh.front()).certificate;
    const InheritedKeys inherited(end, candidates.untrusted, candidates.anchors);
    CandidatePaths paths(end, candidates, inherited, SystemClock().now());
    std::vector<std::size_t> lengths;
    while (const auto path = paths.next())
        lengths.push_back(path->size());
    // A; A and one of three; A and two of three in either order; A and all three in any order.
    CHECK(lengths.size() == 1 + 3 + 6 + 6);
    CHECK(lengths.front() == 3);
}

TEST_CASE("names are the same in other letters and white space") {
    const PathWorld world;
    const SoftwareKey shouting{world.second_root.key,
                               certify_key(world.second_root.key, authority_spec("SECOND   root"), nullptr)};
    const SoftwareKey below = certify(authority_spec("Below"), &shouting);
    const SoftwareKey whispering{below.key, certify_key(below.key, authority_spec("below "), &shouting)};
    const Certificate end = certify({}, &whispering).certificate;
    CHECK(trusted(judge(end, {below}, world.trust)));
    const CmsBench bench;
    CHECK(openssl_verify(bench, end, {below}, world.second_root.certificate));
    const SoftwareKey other{below.key, certify_key(below.key, authority_spec("be low"), &shouting)};
    CHECK_FALSE(judge(certify({}, &other).certificate, {below}, world.trust).trusted);
}
