// Whose word counts of a revocation: on which path, by which of an authority's keys, and of which of its namesakes.

#include <catch2/catch.hpp>

#include "cms/der.h"
#include "mime/hex.h"
#include "softhsm-tests/cms_revocation_authority.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

TEST_CASE("what is revoked on one path is revoked on all") {
    AuthorityBench scene;
    const Certificate renewed = certify_key(scene.authority.key, authority_spec("Authority"), &scene.bench.root);
    scene.bench.source->here.ocsp = {
        {OcspResponse::from_der(make_ocsp({.status = OcspSpec::Status::revoked, .since = -90}, scene.alice,
                                          scene.authority.certificate, scene.authority))}};
    CHECK(revoked(scene.judge()));
    scene.bench.surplus = {renewed};
    CHECK(revoked(scene.judge()));

    // A responder that the authority has certified answers for all certificates of the authority's key.
    const SoftwareKey responder = certify(AuthorityBench::responder_spec(), &scene.authority);
    scene.bench.source->here.ocsp = {{OcspResponse::from_der(
        make_ocsp({.status = OcspSpec::Status::revoked}, scene.alice, scene.authority.certificate, responder))}};
    CHECK(revoked(scene.judge()));
    scene.bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{renewed})};
    scene.bench.surplus = {scene.authority.certificate};
    CHECK(revoked(scene.judge()));
}

TEST_CASE("an authority that is revoked does not end the trust in another path around it") {
    RevocationBench bench;
    const SoftwareKey other_root = certify(authority_spec("Other Root"));
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    const Certificate crossed = certify_key(authority.key, authority_spec("Authority"), &other_root);
    const Certificate alice = certify({}, &authority).certificate;
    bench.trust = trust_in({bench.root.certificate, other_root.certificate});
    bench.trust.revocation = bench.source;
    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate, crossed})};
    bench.add_crl({.entries = {{.certificate = authority.certificate}}});
    bench.add_crl({}, other_root);
    bench.add_crl({}, authority);
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("an authority that is revoked by what counts on one path is so on all that it is on") {
    RevocationBench bench;
    const SoftwareKey other_root = certify(authority_spec("Other Root"));
    const SoftwareKey lister = certify(authority_spec("Lister"), &other_root);
    CertificateSpec listed = authority_spec("Authority");
    listed.more_extensions = "crlDistributionPoints=point\n";
    listed.sections =
        "[point]\nfullname=URI:http://crl.example/i\nCRLissuer=dirName:lister\n[lister]\nO=Example\nCN=Lister\n";
    const SoftwareKey authority = certify(listed, &bench.root);
    // Who may only certify some names does not lead from the root to who lists: there, that list does not count.
    CertificateSpec narrow = authority_spec("Test Root");
    narrow.more_extensions = "nameConstraints=critical,permitted;email:example.gov\n";
    const Certificate crossed = certify_key(bench.root.key, narrow, &other_root);
    const Certificate alice = certify({}, &authority).certificate;
    CrlSpec list = AuthorityBench::indirect();
    list.entries = {{.certificate = authority.certificate, .names_issuer = true}};
    bench.add_crl(list, lister);
    bench.add_crl({}, other_root);
    bench.add_crl({}, authority);
    bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{authority.certificate, crossed, lister.certificate})};
    CHECK(unknown(bench.judge(alice), "Authority"));
    bench.trust.anchors = trust_in({bench.root.certificate, other_root.certificate}).anchors;
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("where evidence does not count on one path, another is looked at") {
    AuthorityBench scene;
    const SoftwareKey other_root = certify(authority_spec("Another Root"));
    const Certificate crossed = certify_key(scene.authority.key, authority_spec("Authority"), &other_root);
    const SoftwareKey lister = certify(authority_spec("Lister"), &scene.bench.root);
    scene.alice = scene.listed_elsewhere();
    scene.bench.trust.anchors = trust_in({other_root.certificate, scene.bench.root.certificate}).anchors;
    scene.bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{crossed, scene.authority.certificate, lister.certificate})};
    scene.bench.add_crl({}, other_root);
    CrlSpec crl = AuthorityBench::indirect();
    crl.entries = {{.certificate = scene.alice, .names_issuer = true}};
    scene.bench.add_crl(crl, lister);
    CHECK(revoked(scene.judge()));
}

TEST_CASE("the CRL of the key that signed a certificate comes before those of the issuer's other keys") {
    AuthorityBench scene;
    const SoftwareKey rolled = certify(authority_spec("Authority"), &scene.bench.root);
    scene.bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{scene.authority.certificate, rolled.certificate})};
    constexpr const char* kPoint = "[point]\nfullname=URI:http://crl.example/a\n";
    scene.alice =
        certify({.more_extensions = "crlDistributionPoints=point\n", .sections = kPoint}, &scene.authority).certificate;
    // It names the place that the certificate does.
    const CrlSpec named{.extensions = "issuingDistributionPoint=critical,@point\n", .sections = kPoint};
    SECTION("the other key's is newer and does not list it") {
        scene.bench.add_crl(scene.lists_alice(), scene.authority);
        scene.bench.add_crl({.number = 2, .this_update = -1}, rolled);
        CHECK(revoked(scene.judge()));
    }
    SECTION("the other key's lists the same serial number") {
        scene.bench.add_crl({}, scene.authority);
        CrlSpec crl = scene.lists_alice();
        crl.this_update = -1;
        scene.bench.add_crl(crl, rolled);
        CHECK(revoked(scene.judge()));
    }
    SECTION("the other key's lists it, and its own came along") {
        scene.carried.crls = {Crl::from_der(make_crl({.this_update = -60}, scene.authority))};
        scene.bench.add_crl(scene.lists_alice(), rolled);
        CHECK(revoked(scene.judge()));
    }
    SECTION("the other key's came along") {
        scene.carried.crls = {Crl::from_der(make_crl({}, rolled))};
        CHECK(unknown(scene.judge(), "by another key"));
    }
    SECTION("its own has ended") {
        scene.bench.add_crl({.this_update = -120, .next_update = -60}, scene.authority);
        scene.bench.add_crl({.number = 2, .this_update = -1}, rolled);
        CHECK(unknown(scene.judge(), "does not count"));
        scene.bench.source->here.at_points = {Crl::from_der(make_crl(named, rolled))};
        CHECK(good(scene.judge()));
        scene.bench.add_crl({.number = 4}, scene.authority);
        CHECK(good(scene.judge()));
        scene.bench.source->here.at_points = {Crl::from_der(make_crl(scene.lists_alice(), rolled))};
        CHECK(revoked(scene.judge()));
    }
    SECTION("its own is in force and for some reasons alone") {
        const Crl some = Crl::from_der(make_crl({.extensions = "issuingDistributionPoint=critical,@idp\n",
                                                 .sections = "[idp]\nonlysomereasons=keyCompromise\n"},
                                                scene.authority));
        scene.bench.source->here.at_points = {Crl::from_der(make_crl(named, rolled))};
        scene.carried.crls = {some};
        CHECK(good(scene.judge()));
        scene.bench.source->here.crls.push_back(some);
        CHECK(unknown(scene.judge(), "there is one by the key"));
    }
    SECTION("its own has ended and came along, and another is where the certificate says") {
        scene.bench.source->here.at_points = {Crl::from_der(make_crl(named, rolled))};
        scene.carried.crls = {Crl::from_der(make_crl({.this_update = -120, .next_update = -60}, scene.authority))};
        CHECK(good(scene.judge()));
    }
    SECTION("there is none of its own") {
        scene.bench.add_crl({}, rolled);
        CHECK(unknown(scene.judge(), "does not name the place"));
        scene.bench.add_crl(scene.lists_alice(), rolled);
        CHECK(revoked(scene.judge()));
    }
    SECTION("there is none of its own, and the other's came from where the certificate says") {
        // Over http, anybody on the way may have put it there.
        scene.bench.source->here.at_points = {Crl::from_der(make_crl({}, rolled))};
        CHECK(unknown(scene.judge(), "does not name the place"));
        scene.bench.source->here.at_points = {Crl::from_der(make_crl(scene.lists_alice(), rolled))};
        CHECK(revoked(scene.judge()));
    }
    SECTION("there is none of its own, and the other's names another place") {
        const CrlSpec elsewhere{.extensions = named.extensions,
                                .sections = "[point]\nfullname=URI:http://crl.example/b\n"};
        scene.bench.source->here.at_points = {Crl::from_der(make_crl(elsewhere, rolled))};
        CHECK(scene.judge().revocation == RevocationState::unknown);
    }
    SECTION("there is none of its own, and the other's names the place that the certificate does") {
        scene.carried.crls = {Crl::from_der(make_crl(named, rolled))};
        CHECK(unknown(scene.judge(), "it came along"));
        scene.bench.add_crl(named, rolled);
        CHECK(good(scene.judge()));
        CrlSpec of_one_key = named;
        of_one_key.extensions += "1.3.6.1.4.1.311.21.1=DER:020101";
        scene.bench.source->here.crls.pop_back();
        scene.bench.add_crl(of_one_key, rolled);
        CHECK(unknown(scene.judge(), "what another key of the issuer has signed"));
    }
}

TEST_CASE("a hold is not lifted by a delta CRL of another of the issuer's keys") {
    AuthorityBench scene;
    const SoftwareKey rolled = certify(authority_spec("Authority"), &scene.bench.root);
    scene.bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{scene.authority.certificate, rolled.certificate})};
    CrlSpec hold = scene.lists_alice();
    hold.entries.front().reason = "certificateHold";
    scene.bench.add_crl(hold, scene.authority);
    CHECK(revoked(scene.judge()));
    const CrlSpec release{.entries = {{.certificate = scene.alice, .reason = "removeFromCRL"}},
                          .number = 2,
                          .base_number = 1,
                          .this_update = -10};
    scene.bench.add_crl(release, rolled);
    CHECK(revoked(scene.judge()));
    scene.bench.add_crl(release, scene.authority);
    CHECK(good(scene.judge()));
}

TEST_CASE("a list for one key of an authority says nothing of what its other keys have signed") {
    RevocationBench bench;
    const auto version = [](int number) {
        CertificateSpec spec = authority_spec("Authority");
        spec.more_extensions = "1.3.6.1.4.1.311.21.1=DER:" + hex(der_integer(static_cast<unsigned>(number)));
        return spec;
    };
    const SoftwareKey first = certify(version(0), &bench.root);
    const SoftwareKey second = certify(version(0x10001), &bench.root);
    const Certificate alice = certify({}, &first).certificate;
    bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{first.certificate, second.certificate})};
    bench.add_crl({});
    bench.source->here.at_points = {Crl::from_der(make_crl({}, second))};
    CHECK(unknown(bench.judge(alice), "what another key of the issuer has signed"));
    bench.add_crl({}, first);
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a namesake of the issuer that others have certified cannot sign its CRLs") {
    AuthorityBench scene;
    CertificateSpec narrow = authority_spec("Web Authority");
    narrow.extended_key_usage = "serverAuth";
    const SoftwareKey web = certify(narrow, &scene.bench.root);
    const SoftwareKey elsewhere = certify(authority_spec("Elsewhere"), &scene.bench.root);
    scene.bench.add_crl({}, web);
    scene.bench.add_crl({}, elsewhere);
    for (const SoftwareKey* issuer : {&web, &elsewhere}) {
        const SoftwareKey namesake = certify(authority_spec("Authority"), issuer);
        scene.bench.surplus = {web.certificate, elsewhere.certificate, namesake.certificate};
        scene.carried.crls = {Crl::from_der(make_crl({}, namesake))};
        CHECK(unknown(scene.judge(), "certified by others"));
    }
}

TEST_CASE("authorities of limited purposes or names do not certify who signs indirect CRLs") {
    AuthorityBench scene;
    scene.alice = scene.listed_elsewhere();
    CertificateSpec web = authority_spec("Sub");
    web.extended_key_usage = "serverAuth";
    CertificateSpec constrained = authority_spec("Sub");
    constrained.more_extensions = "nameConstraints=permitted;email:example.org\n";
    const auto judged = [&](const CertificateSpec& spec) {
        const SoftwareKey sub = certify(spec, &scene.bench.root);
        const SoftwareKey lister = certify(authority_spec("Lister"), &sub);
        scene.bench.source->here.crls.clear();
        scene.bench.add_crl({});
        scene.bench.add_crl({}, sub);
        scene.bench.add_crl(AuthorityBench::indirect(), lister);
        scene.bench.surplus = {sub.certificate};
        scene.bench.trust.intermediates = {
            std::make_shared<MemoryCertificates>(std::vector{scene.authority.certificate, lister.certificate})};
        return scene.judge();
    };
    CHECK(good(judged(authority_spec("Sub"))));
    CHECK(unknown(judged(web), "not meant for e-mail"));
    CHECK(unknown(judged(constrained), "may only certify some names"));
}
