#include <catch2/catch.hpp>

#include "cms/crl.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

std::string point(const std::string& name) {
    return "[dp]\nfullname=URI:http://crl.example/" + name + "\n";
}

// at_point is a certificate whose CRL is at a distribution point, as `more` lines say besides.
CertificateSpec at_point(const std::string& name, const std::string& more = {}) {
    return {.more_extensions = "crlDistributionPoints=dp", .sections = point(name) + more};
}

CrlSpec partition(const std::string& lines, const std::string& more = {}) {
    return {.extensions = "issuingDistributionPoint=critical,@idp", .sections = "[idp]\n" + lines + more};
}

}  // namespace

TEST_CASE("CRLs for some reasons must cover all reasons together") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Certificate bob = bench.issue({.name = "Bob"});
    CrlSpec some = partition("onlysomereasons=keyCompromise, CACompromise, AACompromise\n");
    some.entries = {{.certificate = bob, .reason = "keyCompromise"}};
    bench.add_crl(some);
    CHECK(unknown(bench.judge(alice), "some reasons alone"));
    CHECK(revoked(bench.judge(bob)));
    bench.add_crl(partition("onlysomereasons=affiliationChanged, superseded, cessationOfOperation, certificateHold\n"));
    CHECK(unknown(bench.judge(alice), "some reasons alone"));
    bench.add_crl(partition("onlysomereasons=privilegeWithdrawn\n"));
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a hold is lifted by what tells of holds alone") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    CrlSpec holds = partition("onlysomereasons=affiliationChanged, certificateHold\n");
    CrlSpec others = partition(
        "onlysomereasons=keyCompromise, CACompromise, AACompromise, superseded, cessationOfOperation, "
        "privilegeWithdrawn\n");
    holds.this_update = -90;
    bench.add_crl(holds);
    holds.this_update = -60;
    holds.next_update = -50;
    holds.entries = {{.certificate = alice, .since = -70, .reason = "certificateHold"}};
    bench.add_crl(holds);
    others.this_update = -10;
    bench.add_crl(others);
    CHECK(revoked(bench.judge(alice), "nothing newer tells of it"));
    holds.entries.clear();
    holds.this_update = -20;
    holds.next_update = kDay;
    bench.add_crl(holds);
    CHECK(good(bench.judge(alice)));
    // What tells of the others is not needed for that.
    std::erase_if(bench.source->here.crls, [&](const Crl& crl) {
        return crl.this_update() > bench.trust.clock->now() - std::chrono::minutes(15);
    });
    CHECK(bench.judge(alice).revocation == RevocationState::unknown);
}

TEST_CASE("a distribution point that is for some reasons covers no more, whatever its CRL says") {
    RevocationBench bench;
    const Certificate alice = bench.issue(at_point("a", "reasons=keyCompromise\n"));
    bench.add_crl(partition("fullname=URI:http://crl.example/a\n"));
    CHECK(unknown(bench.judge(alice), "some reasons alone"));
}

TEST_CASE("a CRL of a distribution point is for the certificates that name it") {
    RevocationBench bench;
    const Certificate alice = bench.issue(at_point("a"));
    bench.add_crl(partition("fullname=URI:http://crl.example/b\n"));
    CHECK(unknown(bench.judge(alice), "no CRL"));
    CHECK(unknown(bench.judge(bench.issue()), "no CRL"));
    bench.add_crl(partition("fullname=URI:http://crl.example/a\n"));
    CHECK(good(bench.judge(alice)));
    CHECK(unknown(bench.judge(bench.issue()), "no CRL"));
}

TEST_CASE("names relative to the issuer of a CRL are compared in full") {
    RevocationBench bench;
    const std::string relative = "[dp]\nrelativename=rdn\n[rdn]\nCN=";
    const Certificate alice =
        bench.issue({.more_extensions = "crlDistributionPoints=dp", .sections = relative + "Part 1\n"});
    bench.add_crl(partition("relativename=rdn\n", "[rdn]\nCN=Part 2\n"));
    CHECK(unknown(bench.judge(alice), "no CRL"));
    bench.add_crl(partition("relativename=rdn\n", "[rdn]\nCN=Part 1\n"));
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a CRL of users, authorities or attributes is for those alone") {
    RevocationBench bench;
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    const Certificate alice = bench.issue();
    const auto judged = [&](const std::string& kind) {
        bench.source->here.crls.clear();
        bench.add_crl(partition(kind + "=TRUE\n"));
        CertificateSpec spec;
        const Certificate below = certify(spec, &authority).certificate;
        bench.add_crl({}, authority);
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
        return std::pair(bench.judge(alice), bench.judge(below));
    };
    const auto [user, below_user] = judged("onlyuser");
    CHECK(good(user));
    CHECK(unknown(below_user, "certificate of CN=Authority"));
    const auto [end, below] = judged("onlyCA");
    CHECK(unknown(end, "no CRL"));
    CHECK(good(below));
    const auto [attribute, below_attribute] = judged("onlyAA");
    CHECK(unknown(attribute, "no CRL"));
    CHECK(unknown(below_attribute, "no CRL"));
}

TEST_CASE("a certificate is an authority's for CRLs by its basic constraints, whatever its key is for") {
    RevocationBench bench;
    const Certificate alice =
        bench.issue({.basic_constraints = "critical,CA:TRUE", .key_usage = "critical,digitalSignature"});
    CrlSpec authorities = partition("onlyCA=TRUE\n");
    bench.add_crl(partition("onlyuser=TRUE\n"));
    CHECK(unknown(bench.judge(alice), "no CRL"));
    bench.add_crl(authorities);
    CHECK(good(bench.judge(alice)));
    authorities.entries = {{.certificate = alice}};
    authorities.this_update = -10;
    bench.add_crl(authorities);
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("an indirect CRL lists the certificates of others") {
    RevocationBench bench;
    CertificateSpec spec = authority_spec("Lister", "critical,CA:FALSE");
    spec.key_usage = "critical,cRLSign";
    const SoftwareKey lister = certify(spec, &bench.root);
    const CertificateSpec listed{.more_extensions = "crlDistributionPoints=dp",
                                 .sections = point("i") + "CRLissuer=dirName:lister\n[lister]\nO=Example\nCN=Lister\n"};
    CertificateSpec bobs = listed;
    bobs.name = "Bob";
    const Certificate alice = bench.issue(listed);
    const Certificate bob = bench.issue(bobs);
    const Certificate stranger = certify(bobs).certificate;
    CrlSpec crl = partition("fullname=URI:http://crl.example/i\nindirectCRL=TRUE\n");
    crl.entries = {{.certificate = bob, .names_issuer = true}};
    const auto with = [&](const CrlSpec& told) {
        bench.source->here.crls.clear();
        bench.add_crl(partition("onlysomereasons=keyCompromise\n"));
        bench.add_crl(told, lister);
    };
    bench.surplus = {lister.certificate};

    SECTION("it counts where its issuer is known not to be revoked") {
        with(crl);
        CHECK(unknown(bench.judge(alice), "CN=Lister,O=Example is not known not to be revoked"));
        // A CRL of the root's for another distribution point tells of the lister, but not of Alice.
        const SoftwareKey told = {lister.key, certify_key(
                                                  lister.key,
                                                  [&] {
                                                      CertificateSpec at = spec;
                                                      at.more_extensions = "crlDistributionPoints=dp";
                                                      at.sections = point("r");
                                                      return at;
                                                  }(),
                                                  &bench.root)};
        bench.surplus = {told.certificate};
        const CrlSpec of_root = partition("fullname=URI:http://crl.example/r\n");
        bench.add_crl(of_root);
        CHECK(good(bench.judge(alice)));
        CHECK(revoked(bench.judge(bob)));
        CrlSpec against = of_root;
        against.this_update = -10;
        against.entries = {{.certificate = told.certificate}};
        bench.add_crl(against);
        CHECK(unknown(bench.judge(alice), "CN=Lister,O=Example is revoked"));
    }
    SECTION("it counts where it is of the issuer that the certificate names") {
        CertificateSpec others = spec;
        others.name = "Other Lister";
        const SoftwareKey other = certify(others, &bench.root);
        bench.surplus = {other.certificate};
        bench.add_crl(crl, other);
        CHECK(unknown(bench.judge(alice), "no CRL"));
    }
    SECTION("it counts where it says that it is indirect") {
        with(partition("fullname=URI:http://crl.example/i\n"));
        CHECK(unknown(bench.judge(alice), "some reasons alone"));
    }
    SECTION("one that lists others' certificates without saying so counts for nothing") {
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {{.certificate = stranger, .names_issuer = true}}});
        CHECK(unknown(bench.judge(bench.issue()), "without being an indirect CRL"));
    }
    SECTION("one whose entries cannot all be told to be of an issuer counts for nothing") {
        const CrlSpec::Entry other{.certificate = stranger, .names_issuer = true};
        CrlSpec::Entry unreadable = other, twice = other, nameless{.certificate = stranger};
        unreadable.extension = "2.5.29.21=DER:020101";
        twice.reason = "superseded";
        twice.extension = "2.5.29.21=DER:0a0101";
        nameless.extension = "2.5.29.29=critical,DER:0500";
        CrlSpec mixed = partition("indirectCRL=TRUE\n");
        for (const CrlSpec::Entry& first : {unreadable, twice, nameless}) {
            mixed.entries = {first, {.certificate = bob, .names_issuer = true}};
            bench.source->here.crls.clear();
            bench.add_crl(mixed);
            CHECK(unknown(bench.judge(bob), "an entry has a malformed extension"));
        }
        mixed.entries = {other, {.certificate = bob, .names_issuer = true}};
        bench.source->here.crls.clear();
        bench.add_crl(mixed);
        CHECK(revoked(bench.judge(bob)));
    }
    SECTION("an entry of another issuer's certificate with the same number is none") {
        CrlSpec mixed = partition("indirectCRL=TRUE\n");
        const Certificate same_number = [&] {
            X509Handle copy(X509_dup(alice.get()));
            X509_set_issuer_name(copy.get(), X509_get_subject_name(lister.certificate.get()));
            return Certificate(std::move(copy));
        }();
        mixed.entries = {{.certificate = same_number, .names_issuer = true}};
        bench.source->here.crls.clear();
        bench.add_crl(mixed);
        CHECK(good(bench.judge(alice)));
        mixed.entries = {{.certificate = alice, .names_issuer = true}};
        mixed.this_update = -10;
        bench.add_crl(mixed);
        CHECK(revoked(bench.judge(alice)));
    }
}

TEST_CASE("the issuer of an indirect CRL must lead to the same anchor") {
    RevocationBench bench;
    const SoftwareKey other = certify(authority_spec("Other Root"));
    CertificateSpec spec = authority_spec("Lister", "critical,CA:FALSE");
    spec.key_usage = "critical,cRLSign";
    const SoftwareKey lister = certify(spec, &other);
    const Certificate alice =
        bench.issue({.more_extensions = "crlDistributionPoints=dp",
                     .sections = point("i") + "CRLissuer=dirName:lister\n[lister]\nO=Example\nCN=Lister\n"});
    bench.trust = trust_in({bench.root.certificate, other.certificate}, {lister.certificate});
    bench.trust.revocation = bench.source;
    bench.add_crl(partition("fullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"), lister);
    bench.add_crl({}, other);
    CHECK(unknown(bench.judge(alice), "it leads to another anchor"));
}

TEST_CASE("a CRL may be signed with another key of its issuer, certified below the same anchor") {
    RevocationBench bench;
    const SoftwareKey old = certify(authority_spec("Authority"), &bench.root);
    const SoftwareKey renewed = certify(authority_spec("Authority"), &bench.root);
    const Certificate alice =
        certify({.more_extensions = "crlDistributionPoints=URI:http://crl.example/a\n"}, &old).certificate;
    bench.trust = trust_in({bench.root.certificate}, {old.certificate, renewed.certificate});
    bench.trust.revocation = bench.source;
    const auto at_its_point = [&](const SoftwareKey& signer) {
        const CrlSpec spec = partition("fullname=URI:http://crl.example/a\n");
        bench.source->here.at_points = {Crl::from_der(make_crl(spec, signer))};
    };
    at_its_point(renewed);
    bench.add_crl({});
    CHECK(good(bench.judge(alice)));
    bench.add_crl({.entries = {{.certificate = renewed.certificate}}, .this_update = -10});
    CHECK(unknown(bench.judge(alice), "CN=Authority,O=Example is revoked"));
    // Nor may it sign any longer once it has ended.
    CertificateSpec spec = authority_spec("Authority");
    spec.begins_in_days = -20;
    spec.ends_in_days = -10;
    const SoftwareKey ended = certify(spec, &bench.root);
    bench.surplus = {ended.certificate};
    bench.source->here.crls.clear();
    at_its_point(ended);
    bench.add_crl({});
    CHECK(unknown(bench.judge(alice), "has ended on"));
}
