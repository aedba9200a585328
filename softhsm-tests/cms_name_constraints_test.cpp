// Name constraints on addresses (RFC 5280 section 4.2.1.10, RFC 9598 sections 6 and 7).
#include "cms/name_constraints.h"

#include <catch2/catch.hpp>

#include "cms/der.h"
#include "mime/hex.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/cms_sender.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

struct ConstraintWorld {
    CmsBench bench;
    Trust trust = trust_in({bench.root.certificate});

    SoftwareKey limited(const std::string& constraints) const {
        CertificateSpec spec = authority_spec("Limited");
        if (!constraints.empty()) spec.more_extensions = "nameConstraints=critical," + constraints;
        return certify(spec, &bench.root);
    }
};

struct Case {
    const char* constraints;
    std::string alternative_name;
    bool permitted;
    bool peer = true;  // OpenSSL agrees
};

const std::string kUmlaut =
    "alice@b\xc3\xbc"
    "cher.example";
const std::string kLabel = "alice@xn--bcher-kva.example";
const std::string kLocal = "\xc3\xa4lice@xn--bcher-kva.example";

}  // namespace

TEST_CASE("addresses keep to a host, a domain or one mailbox") {
    const ConstraintWorld world;
    for (const Case& each : std::initializer_list<Case>{
             {"permitted;email:example.gov", "email:alice@example.gov", true},
             {"permitted;email:example.gov", "email:alice@EXAMPLE.gov", true},
             {"permitted;email:example.gov", "email:alice@mail.example.gov", false},
             {"permitted;email:example.gov", "email:alice@notexample.gov", false},
             {"permitted;email:.example.gov", "email:alice@mail.example.gov", true},
             {"permitted;email:.example.gov", "email:alice@example.gov", false},
             {"permitted;email:.example.gov", "email:alice@notexample.gov", false},
             {"permitted;email:alice@example.gov", "email:alice@example.gov", true},
             {"permitted;email:alice@example.gov", "email:bob@example.gov", false},
             {"permitted;email:alice@example.gov", "email:ALICE@example.gov", false},
             {"permitted;email:example.gov,permitted;email:example.org", "email:alice@example.org", true},
             {"permitted;email:example.gov", "email:alice@example.gov,email:alice@example.org", false},
             {"permitted;email:example.gov", "DNS:example.org", true},
             {"excluded;email:example.org", "email:alice@example.gov", true},
             {"excluded;email:example.org", "email:alice@example.org", false},
             {"excluded;email:.example.org", "email:alice@mail.example.org", false},
             {"excluded;email:.example.org", "email:alice@example.org", true},
             {"excluded;email:eve@example.gov", "email:eve@example.gov", false},
             {"excluded;email:eve@example.gov", "email:alice@example.gov", true},
             {"excluded;email:eve@example.gov", "email:EVE@example.gov", false, false},  // From would match eve@
             {"excluded;email:example.org", "email:alice@example.org.", false, false},   // the same host
             // Needless quotes make no other mailbox.
             {"excluded;email:eve@example.gov", rfc822_name("\"eve\"@example.gov"), false, false},
             {"excluded;email:eve@example.gov", rfc822_name("\"e\\ve\"@example.gov"), false, false},
             {"excluded;email:eve@example.gov", rfc822_name("\"alice\"@example.gov"), true},
             {"excluded;email:\"eve\"@example.gov", "email:eve@example.gov", false, false},
             {"permitted;DNS:example.gov", "email:alice@example.org", true},
             {"excluded;DNS:example.org", "email:alice@example.gov,DNS:example.org", false}}) {
        CAPTURE(each.constraints, each.alternative_name);
        const SoftwareKey issuer = world.limited(each.constraints);
        CertificateSpec spec;
        spec.alternative_name = each.alternative_name;
        const Certificate end = certify(spec, &issuer).certificate;
        CHECK(judge(end, {issuer}, world.trust).trusted == each.permitted);
        CHECK((openssl_verify(world.bench, end, {issuer}, world.bench.root.certificate) == each.permitted) ==
              each.peer);
    }
}

TEST_CASE("internationalized mailboxes keep to the same constraints, in A-labels or U-labels") {
    const ConstraintWorld world;
    for (const Case& each :
         std::initializer_list<Case>{{"permitted;email:xn--bcher-kva.example", smtp_utf8(kUmlaut), true},
                                     {"permitted;email:xn--bcher-kva.example", smtp_utf8(kLabel), true},
                                     {"permitted;email:xn--bcher-kva.example", smtp_utf8(kLocal), true},
                                     {"permitted;email:XN--Bcher-KVA.example", smtp_utf8(kLabel), true},
                                     {"permitted;email:example.gov", smtp_utf8(kUmlaut), false},
                                     {"permitted;email:example.gov", smtp_utf8(kLabel), false},
                                     {"permitted;email:.example", smtp_utf8(kLocal), true},
                                     {"permitted;email:.example", smtp_utf8(kUmlaut), true},
                                     {"permitted;email:.example", smtp_utf8("a@notexample"), false},
                                     {"permitted;email:.example", smtp_utf8("a@example"), false},
                                     {"permitted;email:.xn--bcher-kva.example",
                                      smtp_utf8("a@mail.b\xc3\xbc"
                                                "cher.example"),
                                      true},
                                     {"permitted;email:.xn--bcher-kva.example", smtp_utf8(kUmlaut), false},
                                     {"permitted;email:alice@xn--bcher-kva.example", smtp_utf8(kUmlaut), true},
                                     {"permitted;email:bob@xn--bcher-kva.example", smtp_utf8(kUmlaut), false},
                                     {"excluded;email:xn--bcher-kva.example", smtp_utf8(kUmlaut), false},
                                     {"excluded;email:xn--bcher-kva.example", smtp_utf8(kLabel), false},
                                     {"excluded;email:.example", smtp_utf8(kLabel), false},
                                     {"excluded;email:.example", smtp_utf8(kUmlaut), false},
                                     {"excluded;email:alice@xn--bcher-kva.example", smtp_utf8(kLabel), false},
                                     {"excluded;email:alice@xn--bcher-kva.example", smtp_utf8(kUmlaut), false},
                                     {"excluded;email:eve@example.gov", smtp_utf8("\"eve\"@example.gov"), false},
                                     {"excluded;email:example.gov", smtp_utf8(kLocal), true},
                                     {"permitted;email:example", smtp_utf8("no mailbox"), false},
                                     {"excluded;email:example", smtp_utf8("no mailbox"), false},
                                     {"excluded;email:example", smtp_utf8(kLabel, 0x16), false},  // an IA5String
                                     {"permitted;DNS:example.gov", smtp_utf8(kLabel), true}}) {
        CAPTURE(each.constraints, each.alternative_name);
        const SoftwareKey issuer = world.limited(each.constraints);
        CertificateSpec spec;
        spec.alternative_name = each.alternative_name;
        const Certificate end = certify(spec, &issuer).certificate;
        const PathVerdict verdict = judge(end, {issuer}, world.trust);
        CAPTURE(verdict.reason);
        CHECK(verdict.trusted == each.permitted);
        if (!each.permitted) CHECK(verdict.reason.find("may not certify") != std::string::npos);
    }
}

TEST_CASE("other names of who has an internationalized mailbox are held to constraints too") {
    const ConstraintWorld world;
    const auto judged = [&](const char* constraints) {
        const SoftwareKey issuer = world.limited(constraints);
        CertificateSpec spec;
        spec.alternative_name = smtp_utf8(kLabel);
        return judge(certify(spec, &issuer).certificate, {issuer}, world.trust);
    };
    // The subject is CN=Alice,O=Example.
    const std::string other =
        "DER:" +
        hex(der_value(
            tag::kSequence,
            {der_value(
                tag::context(1, true),
                {der_value(
                    tag::kSequence,
                    {der_value(tag::context(4, true),
                               {der_value(tag::kSequence,
                                          {der_value(tag::kSet,
                                                     {der_value(tag::kSequence,
                                                                {der_oid("2.5.4.10"),
                                                                 der_value(0x0c, bytes_of("Example"))})})})})})})}));
    CertificateSpec spec = authority_spec("Limited");
    spec.more_extensions = "nameConstraints=critical," + other;
    const SoftwareKey issuer = certify(spec, &world.bench.root);
    CertificateSpec leaf;
    leaf.alternative_name = smtp_utf8(kLabel);
    CHECK(untrusted(judge(certify(leaf, &issuer).certificate, {issuer}, world.trust), "may not certify"));
    CHECK(trusted(judged("permitted;email:xn--bcher-kva.example,excluded;DNS:example.org")));
}

TEST_CASE("who has an internationalized mailbox keeps to the constraints of all above with every address") {
    const ConstraintWorld world;
    const SoftwareKey limited = world.limited("permitted;email:xn--bcher-kva.example");
    const SoftwareKey below = certify(authority_spec("Below"), &limited);
    const auto judged = [&](const CertificateSpec& spec, const SoftwareKey& issuer) {
        return judge(certify(spec, &issuer).certificate, {limited, below}, world.trust);
    };
    CertificateSpec inside, outside;
    inside.alternative_name = smtp_utf8(kUmlaut);
    outside.alternative_name = smtp_utf8(kUmlaut + ".org");
    CHECK(trusted(judged(inside, below)));
    CHECK(untrusted(judged(outside, below), "may not certify"));
    // An end certificate is held to them under its issuer's own name too.
    inside.name = outside.name = "Limited";
    CHECK(trusted(judged(inside, limited)));
    CHECK(untrusted(judged(outside, limited), "may not certify"));

    inside.email_address = "alice@xn--bcher-kva.example";
    CHECK(trusted(judged(inside, below)));
    inside.email_address = "eve@example.org";
    CHECK(untrusted(judged(inside, below), "carries the address eve@example.org"));
}

TEST_CASE("the subject's emailAddress keeps to constraints as well") {
    const ConstraintWorld world;
    const SoftwareKey issuer = world.limited("permitted;email:example.gov");
    const auto judged = [&](const std::string& address, const std::string& alternative_name) {
        CertificateSpec spec;
        spec.alternative_name = alternative_name;
        spec.email_address = address;
        const Certificate end = certify(spec, &issuer).certificate;
        const bool ours = judge(end, {issuer}, world.trust).trusted;
        CHECK(openssl_verify(world.bench, end, {issuer}, world.bench.root.certificate) == ours);
        return ours;
    };
    CHECK(judged("alice@example.gov", ""));
    CHECK_FALSE(judged("alice@example.org", ""));
    CHECK_FALSE(judged("alice@example.org", "email:alice@example.gov"));
}

TEST_CASE("a common name that looks like a host's keeps to no constraints on hosts") {
    const ConstraintWorld world;
    // As authorities of e-mail alone have them, and as they do that keep to their own hosts.
    for (const char* constraints :
         {"permitted;email:example.gov,excluded;DNS:smith,excluded;DNS:1234567890,excluded;DNS:org",
          "permitted;email:example.gov,permitted;DNS:example.gov", "excluded;DNS:example.org"})
        for (const char* name : {"Alice Smith", "alice.smith", "DOE.JOHN.A.1234567890", "mail.example.org"}) {
            CAPTURE(constraints, name);
            const SoftwareKey issuer = world.limited(constraints);
            CertificateSpec spec;
            spec.name = name;
            CHECK(trusted(judge(certify(spec, &issuer).certificate, {issuer}, world.trust)));
            spec.alternative_name = "email:alice@example.gov,DNS:mail.example.org";
            CHECK_FALSE(judge(certify(spec, &issuer).certificate, {issuer}, world.trust).trusted);
        }
}

TEST_CASE("constraints of every authority above hold, but not for what is self-issued") {
    const ConstraintWorld world;
    const SoftwareKey wide = world.limited("permitted;email:.gov");
    CertificateSpec narrower = authority_spec("Narrow");
    narrower.more_extensions = "nameConstraints=critical,excluded;email:example.gov";
    const SoftwareKey narrow = certify(narrower, &wide);
    const auto judged = [&](const std::string& address) {
        CertificateSpec spec;
        spec.alternative_name = "email:" + address;
        return judge(certify(spec, &narrow).certificate, {wide, narrow}, world.trust).trusted;
    };
    CHECK(judged("alice@mail.gov"));
    CHECK_FALSE(judged("alice@example.gov"));
    CHECK_FALSE(judged("alice@example.org"));

    // A new key of the authority itself may carry an address of another domain; what it issues may not.
    CertificateSpec renewed = authority_spec("Limited");
    renewed.alternative_name = "email:ca@example.org";
    const SoftwareKey self_issued = certify(renewed, &wide);
    CertificateSpec spec;
    spec.alternative_name = "email:alice@mail.gov";
    CHECK(trusted(judge(certify(spec, &self_issued).certificate, {wide, self_issued}, world.trust)));
    CertificateSpec foreign;
    foreign.alternative_name = "email:alice@example.org";
    CHECK_FALSE(judge(certify(foreign, &self_issued).certificate, {wide, self_issued}, world.trust).trusted);
}

TEST_CASE("a breach of name constraints names the address and both certificates") {
    const ConstraintWorld world;
    const SoftwareKey issuer = world.limited("permitted;email:example.org");
    const Certificate end = certify({}, &issuer).certificate;
    CHECK(judge(end, {issuer}, world.trust).reason ==
          "CN=Alice,O=Example carries the address alice@example.gov, which CN=Limited,O=Example may not certify");
    const auto breach = name_breach({end, issuer.certificate, world.bench.root.certificate});
    REQUIRE(breach);
    CHECK(breach->at == 0);
    CHECK(breach->above == 1);
    CHECK_FALSE(name_breach({end, world.bench.intermediate.certificate, world.bench.root.certificate}));
}

TEST_CASE("constraints that cannot be read, and too many of them, permit nothing") {
    const ConstraintWorld world;
    CertificateSpec spec = authority_spec("Limited");
    spec.more_extensions = "nameConstraints=critical,DER:0500";
    const SoftwareKey broken = certify(spec, &world.bench.root);
    CHECK_FALSE(judge(certify({}, &broken).certificate, {broken}, world.trust).trusted);
    CHECK(name_breach({certify({}, &broken).certificate, broken.certificate}));
    const SoftwareKey odd = world.limited("excluded;email:exa mple.org");
    CHECK(untrusted(judge(certify({}, &odd).certificate, {odd}, world.trust), "may not certify"));

    std::string many = "permitted;email:example.gov", names = "email:alice@example.gov";
    for (int i = 0; i < 700; ++i) {
        many += ",permitted;email:example.gov";
        names += ",email:alice@example.gov";
    }
    const SoftwareKey issuer = world.limited(many);
    CertificateSpec leaf;
    leaf.alternative_name = names;
    CHECK(name_breach({certify(leaf, &issuer).certificate, issuer.certificate}));
    CHECK_FALSE(name_breach({certify({}, &issuer).certificate, issuer.certificate}));
}
