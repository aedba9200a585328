#include "cms/trust.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_paths.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// TrustWorld is a root, an intermediate and a trust in the root that knows the intermediate.
struct TrustWorld {
    SoftwareKey root = certify(authority_spec("Test Root"));
    SoftwareKey intermediate = certify(authority_spec("Test Intermediate"), &root);
    Trust trust = trust_in({root.certificate}, {intermediate.certificate});

    Certificate issue(const CertificateSpec& spec) const { return certify(spec, &intermediate).certificate; }
    PathVerdict judge(const Certificate& certificate, Use use = Use::signing) const {
        return validate(certificate, {}, trust, use);
    }
};

}  // namespace

TEST_CASE("a path to an anchor is trusted") {
    const TrustWorld world;
    const PathVerdict verdict = world.judge(world.issue({}));
    CHECK(trusted(verdict));
    CHECK(verdict.chain.size() == 3);
    CHECK(verdict.chain.back() == world.root.certificate);
    CHECK(verdict.anchored);
    CHECK_FALSE(verdict.at_fault);
    CHECK_FALSE(verdict.weak);
    CHECK(verdict.revocation == RevocationState::not_checked);
}

TEST_CASE("what OpenSSL refuses is said in words that ask nothing of the reader that cannot be done") {
    const TrustWorld world;
    CertificateSpec spec;
    spec.more_extensions = "proxyCertInfo=critical,language:id-ppl-anyLanguage,pathlen:0";
    CHECK(untrusted(world.judge(world.issue(spec)),
                    "the certificate of CN=Alice,O=Example is a proxy certificate, which no authority vouches for"));
}

TEST_CASE("dates are judged at the time asked for") {
    TrustWorld world;
    CertificateSpec spec;
    spec.begins_in_days = -1;
    spec.ends_in_days = 10;
    const Certificate certificate = world.issue(spec);
    const Time now = SystemClock().now();
    const auto judge_in = [&](int days) {
        world.trust.at = now + std::chrono::days(days);
        return world.judge(certificate);
    };
    CHECK(trusted(judge_in(0)));
    CHECK(trusted(judge_in(9)));
    CHECK(untrusted(judge_in(11), "has ended on"));

    spec.begins_in_days = 5;
    world.trust.at = std::nullopt;
    const Certificate future = world.issue(spec);
    CHECK(untrusted(world.judge(future), "is not valid before"));
    CHECK_THAT(world.judge(future).hint, Catch::Contains("the clock") && !Catch::Contains("--at"));
    CHECK(untrusted(judge_in(-5), "is not valid before"));
    CHECK_THAT(judge_in(-5).hint, Catch::Contains("--at") && !Catch::Contains("the clock"));
    world.trust.at = now + std::chrono::days(6);
    CHECK(trusted(world.judge(future)));
    spec.begins_in_days = -20;
    spec.ends_in_days = -10;
    world.trust.at = std::nullopt;
    CHECK(untrusted(world.judge(world.issue(spec)), "has ended on"));
}

TEST_CASE("an issuer's dates count too") {
    TrustWorld world;
    CertificateSpec spec = authority_spec("Old Intermediate");
    spec.begins_in_days = -20;
    spec.ends_in_days = -10;
    const SoftwareKey old = certify(spec, &world.root);
    world.trust = trust_in({world.root.certificate}, {old.certificate});
    const PathVerdict verdict = world.judge(certify({}, &old).certificate);
    CHECK(untrusted(verdict, "CN=Old Intermediate,O=Example has ended"));
    CHECK(verdict.anchored);
    CHECK(verdict.at_fault == 1);
}

TEST_CASE("a path without an anchor is not trusted") {
    const TrustWorld world;
    const SoftwareKey stranger = certify(authority_spec("Stranger"));
    const PathVerdict below = world.judge(certify({}, &stranger).certificate);
    CHECK(untrusted(below, "(CN=Stranger,O=Example) is neither trusted nor known"));
    CHECK_FALSE(below.anchored);
    CHECK_THAT(below.hint, Catch::Contains("--intermediates FILE") && !Catch::Contains("--fetch-issuers"));
    const CertificateSpec says_where{.more_extensions = "authorityInfoAccess=caIssuers;URI:http://ca.example/ca.cer"};
    CHECK_THAT(world.judge(certify(says_where, &stranger).certificate).hint,
               Catch::Contains("--fetch-issuers") && Catch::Contains("--intermediates FILE"));
    const Certificate lonely = certify({}).certificate;
    CHECK(untrusted(world.judge(lonely), "self-signed"));
    CHECK(trusted(validate(lonely, {}, trust_in({lonely}), Use::signing)));

    // A root that comes along is no anchor; nor is one with the same name and another key.
    const Certificate end = certify({}, &stranger).certificate;
    const std::vector<Certificate> surplus{stranger.certificate};
    CHECK(untrusted(validate(end, surplus, world.trust, Use::signing), "root"));
    const SoftwareKey namesake = certify(authority_spec("Stranger"));
    CHECK_FALSE(validate(end, surplus, trust_in({namesake.certificate}), Use::signing).trusted);
    const std::string another =
        "(CN=Stranger,O=Example) is neither trusted nor known: a certificate of that name is at "
        "hand, but this one names another key";
    CHECK(untrusted(validate(end, {}, trust_in({namesake.certificate}), Use::signing), another));
    CHECK(untrusted(validate(end, {}, trust_in({world.root.certificate}, {namesake.certificate}), Use::signing),
                    another));
    CHECK(trusted(validate(end, {}, trust_in({namesake.certificate, stranger.certificate}), Use::signing)));
}

TEST_CASE("an intermediate can be the anchor") {
    const TrustWorld world;
    const Certificate end = world.issue({});
    const PathVerdict verdict = validate(end, {}, trust_in({world.intermediate.certificate}), Use::signing);
    CHECK(trusted(verdict));
    CHECK(verdict.chain.size() == 2);
}

TEST_CASE("surplus certificates in any order do no harm") {
    const TrustWorld world;
    const SoftwareKey second = certify(authority_spec("Second Intermediate"), &world.intermediate);
    const Certificate end = certify({}, &second).certificate;
    const Certificate other = certify(authority_spec("Test Intermediate")).certificate;  // a namesake
    const Trust trust = trust_in({world.root.certificate});
    std::vector<Certificate> surplus{world.issue({}),    other, world.root.certificate, world.intermediate.certificate,
                                     second.certificate, end};
    CHECK(trusted(validate(end, surplus, trust, Use::signing)));
    std::reverse(surplus.begin(), surplus.end());
    CHECK(trusted(validate(end, surplus, trust, Use::signing)));
    CHECK(untrusted(validate(end, {}, trust, Use::signing), "neither trusted nor known"));
}

TEST_CASE("key usage must fit the use") {
    const TrustWorld world;
    struct Case {
        KeyKind kind;
        const char* key_usage;
        bool signs, encrypts;
    };
    for (const Case& each : std::initializer_list<Case>{{KeyKind::p256, "digitalSignature", true, false},
                                                        {KeyKind::p256, "nonRepudiation", true, false},
                                                        {KeyKind::p256, "keyAgreement", false, true},
                                                        {KeyKind::p256, "keyEncipherment", false, false},
                                                        {KeyKind::p256, "keyCertSign", false, false},
                                                        {KeyKind::p256, "", true, true},
                                                        {KeyKind::rsa2048, "keyEncipherment", false, true},
                                                        {KeyKind::rsa2048, "keyAgreement", false, false},
                                                        {KeyKind::rsa2048, "dataEncipherment", false, false}}) {
        CertificateSpec spec;
        spec.kind = each.kind;
        spec.key_usage = each.key_usage;
        const Certificate certificate = world.issue(spec);
        CAPTURE(each.key_usage, certificate.key_type());
        CHECK(world.judge(certificate).trusted == each.signs);
        CHECK(world.judge(certificate, Use::encryption).trusted == each.encrypts);
        if (!each.signs) CHECK(untrusted(world.judge(certificate), "does not allow signing"));
    }
}

TEST_CASE("extended key usage must allow e-mail, in issuers too") {
    TrustWorld world;
    const auto with = [](const char* usage) {
        CertificateSpec spec;
        spec.extended_key_usage = usage;
        return spec;
    };
    CHECK(trusted(world.judge(world.issue(with("")))));
    CHECK(trusted(world.judge(world.issue(with("anyExtendedKeyUsage")))));
    CHECK(trusted(world.judge(world.issue(with("clientAuth,emailProtection")))));
    const Certificate server = world.issue(with("serverAuth"));
    CHECK(untrusted(world.judge(server), "not meant for e-mail"));

    CertificateSpec tls = authority_spec("TLS Intermediate");
    tls.extended_key_usage = "serverAuth";
    const SoftwareKey issuer = certify(tls, &world.root);
    const Certificate end = certify({}, &issuer).certificate;
    const std::vector<Certificate> surplus{issuer.certificate};
    CHECK(untrusted(validate(end, surplus, world.trust, Use::signing), "not meant for e-mail"));

    world.trust.purpose = Purpose::any;
    CHECK(trusted(world.judge(server)));
    CHECK(trusted(validate(end, surplus, world.trust, Use::signing)));
}

TEST_CASE("only a CA may issue, and only as far as it may") {
    const TrustWorld world;
    const auto judged = [&](const std::vector<SoftwareKey>& path, const Certificate& end) {
        std::vector<Certificate> surplus;
        for (const SoftwareKey& each : path)
            surplus.push_back(each.certificate);
        return validate(end, surplus, world.trust, Use::signing);
    };
    const SoftwareKey alice = certify({}, &world.intermediate);
    CHECK(untrusted(judged({alice}, certify({}, &alice).certificate), "may not issue certificates"));
    const SoftwareKey not_ca = certify(authority_spec("No CA", "critical,CA:FALSE"), &world.root);
    CHECK(untrusted(judged({not_ca}, certify({}, &not_ca).certificate), "may not issue certificates"));

    CertificateSpec no_cert_sign = authority_spec("No certSign");
    no_cert_sign.key_usage = "critical,cRLSign";
    const SoftwareKey wrong_usage = certify(no_cert_sign, &world.root);
    CHECK_FALSE(judged({wrong_usage}, certify({}, &wrong_usage).certificate).trusted);

    const SoftwareKey last = certify(authority_spec("Last", "critical,CA:TRUE,pathlen:0"), &world.root);
    CHECK(trusted(judged({last}, certify({}, &last).certificate)));
    const SoftwareKey below = certify(authority_spec("Below"), &last);
    CHECK(untrusted(judged({last, below}, certify({}, &below).certificate), "may not issue certificates"));
}

TEST_CASE("e-mail name constraints hold") {
    const TrustWorld world;
    CertificateSpec spec = authority_spec("Constrained");
    spec.more_extensions = "nameConstraints=critical,permitted;email:example.gov,excluded;email:eve@example.gov";
    const SoftwareKey issuer = certify(spec, &world.root);
    const auto judged = [&](const std::string& alternative_name) {
        CertificateSpec leaf;
        leaf.alternative_name = alternative_name;
        const std::vector<Certificate> surplus{issuer.certificate};
        return validate(certify(leaf, &issuer).certificate, surplus, world.trust, Use::signing);
    };
    CHECK(trusted(judged("email:alice@example.gov")));
    CHECK(trusted(judged("email:alice@EXAMPLE.gov")));
    CHECK(untrusted(judged("email:alice@example.org"), "may not certify"));
    CHECK(untrusted(judged("email:alice@example.gov,email:alice@example.org"), "may not certify"));
    CHECK(untrusted(judged("email:eve@example.gov"), "may not certify"));
}

TEST_CASE("broken and weak algorithms in the path are told") {
    TrustWorld world;
    CertificateSpec rsa_authority = authority_spec("RSA Intermediate");
    rsa_authority.kind = KeyKind::rsa2048;
    const SoftwareKey rsa = certify(rsa_authority, &world.root);
    world.trust = trust_in({world.root.certificate}, {world.intermediate.certificate, rsa.certificate});
    CertificateSpec md5;
    md5.digest = "MD5";
    const Certificate by_md5 = certify(md5, &rsa).certificate;
    CHECK(untrusted(world.judge(by_md5), "a digest that is broken or not known (md5)"));
    CertificateSpec sha1;
    sha1.digest = "SHA1";
    const Certificate by_sha1 = world.issue(sha1);
    CHECK(untrusted(world.judge(by_sha1), "weak digest (sha1)"));
    CHECK(world.judge(by_sha1).weak);
    CertificateSpec small;
    small.kind = KeyKind::rsa1024;
    const Certificate small_key = world.issue(small);
    CHECK(untrusted(world.judge(small_key), "weak key (RSA-1024)"));

    CertificateSpec weak_issuer = authority_spec("Weak Intermediate");
    weak_issuer.kind = KeyKind::rsa1024;
    const SoftwareKey issuer = certify(weak_issuer, &world.root);
    const std::vector<Certificate> surplus{issuer.certificate};
    const Certificate end = certify({}, &issuer).certificate;
    CHECK(untrusted(validate(end, surplus, world.trust, Use::signing), "weak key"));

    // What an anchor's own signature is made with proves nothing.
    CertificateSpec old_root = authority_spec("Old Root");
    old_root.digest = "SHA1";
    const SoftwareKey old = certify(old_root);
    CHECK(trusted(validate(certify({}, &old).certificate, {}, trust_in({old.certificate}), Use::signing)));

    world.trust.allow_weak = true;
    CHECK(untrusted(world.judge(by_md5), "a digest that is broken"));
    for (const Certificate& each : {by_sha1, small_key}) {
        CHECK(trusted(world.judge(each)));
        CHECK(world.judge(each).weak);
    }
}

TEST_CASE("a wrong signature in the path is told") {
    const TrustWorld world;
    const SoftwareKey namesake = certify(authority_spec("Test Intermediate"), &world.root);
    CertificateSpec spec;
    spec.more_extensions = "authorityKeyIdentifier=none";
    const SoftwareKey impostor{namesake.key, world.intermediate.certificate};
    CHECK_FALSE(world.judge(certify({}, &impostor).certificate).trusted);
}
