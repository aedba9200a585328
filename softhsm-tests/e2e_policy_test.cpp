// Certificate policies, and the kind of certificate, as a user meets them.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/desk.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/software_key.h"

using namespace p11mime::test;
using nlohmann::json;

namespace {

constexpr const char* kSponsored = "2.23.140.1.5.3.3";

// Scene is a mail that Alice has signed in software, below an authority that issues under a policy.
struct Scene {
    explicit Scene(const CertificateSpec& leaf,
                   const std::string& authority_extensions = std::string("certificatePolicies=") + kSponsored) {
        CertificateSpec issuing = authority_spec("Authority");
        issuing.more_extensions = authority_extensions;
        const SoftwareKey root = certify(authority_spec("Root"));
        const SoftwareKey issuer = certify(issuing, &root);
        const SoftwareKey alice = certify(leaf, &issuer);
        trust = {"--no-default-ca", "--ca", desk.file("root.pem", root.certificate.pem()), "--intermediates",
                 desk.file("issuer.pem", issuer.certificate.pem())};
        mail = desk.path("signed.eml");
        done(desk.run({"openssl", "cms", "-sign", "-in", desk.file("text", "Content-Type: text/plain\r\n\r\nHello\r\n"),
                       "-signer", desk.file("alice.pem", alice.certificate.pem()), "-inkey",
                       desk.file("alice.key", alice.key_pem()), "-from", "alice@example.gov", "-out", mail}));
    }

    Outcome verify(const Arguments& options) const {
        return desk.p11mime(Arguments{"verify", "-n"} + trust + options + Arguments{mail});
    }

    Desk desk;
    Arguments trust;
    std::string mail;
};

CertificateSpec sponsored() {
    CertificateSpec leaf;
    leaf.more_extensions = std::string("certificatePolicies=") + kSponsored;
    return leaf;
}

}  // namespace

TEST_CASE("verify tells what kind of certificate signed, by its policy or as it claims", "[e2e]") {
    const Scene scene(sponsored());
    const Outcome outcome = scene.verify({"--json", scene.desk.path("report.json")});
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.err, Catch::Contains("kind: sponsor-validated, class 3, by policy CA/Browser Forum "
                                            "S/MIME, sponsor-validated, strict\n"));
    const json signer = json::parse(read_file(scene.desk.path("report.json")))["layers"][0]["signers"][0];
    CHECK(signer["policy_name"] == "CA/Browser Forum S/MIME, sponsor-validated, strict");
    CHECK(signer["certificate_class"] == json::parse(R"({"validation": "sponsor", "basis": "policy", "generation":
          "strict", "class": 3, "qualified": false, "qualified_basis": null,
          "on_secure_device": false, "on_secure_device_basis": null})"));

    CertificateSpec claims;
    claims.organization = "";
    const Scene other(claims);
    const Outcome claimed = other.verify({"--json", other.desk.path("report.json")});
    CHECK(claimed.status == 0);
    CHECK_THAT(claimed.err, Catch::Contains("kind: individual, class 2, as it claims\n"));
    const json theirs = json::parse(read_file(other.desk.path("report.json")))["layers"][0]["signers"][0];
    CHECK(theirs["policy_name"].is_null());
    CHECK(theirs["certificate_class"]["basis"] == "claimed");
    CHECK(theirs["certificate_class"]["generation"].is_null());
}

TEST_CASE("what a certificate says of itself alone is not told as known", "[e2e]") {
    CertificateSpec claims;
    // QCStatements: qualified, and on a secure device.
    claims.more_extensions = "qcStatements=DER:30143008060604008e4601013008060604008e460104";
    const Scene scene(claims);
    const Outcome outcome = scene.verify({"--json", scene.desk.path("report.json")});
    CHECK_THAT(outcome.err, Catch::Contains("kind: sponsor, class 3, as it claims; says that it is qualified; says "
                                            "that its key is on a secure device\n"));
    const json kind =
        json::parse(read_file(scene.desk.path("report.json")))["layers"][0]["signers"][0]["certificate_class"];
    CHECK(kind["qualified"] == true);
    CHECK(kind["qualified_basis"] == "claimed");
    CHECK(kind["on_secure_device"] == true);
    CHECK(kind["on_secure_device_basis"] == "claimed");
}

TEST_CASE("policies can be demanded, and one that is none is refused", "[e2e]") {
    const Scene scene(sponsored());
    CHECK(scene.verify({"--policy", kSponsored, "--explicit-policy"}).status == 0);
    const Outcome other = scene.verify({"--policy", "2.23.140.1.5.1.3", "--explicit-policy"});
    CHECK(other.status == 3);
    CHECK_THAT(other.err, Catch::Contains("CN=Alice,O=Example has no certificate policy that is accepted"));
    CHECK(scene.verify({"--policy", "1.2.3", "--policy", kSponsored, "--explicit-policy"}).status == 0);
    const Outcome bad = scene.verify({"--policy", "strict"});
    CHECK(bad.status == 2);
    CHECK_THAT(bad.err, Catch::Contains("--policy does not take 'strict'; a policy is an object identifier"));

    // Where another is accepted all the same, that is said.
    constexpr const char* kRemark =
        "the certificate of CN=Alice,O=Example does not follow a policy that --policy names";
    const auto warnings = [&](const Arguments& options) {
        Arguments all{"--json", scene.desk.path("report.json")};
        all.insert(all.end(), options.begin(), options.end());
        const Outcome outcome = scene.verify(all);
        CHECK(outcome.status == 0);
        const json report = json::parse(read_file(scene.desk.path("report.json")));
        CHECK((outcome.err.find(kRemark) == std::string::npos) == report["warnings"].empty());
        return report["warnings"];
    };
    const json told = warnings({"--policy", "2.23.140.1.5.1.3"});
    REQUIRE(told.size() == 1);
    CHECK(told[0]["kind"] == "policy");
    CHECK_THAT(told[0]["message"].get<std::string>(), Catch::StartsWith(kRemark));
    CHECK(warnings({"--policy", kSponsored}).empty());
    CHECK(warnings({}).empty());
    const auto encrypted = [&](const char* policy) {
        return scene.desk.p11mime(
            Arguments{"encrypt", "--no-self", "--policy", policy, "--recipient-cert", scene.desk.path("alice.pem")} +
                scene.trust,
            "From: bob@example.gov\r\nTo: alice@example.gov\r\n\r\nHello\r\n");
    };
    CHECK(encrypted("2.23.140.1.5.1.3").status == 0);
    CHECK_THAT(encrypted("2.23.140.1.5.1.3").err, Catch::Contains(kRemark));
    CHECK(encrypted(kSponsored).err.find(kRemark) == std::string::npos);

    const Scene without({});
    CHECK(without.verify({}).status == 0);
    CHECK(without.verify({"--explicit-policy"}).status == 3);
}

TEST_CASE("any policy and mapped policies count, unless that is inhibited", "[e2e]") {
    const Arguments demands{"--policy", kSponsored, "--explicit-policy"};
    constexpr const char* kNone = "has no certificate policy that is accepted";
    const Scene any(sponsored(), "certificatePolicies=2.5.29.32.0");
    CHECK(any.verify(demands).status == 0);
    CHECK(any.verify(demands + Arguments{"--inhibit-policy-mapping"}).status == 0);
    const Outcome no_any = any.verify(demands + Arguments{"--inhibit-any-policy"});
    CHECK(no_any.status == 3);
    CHECK_THAT(no_any.err, Catch::Contains(kNone) && Catch::Contains("leave --explicit-policy out"));

    CertificateSpec theirs;
    theirs.more_extensions = "certificatePolicies=1.3.6.1.4.1.99999.2";
    const Scene mapped(theirs, std::string("certificatePolicies=") + kSponsored + "\npolicyMappings=critical," +
                                   kSponsored + ":1.3.6.1.4.1.99999.2");
    CHECK(mapped.verify(demands).status == 0);
    CHECK(mapped.verify(demands + Arguments{"--inhibit-any-policy"}).status == 0);
    const Outcome no_mapping = mapped.verify(demands + Arguments{"--inhibit-policy-mapping"});
    CHECK(no_mapping.status == 3);
    CHECK_THAT(no_mapping.err, Catch::Contains(kNone) && Catch::Contains("leave --explicit-policy out"));
}
