#include <catch2/catch.hpp>

#include "cms/crl.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {}  // namespace

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

TEST_CASE("of two CRLs the newer counts, but for what the older says to be revoked for good") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.number = 1, .this_update = -60});
    bench.add_crl({.entries = {{.certificate = alice, .reason = "certificateHold"}}, .number = 2, .this_update = -30});
    CHECK(revoked(bench.judge(alice)));
    bench.add_crl({.number = 3, .this_update = -20});
    CHECK(good(bench.judge(alice)));
    bench.add_crl({.entries = {{.certificate = alice}}, .number = 2, .this_update = -40});
    CHECK(revoked(bench.judge(alice)));
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
    CHECK(unknown(bench.judge(alice), "it is signed with a weak digest"));
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

TEST_CASE("of two entries of one certificate the worse counts") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -10});
    const CrlSpec::Entry compromised{.certificate = alice, .since = -2 * kDay, .reason = "keyCompromise"};
    const CrlSpec::Entry held{.certificate = alice, .since = -4 * kDay, .reason = "certificateHold"};
    const CrlSpec::Entry removed{.certificate = alice, .since = -kDay, .reason = "removeFromCRL"};
    const auto judged = [&](const CrlSpec& spec) {
        bench.source->here.crls.clear();
        CrlSpec base{.entries = {held}, .number = 1, .this_update = -60};
        if (spec.base_number) bench.add_crl(base);
        bench.add_crl(spec);
        return bench.judge(alice);
    };
    for (const bool first : {false, true}) {
        const auto both = [&](const CrlSpec::Entry& a, const CrlSpec::Entry& b) {
            return first ? std::vector{a, b} : std::vector{b, a};
        };
        CHECK(revoked(judged({.entries = both(compromised, held)}), "(key compromise)"));
        CHECK(revoked(judged({.entries = both(compromised, removed), .number = 2, .base_number = 1})));
        CHECK(revoked(judged({.entries = both(held, removed), .number = 2, .base_number = 1}), "(on hold)"));
        bench.at(-3 * kDay);
        CHECK(revoked(judged({.entries = both(compromised, held)})));
        bench.trust.at = std::nullopt;
        // What was compromised does not come back with newer evidence, as a hold does.
        judged({.entries = both(compromised, held), .number = 2, .base_number = 1});
        bench.add_ocsp({.this_update = -1}, alice);
        CHECK(revoked(bench.judge(alice)));
        bench.source->here.ocsp.clear();
    }
    CHECK(good(judged({.entries = {removed}, .number = 2, .base_number = 1})));
}

TEST_CASE("an entry counts for the issuer that it is of, whatever others of that number are of") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const SoftwareKey other = certify(authority_spec("Other"), &bench.root);
    const Certificate namesake = [&] {
        X509Handle copy(X509_dup(alice.get()));
        X509_set_issuer_name(copy.get(), X509_get_subject_name(other.certificate.get()));
        return Certificate(std::move(copy));
    }();
    const CrlSpec::Entry others{
        .certificate = namesake, .since = -120, .reason = "keyCompromise", .names_issuer = true};
    const CrlSpec::Entry own{.certificate = alice, .reason = "superseded", .names_issuer = true};
    for (const auto& entries : {std::vector{others, own}, std::vector{own, others}}) {
        bench.source->here.crls.clear();
        bench.add_crl({.entries = entries,
                       .extensions = "issuingDistributionPoint=critical,@idp",
                       .sections = "[idp]\nindirectCRL=TRUE\n"});
        CHECK(revoked(bench.judge(alice), "(superseded)"));
    }
}

TEST_CASE("a CRL of the future makes nothing good, and what it lists is revoked") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    CrlSpec ahead{.entries = {{.certificate = alice}}, .number = 2, .this_update = 60};
    bench.add_crl({.number = 1});
    SECTION("a complete one") {
        bench.add_crl(ahead);
        CHECK(revoked(bench.judge(alice)));
    }
    SECTION("a delta") {
        ahead.base_number = 1;
        bench.add_crl(ahead);
        CHECK(revoked(bench.judge(alice)));
    }
    SECTION("but for a hold, which may be over by then") {
        ahead.entries.front().reason = "certificateHold";
        bench.add_crl(ahead);
        CHECK(unknown(bench.judge(alice), "nothing newer"));
    }
    SECTION("from a time to come") {
        ahead.entries.front().since = 50;
        bench.add_crl(ahead);
        CHECK(revoked(bench.judge(alice)));
    }
    SECTION("with a delta that is not") {
        bench.source->here.crls.clear();
        bench.add_crl({.number = 2, .this_update = 60});
        bench.add_crl({.number = 3, .base_number = 1, .this_update = -10});
        CHECK(unknown(bench.judge(alice), "is not valid before"));
    }
}
