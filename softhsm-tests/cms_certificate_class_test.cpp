#include "cms/certificate_class.h"

#include <catch2/catch.hpp>

#include "cms/policies.h"
#include "softhsm-tests/cms_paths.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

Certificate named(const std::string& common_name, const std::string& organization) {
    CertificateSpec spec;
    spec.name = common_name;
    spec.organization = organization;
    return certify(spec).certificate;
}

CertificateClass by_policies(const std::vector<std::string>& policies) {
    static const Certificate alice = certify({}).certificate;
    return classify(alice, policies);
}

CertificateClass by_statements(const std::string& der_hex, const std::vector<std::string>& policies = {}) {
    CertificateSpec spec;
    spec.more_extensions = "qcStatements=DER:" + der_hex;
    return classify(certify(spec).certificate, policies);
}

}  // namespace

TEST_CASE("a class is told by the CA/Browser Forum's policies") {
    struct Case {
        const char* policy;
        Validation validation;
        Generation generation;
        int level;
    };
    for (const Case& each : {Case{"2.23.140.1.5.1.1", Validation::mailbox, Generation::legacy, 1},
                             Case{"2.23.140.1.5.1.2", Validation::mailbox, Generation::multipurpose, 1},
                             Case{"2.23.140.1.5.1.3", Validation::mailbox, Generation::strict, 1},
                             Case{"2.23.140.1.5.2.1", Validation::organization, Generation::legacy, 3},
                             Case{"2.23.140.1.5.2.2", Validation::organization, Generation::multipurpose, 3},
                             Case{"2.23.140.1.5.2.3", Validation::organization, Generation::strict, 3},
                             Case{"2.23.140.1.5.3.1", Validation::sponsor, Generation::legacy, 3},
                             Case{"2.23.140.1.5.3.2", Validation::sponsor, Generation::multipurpose, 3},
                             Case{"2.23.140.1.5.3.3", Validation::sponsor, Generation::strict, 3},
                             Case{"2.23.140.1.5.4.1", Validation::individual, Generation::legacy, 2},
                             Case{"2.23.140.1.5.4.2", Validation::individual, Generation::multipurpose, 2},
                             Case{"2.23.140.1.5.4.3", Validation::individual, Generation::strict, 2}}) {
        CAPTURE(each.policy);
        const CertificateClass kind = by_policies({"1.2.3.4", each.policy});
        CHECK(kind.basis == Basis::policy);
        CHECK(kind.validation == each.validation);
        CHECK(kind.generation == each.generation);
        CHECK(kind.level == each.level);
        CHECK_FALSE(kind.qualified);
        CHECK_FALSE(kind.on_secure_device);
        CHECK(kind.policy_name.value_or("").find("CA/Browser Forum") == 0);
    }
}

TEST_CASE("without a known policy the subject's contents are said as claimed") {
    struct Case {
        const char* common_name;
        const char* organization;
        Validation validation;
        std::optional<int> level;
    };
    for (const Case& each : {Case{"alice@example.gov", "", Validation::mailbox, 1},
                             Case{"", "", Validation::mailbox, 1}, Case{"Alice Example", "", Validation::individual, 2},
                             Case{"Alice Example", "Example Ltd", Validation::sponsor, 3},
                             Case{"Example Ltd", "Example Ltd", Validation::organization, 3},
                             Case{"alice@example.gov", "Example Ltd", Validation::organization, 3}}) {
        CAPTURE(each.common_name, each.organization);
        const CertificateClass kind = classify(named(each.common_name, each.organization), {});
        CHECK(kind.basis == Basis::claimed);
        CHECK(kind.validation == each.validation);
        CHECK(kind.level == each.level);
        CHECK_FALSE(kind.generation);
        CHECK_FALSE(kind.policy_name);
    }
    CertificateSpec nobody;
    nobody.name = nobody.organization = nobody.alternative_name = "";
    const CertificateClass unknown = classify(certify(nobody).certificate, std::vector<std::string>{"1.2.3.4"});
    CHECK(unknown.validation == Validation::unknown);
    CHECK(unknown.basis == Basis::claimed);
    CHECK_FALSE(unknown.level);
}

TEST_CASE("a policy tells the class only where it is valid for the path") {
    const CmsBench bench;
    CertificateSpec leaf;
    leaf.name = "alice@example.gov";
    leaf.organization = "";
    leaf.more_extensions = "certificatePolicies=2.23.140.1.5.3.3";
    const auto judged = [&](const std::string& policies) {
        CertificateSpec spec = authority_spec("Authority");
        if (!policies.empty()) spec.more_extensions = "certificatePolicies=" + policies;
        const SoftwareKey issuer = certify(spec, &bench.root);
        const SoftwareKey signer = certify(leaf, &issuer);
        const std::string mail = bench.sign({signer}, "From: alice@example.gov\r\n\r\nHello\r\n");
        return bench.verify(mail, trust_in({bench.root.certificate}, {issuer.certificate})).signer();
    };
    for (const char* valid : {"2.23.140.1.5.3.3", "2.5.29.32.0"}) {
        const auto signer = judged(valid);
        REQUIRE(signer.certificate_class);
        CHECK(signer.certificate_class->basis == Basis::policy);
        CHECK(signer.certificate_class->validation == Validation::sponsor);
    }
    for (const char* invalid : {"", "2.23.140.1.5.1.3"}) {
        const auto signer = judged(invalid);
        CHECK(signer.chain == smime::ChainState::trusted);
        REQUIRE(signer.certificate_class);
        CHECK(signer.certificate_class->basis == Basis::claimed);
        CHECK(signer.certificate_class->validation == Validation::mailbox);
        CHECK_FALSE(signer.certificate_class->policy_name);
    }
    // Nothing is valid for a path that is not trusted.
    const SoftwareKey alone = certify(leaf);
    const auto stranger = bench.verify(bench.sign({alone}, "From: alice@example.gov\r\n\r\nHello\r\n")).signer();
    CHECK(stranger.chain == smime::ChainState::untrusted);
    CHECK(stranger.certificate_class->basis == Basis::claimed);
}

TEST_CASE("government and ETSI policies are told by name") {
    const CertificateClass piv = by_policies({"2.16.840.1.101.3.2.1.3.7"});
    CHECK(piv.policy_name == "US Federal PKI, id-fpki-common-hardware");
    CHECK(piv.level == 3);
    CHECK(piv.on_secure_device);
    CHECK_FALSE(piv.qualified);
    const CertificateClass dod = by_policies({"2.16.840.1.101.2.1.11.39"});
    CHECK(dod.policy_name == "US DoD, id-US-dod-medium-112");
    CHECK(dod.level == 3);
    CHECK_FALSE(dod.on_secure_device);
    const CertificateClass device = by_policies({"2.16.840.1.101.2.1.11.36"});
    CHECK(device.policy_name == "US DoD, id-US-dod-mediumNPE-112");
    CHECK(device.validation == Validation::unknown);
    CHECK_FALSE(device.level);
    const CertificateClass ncp = by_policies({"0.4.0.2042.1.2"});
    CHECK(ncp.policy_name == "ETSI normalized, on a secure device (NCP+)");
    CHECK(ncp.on_secure_device);

    // Of several the one that tells most is named.
    const CertificateClass both = by_policies({"0.4.0.194112.1.2", "2.23.140.1.5.4.3"});
    CHECK(both.validation == Validation::individual);
    CHECK(both.generation == Generation::strict);
    CHECK(both.level == 3);
    CHECK(both.on_secure_device);
    CHECK(both.policy_name.value_or("").find("QCP-n-qscd") != std::string::npos);
}

TEST_CASE("where policies tell of more and of less, no more is said than each of them bears out") {
    struct Case {
        std::vector<std::string> policies;
        Validation validation;
        std::optional<Generation> generation;
        std::optional<int> level;
        const char* name;
    };
    const std::string ncp_plus = "0.4.0.2042.1.2", lcp = "0.4.0.2042.1.3", qcp_n = "0.4.0.194112.1.0";
    for (const Case& each :
         {Case{{"2.23.140.1.5.1.3", "2.23.140.1.5.3.1"}, Validation::mailbox, Generation::strict, 1, "mailbox"},
          Case{{"2.23.140.1.5.1.1", ncp_plus}, Validation::mailbox, Generation::legacy, 1, "mailbox"},
          Case{{"2.23.140.1.5.1.1", "2.16.840.1.101.3.2.1.3.7"}, Validation::mailbox, Generation::legacy, 1, "mailbox"},
          Case{{"2.23.140.1.5.4.2", "2.23.140.1.5.2.3"}, Validation::individual, Generation::multipurpose, 2, "indiv"},
          Case{{"2.23.140.1.5.4.2", ncp_plus}, Validation::individual, Generation::multipurpose, 2, "individual"},
          Case{{"2.23.140.1.5.3.1", "2.23.140.1.5.2.1"}, Validation::organization, Generation::legacy, 3, "organi"},
          Case{{"2.23.140.1.5.3.1", qcp_n}, Validation::individual, std::nullopt, 3, "QCP-n"},
          Case{{lcp, ncp_plus}, Validation::unknown, std::nullopt, 3, "NCP+"},
          Case{{"2.16.840.1.101.3.2.1.3.2", "2.16.840.1.101.3.2.1.3.3"},
               Validation::individual,
               std::nullopt,
               3,
               "mediumAssurance"}})
        for (const bool turned : {false, true}) {
            std::vector<std::string> policies = each.policies;
            if (turned) std::reverse(policies.begin(), policies.end());
            CAPTURE(policies);
            const CertificateClass kind = by_policies(policies);
            CHECK(kind.basis == Basis::policy);
            CHECK(kind.validation == each.validation);
            CHECK(kind.generation == each.generation);
            CHECK(kind.level == each.level);
            CHECK(kind.policy_name.value_or("").find(each.name) != std::string::npos);
        }
    CHECK(by_policies({"2.23.140.1.5.1.1", ncp_plus}).on_secure_device == Basis::policy);
}

TEST_CASE("qualified certificates and keys on a secure device are told by QCStatements") {
    // QCStatements in DER, as openssl asn1parse -genstr makes them.
    const std::string compliance =
        "3008"
        "0606"
        "04008e460101";
    const std::string device =
        "3008"
        "0606"
        "04008e460104";
    const std::string esign =
        "3013"
        "0606"
        "04008e460106"
        "3009"
        "0607"
        "04008e46010601";
    const std::string web =
        "3013"
        "0606"
        "04008e460106"
        "3009"
        "0607"
        "04008e46010603";
    CHECK(by_statements("300a" + compliance).qualified);
    CHECK_FALSE(by_statements("300a" + compliance).on_secure_device);
    CHECK_FALSE(by_statements("300a" + device).qualified);
    CHECK(by_statements("300a" + device).on_secure_device == Basis::claimed);
    CHECK(by_statements("3029" + compliance + device + esign).qualified == Basis::claimed);
    CHECK(by_statements("3029" + compliance + device + esign).on_secure_device == Basis::claimed);
    CHECK_FALSE(by_statements("301f" + compliance + web).qualified);  // for websites
    CHECK_FALSE(by_statements("3015" + esign).qualified);
    for (const char* nothing : {"3000", "0500", "300a0404deadbeef", "30023000",
                                "300a"
                                "3008060604008e4601"}) {
        CAPTURE(nothing);
        CHECK_FALSE(by_statements(nothing).qualified);
        CHECK_FALSE(by_statements(nothing).on_secure_device);
    }
    CHECK(by_statements("300a" + compliance).basis == Basis::claimed);

    // What the certificate says is known only where a policy is for such certificates, and a policy makes none so.
    const std::string both = "3014" + compliance + device;
    const CertificateClass qualified = by_statements(both, {"0.4.0.194112.1.2"});
    CHECK(qualified.qualified == Basis::policy);
    CHECK(qualified.on_secure_device == Basis::policy);
    const CertificateClass in_part = by_statements(both, {"0.4.0.194112.1.0"});
    CHECK(in_part.qualified == Basis::policy);
    CHECK(in_part.on_secure_device == Basis::claimed);
    const CertificateClass sponsored = by_statements(both, {"2.23.140.1.5.3.3"});
    CHECK(sponsored.basis == Basis::policy);
    CHECK(sponsored.qualified == Basis::claimed);
    CHECK(sponsored.on_secure_device == Basis::claimed);
    for (const char* policy : {"0.4.0.194112.1.0", "0.4.0.194112.1.1", "0.4.0.194112.1.2", "0.4.0.194112.1.3"}) {
        CHECK(by_statements("300a" + compliance, {policy}).qualified == Basis::policy);
        CHECK_FALSE(by_policies({policy}).qualified);
    }
}
