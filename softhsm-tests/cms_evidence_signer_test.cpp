// Who may sign CRLs and OCSP responses, where there is more than one way to an anchor, or the signer has ended since.

#include "cms/evidence_signer.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

using Status = OcspSpec::Status;

/// Listers is Alice, whose revocation an indirect CRL tells of, by an authority that another authority has certified.
struct Listers {
    RevocationBench bench;
    SoftwareKey signers = certify(authority_spec("Signers"), &bench.root);
    SoftwareKey lister = certify(authority_spec("Lister"), &signers);
    Certificate alice = bench.issue({.more_extensions = "crlDistributionPoints=point\n",
                                     .sections = "[point]\nfullname=URI:http://crl.example/i\n"
                                                 "CRLissuer=dirName:lister\n[lister]\nO=Example\nCN=Lister\n",
                                     .authority_key_identifier = "keyid,issuer:always"});  // of one root alone

    /// judge has a list that tells of Alice, and the CRLs that tell of who has signed it.
    PathVerdict judge(bool listed, std::vector<Certificate> anchors, std::vector<Certificate> others) {
        bench.trust = trust_in(std::move(anchors), std::move(others));
        bench.trust.revocation = bench.source;
        bench.source->here.crls.clear();
        // Some reasons alone, so that it tells of Signers but does not make Alice good.
        bench.add_crl({.extensions = "issuingDistributionPoint=critical,@idp\n", .sections = "[idp]\nonlyCA=TRUE\n"});
        bench.add_crl({}, signers);
        CrlSpec list{.extensions = "issuingDistributionPoint=critical,@idp\n",
                     .sections = "[idp]\nfullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"};
        if (listed) list.entries = {{.certificate = alice, .names_issuer = true}};
        bench.add_crl(list, lister);
        return bench.judge(alice);
    }
};

CertificateSpec responder_spec() {
    return {.name = "Responder",
            .alternative_name = {},
            .key_usage = "critical,digitalSignature",
            .extended_key_usage = "OCSPSigning",
            .more_extensions = "noCheck=ignored"};
}

CertificateSpec ended(CertificateSpec spec) {
    spec.begins_in_days = -20;
    spec.ends_in_days = -10;
    return spec;
}

}  // namespace

TEST_CASE("who has signed an indirect CRL is looked for on all ways to the anchor") {
    Listers scene;
    const Certificate& root = scene.bench.root.certificate;
    const Certificate& signers = scene.signers.certificate;
    const Certificate& lister = scene.lister.certificate;
    CHECK(good(scene.judge(false, {root}, {signers, lister})));
    CHECK(revoked(scene.judge(true, {root}, {signers, lister})));
    SECTION("its authority is an anchor too") {
        CHECK(good(scene.judge(false, {root, signers}, {lister})));
        CHECK(revoked(scene.judge(true, {root, signers}, {lister})));
        CHECK(revoked(scene.judge(true, {signers, root}, {lister})));
        const PrivateKey key = new_private_key(KeyKind::p256);
        for (int i = 0; i < 40; ++i)
            scene.bench.surplus.push_back(certify_key(key, authority_spec("Signers"), &scene.bench.root));
        CHECK(revoked(scene.judge(true, {root, signers}, {lister})));
    }
    SECTION("it is an anchor itself") {
        CHECK(good(scene.judge(false, {root, lister}, {signers})));
        CHECK(revoked(scene.judge(true, {root, lister}, {signers})));
    }
    SECTION("its authority was certified by another anchor too") {
        const SoftwareKey other = certify(authority_spec("Other Root"));
        const Certificate crossed = certify_key(scene.signers.key, authority_spec("Signers"), &other);
        CHECK(good(scene.judge(false, {other.certificate, root}, {crossed, signers, lister})));
        CHECK(revoked(scene.judge(true, {other.certificate, root}, {crossed, signers, lister})));
        CHECK(unknown(scene.judge(true, {other.certificate, root}, {crossed, lister}), "leads to another anchor"));
    }
    SECTION("its authority has a certificate of limited purpose too") {
        CertificateSpec narrow = authority_spec("Signers");
        narrow.extended_key_usage = "serverAuth";
        const Certificate limited = certify_key(scene.signers.key, narrow, &scene.bench.root);
        CHECK(good(scene.judge(false, {root}, {limited, signers, lister})));
        CHECK(revoked(scene.judge(true, {root}, {limited, signers, lister})));
        CHECK(unknown(scene.judge(true, {root}, {limited, lister}), "not meant for e-mail"));
    }
}

TEST_CASE("who has signed an indirect CRL and came along may revoke alone, where others than the issuer's certify it") {
    Listers scene;
    const Certificate& root = scene.bench.root.certificate;
    const Certificate& signers = scene.signers.certificate;
    CHECK(good(scene.judge(false, {root}, {signers, scene.lister.certificate})));
    scene.bench.surplus = {scene.lister.certificate};
    CHECK(unknown(scene.judge(false, {root}, {signers}), "it came along, and is certified by others"));
    CHECK(revoked(scene.judge(true, {root}, {signers})));

    scene.lister = certify(authority_spec("Lister"), &scene.bench.root);
    scene.bench.surplus = {scene.lister.certificate};
    CHECK(good(scene.judge(false, {root}, {signers})));
    CHECK(revoked(scene.judge(true, {root}, {signers})));
}

TEST_CASE("what a CRL at hand lists whose signer is not known is not good by what is older") {
    Listers scene;
    RevocationBench& bench = scene.bench;
    bench.add_ocsp({.this_update = -60}, scene.alice);
    CHECK(good(bench.judge(scene.alice)));
    CrlSpec list{.extensions = "issuingDistributionPoint=critical,@idp\n",
                 .sections = "[idp]\nfullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"};
    bench.add_crl(list, scene.lister);
    CHECK(good(bench.judge(scene.alice)));
    list.entries = {{.certificate = scene.alice, .names_issuer = true}};
    // A message may carry what anybody has made.
    RevocationEvidence carried;
    carried.crls = {Crl::from_der(make_crl(list, scene.lister))};
    CHECK(good(validate(scene.alice, {}, bench.trust, Use::signing, {}, carried)));
    bench.add_crl(list, scene.lister);
    CHECK(unknown(bench.judge(scene.alice), "listed as revoked by a CRL whose signer is not known"));
    SECTION("it is known") {
        bench.add_crl({.extensions = "issuingDistributionPoint=critical,@idp\n", .sections = "[idp]\nonlyCA=TRUE\n"});
        bench.add_crl({}, scene.signers);
        bench.surplus = {scene.lister.certificate, scene.signers.certificate};
        CHECK(revoked(bench.judge(scene.alice)));
    }
    SECTION("something is newer") {
        bench.add_ocsp({.this_update = -10}, scene.alice);
        CHECK(good(bench.judge(scene.alice)));
    }
}

TEST_CASE("that a CRL lists a certificate is told where its signer is not known, unless it came along") {
    RevocationBench bench;
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    const SoftwareKey rekeyed = certify(authority_spec("Authority"), &bench.root);
    const Certificate alice = certify({}, &authority).certificate;
    const Certificate bob = certify({}, &authority).certificate;
    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
    bench.add_crl({});
    bench.add_crl({.next_update = -10}, authority);  // has ended
    const Crl listing = Crl::from_der(make_crl({.entries = {{.certificate = alice}}}, rekeyed));
    bench.source->here.at_points = {listing};
    const PathVerdict verdict = bench.judge(alice);
    CHECK(unknown(verdict, "is revoked is not known: it is listed as revoked, but the CRL of"));
    CHECK_THAT(verdict.revocation_reason, Catch::EndsWith("does not count: nobody known has signed it"));
    bench.surplus = {rekeyed.certificate};
    CHECK(revoked(bench.judge(alice)));

    const auto not_listed = [](const PathVerdict& other) {
        CHECK(unknown(other, "does not count"));
        return other.revocation_reason.find("is listed") == std::string::npos;
    };
    bench.surplus.clear();
    CHECK(not_listed(bench.judge(bob)));
    bench.source->here.at_points.clear();
    RevocationEvidence carried;
    carried.crls = {listing};
    CHECK(not_listed(validate(alice, {}, bench.trust, Use::signing, {}, carried)));
}

TEST_CASE("who has signed an indirect CRL may be below any anchor that the issuer is below") {
    RevocationBench bench;
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    const SoftwareKey lister = certify(authority_spec("Lister"), &bench.root);
    const Certificate alice =
        certify({.more_extensions = "crlDistributionPoints=point\n",
                 .sections = "[point]\nfullname=URI:http://crl.example/i\nCRLissuer=dirName:lister\n"
                             "[lister]\nO=Example\nCN=Lister\n"},
                &authority)
            .certificate;
    CrlSpec list{.entries = {{.certificate = alice, .names_issuer = true}},
                 .extensions = "issuingDistributionPoint=critical,@idp\n",
                 .sections = "[idp]\nfullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"};
    bench.add_crl({});
    bench.add_crl(list, lister);
    const auto judged = [&](std::vector<Certificate> anchors, std::vector<Certificate> others) {
        others.push_back(lister.certificate);
        bench.trust = trust_in(std::move(anchors), std::move(others));
        bench.trust.revocation = bench.source;
        return bench.judge(alice);
    };
    const Certificate& root = bench.root.certificate;
    const Certificate self_signed = certify_key(authority.key, authority_spec("Authority"), nullptr);
    CHECK(revoked(judged({root}, {authority.certificate})));
    CHECK(revoked(judged({root, authority.certificate}, {})));
    CHECK(revoked(judged({self_signed, root}, {authority.certificate})));
    CHECK(unknown(judged({self_signed, root}, {}), "leads to another anchor"));
    CertificateSpec narrow = authority_spec("Authority");
    narrow.extended_key_usage = "serverAuth";
    CHECK(unknown(judged({self_signed, root}, {certify_key(authority.key, narrow, &bench.root)}),
                  "leads to another anchor"));
}

TEST_CASE("a root that was renewed is the same root where the user trusts both certificates") {
    Listers scene;
    const SoftwareKey& old = scene.bench.root;
    const auto exact = [](CertificateSpec spec) {
        spec.authority_key_identifier = "keyid,issuer:always";  // names one certificate
        return spec;
    };
    SECTION("with the same key") {
        const SoftwareKey renewed{old.key, certify_key(old.key, authority_spec("Test Root"), nullptr)};
        const Certificate by_renewed = certify_key(scene.signers.key, exact(authority_spec("Signers")), &renewed);
        const std::vector others{by_renewed, scene.lister.certificate};
        CHECK(good(scene.judge(false, {old.certificate, renewed.certificate}, others)));
        CHECK(revoked(scene.judge(true, {old.certificate, renewed.certificate}, others)));
    }
    SECTION("with another key") {
        const SoftwareKey fresh = certify(authority_spec("Test Root"));
        const Certificate by_fresh = certify_key(scene.signers.key, authority_spec("Signers"), &fresh);
        const std::vector others{by_fresh, scene.lister.certificate};
        const auto judged = [&](bool trusted) {
            std::vector anchors{old.certificate};
            if (trusted) anchors.push_back(fresh.certificate);
            scene.judge(true, anchors, others);
            scene.bench.surplus = {fresh.certificate};
            scene.bench.add_crl(
                {.extensions = "issuingDistributionPoint=critical,@idp\n", .sections = "[idp]\nonlyCA=TRUE\n"}, fresh);
            return scene.bench.judge(scene.alice);
        };
        CHECK(unknown(judged(false), "is not to be trusted"));
        CHECK(revoked(judged(true)));
    }
    SECTION("with another key that signs the CRL itself") {
        const SoftwareKey fresh = certify(authority_spec("Test Root"));
        const Certificate bob = scene.bench.issue();
        scene.bench.add_crl({.entries = {{.certificate = bob}}}, fresh);
        scene.bench.surplus = {fresh.certificate};
        CHECK(unknown(scene.bench.judge(bob), "is not to be trusted"));
        scene.bench.trust.anchors = trust_in({old.certificate, fresh.certificate}).anchors;
        CHECK(revoked(scene.bench.judge(bob)));
        CHECK(unknown(scene.bench.judge(scene.bench.issue()), "another key"));
    }
    SECTION("with another key that has certified the issuer's new key") {
        const SoftwareKey fresh = certify(authority_spec("Test Root"));
        const SoftwareKey authority = certify(authority_spec("Authority"), &old);
        const SoftwareKey rolled = certify(authority_spec("Authority"), &fresh);
        const Certificate bob = certify({}, &authority).certificate;
        scene.bench.trust = trust_in({old.certificate, fresh.certificate}, {authority.certificate, rolled.certificate});
        scene.bench.trust.revocation = scene.bench.source;
        scene.bench.add_crl({});
        scene.bench.add_crl({}, fresh);
        scene.bench.add_crl({.entries = {{.certificate = bob}}}, rolled);
        CHECK(revoked(scene.bench.judge(bob)));
        scene.bench.trust.anchors = trust_in({old.certificate}).anchors;
        CHECK(unknown(scene.bench.judge(bob), "does not count"));
    }
}

TEST_CASE("what a signer that has ended since said to be revoked stays so, and nothing else that it said") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.begins_in_days = -30});
    const auto judged = [&](OcspSpec spec, const CertificateSpec& responder) {
        bench.source->here.ocsp.clear();
        spec.next_update = 100 * kDay;
        bench.add_ocsp(spec, alice, certify(responder, &bench.root));
        return bench.judge(alice);
    };
    const int then = -15 * kDay;
    const OcspSpec says_revoked{.status = Status::revoked, .since = then, .this_update = then, .produced_at = then};
    SECTION("a delegate") {
        CHECK(revoked(judged(says_revoked, ended(responder_spec()))));
        CHECK(unknown(judged({.this_update = then, .produced_at = then}, ended(responder_spec())), "has ended on"));
        OcspSpec afterwards = says_revoked;
        afterwards.produced_at = -5 * kDay;
        CHECK(unknown(judged(afterwards, ended(responder_spec())), "has ended on"));
    }
    SECTION("a delegate that is not known not to be revoked, and one that is revoked") {
        CertificateSpec spec = responder_spec();
        spec.more_extensions = {};
        CHECK(revoked(judged(says_revoked, ended(spec))));
        CHECK(revoked(judged({.status = Status::revoked}, spec)));
        CHECK(unknown(judged({}, spec), "not known not to be revoked"));
        const SoftwareKey responder = certify(spec, &bench.root);
        bench.source->here.ocsp.clear();
        bench.add_ocsp({.status = Status::revoked}, alice, responder);
        bench.add_crl({.entries = {{.certificate = responder.certificate}},
                       .extensions = "issuingDistributionPoint=critical,@idp\n",
                       .sections = "[idp]\nonlysomereasons=keyCompromise\n"});
        CHECK(unknown(bench.judge(alice), "is not to be trusted: it is revoked"));
    }
    SECTION("a delegate of nobody") {
        bench.add_ocsp(says_revoked, alice, certify(ended(responder_spec())));
        CHECK(unknown(bench.judge(alice), "is not to be trusted"));
    }
    SECTION("another key of the issuer that has signed a CRL") {
        const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
        CertificateSpec spec = ended(authority_spec("Authority"));
        const SoftwareKey former = certify(spec, &bench.root);
        const Certificate bob = certify({}, &authority).certificate;
        bench.surplus = {authority.certificate, former.certificate};
        bench.add_crl({});
        CrlSpec list{.entries = {{.certificate = bob, .since = then}}, .this_update = then, .next_update = kDay};
        bench.add_crl(list, former);
        CHECK(revoked(bench.judge(bob)));
        bench.source->here.crls.pop_back();
        list.entries.front().reason = "certificateHold";
        bench.add_crl(list, former);
        CHECK(unknown(bench.judge(bob), "has ended on"));
        bench.source->here.crls.pop_back();
        list.this_update = -5 * kDay;
        list.entries.front().reason = {};
        bench.add_crl(list, former);
        CHECK(unknown(bench.judge(bob), "has ended on"));
    }
}

TEST_CASE("a delegate is found wherever its certificate is") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const SoftwareKey responder = certify(responder_spec(), &bench.root);
    const bool by_key = GENERATE(false, true);
    SECTION("among the user's intermediates") {
        bench.add_ocsp({.with_certificate = false, .by_key = by_key}, alice, responder);
        CHECK(unknown(bench.judge(alice), "nobody known has signed it"));
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{responder.certificate})};
        CHECK(good(bench.judge(alice)));
    }
    SECTION("behind many others in the response") {
        OcspSpec spec{.by_key = by_key};
        const PrivateKey key = new_private_key(KeyKind::p256);
        for (int i = 0; i < 30; ++i)
            spec.before.push_back(certify_key(key, authority_spec(std::to_string(i)), &bench.root));
        bench.add_ocsp(spec, alice, responder);
        CHECK(good(bench.judge(alice)));
    }
    SECTION("behind many others in the mail") {
        bench.add_ocsp({.with_certificate = false, .by_key = by_key}, alice, responder);
        for (int i = 0; i < 30; ++i)
            bench.surplus.push_back(certify_key(
                responder.key,
                [&] {
                    CertificateSpec other = responder_spec();
                    other.name = std::to_string(i);
                    return other;
                }(),
                &bench.root));
        bench.surplus.push_back(responder.certificate);
        CHECK(good(bench.judge(alice)));
    }
}

TEST_CASE("no authority vouches for itself through a signer that it has certified") {
    RevocationBench bench;
    CertificateSpec spec = authority_spec("Authority");
    spec.more_extensions = "crlDistributionPoints=point\n";
    spec.sections =
        "[point]\nfullname=URI:http://crl.example/i\nCRLissuer=dirName:lister\n[lister]\nO=Example\nCN=Lister\n";
    const SoftwareKey authority = certify(spec, &bench.root);
    const Certificate alice = certify({}, &authority).certificate;
    const auto judged = [&](const SoftwareKey& certifier) {
        CertificateSpec lists = authority_spec("Lister", "critical,CA:FALSE");
        lists.key_usage = "critical,cRLSign";
        const SoftwareKey lister = certify(lists, &certifier);
        bench.surplus = {authority.certificate, lister.certificate};
        bench.source->here.crls.clear();
        bench.add_crl({.extensions = "issuingDistributionPoint=critical,@idp\n",
                       .sections = "[idp]\nfullname=URI:http://crl.example/i\nindirectCRL=TRUE\n"},
                      lister);
        bench.add_crl({}, authority);
        // Of Lister, and not of Authority.
        bench.add_crl({.extensions = "issuingDistributionPoint=critical,@idp\n", .sections = "[idp]\nonlyuser=TRUE\n"});
        return bench.judge(alice);
    };
    CHECK(good(judged(bench.root)));
    CHECK(unknown(judged(authority), "it is certified by whom it tells of"));
}
