// The rules of RFC 5280 and RFC 8550 that a path is held to beyond what OpenSSL holds it to.
#include <catch2/catch.hpp>

#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/support/large_key.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

struct RuleWorld {
    CmsBench bench;
    Trust trust = trust_in({bench.root.certificate});

    Certificate issue(const std::string& extensions) const {
        CertificateSpec spec;
        spec.more_extensions = extensions;
        return certify(spec, &bench.intermediate).certificate;
    }
    PathVerdict judged(const Certificate& end) const { return judge(end, {bench.intermediate}, trust); }
    bool peer(const Certificate& end) const {
        return openssl_verify(bench, end, {bench.intermediate}, bench.root.certificate);
    }
};

}  // namespace

TEST_CASE("a critical extension that is not understood is refused by name") {
    const RuleWorld world;
    for (const auto& [extension, name] : std::initializer_list<std::pair<const char*, const char*>>{
             {"1.2.3.4=critical,DER:0500", "'1.2.3.4'"},
             {"qcStatements=critical,DER:3000", "qcStatements"},
             {"issuerAltName=critical,DNS:a.example", "X509v3 Issuer Alternative Name"}}) {
        const Certificate end = world.issue(extension);
        CHECK(untrusted(world.judged(end), name));
        CHECK(untrusted(world.judged(end), "not understood"));
        CHECK_FALSE(world.peer(end));
    }
    for (const char* extension : {"1.2.3.4=DER:0500", "crlDistributionPoints=critical,URI:http://a.example/crl"}) {
        const Certificate end = world.issue(extension);
        CHECK(trusted(world.judged(end)));
        CHECK(world.peer(end));
    }
    // OpenSSL counts these among those it knows and does not look at them here.
    CHECK(untrusted(world.judged(world.issue("nsCertType=critical,client")), "Netscape Cert Type"));
    CHECK(trusted(world.judged(world.issue("nsCertType=client"))));

    CertificateSpec odd = authority_spec("Odd");
    odd.more_extensions = "1.2.3.4=critical,DER:0500";
    const SoftwareKey issuer = certify(odd, &world.bench.root);
    CHECK(untrusted(judge(certify({}, &issuer).certificate, {issuer}, world.trust),
                    "the certificate of CN=Odd,O=Example has the critical extension"));
}

TEST_CASE("extensions that cannot be read or are there twice are refused") {
    const RuleWorld world;
    CHECK(untrusted(world.judged(world.issue("basicConstraints=CA:FALSE")), "cannot be read"));
    CHECK(untrusted(world.judged(world.issue("keyUsage=digitalSignature")), "cannot be read"));
    CertificateSpec broken;
    broken.alternative_name = "DER:0500";
    CHECK_FALSE(
        judge(certify(broken, &world.bench.intermediate).certificate, {world.bench.intermediate}, world.trust).trusted);
    CHECK_FALSE(world.judged(world.issue("certificatePolicies=DER:0500")).trusted);
}

TEST_CASE("an authority of X.509 version 1 is one only as an anchor") {
    const RuleWorld world;
    CertificateSpec old = authority_spec("Old");
    old.version_1 = true;
    const SoftwareKey root = certify(old);
    CertificateSpec leaf;
    leaf.authority_key_identifier = "";
    const Certificate below_root = certify(leaf, &root).certificate;
    CHECK(trusted(judge(below_root, {}, trust_in({root.certificate}))));
    CHECK(openssl_verify(world.bench, below_root, {}, root.certificate));

    const SoftwareKey between = certify(old, &world.bench.root);
    const Certificate end = certify(leaf, &between).certificate;
    CHECK(untrusted(judge(end, {between}, world.trust), "CN=Old,O=Example may not issue certificates"));
    CHECK_FALSE(openssl_verify(world.bench, end, {between}, world.bench.root.certificate));
}

TEST_CASE("an issuer without basic constraints is no authority, whatever its key usage") {
    const RuleWorld world;
    const SoftwareKey issuer = certify(authority_spec("Between", ""), &world.bench.root);
    const Certificate end = certify({}, &issuer).certificate;
    CHECK(untrusted(judge(end, {issuer}, world.trust), "may not issue certificates"));
    CHECK_FALSE(openssl_verify(world.bench, end, {issuer}, world.bench.root.certificate));
    const SoftwareKey good = certify(authority_spec("Between", "critical,CA:TRUE"), &world.bench.root);
    CHECK(trusted(judge(certify({}, &good).certificate, {good}, world.trust)));
}

TEST_CASE("path lengths count from the authority that sets them, and self-issued certificates do not count") {
    const RuleWorld world;
    const SoftwareKey one = certify(authority_spec("One", "critical,CA:TRUE,pathlen:1"), &world.bench.root);
    const SoftwareKey two = certify(authority_spec("Two"), &one);
    const SoftwareKey three = certify(authority_spec("Three"), &two);
    const SoftwareKey renewed = certify(authority_spec("Two"), &two);  // self-issued, with a new key
    const auto both = [&](const SoftwareKey& issuer, const std::vector<SoftwareKey>& along) {
        const Certificate end = certify({}, &issuer).certificate;
        const bool ours = judge(end, along, world.trust).trusted;
        CHECK(openssl_verify(world.bench, end, along, world.bench.root.certificate) == ours);
        return ours;
    };
    CHECK(both(two, {one, two}));
    CHECK(both(renewed, {one, two, renewed}));
    CHECK_FALSE(both(three, {one, two, three}));
}

TEST_CASE("nothing is verified with an issuer's key that takes long to verify with") {
    const RuleWorld world;
    const Certificate large = certify_key(rsa_key(3'072, 3'068), authority_spec("Large"), &world.bench.root);
    const SoftwareKey impostor{new_private_key(KeyKind::rsa2048), large};
    CHECK(untrusted(judge(certify({}, &impostor).certificate, {impostor}, world.trust),
                    "CN=Large,O=Example has a key that is too large"));
}

TEST_CASE("a certificate that is signed with a digest in no table is refused") {
    RuleWorld world;
    CertificateSpec rsa = authority_spec("RSA Root");
    rsa.kind = KeyKind::rsa2048;
    const SoftwareKey root = certify(rsa);
    const auto judged = [&](const std::string& digest, bool allow_weak) {
        CertificateSpec spec = authority_spec("Between");
        spec.digest = digest;
        const SoftwareKey between = certify(spec, &root);
        const Certificate end = certify({}, &between).certificate;
        CHECK(openssl_verify(world.bench, end, {between}, root.certificate));
        world.trust = trust_in({root.certificate});
        world.trust.allow_weak = allow_weak;
        return judge(end, {between}, world.trust);
    };
    for (const bool allow_weak : {false, true}) {
        CHECK(trusted(judged("SHA3-256", allow_weak)));
        CHECK(untrusted(judged("RIPEMD160", allow_weak), "CN=Between,O=Example is signed with a digest that is"));
    }
}

TEST_CASE("what a certificate is signed with is named where it is not supported") {
    RuleWorld world;
    CertificateSpec rsa = authority_spec("RSA Root");
    rsa.kind = KeyKind::rsa2048;
    const SoftwareKey root = certify(rsa);
    CertificateSpec spec;
    spec.digest = "SHA512-224";
    const Certificate end = certify(spec, &root).certificate;
    CHECK(untrusted(judge(end, {}, trust_in({root.certificate})),
                    "CN=Alice,O=Example is signed in a way that is not supported (sha512-224WithRSAEncryption)"));
    CHECK_FALSE(openssl_verify(world.bench, end, {}, root.certificate));
}

TEST_CASE("what an anchor is trusted for, by the settings in its file, counts") {
    const RuleWorld world;
    const Certificate end = world.issue("");
    const auto judged = [&](const char* option, const char* use) {
        const std::string pem = world.bench.openssl(
            {"x509", "-in", world.bench.certificate_file(world.bench.root), "-trustout", option, use});
        Trust trust = trust_in(Certificate::from_file_bytes(bytes_of(pem)));
        const PathVerdict verdict = judge(end, {world.bench.intermediate}, trust);
        CHECK(verdict.trusted ==
              (world.bench
                   .try_openssl({"verify", "-purpose", "smimesign", "-CAfile", world.bench.file(pem), "-untrusted",
                                 world.bench.certificate_file(world.bench.intermediate), world.bench.file(end.pem())})
                   .status == 0));
        // Certificates may be meant for other things, but mail is what the anchor has to be trusted for, as it is of
        // `openssl cms -verify -purpose any`.
        trust.purpose = Purpose::any;
        CHECK(judge(end, {world.bench.intermediate}, trust).trusted == verdict.trusted);
        return verdict;
    };
    CHECK(trusted(judged("-addtrust", "emailProtection")));
    CHECK(trusted(judged("-addtrust", "anyExtendedKeyUsage")));
    CHECK(trusted(judged("-addreject", "serverAuth")));
    CHECK(untrusted(judged("-addreject", "emailProtection"), "CN=Test Root,O=Example is not trusted for e-mail"));
    CHECK(untrusted(judged("-addreject", "anyExtendedKeyUsage"), "is not trusted for e-mail"));
    CHECK(untrusted(judged("-addtrust", "serverAuth"), "is not trusted for e-mail"));
}

TEST_CASE("an authority's extended key usage limits what is below it") {
    RuleWorld world;
    const auto judged = [&](const char* usage) {
        CertificateSpec spec = authority_spec("Between");
        spec.extended_key_usage = usage;
        const SoftwareKey issuer = certify(spec, &world.bench.root);
        return judge(certify({}, &issuer).certificate, {issuer}, world.trust);
    };
    CHECK(trusted(judged("emailProtection")));
    CHECK(trusted(judged("anyExtendedKeyUsage")));
    CHECK(trusted(judged("serverAuth,emailProtection")));
    CHECK(untrusted(judged("serverAuth,clientAuth"), "CN=Between,O=Example is not meant for e-mail"));
    CHECK(judged("serverAuth").hint.find("--purpose any") != std::string::npos);

    // Where any purpose will do, it is said.
    world.trust.purpose = Purpose::any;
    const PathVerdict accepted = judged("serverAuth");
    CHECK(trusted(accepted));
    CHECK(accepted.purpose_remark ==
          "the certificate of CN=Between,O=Example is not meant for e-mail; --purpose any "
          "accepts it");
    CHECK(judged("serverAuth,emailProtection").purpose_remark.empty());
}

TEST_CASE("a signer's certificate that is not meant for e-mail is warned of where any purpose will do") {
    const RuleWorld world;
    Trust trust = world.bench.trust();
    trust.purpose = Purpose::any;
    const auto read = [&](const char* usage) {
        CertificateSpec spec;
        spec.extended_key_usage = usage;
        return world.bench.verify(
            world.bench.sign({world.bench.issue(spec)}, "From: alice@example.gov\r\n" + std::string(kText)), trust);
    };
    const ReadMail server = read("serverAuth"), honest = read("emailProtection");
    CHECK(server.report.result == smime::Result::valid);
    CHECK(server.signer().off_purpose);
    CHECK(server.report.warnings ==
          std::vector<smime::Warning>{
              {"purpose", "the certificate of CN=Alice,O=Example is not meant for e-mail; --purpose any accepts it"}});
    CHECK(honest.report.result == smime::Result::valid);
    CHECK_FALSE(honest.signer().off_purpose);
    CHECK(honest.report.warnings.empty());
}
