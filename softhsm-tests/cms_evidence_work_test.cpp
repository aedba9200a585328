// What it takes to find out who has signed evidence, where a message's sender carries whatever he likes along.
#include "cms/evidence_work.h"

#include <catch2/catch.hpp>

#include "mime/limit.h"
#include "softhsm-tests/cms_revocation.h"
#include "softhsm-tests/cms_timestamp.h"
#include "softhsm-tests/support/large_key.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

using Status = OcspSpec::Status;

/// Flood is Alice, and evidence and certificates in her issuer's name by others.
struct Flood {
    RevocationBench bench;
    SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    Certificate alice = certify({}, &authority).certificate;
    RevocationEvidence carried;

    Flood() {
        bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
        bench.add_crl({});
    }
    PathVerdict judge() const { return validate(alice, bench.surplus, bench.trust, Use::signing, {}, carried); }

    // certificates are as many as are tried for one signature.
    static std::vector<Certificate> certificates(const CertificateSpec& spec, const PrivateKey& key) {
        std::vector<Certificate> made;
        for (int i = 0; i < 20; ++i)
            made.push_back(certify_key(key, spec, nullptr));
        return made;
    }
    void carry_crls(const SoftwareKey& by) {
        for (int i = 0; i < 32; ++i)
            carried.crls.push_back(Crl::from_der(make_crl({.number = i, .this_update = -1}, by)));
    }
    RevocationEvidence::Ocsp response(const OcspSpec& spec, const SoftwareKey& by) const {
        return {OcspResponse::from_der(make_ocsp(spec, alice, authority.certificate, by))};
    }
    void carry_responses(const SoftwareKey& by) {
        const std::vector<Certificate> others = certificates(responder_spec(), new_private_key(KeyKind::p256));
        for (int i = 0; i < 32; ++i)
            carried.ocsp.push_back(response({.with_certificate = false, .before = others}, by));
    }
    static CertificateSpec responder_spec() {
        return {.name = "Responder",
                .alternative_name = {},
                .key_usage = "critical,digitalSignature",
                .extended_key_usage = "OCSPSigning",
                .more_extensions = "noCheck=ignored"};
    }
};

// What may be tried of what came along, the path's own certificates with each CRL, and who may have issued them.
constexpr std::size_t kEnough = kMaxCarriedTries + 60;

}  // namespace

TEST_CASE("certificates that came along are tried as signers of evidence up to a limit") {
    Flood flood;
    CHECK(flood.judge().verifications < 10);
    SECTION("of CRLs that none of them has signed") {
        flood.bench.surplus = Flood::certificates(authority_spec("Authority"), new_private_key(KeyKind::p256));
        flood.carry_crls(certify(authority_spec("Authority")));
        CHECK(flood.judge().verifications > kMaxCarriedTries);
        CHECK(flood.judge().verifications < kEnough);
    }
    SECTION("of CRLs that all of them have signed") {
        const SoftwareKey eve = certify(authority_spec("Authority"));
        flood.bench.surplus = Flood::certificates(authority_spec("Authority"), eve.key);
        flood.carry_crls(eve);
        CHECK(flood.judge().verifications < kEnough + 20);
    }
    SECTION("of CRLs by them, that seem to lead to the anchor") {
        SoftwareKey eve = certify(authority_spec("Mallory"));
        const SoftwareKey false_root = certify(authority_spec("Test Root"));
        CertificateSpec spec = authority_spec("Authority");
        spec.authority_key_identifier = "";
        for (int i = 0; i < 20; ++i)
            flood.bench.surplus.push_back(certify_key(eve.key, spec, &false_root));
        eve.certificate = flood.bench.surplus.front();
        flood.carry_crls(eve);
        CHECK(flood.judge().verifications < kEnough + 100);
    }
    SECTION("of responses") {
        flood.carry_responses(certify(Flood::responder_spec()));
        CHECK(flood.judge().verifications > kMaxCarriedTries);
        CHECK(flood.judge().verifications < kEnough);
    }
}

TEST_CASE("nothing that came along keeps the user's own evidence from counting") {
    Flood flood;
    flood.bench.surplus = Flood::certificates(authority_spec("Authority"), new_private_key(KeyKind::p256));
    flood.carry_crls(certify(authority_spec("Authority")));
    flood.carry_responses(certify(Flood::responder_spec()));
    CHECK(unknown(flood.judge(), ""));
    SECTION("a CRL") {
        flood.bench.add_crl({.entries = {{.certificate = flood.alice}}}, flood.authority);
        CHECK(revoked(flood.judge()));
    }
    SECTION("a responder's answer with its certificate") {
        flood.bench.source->responders.ocsp = {
            flood.response({.status = Status::revoked}, certify(Flood::responder_spec(), &flood.authority))};
        CHECK(revoked(flood.judge()));
    }
    SECTION("a responder's answer that was asked for once before") {
        flood.bench.source->here.ocsp = {flood.response({}, certify(Flood::responder_spec(), &flood.authority))};
        CHECK(good(flood.judge()));
    }
}

TEST_CASE("evidence that came along counts by whom has signed it, and is verified once") {
    Flood flood;
    const SoftwareKey responder = certify(Flood::responder_spec(), &flood.authority);
    flood.carried.ocsp = {flood.response({}, responder)};
    CHECK(good(flood.judge()));
    const std::size_t once = flood.judge().verifications;
    CHECK(once < 10);
    flood.carried.ocsp = {flood.response({.status = Status::revoked}, responder)};
    CHECK(revoked(flood.judge()));

    // However often it is weighed: at hand, with what came along, and after each that was asked.
    Flood plain;
    plain.bench.add_crl({.this_update = -60 * 24 * 2, .next_update = -60 * 24}, plain.authority);
    CHECK(unknown(plain.judge(), "has ended"));
    CHECK(plain.judge().verifications == 2);  // with the CRL that tells of the authority
}

TEST_CASE("certificates that came along with keys that take long to verify with are not tried") {
    const auto verifications = [](const PrivateKey& key) {
        Flood flood;
        flood.carried.crls = {Crl::from_der(make_crl({}, certify(authority_spec("Authority"))))};
        const std::size_t before = flood.judge().verifications;
        flood.bench.surplus = {certify_key(key, authority_spec("Authority"), &flood.bench.root)};
        return flood.judge().verifications - before;
    };
    // As the CRL's signer, and as an issuer.
    CHECK(verifications(new_private_key(KeyKind::p256)) == 2);
    CHECK(verifications(rsa_key(8'192, 33)) == 2);
    CHECK(verifications(rsa_key(8'200, 17)) == 0);
    CHECK(verifications(rsa_key(2'048, 34)) == 0);
}

TEST_CASE("what the last signer's evidence takes counts as the work of a mail") {
    TimestampBench world;
    const auto source = std::make_shared<TestSource>();
    source->here.crls.push_back(
        Crl::from_der(make_crl({.entries = {{.certificate = world.alice.certificate}}}, world.bench.intermediate)));
    world.trust.revocation = source;
    const auto mail = [&](std::size_t count) {
        const auto stamps = [&](ByteView signature) {
            std::string tokens;
            for (std::size_t i = 0; i < count; ++i)
                tokens += token(world.authority, {.stamped = text_of(signature)});
            return der_value(tag::kSequence, {der_oid(oid::kTimestampToken), der_value(tag::kSet, bytes_of(tokens))});
        };
        const Bytes info = craft::signer_info({.key = world.alice,
                                               .attributes = craft::usual_attributes(kTimestampedContent),
                                               .content = kTimestampedContent,
                                               .unsigned_over = stamps});
        std::vector<Certificate> certificates{world.alice.certificate};
        for (const Certificate& each :
             Flood::certificates(authority_spec("Test Intermediate"), new_private_key(KeyKind::p256)))
            certificates.push_back(each);
        std::vector<Bytes> crls;
        const SoftwareKey eve = certify(authority_spec("Test Intermediate"));
        for (int i = 0; i < 32; ++i)
            crls.push_back(make_crl({.number = i}, eve));
        return craft::signed_data({.content = kTimestampedContent,
                                   .signer_infos = {info},
                                   .certificates = certificates,
                                   .revocation_infos = crls});
    };
    CHECK(world.bench.verify(mail(2), world.trust).signer().revocation == smime::Revocation::revoked);
    const Error error = caught([&] { world.bench.verify(mail(15), world.trust); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK_THAT(error.what(), Catch::Contains("more than 1000 signatures to be verified"));
}
