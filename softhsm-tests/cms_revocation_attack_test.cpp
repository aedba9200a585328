// What a message's sender may carry along, and what another authority may sign, so that a revocation is not seen.

#include <catch2/catch.hpp>

#include "cms/der.h"
#include "cms/revocation.h"
#include "mime/hex.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

/// Scene is Alice, whose certificate an intermediate authority has issued that the user has.
struct Scene {
    RevocationBench bench;
    SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    Certificate alice = certify({}, &authority).certificate;
    RevocationEvidence carried;

    Scene() {
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
        bench.add_crl({});
    }
    PathVerdict judge() const { return validate(alice, bench.surplus, bench.trust, Use::signing, {}, carried); }
    CrlSpec lists_alice() const { return {.entries = {{.certificate = alice, .reason = "keyCompromise"}}}; }
    /// listed_elsewhere is a certificate whose revocation another authority, "Lister", tells of in its indirect CRL.
    Certificate listed_elsewhere() const {
        return certify({.more_extensions = "crlDistributionPoints=point\n",
                        .sections = "[point]\nfullname=URI:http://crl.example/i\nCRLissuer=dirName:lister\n"
                                    "[lister]\nO=Example\nCN=Lister\n"},
                       &authority)
            .certificate;
    }
};

CrlSpec indirect() {
    return {.extensions = "issuingDistributionPoint=critical,@idp\n",
            .sections = "[idp]\nfullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"};
}

CertificateSpec responder_spec() {
    CertificateSpec spec{
        .name = "Responder", .key_usage = "critical,digitalSignature", .extended_key_usage = "OCSPSigning"};
    spec.more_extensions = "noCheck=ignored\n";
    return spec;
}

SoftwareKey forger(const std::string& name) {
    return certify(authority_spec(name));
}

}  // namespace

TEST_CASE("no number of CRLs that came along hides what the user's own say") {
    Scene scene;
    scene.bench.add_crl(scene.lists_alice(), scene.authority);
    CHECK(revoked(scene.judge()));
    const SoftwareKey eve = forger("Authority");
    for (int i = 0; i < 40; ++i)
        scene.carried.crls.push_back(Crl::from_der(make_crl({.number = i, .this_update = -1}, eve)));
    CHECK(revoked(scene.judge()));

    // Nor do delta CRLs.
    scene.bench.source->here.crls.clear();
    scene.bench.add_crl({});
    scene.bench.add_crl({.number = 1, .this_update = -60}, scene.authority);
    CrlSpec delta = scene.lists_alice();
    delta.number = 2;
    delta.base_number = 1;
    delta.entries.front().reason = "certificateHold";
    scene.bench.add_crl(delta, scene.authority);
    CHECK(revoked(scene.judge()));
    for (int i = 0; i < 40; ++i)
        scene.carried.crls.push_back(
            Crl::from_der(make_crl({.number = 3 + i, .base_number = 1, .this_update = -1}, eve)));
    CHECK(revoked(scene.judge()));
}

TEST_CASE("no number of OCSP responses that came along hides what a responder says") {
    Scene scene;
    const auto response = [&](const OcspSpec& spec, const SoftwareKey& responder) {
        return RevocationEvidence::Ocsp{
            OcspResponse::from_der(make_ocsp(spec, scene.alice, scene.authority.certificate, responder))};
    };
    scene.bench.source->responders.ocsp = {response({.status = OcspSpec::Status::revoked}, scene.authority)};
    const SoftwareKey eve = forger("Authority");
    for (int i = 0; i < 40; ++i)
        scene.carried.ocsp.push_back(response({}, eve));
    scene.carried.crls.push_back(Crl::from_der(make_crl({.this_update = -90}, scene.authority)));
    CHECK(revoked(scene.judge()));
}

TEST_CASE("no number of certificates that came along hides who has signed an indirect CRL") {
    Scene scene;
    const SoftwareKey signers = certify(authority_spec("Signers"), &scene.bench.root);
    const SoftwareKey lister = certify(authority_spec("Lister"), &signers);
    scene.alice = scene.listed_elsewhere();
    scene.bench.trust.intermediates = {std::make_shared<MemoryCertificates>(
        std::vector{scene.authority.certificate, signers.certificate, lister.certificate})};
    scene.bench.add_crl({}, signers);
    CrlSpec crl = indirect();
    crl.entries = {{.certificate = scene.alice, .names_issuer = true}};
    scene.bench.add_crl(crl, lister);
    CHECK(revoked(scene.judge()));

    SECTION("by its name") {
        for (int i = 0; i < 30; ++i)
            scene.bench.surplus.push_back(forger("Lister").certificate);
        CHECK(revoked(scene.judge()));
    }
    SECTION("by its issuer's name") {
        const PrivateKey key = new_private_key(KeyKind::p256);
        for (int i = 0; i < 210; ++i)
            scene.bench.surplus.push_back(certify_key(key, authority_spec("Signers"), nullptr));
        CHECK(revoked(scene.judge()));
    }
}

TEST_CASE("what is revoked on one path is revoked on all") {
    Scene scene;
    const Certificate renewed = certify_key(scene.authority.key, authority_spec("Authority"), &scene.bench.root);
    scene.bench.source->here.ocsp = {
        {OcspResponse::from_der(make_ocsp({.status = OcspSpec::Status::revoked, .since = -90}, scene.alice,
                                          scene.authority.certificate, scene.authority))}};
    CHECK(revoked(scene.judge()));
    scene.bench.surplus = {renewed};
    CHECK(revoked(scene.judge()));

    // A responder that the authority has certified answers for all certificates of the authority's key.
    const SoftwareKey responder = certify(responder_spec(), &scene.authority);
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

TEST_CASE("where evidence does not count on one path, another is looked at") {
    Scene scene;
    const SoftwareKey other_root = certify(authority_spec("Another Root"));
    const Certificate crossed = certify_key(scene.authority.key, authority_spec("Authority"), &other_root);
    const SoftwareKey lister = certify(authority_spec("Lister"), &scene.bench.root);
    scene.alice = scene.listed_elsewhere();
    scene.bench.trust.anchors = trust_in({other_root.certificate, scene.bench.root.certificate}).anchors;
    scene.bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{crossed, scene.authority.certificate, lister.certificate})};
    scene.bench.add_crl({}, other_root);
    CrlSpec crl = indirect();
    crl.entries = {{.certificate = scene.alice, .names_issuer = true}};
    scene.bench.add_crl(crl, lister);
    CHECK(revoked(scene.judge()));
}

TEST_CASE("the CRL of the key that signed a certificate comes before those of the issuer's other keys") {
    Scene scene;
    const SoftwareKey rolled = certify(authority_spec("Authority"), &scene.bench.root);
    scene.bench.trust.intermediates = {
        std::make_shared<MemoryCertificates>(std::vector{scene.authority.certificate, rolled.certificate})};
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
    }
    SECTION("there is none of its own") {
        scene.bench.add_crl({}, rolled);
        CHECK(unknown(scene.judge(), "not from where the certificate says"));
        scene.bench.add_crl(scene.lists_alice(), rolled);
        CHECK(revoked(scene.judge()));
    }
    SECTION("there is none of its own, and the other's is where the certificate says") {
        scene.bench.source->here.at_points = {Crl::from_der(make_crl({}, rolled))};
        CHECK(good(scene.judge()));
        scene.bench.source->here.at_points = {
            Crl::from_der(make_crl({.extensions = "1.3.6.1.4.1.311.21.1=DER:020101"}, rolled))};
        CHECK(unknown(scene.judge(), "what another key of the issuer has signed"));
    }
    SECTION("there is none of its own, and the other's names the place that the certificate does") {
        constexpr const char* kPoint = "[point]\nfullname=URI:http://crl.example/a\n";
        scene.alice =
            certify({.more_extensions = "crlDistributionPoints=point\n", .sections = kPoint}, &scene.authority)
                .certificate;
        const CrlSpec named{.extensions = "issuingDistributionPoint=critical,@point\n", .sections = kPoint};
        scene.carried.crls = {Crl::from_der(make_crl(named, rolled))};
        CHECK(unknown(scene.judge(), "it came along"));
        scene.bench.add_crl(named, rolled);
        CHECK(good(scene.judge()));
    }
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

TEST_CASE("a delta CRL is fetched whatever came along") {
    Scene scene;
    scene.bench.add_crl({.number = 1, .this_update = -60, .extensions = "freshestCRL=URI:http://crl.example/delta"},
                        scene.authority);
    CrlSpec delta = scene.lists_alice();
    delta.number = 3;
    delta.base_number = 1;
    scene.bench.source->deltas.crls = {Crl::from_der(make_crl(delta, scene.authority))};
    CHECK(revoked(scene.judge()));
    SECTION("an older delta CRL") {
        scene.carried.crls = {
            Crl::from_der(make_crl({.number = 2, .base_number = 1, .this_update = -50}, scene.authority))};
    }
    SECTION("an OCSP response") {
        scene.carried.ocsp = {{OcspResponse::from_der(
            make_ocsp({.this_update = -50}, scene.alice, scene.authority.certificate, scene.authority))}};
    }
    SECTION("a newer CRL that names no place of delta CRLs") {
        scene.carried.crls = {Crl::from_der(make_crl({.number = 2, .this_update = -50}, scene.authority))};
    }
    CHECK(revoked(scene.judge()));
}

TEST_CASE("no number of certificates that came along pushes out those of the path") {
    Scene scene;
    const SoftwareKey upper = certify(authority_spec("Upper"), &scene.bench.root);
    const SoftwareKey lower = certify(authority_spec("Lower"), &upper);
    const SoftwareKey responder = certify(responder_spec(), &lower);
    scene.alice = certify({}, &lower).certificate;
    scene.bench.trust.intermediates.clear();
    scene.bench.surplus = {lower.certificate, upper.certificate};
    const PrivateKey key = new_private_key(KeyKind::p256);
    for (int i = 0; i < 198; ++i)
        scene.bench.surplus.push_back(certify_key(key, authority_spec("Lower"), nullptr));
    scene.bench.source->here.ocsp = {{OcspResponse::from_der(
        make_ocsp({.status = OcspSpec::Status::revoked}, scene.alice, lower.certificate, responder))}};
    CHECK(revoked(scene.judge()));
}

TEST_CASE("a hold in evidence that has ended makes older evidence out of date, and newer evidence lifts it") {
    Scene scene;
    CrlSpec hold = scene.lists_alice();
    hold.entries.front().reason = "certificateHold";
    hold.entries.front().since = -100;
    hold.this_update = -60;
    hold.next_update = -10;
    hold.number = 2;
    SECTION("a newer CRL") {
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        scene.bench.add_crl(hold, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer"));
    }
    SECTION("a delta CRL") {
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        hold.base_number = 1;
        scene.bench.add_crl(hold, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer"));
    }
    SECTION("an OCSP response is newer") {
        hold.next_update = 60;
        scene.bench.add_crl(hold, scene.authority);
        CHECK(revoked(scene.judge()));
        scene.bench.source->here.ocsp = {{OcspResponse::from_der(
            make_ocsp({.this_update = -10}, scene.alice, scene.authority.certificate, scene.authority))}};
        CHECK(good(scene.judge()));
    }
}

TEST_CASE("what is listed as revoked from a time to come is revoked now") {
    Scene scene;
    CrlSpec ahead = scene.lists_alice();
    ahead.entries.front().since = 3;
    scene.bench.add_crl(ahead, scene.authority);
    CHECK(revoked(scene.judge()));
    // At an earlier time it was not.
    scene.bench.at(-20);
    CHECK(good(scene.judge()));
}

TEST_CASE("a namesake of the issuer that others have certified cannot sign its CRLs") {
    Scene scene;
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
    Scene scene;
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
        scene.bench.add_crl(indirect(), lister);
        scene.bench.surplus = {sub.certificate, lister.certificate};
        return scene.judge();
    };
    CHECK(good(judged(authority_spec("Sub"))));
    CHECK(unknown(judged(web), "not meant for e-mail"));
    CHECK(unknown(judged(constrained), "may only certify some names"));
}

TEST_CASE("a certificate that was revoked stays so, however old the evidence is") {
    Scene scene;
    CrlSpec old = scene.lists_alice();
    old.this_update = -120;
    old.next_update = -60;
    SECTION("by a CRL that has ended") {
        old.entries.front().since = -180;
        scene.bench.add_crl(old, scene.authority);
        CHECK(revoked(scene.judge()));
    }
    SECTION("not where it was on hold") {
        old.entries.front().since = -180;
        old.entries.front().reason = "certificateHold";
        scene.bench.add_crl(old, scene.authority);
        CHECK(unknown(scene.judge(), "nothing newer"));
    }
    SECTION("by an OCSP response that has ended") {
        scene.bench.source->here.ocsp = {{OcspResponse::from_der(
            make_ocsp({.status = OcspSpec::Status::revoked, .since = -180, .this_update = -120, .next_update = -60},
                      scene.alice, scene.authority.certificate, scene.authority))}};
        CHECK(revoked(scene.judge()));
    }
    SECTION("not by one that nobody has signed") {
        scene.bench.add_crl(old, forger("Authority"));
        CHECK(unknown(scene.judge(), "does not count"));
    }
    SECTION("by a delta CRL without its base, or for another one") {
        CrlSpec delta = scene.lists_alice();
        delta.number = 9;
        delta.base_number = 8;
        scene.bench.add_crl(delta, scene.authority);
        CHECK(revoked(scene.judge()));
        scene.bench.add_crl({.number = 1, .this_update = -90}, scene.authority);
        CHECK(revoked(scene.judge()));
    }
    SECTION("a hold in a delta CRL counts until something newer says otherwise") {
        CrlSpec delta = scene.lists_alice();
        delta.entries.front().reason = "certificateHold";
        delta.number = 9;
        delta.base_number = 8;
        scene.bench.add_crl(delta, scene.authority);
        CHECK(revoked(scene.judge()));
        scene.bench.add_crl({.number = 10, .this_update = -1}, scene.authority);
        CHECK(good(scene.judge()));
    }
    SECTION("a delta CRL releases what was on hold alone") {
        for (const auto& [reason, released] : {std::pair("certificateHold", true), std::pair("keyCompromise", false)}) {
            scene.bench.source->here.crls.clear();
            scene.bench.add_crl({});
            CrlSpec base = scene.lists_alice();
            base.entries.front().reason = reason;
            scene.bench.add_crl(base, scene.authority);
            CrlSpec delta{.entries = {{.certificate = scene.alice, .since = -20, .reason = "removeFromCRL"}}};
            delta.number = 2;
            delta.base_number = 1;
            delta.this_update = -10;
            scene.bench.add_crl(delta, scene.authority);
            CHECK((released ? good(scene.judge()) : revoked(scene.judge())));
        }
    }
}
