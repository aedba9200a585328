// What its issuer tells of a certificate that the user trusts by itself.

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation_authority.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Bundle is a file of anchors with a root and an authority below it, as other programs take it.
struct Bundle : AuthorityBench {
    Bundle() {
        bench.trust = trust_in({bench.root.certificate, authority.certificate});
        bench.trust.revocation = bench.source;
        bench.add_crl({}, authority);
    }
    void root_tells(const Certificate& revoked, const std::string& reason, int since = -60) {
        bench.add_crl({.entries = {{.certificate = revoked, .since = since, .reason = reason}}, .number = 2});
    }
};

}  // namespace

TEST_CASE("an authority that is an anchor itself is trusted for as long as its issuer does not revoke it") {
    Bundle bundle;
    CHECK(good(bundle.judge()));
    bundle.root_tells(bundle.authority.certificate, GENERATE("keyCompromise", "superseded", ""));
    CHECK(revoked(bundle.judge(), "CN=Authority,O=Example is revoked since"));
    CHECK(bundle.judge().at_fault == 1);
    CHECK_THAT(bundle.judge().reason, Catch::EndsWith(", though it is trusted by itself"));

    // Nobody else tells of it.
    bundle.bench.trust.anchors = trust_in({bundle.authority.certificate}).anchors;
    CHECK(good(bundle.judge()));
    bundle.bench.trust.intermediates = trust_in({bundle.bench.root.certificate}).anchors;
    CHECK(good(bundle.judge()));
}

TEST_CASE("whether an anchor is revoked need not be known") {
    Bundle bundle;
    bundle.bench.trust.require_revocation = true;
    bundle.bench.source->here.crls.clear();
    bundle.bench.add_crl({}, bundle.authority);
    CHECK(good(bundle.judge()));
}

TEST_CASE("another way to a root counts where one ends at an anchor that is revoked") {
    Bundle bundle;
    const SoftwareKey other_root = certify(authority_spec("Other Root"));
    const Certificate crossed = certify_key(bundle.authority.key, authority_spec("Authority"), &other_root);
    bundle.bench.trust =
        trust_in({bundle.bench.root.certificate, bundle.authority.certificate, other_root.certificate}, {crossed});
    bundle.bench.trust.revocation = bundle.bench.source;
    bundle.bench.add_crl({}, other_root);
    bundle.root_tells(bundle.authority.certificate, "superseded");
    CHECK(good(bundle.judge()));
    bundle.root_tells(bundle.authority.certificate, "keyCompromise");
    CHECK(revoked(bundle.judge()));
}

TEST_CASE("that an anchor was revoked after the judged time is told") {
    Bundle bundle;
    bundle.root_tells(bundle.authority.certificate, "keyCompromise");
    bundle.bench.at(-120);
    const PathVerdict verdict = bundle.judge();
    CHECK(good(verdict));
    REQUIRE(verdict.revoked_since.size() == 1);
    CHECK(verdict.revoked_since.front().certificate == bundle.authority.certificate);
    CHECK(verdict.revoked_since.front().at == 1);
}

TEST_CASE("a signer that is trusted by itself is, for as long as its issuer does not revoke it") {
    Bundle bundle;
    const auto trusts = [&](const std::vector<Certificate>& anchors) {
        bundle.bench.trust.anchors = trust_in(anchors).anchors;
        bundle.bench.trust.intermediates = trust_in({bundle.authority.certificate}).anchors;
        return bundle.judge();
    };
    const PathVerdict alone = trusts({bundle.alice});
    CHECK(alone.trusted);
    CHECK(alone.revocation == RevocationState::not_checked);
    CHECK(alone.revocation_reason == "the certificate of CN=Alice,O=Example is trusted by itself");
    bundle.bench.source->here.crls.pop_back();
    bundle.bench.add_crl(bundle.lists_alice(), bundle.authority);
    CHECK(trusts({bundle.alice}).trusted);
    CHECK(revoked(trusts({bundle.alice, bundle.bench.root.certificate})));
    CHECK(revoked(trusts({bundle.alice, bundle.authority.certificate})));
    CHECK(bundle.judge().key_compromised);
}
