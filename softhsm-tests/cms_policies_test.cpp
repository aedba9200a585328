// Certificate policies (RFC 5280 section 6.1), each case beside `openssl verify` with the same demands.
#include <catch2/catch.hpp>

#include "cms/policies.h"
#include "softhsm-tests/cms_paths.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

using Policies = std::vector<std::string>;

constexpr const char* kA = "1.3.6.1.4.1.99999.1";
constexpr const char* kB = "1.3.6.1.4.1.99999.2";

CertificateSpec with(CertificateSpec spec, const std::string& policies, const std::string& more = {}) {
    if (!policies.empty()) spec.more_extensions += "certificatePolicies=" + policies + "\n";
    spec.more_extensions += more;
    return spec;
}

// PolicyWorld is Alice below an authority below a root, with policies in both.
struct PolicyWorld {
    PolicyWorld(const CertificateSpec& authority, const CertificateSpec& leaf)
        : issuer(certify(authority, &bench.root)), end(certify(leaf, &issuer).certificate) {}

    /// judged validates with demands, and holds the peer to the same answer.
    PathVerdict judged(const PolicyDemands& demands) const {
        Trust trust = trust_in({bench.root.certificate});
        trust.policy = demands;
        PathVerdict verdict = judge(end, {issuer}, trust);
        CAPTURE(verdict.reason);
        Policies options{"-policy_check"};
        for (const std::string& each : demands.accepted)
            options.insert(options.end(), {"-policy", each});
        if (demands.accepted.empty()) options.insert(options.end(), {"-policy", "2.5.29.32.0"});
        if (demands.explicit_policy) options.emplace_back("-explicit_policy");
        if (demands.inhibit_mapping) options.emplace_back("-inhibit_map");
        if (demands.inhibit_any_policy) options.emplace_back("-inhibit_any");
        CHECK(openssl_verify(bench, end, {issuer}, bench.root.certificate, options) == verdict.trusted);
        return verdict;
    }

    CmsBench bench;
    SoftwareKey issuer;
    Certificate end;
};

const CertificateSpec kAuthority = authority_spec("Authority");

}  // namespace

TEST_CASE("a path is valid for the policies that all of it has") {
    const PolicyWorld world(with(kAuthority, std::string(kA) + "," + kB), with({}, std::string(kA) + ",1.2.3.4"));
    CHECK(world.judged({}).policies == Policies{kA});
    CHECK(world.judged({.accepted = {kA}, .explicit_policy = true}).policies == Policies{kA});
    CHECK(world.judged({.accepted = {kB, kA}, .explicit_policy = true}).policies == Policies{kA});
    CHECK(world.judged({.accepted = {kB}}).policies.empty());
    CHECK_THAT(world.judged({.accepted = {kB}}).policy_remark,
               Catch::Contains("CN=Alice,O=Example does not follow a policy"));
    CHECK(world.judged({.accepted = {kB, kA}}).policy_remark.empty());
    CHECK(world.judged({}).policy_remark.empty());
    const PathVerdict other = world.judged({.accepted = {kB}, .explicit_policy = true});
    CHECK(untrusted(other, "CN=Alice,O=Example has no certificate policy that is accepted"));
    CHECK(other.hint.find("--policy") != std::string::npos);
    CHECK(untrusted(world.judged({.accepted = {"1.2.3.4"}, .explicit_policy = true}), "no certificate policy"));
}

TEST_CASE("a path without policies is valid where none is demanded") {
    const PolicyWorld without(kAuthority, {});
    CHECK(trusted(without.judged({})));
    CHECK(trusted(without.judged({.accepted = {kA}})));
    CHECK_FALSE(without.judged({.accepted = {kA}}).policy_remark.empty());
    CHECK(untrusted(without.judged({.explicit_policy = true}), "no certificate policy is valid for CN=Alice"));
    const PolicyWorld claimed(kAuthority, with({}, kA));  // by the end certificate alone
    CHECK(claimed.judged({}).policies.empty());
    CHECK(untrusted(claimed.judged({.accepted = {kA}, .explicit_policy = true}), "no certificate policy"));
}

TEST_CASE("an authority's demand for a policy holds without any option") {
    const char* demand = "policyConstraints=critical,requireExplicitPolicy:0";
    CHECK(trusted(PolicyWorld(with(kAuthority, kA, demand), with({}, kA)).judged({})));
    const PathVerdict none = PolicyWorld(with(kAuthority, kA, demand), {}).judged({});
    CHECK(untrusted(none, "no certificate policy is valid for CN=Alice"));
    CHECK(none.hint.find("authority") != std::string::npos);
    CHECK(untrusted(PolicyWorld(with(kAuthority, kA, demand), with({}, kB)).judged({}), "no certificate policy"));
    // From so far down that it does not reach the end.
    CHECK(trusted(
        PolicyWorld(with(kAuthority, kA, "policyConstraints=critical,requireExplicitPolicy:3"), {}).judged({})));
}

TEST_CASE("any policy stands for every policy, unless it is inhibited") {
    const PolicyWorld world(with(kAuthority, "2.5.29.32.0"), with({}, kA));
    CHECK(world.judged({.accepted = {kA}}).policy_remark.empty());
    CHECK_FALSE(world.judged({.accepted = {kA}, .inhibit_any_policy = true}).policy_remark.empty());
    const PolicyDemands demands{.accepted = {kA}, .explicit_policy = true};
    CHECK(world.judged(demands).policies == Policies{kA});
    PolicyDemands inhibited = demands;
    inhibited.inhibit_any_policy = true;
    CHECK(untrusted(world.judged(inhibited), "no certificate policy"));

    const PolicyWorld both(with(kAuthority, "2.5.29.32.0"), with({}, "2.5.29.32.0"));
    CHECK(trusted(both.judged(demands)));
    CHECK(both.judged({}).policies.empty());  // "any" tells nothing

    const char* inhibit = "inhibitAnyPolicy=critical,0";
    CHECK(trusted(PolicyWorld(with(kAuthority, "2.5.29.32.0", inhibit), with({}, kA)).judged(demands)));
    CHECK(untrusted(PolicyWorld(with(kAuthority, kA, inhibit), with({}, "2.5.29.32.0")).judged(demands),
                    "no certificate policy"));
}

TEST_CASE("mapped policies are told in the terms of the anchor, unless mapping is inhibited") {
    const std::string mapping = std::string("policyMappings=critical,") + kA + ":" + kB;
    const PolicyWorld world(with(kAuthority, kA, mapping), with({}, kB));
    CHECK(world.judged({}).policies == Policies{kA});
    CHECK(trusted(world.judged({.accepted = {kA}, .explicit_policy = true})));
    CHECK(untrusted(world.judged({.accepted = {kB}, .explicit_policy = true}), "no certificate policy"));
    CHECK(untrusted(world.judged({.accepted = {kA}, .explicit_policy = true, .inhibit_mapping = true}),
                    "no certificate policy"));

    const PolicyWorld unmapped(with(kAuthority, kA, mapping), with({}, kA));
    CHECK(untrusted(unmapped.judged({.accepted = {kA}, .explicit_policy = true}), "no certificate policy"));
    // Any policy cannot be mapped.
    const std::string any = std::string("policyMappings=critical,2.5.29.32.0:") + kB;
    CHECK_FALSE(PolicyWorld(with(kAuthority, "2.5.29.32.0", any), with({}, kB)).judged({}).trusted);
}

TEST_CASE("policies that cannot be read are refused") {
    const PathVerdict twice = PolicyWorld(kAuthority, with(with({}, kA), kB)).judged({});
    CHECK_FALSE(twice.trusted);
    CHECK_FALSE(
        PolicyWorld(with(kAuthority, kA, "policyConstraints=critical,DER:0500"), with({}, kA)).judged({}).trusted);
}

TEST_CASE("a policy is a dotted object identifier") {
    for (const char* good : {"2.23.140.1.5.3.3", "1.3.6.1.4.1.99999.1", "0.4.0.2042.1.2", "2.5.29.32.0"})
        CHECK(is_dotted_oid(good));
    for (const char* bad :
         {"", "1", "anyPolicy", "1.2.", ".1.2", "1..2", "3.1.2", "1.40.1", "1.2 .3", "1.2.x", "01.2.3"})
        CHECK_FALSE(is_dotted_oid(bad));
}
