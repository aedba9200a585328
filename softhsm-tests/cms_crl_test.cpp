#include <catch2/catch.hpp>

#include "cms/crl.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

constexpr int kDay = 24 * 60;

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

TEST_CASE("CRLs are read from files in PEM and DER, and a broken one does not hide those after it") {
    const CmsBench bench;
    const auto count = [](std::string_view bytes) { return Crl::from_file_bytes(bytes_of(bytes)).size(); };
    const Bytes der = make_crl({}, bench.root);
    const std::string pem = bench.openssl({"crl", "-inform", "DER"}, text_of(der));
    CHECK(count(text_of(der)) == 1);
    CHECK(count(std::string(text_of(der)) + std::string(text_of(make_crl({.number = 2}, bench.root)))) == 2);
    CHECK(count(pem) == 1);
    CHECK(count("issued lately\n" + pem + bench.root.certificate.pem() + pem + "more text\n") == 2);
    for (const std::string& broken :
         {std::string("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"), pem.substr(0, pem.size() - 40),
          std::string("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n")})
        for (const std::string& before : {std::string(), pem})
            for (const std::string& after : {std::string(), pem})
                CHECK(caught([&] { count(before + broken + after); }).kind() == ErrorKind::malformed);
    for (const std::string& nothing :
         {std::string(), std::string("no CRL"), bench.root.certificate.pem(), std::string(text_of(der)) + "x"})
        CHECK(caught([&] { count(nothing); }).kind() == ErrorKind::malformed);
}

TEST_CASE("a complete CRL tells whether a certificate is revoked") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Certificate bob = bench.issue({.name = "Bob"});
    CHECK(unknown(bench.judge(alice), "no CRL"));
    bench.add_crl({.entries = {{.certificate = bob, .reason = "keyCompromise"}}});
    CHECK(good(bench.judge(alice)));
    CHECK(revoked(bench.judge(bob), "(key compromise)"));
    CHECK(bench.judge(bob).reason.find("CN=Bob,O=Example is revoked since 20") != std::string::npos);
}

TEST_CASE("a CRL counts from its time until the next, and a newer one for a time before it") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -10});
    bench.add_crl({.this_update = -60, .next_update = -30});
    CHECK(unknown(bench.judge(alice), "has ended on"));
    bench.at(-45);
    CHECK(good(bench.judge(alice)));
    bench.at(-5 * kDay);
    CHECK(good(bench.judge(alice)));
    bench.source->here.crls.clear();
    bench.trust.at = std::nullopt;
    bench.add_crl({.this_update = 60});
    CHECK(unknown(bench.judge(alice), "is not valid before"));
    bench.source->here.crls.clear();
    bench.add_crl({.next_update = std::nullopt});
    CHECK(unknown(bench.judge(alice), "does not say until when"));
}

TEST_CASE("a certificate is revoked from the earlier of revocation and invalidity on") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -10});
    bench.add_crl({.entries = {{.certificate = alice, .since = -2 * kDay}}});
    CHECK(revoked(bench.judge(alice)));
    bench.at(-3 * kDay);
    CHECK(good(bench.judge(alice)));
    CHECK_THAT(bench.judge(alice).revocation_reason, Catch::Contains("after the time that counts"));
    bench.source->here.crls.clear();
    bench.add_crl({.entries = {{.certificate = alice, .since = -2 * kDay, .invalid_since = -4 * kDay}}});
    CHECK(revoked(bench.judge(alice)));
    bench.at(-5 * kDay);
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a certificate on hold is revoked") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.entries = {{.certificate = alice, .reason = "certificateHold"}}});
    CHECK(revoked(bench.judge(alice), "(on hold)"));
}

TEST_CASE("one that had ended before a CRL was made is unknown to it, unless it keeps those") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -20, .ends_in_days = -10});
    bench.at(-15 * kDay);
    bench.add_crl({});
    CHECK(unknown(bench.judge(alice), "had ended before"));
    bench.add_crl({.extensions = "2.5.29.60=DER:180f32303431303130313030303030305a"});  // since 2041
    CHECK(unknown(bench.judge(alice), "had ended before"));
    bench.add_crl({.extensions = "2.5.29.60=DER:180f32303130303130313030303030305a"});  // since 2010
    CHECK(good(bench.judge(alice)));

    bench.source->here.crls.clear();
    bench.add_crl({.entries = {{.certificate = alice, .since = -16 * kDay}}});
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("of two CRLs the newer counts") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.number = 1, .this_update = -60});
    bench.add_crl({.entries = {{.certificate = alice}}, .number = 2, .this_update = -30});
    CHECK(revoked(bench.judge(alice)));
    bench.add_crl({.number = 3, .this_update = -20});
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a CRL counts where its issuer has signed it and may") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const SoftwareKey namesake = certify(authority_spec("Test Root"));
    bench.add_crl({}, namesake);
    CHECK(unknown(bench.judge(alice), "nobody known has signed it"));
    // Nor where the namesake came along.
    bench.surplus = {namesake.certificate};
    CHECK(unknown(bench.judge(alice), "is not to be trusted"));

    CertificateSpec spec = authority_spec("Test Root");
    spec.key_usage = "critical,keyCertSign";
    bench.root = certify(spec);
    bench.trust = bench.trusting();
    bench.source->here.crls.clear();
    bench.add_crl({});
    CHECK(unknown(bench.judge(bench.issue()), "may not sign it"));
}

TEST_CASE("a CRL with a weak signature counts where weak ones are allowed") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.digest = "SHA1"});
    CHECK(unknown(bench.judge(alice), "weak digest"));
    bench.trust.allow_weak = true;
    CHECK(good(bench.judge(alice)));
    bench.root = certify([] {
        CertificateSpec spec = authority_spec("Test Root");
        spec.kind = KeyKind::rsa2048;
        return spec;
    }());
    bench.trust = bench.trusting();
    bench.trust.allow_weak = true;
    bench.source->here.crls.clear();
    bench.add_crl({.digest = "MD5"});
    CHECK(unknown(bench.judge(bench.issue()), "broken digest"));
}

TEST_CASE("a CRL with a critical extension that is not known counts for nothing") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Certificate bob = bench.issue({.name = "Bob"});
    bench.add_crl({.extensions = "1.2.3.4.5=DER:0500"});
    CHECK(good(bench.judge(alice)));
    bench.source->here.crls.clear();
    bench.add_crl({.extensions = "1.2.3.4.5=critical,DER:0500"});
    CHECK(unknown(bench.judge(alice), "critical extension 1.2.3.4.5"));
    bench.source->here.crls.clear();
    bench.add_crl({.entries = {{.certificate = bob, .odd = true}}});
    CHECK(unknown(bench.judge(alice), "critical extension 1.2.3.4.5"));
}

TEST_CASE("an entry with a reason or a date that cannot be read is one without a reason, of long ago") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -10});
    const std::string integer = "2.5.29.21=DER:020101";
    bench.add_crl({.entries = {{.certificate = alice, .extension = integer}}});
    CHECK(revoked(bench.judge(alice)));
    bench.add_crl(
        {.entries = {{.certificate = alice, .since = -10, .extension = "2.5.29.24=DER:020101"}}, .this_update = -5});
    bench.at(-5 * kDay);
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("a delta CRL tells what has changed since its base") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Certificate bob = bench.issue({.name = "Bob"});
    const CrlSpec base{.entries = {{.certificate = bob, .reason = "certificateHold"}}, .number = 5, .this_update = -60};
    bench.add_crl(base);
    CHECK(good(bench.judge(alice)));
    CHECK(revoked(bench.judge(bob)));
    CrlSpec delta{.entries = {{.certificate = alice}, {.certificate = bob, .reason = "removeFromCRL"}},
                  .number = 7,
                  .base_number = 5};
    CrlSpec releases = delta;
    releases.entries = {delta.entries.back()};
    SECTION("it adds and removes") {
        bench.add_crl(delta);
        CHECK(revoked(bench.judge(alice)));
        CHECK(good(bench.judge(bob)));
    }
    SECTION("its base must be there") {
        bench.source->here.crls.clear();
        bench.add_crl(releases);
        CHECK(unknown(bench.judge(bob), "no CRL"));
    }
    SECTION("its base must be new enough") {
        releases.base_number = 6;
        bench.add_crl(releases);
        CHECK(revoked(bench.judge(bob)));
    }
    SECTION("it must be newer than the base") {
        releases.number = 5;
        bench.add_crl(releases);
        CHECK(revoked(bench.judge(bob)));
    }
    SECTION("it must not have ended") {
        releases.this_update = -50;
        releases.next_update = -10;
        bench.add_crl(releases);
        CHECK(revoked(bench.judge(bob)));
    }
    SECTION("its signature must hold") {
        bench.add_crl(releases, {certify({}).key, bench.root.certificate});
        CHECK(revoked(bench.judge(bob)));
    }
    SECTION("it must be of the same scope") {
        releases.extensions = "issuingDistributionPoint=critical,@idp";
        releases.sections = "[idp]\nonlyuser=TRUE\n";
        bench.add_crl(releases);
        CHECK(revoked(bench.judge(bob)));
    }
    SECTION("it makes a base count that has ended") {
        bench.source->here.crls.clear();
        CrlSpec old = base;
        old.next_update = -10;
        bench.add_crl(old);
        CHECK(unknown(bench.judge(alice), "has ended"));
        delta.entries.pop_back();
        delta.entries.pop_back();
        bench.add_crl(delta);
        CHECK(good(bench.judge(alice)));
    }
}

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
    const Certificate alice = certify({}, &old).certificate;
    bench.trust = trust_in({bench.root.certificate}, {old.certificate, renewed.certificate});
    bench.trust.revocation = bench.source;
    bench.add_crl({}, renewed);
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
    bench.add_crl({}, ended);
    bench.add_crl({});
    CHECK(unknown(bench.judge(alice), "has ended on"));
}
