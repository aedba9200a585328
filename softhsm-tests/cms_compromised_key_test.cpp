// Keys that others know, as the revocation of one of their certificates tells, in whatever other certificate.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Crossed is an authority that two roots have certified, Alice being certified by it. The first certificate is revoked.
struct Crossed {
    RevocationBench bench;
    SoftwareKey other_root = certify(authority_spec("Other Root"));
    SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    Certificate crossed = certify_key(authority.key, authority_spec("Authority"), &other_root);
    Certificate alice = certify({}, &authority).certificate;

    explicit Crossed(const std::string& reason, int since = -60) {
        bench.trust = trust_in({bench.root.certificate, other_root.certificate});
        bench.trust.revocation = bench.source;
        bench.add_crl({.entries = {{.certificate = authority.certificate, .since = since, .reason = reason}}});
        bench.add_crl({}, other_root);
        bench.add_crl({}, authority);
    }
    /// knows sets which certificates of the authority the user has, and which come along.
    void knows(const std::vector<Certificate>& own, std::vector<Certificate> along) {
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(own)};
        bench.surplus = std::move(along);
    }
    bool each_way(bool (*holds)(const PathVerdict&)) {
        for (const auto& [first, second] :
             {std::pair(authority.certificate, crossed), {crossed, authority.certificate}}) {
            knows({first, second}, {});
            if (!holds(bench.judge(alice))) return false;
            knows({first}, {second});
            if (!holds(bench.judge(alice))) return false;
            knows({}, {first, second});
            if (!holds(bench.judge(alice))) return false;
        }
        return true;
    }
};

constexpr const char* kAddress = "email:alice@example.gov";

bool compromised(const PathVerdict& verdict) {
    return revoked(verdict, "compromise");
}

}  // namespace

TEST_CASE("an authority's key that others know certifies nobody, in another certificate of it either") {
    CHECK(Crossed("keyCompromise").each_way(compromised));
    CHECK(Crossed("CACompromise").each_way(compromised));
}

TEST_CASE("an authority's other certificate counts where the first was revoked for another reason") {
    for (const char* reason : {"", "superseded", "cessationOfOperation", "affiliationChanged"})
        CHECK(Crossed(reason).each_way([](const PathVerdict& verdict) { return good(verdict); }));
}

TEST_CASE("that others know an authority's key is the cause said, whatever else is wrong with what tells so") {
    struct Issuers final : IssuerSource {
        int asked = 0;
        Found issuers_of(const Certificate&) override {
            ++asked;
            return {};
        }
    };
    RevocationBench bench;
    CertificateSpec weak = authority_spec("Authority"), lower = authority_spec("Authority");
    weak.digest = "SHA1";
    lower.more_extensions = "1.2.3.4.5=critical,DER:0500";
    for (const CertificateSpec& spec : {weak, lower}) {
        const SoftwareKey first = certify(spec, &bench.root);
        const Certificate renewed = certify_key(first.key, authority_spec("Authority"), &bench.root);
        const Certificate alice = certify({}, &first).certificate;
        bench.source->here.crls.clear();
        bench.add_crl({}, first);
        for (const auto& along : {std::vector{first.certificate, renewed}, {renewed, first.certificate}}) {
            const auto issuers = std::make_shared<Issuers>();
            bench.trust.issuers = issuers;
            bench.surplus = along;
            bench.add_crl({.entries = {{.certificate = first.certificate, .reason = "keyCompromise"}}});
            CHECK(revoked(bench.judge(alice), "others may know the key of CN=Authority,O=Example"));
            CHECK((issuers->asked > 0) == (along.front() == first.certificate));
            bench.source->here.crls.pop_back();
            bench.add_crl({.entries = {{.certificate = first.certificate, .reason = "superseded"}}});
            CHECK(good(bench.judge(alice)));
            bench.source->here.crls.pop_back();
        }
    }
}

TEST_CASE("a key that others know only after the judged time certified before") {
    Crossed crossed("keyCompromise", -60);
    crossed.knows({crossed.authority.certificate, crossed.crossed}, {});
    crossed.bench.at(-90);
    CHECK(good(crossed.bench.judge(crossed.alice)));
}

TEST_CASE("another way around an authority's key that others know is looked for") {
    Crossed crossed("keyCompromise");
    const SoftwareKey renewed = certify(authority_spec("Authority"), &crossed.other_root);
    crossed.knows({crossed.authority.certificate, crossed.crossed, renewed.certificate}, {});
    crossed.bench.add_crl({}, renewed);
    CHECK(good(crossed.bench.judge(certify({}, &renewed).certificate)));
    CHECK(compromised(crossed.bench.judge(crossed.alice)));
}

TEST_CASE("who holds a key that others know is not trusted by another certificate of it") {
    RevocationBench bench;
    const SoftwareKey alice = certify({}, &bench.root);
    const Certificate renewed = certify_key(alice.key, {.name = "Alice", .ends_in_days = 500}, &bench.root);
    const auto lists = [&](const std::string& reason) {
        bench.source->here.crls = {
            Crl::from_der(make_crl({.entries = {{.certificate = alice.certificate, .reason = reason}}}, bench.root))};
    };
    SECTION("that came along") {
        bench.surplus = {alice.certificate};
    }
    SECTION("that the user has") {
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{alice.certificate})};
    }
    lists("keyCompromise");
    CHECK(compromised(bench.judge(renewed)));
    lists("superseded");
    CHECK(good(bench.judge(renewed)));
    // Their issuer's key says nothing of theirs.
    lists("CACompromise");
    CHECK(good(bench.judge(renewed)));
}

TEST_CASE("a certificate that has ended tells still that others know its key") {
    RevocationBench bench;
    const SoftwareKey old = certify({.begins_in_days = -90, .ends_in_days = -1}, &bench.root);
    const Certificate renewed = certify_key(old.key, {}, &bench.root);
    bench.surplus = {old.certificate};
    bench.add_crl({});
    CHECK(good(bench.judge(renewed)));
    bench.add_crl({.entries = {{.certificate = old.certificate, .since = -3 * kDay, .reason = "keyCompromise"}},
                   .this_update = -2 * kDay});
    CHECK(compromised(bench.judge(renewed)));
}

TEST_CASE("a certificate tells that others know its key, however it is signed and whatever it holds") {
    RevocationBench bench;
    const SoftwareKey alice = certify({}, &bench.root);
    const auto judged = [&](const CertificateSpec& spec, const std::string& reason) {
        const Certificate other = certify_key(alice.key, spec, &bench.root);
        bench.surplus = {other};
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {{.certificate = other, .reason = reason}}});
        return bench.judge(alice.certificate);
    };
    const std::vector<CertificateSpec> others{
        {.digest = "SHA1"}, {.more_extensions = "1.2.3.4.5=critical,DER:0500"}, {.extended_key_usage = "serverAuth"}};
    for (const CertificateSpec& spec : others) {
        CHECK(compromised(judged(spec, "keyCompromise")));
        CHECK(good(judged(spec, "superseded")));
    }
}

TEST_CASE("a certificate tells that others know its key, whatever those above it demand of its use") {
    RevocationBench bench;
    CertificateSpec spec;
    const auto judged = [&](const CertificateSpec& above, const std::string& reason) {
        const SoftwareKey authority = certify(above, &bench.root);
        const SoftwareKey alice = certify(spec, &bench.root);
        const Certificate other = certify_key(alice.key, spec, &authority);
        bench.surplus = {other, authority.certificate};
        bench.source->here.crls.clear();
        bench.add_crl({});
        bench.add_crl({.entries = {{.certificate = other, .reason = reason}}}, authority);
        return bench.judge(alice.certificate);
    };
    const auto authority = [](const std::string& extensions, const std::string& constraints = "critical,CA:TRUE") {
        CertificateSpec above = authority_spec("Authority", constraints);
        above.more_extensions = extensions;
        return above;
    };
    for (const char* demands : {"1.2.3.4.5=critical,DER:0500", "policyConstraints=critical,requireExplicitPolicy:0"}) {
        CHECK(compromised(judged(authority(demands), "keyCompromise")));
        CHECK(good(judged(authority(demands), "superseded")));
    }
    // Who may not certify at all, or not that name, tells nothing.
    CHECK(good(judged(authority("", "critical,CA:FALSE"), "keyCompromise")));
    const auto limited_to = [&](const std::string& domain) {
        return authority("nameConstraints=critical,permitted;email:" + domain + "\n1.2.3.4.5=critical,DER:0500");
    };
    spec.alternative_name = GENERATE(std::string(kAddress), smtp_utf8("\xc3\xa4lice@example.gov"));
    CHECK(good(judged(limited_to("mallory.example"), "keyCompromise")));
    CHECK(compromised(judged(limited_to("example.gov"), "keyCompromise")));
}

TEST_CASE("a certificate below an authority that has ended tells still that others know its key") {
    RevocationBench bench;
    CertificateSpec old = authority_spec("Old Authority");
    old.begins_in_days = -90;
    old.ends_in_days = -10;
    const SoftwareKey authority = certify(old, &bench.root);
    const SoftwareKey alice = certify({}, &bench.root);
    const Certificate other = certify_key(alice.key, {.begins_in_days = -80}, &authority);
    bench.surplus = {other, authority.certificate};
    bench.add_crl({});
    const CrlSpec then{.this_update = -15 * kDay, .next_update = -5 * kDay};
    bench.add_crl(then, authority);
    CHECK(good(bench.judge(alice.certificate)));
    CrlSpec listing = then;
    listing.entries = {{.certificate = other, .since = -20 * kDay, .reason = "keyCompromise"}};
    bench.add_crl(listing, authority);
    CHECK(compromised(bench.judge(alice.certificate)));
}

TEST_CASE("a stranger's certificate of a key does not make it one that others know") {
    RevocationBench bench;
    const SoftwareKey alice = certify({}, &bench.root);
    const SoftwareKey stranger = certify(authority_spec("Stranger"));
    const Certificate forged = certify_key(alice.key, {}, &stranger);
    bench.surplus = {forged, stranger.certificate};
    bench.add_crl({});
    bench.add_crl({.entries = {{.certificate = forged, .reason = "keyCompromise"}}}, stranger);
    CHECK(good(bench.judge(alice.certificate)));
}

namespace {

// Claimed is Alice, of whose key another authority that the user trusts has made a certificate, and revoked that.
struct Claimed {
    RevocationBench bench;
    SoftwareKey other_root = certify(authority_spec("Other Root"));
    SoftwareKey alice = certify({}, &bench.root);

    Claimed() {
        bench.trust = trust_in({bench.root.certificate, other_root.certificate});
        bench.trust.revocation = bench.source;
    }
    PathVerdict judged(const PrivateKey& key, const CertificateSpec& spec, const SoftwareKey& by,
                       const SoftwareKey& judged) {
        const Certificate other = certify_key(key, spec, &by);
        bench.surplus = {other, by.certificate};
        bench.source->here.crls.clear();
        bench.add_crl({});
        bench.add_crl({}, other_root);
        bench.add_crl({.entries = {{.certificate = other, .reason = "keyCompromise"}}, .number = 2}, by);
        return bench.judge(judged.certificate);
    }
    PathVerdict judged(const CertificateSpec& spec, const SoftwareKey& by) {
        return judged(alice.key, spec, by, alice);
    }
};

CertificateSpec spec_named(const std::string& name, const std::string& alternative_name) {
    return {.name = name, .alternative_name = alternative_name};
}

}  // namespace

TEST_CASE("who has a certificate of another's key in his own name tells nothing of its holder") {
    Claimed claimed;
    CHECK(good(claimed.judged(spec_named("Mallory", "email:mallory@mallory.example"), claimed.other_root)));
    CHECK(good(claimed.judged(spec_named("Mallory", ""), claimed.other_root)));
    const PathVerdict verdict = claimed.judged(spec_named("Mallory", kAddress), claimed.other_root);
    CHECK(compromised(verdict));
    CHECK_THAT(verdict.reason, Catch::Contains("another certificate has (of CN=Other Root,O=Example, serial "));
    CHECK(compromised(claimed.judged(spec_named("Alice", ""), claimed.other_root)));

    // Nor of an authority.
    const SoftwareKey authority = certify(authority_spec("Authority"), &claimed.bench.root);
    const SoftwareKey below = certify({}, &authority);
    claimed.bench.trust.intermediates = trust_in({authority.certificate}).anchors;
    const auto judged = [&](const CertificateSpec& spec) {
        return claimed.judged(authority.key, spec, claimed.other_root, below);
    };
    CHECK(unknown(judged(spec_named("Mallory", "email:mallory@mallory.example")), "CN=Alice"));
    CHECK(unknown(judged(spec_named("Authority", "")), "CN=Alice"));  // no authority's certificate
    CHECK(compromised(judged(authority_spec("Authority"))));
}

TEST_CASE("who may certify some names alone tells nothing of others") {
    Claimed claimed;
    const auto limited_to = [&](const std::string& domain) {
        CertificateSpec spec = authority_spec("Limited");
        spec.more_extensions = "nameConstraints=critical,permitted;email:" + domain;
        return certify(spec, &claimed.other_root);
    };
    const SoftwareKey others = limited_to("mallory.example"), hers = limited_to("example.gov");
    CHECK(good(claimed.judged(spec_named("Alice", "email:alice@mallory.example"), others)));
    CHECK(good(claimed.judged(spec_named("Alice", ""), others)));
    CHECK(good(claimed.judged(spec_named("Alice", kAddress), others)));
    CHECK(compromised(claimed.judged(spec_named("Alice", kAddress), hers)));
}

TEST_CASE("however many certificates of a key came along, they hide none of the user's and cost little") {
    RevocationBench bench;
    const SoftwareKey alice = certify({}, &bench.root);
    const Certificate renewed = certify_key(alice.key, {.ends_in_days = 500}, &bench.root);
    bench.add_crl({});
    const std::size_t alone = bench.judge(renewed).verifications;
    const SoftwareKey namesake = certify(RevocationBench::old_authority());
    for (int i = 0; i < 200; ++i)
        bench.surplus.push_back(certify_key(alice.key, {}, &namesake));
    const PathVerdict verdict = bench.judge(renewed);
    CHECK(good(verdict));
    CHECK(verdict.verifications - alone <= 110);

    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{alice.certificate})};
    bench.add_crl({.entries = {{.certificate = alice.certificate, .reason = "keyCompromise"}}});
    CHECK(compromised(bench.judge(renewed)));
}

TEST_CASE("that others know the key of a certificate that has ended is told, and no date advised that they may claim") {
    RevocationBench bench;
    CertificateSpec old = authority_spec("Authority");
    old.begins_in_days = -100;
    const SoftwareKey authority = certify(old, &bench.root);
    const Certificate alice = certify({.begins_in_days = -90, .ends_in_days = -20}, &authority).certificate;
    const auto judge = [&] {
        return validate(alice, {}, bench.trust, Use::signing, bench.trust.clock->now() - std::chrono::days(80));
    };
    const auto lists = [&](const Certificate& certificate, const SoftwareKey& issuer, int since,
                           const std::string& reason) {
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {{.certificate = certificate, .since = since, .reason = reason}},
                       .this_update = -15 * kDay,
                       .next_update = -10 * kDay},
                      issuer);
    };
    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
    const auto told = [&](std::string_view who) {
        const PathVerdict verdict = judge();
        CHECK(verdict.revocation == RevocationState::revoked);
        CHECK_THAT(verdict.reason, Catch::StartsWith(fmt::format("the certificate of {} is revoked since", who)) &&
                                       Catch::Contains("compromise") &&
                                       Catch::Contains("; the certificate of CN=Alice,O=Example has ended on"));
        CHECK_THAT(verdict.hint, !Catch::Contains("--at"));
        return !verdict.trusted;
    };
    lists(alice, authority, -60 * kDay, "keyCompromise");
    CHECK(told("CN=Alice,O=Example"));
    CHECK(judge().key_compromised);
    lists(authority.certificate, bench.root, -60 * kDay, "CACompromise");
    CHECK(told("CN=Authority,O=Example"));
    CHECK_FALSE(judge().key_compromised);

    // What is revoked otherwise, or not known to be, is as good as before at a date that is known.
    const auto only_ended = [&] {
        const PathVerdict verdict = judge();
        CHECK(verdict.revocation == RevocationState::not_checked);
        CHECK_THAT(verdict.hint, Catch::StartsWith("--at "));
        return verdict.reason.starts_with("the certificate of CN=Alice,O=Example has ended since");
    };
    lists(alice, authority, -60 * kDay, "superseded");
    CHECK(only_ended());
    lists(bench.issue(), authority, -60 * kDay, "keyCompromise");
    CHECK(only_ended());
    bench.trust.revocation = nullptr;
    CHECK(only_ended());
    CHECK(bench.source->fetches + bench.source->delta_fetches == 0);
}
