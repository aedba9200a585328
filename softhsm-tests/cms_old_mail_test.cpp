// Mail whose signer's certificate has ended since.
#include <catch2/catch.hpp>

#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kWords =
    "has ended since; it was valid at the date the mail claims; --at asks for that date";

struct OldMailWorld {
    CmsBench bench;
    Time now = SystemClock().now();

    SoftwareKey signer(int begins, int ends) const {
        CertificateSpec spec;
        spec.begins_in_days = begins;
        spec.ends_in_days = ends;
        return bench.issue(spec);
    }
    SignerVerdict judged(const std::string& mail, int in_days) const {
        Trust trust = bench.trust();
        trust.at = now + std::chrono::days(in_days);
        return bench.verify(mail, trust).signer();
    }
};

bool says(const SignerVerdict& signer, std::string_view words) {
    const std::string reason = signer.chain_reason.value_or("");
    CAPTURE(reason);
    CHECK(signer.chain == ChainState::untrusted);
    CHECK(reason.find(words) != std::string::npos);
    return reason.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a certificate that has ended since says so where it was valid at the time that its signer claims") {
    const OldMailWorld world;
    const std::string mail = world.bench.sign({world.signer(-1, 10)}, "From: alice@example.gov\r\n\r\nHello\r\n");
    CHECK(says(world.judged(mail, 20), kWords));
    CHECK(says(world.judged(mail, 20), "CN=Alice,O=Example"));
    CHECK(world.judged(mail, 20).chain_hint.find(format_time(world.now).substr(0, 10)) != std::string::npos);
    CHECK(world.judged(mail, 5).chain == ChainState::trusted);

    // It was not valid when it was used, as its signer says.
    const std::string late = world.bench.sign({world.signer(-20, -10)}, "From: alice@example.gov\r\n\r\nHello\r\n");
    CHECK(says(world.judged(late, 0), "has ended on"));
    CHECK(says(world.judged(late, 0), "Alice"));
    const std::string early = world.bench.sign({world.signer(5, 10)}, "From: alice@example.gov\r\n\r\nHello\r\n");
    CHECK(says(world.judged(early, 20), "has ended on"));
}

TEST_CASE("a signature that claims to be later than the time asked for is told of") {
    const OldMailWorld world;
    const std::string mail = world.bench.sign({world.signer(-1, 10)}, "From: alice@example.gov\r\n\r\nHello\r\n");
    const auto tells = [&](std::optional<std::chrono::hours> later) {
        Trust trust = world.bench.trust();
        if (later) trust.at = world.now + *later;
        const ReadMail read = world.bench.verify(mail, trust);
        CHECK(read.report.result == Result::valid);
        const auto& warnings = read.report.warnings;
        const bool warned = std::any_of(warnings.begin(), warnings.end(),
                                        [](const Warning& warning) { return warning.kind == "signed-later"; });
        CHECK(read.signer().claims_later == warned);
        return warned;
    };
    CHECK(tells(std::chrono::hours(-12)));
    CHECK_FALSE(tells(std::chrono::hours(12)));
    CHECK_FALSE(tells(std::nullopt));
}

TEST_CASE("where the signer claims no time, the mail's Date field is asked") {
    const OldMailWorld world;
    const SoftwareKey alice = world.signer(-1, 10);
    std::vector<std::string> arguments{"cms", "-sign", "-noattr", "-from", "alice@example.gov"};
    const auto options = world.bench.signer_options(alice);
    arguments.insert(arguments.end(), options.begin(), options.end());
    const std::string bare = world.bench.openssl(arguments, "Content-Type: text/plain\r\n\r\nHello\r\n");
    const std::time_t now = world.now.time_since_epoch().count();
    char date[64];
    REQUIRE(std::strftime(date, sizeof date, "Date: %d %b %Y %H:%M:%S +0000\n", std::gmtime(&now)) > 0);
    CHECK(says(world.judged(date + bare, 20), kWords));
    CHECK(says(world.judged(bare, 20), "has ended on"));
    CHECK(says(world.judged("Date: 1 Jan 2001 12:00:00 +0000\n" + bare, 20), "has ended on"));
}

TEST_CASE("an authority that has ended since says so too") {
    const OldMailWorld world;
    CertificateSpec spec = authority_spec("Short");
    spec.ends_in_days = 10;
    const SoftwareKey issuer = certify(spec, &world.bench.root);
    const Certificate end = certify({}, &issuer).certificate;
    Trust trust = trust_in({world.bench.root.certificate}, {issuer.certificate});
    trust.at = world.now + std::chrono::days(20);
    CHECK(validate(end, {}, trust, Use::signing, world.now).reason ==
          "the certificate of CN=Short,O=Example " + std::string(kWords));
    CHECK(untrusted(validate(end, {}, trust, Use::signing), "has ended on"));
    CHECK(untrusted(validate(end, {}, trust, Use::signing, world.now + std::chrono::days(15)), "has ended on"));
    // A time after the one that is judged at is no past.
    trust.at = world.now - std::chrono::days(20);
    CHECK(untrusted(validate(end, {}, trust, Use::signing, world.now), "is not valid before"));
}

// A newer certificate of the authority would not help: the signer's has ended too.
TEST_CASE("where signer and authority have ended since, the signer's is named, and the date leads to a trusted path") {
    const OldMailWorld world;
    const auto chain = [&](int issuer_begins, int issuer_ends) {
        CertificateSpec authority = authority_spec("Short"), leaf;
        authority.begins_in_days = issuer_begins;
        authority.ends_in_days = issuer_ends;
        leaf.ends_in_days = 10;
        const SoftwareKey issuer = certify(authority, &world.bench.root);
        return std::pair(certify(leaf, &issuer).certificate, issuer.certificate);
    };
    const auto judged = [&](const std::pair<Certificate, Certificate>& both, int in_days) {
        Trust trust = trust_in({world.bench.root.certificate}, {both.second});
        trust.at = world.now + std::chrono::days(in_days);
        return validate(both.first, {}, trust, Use::signing, world.now);
    };
    const auto held = chain(-1, 15);
    CHECK(judged(held, 20).reason == "the certificate of CN=Alice,O=Example " + std::string(kWords));
    CHECK_THAT(judged(held, 20).hint, Catch::StartsWith("--at " + format_time(world.now)));
    CHECK(trusted(judged(held, 0)));

    // The path did not hold at the date either.
    for (const auto& [begins, ends] : {std::pair(-9, -3), std::pair(3, 15)}) {
        const auto both = chain(begins, ends);
        CHECK(untrusted(judged(both, 20), "the certificate of CN=Alice,O=Example has ended on"));
        CHECK_FALSE(judged(both, 0).trusted);
    }
}

TEST_CASE("a certificate is not said to have been valid at a date by which it was revoked") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -90, .ends_in_days = -20});
    const auto judged = [&](int since) {
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {{.certificate = alice, .since = since * kDay, .reason = "superseded"}},
                       .this_update = -30 * kDay,
                       .next_update = -25 * kDay});
        return validate(alice, {}, bench.trust, Use::signing, bench.trust.clock->now() - std::chrono::days(50));
    };
    const PathVerdict revoked = judged(-60);
    CHECK_THAT(revoked.reason, Catch::StartsWith("the certificate of CN=Alice,O=Example is revoked since ") &&
                                   Catch::Contains("(superseded); the certificate of CN=Alice,O=Example has ended on"));
    CHECK_THAT(revoked.reason + revoked.hint, !Catch::Contains("--at"));
    CHECK(revoked.revocation == RevocationState::revoked);

    CHECK(untrusted(judged(-40), kWords));
    CHECK_THAT(judged(-40).hint, Catch::StartsWith("--at "));
}
