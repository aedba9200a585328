// What a time-stamp proves below an authority whose key others know since, or may, as its certificate has ended.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_revocation.h"
#include "softhsm-tests/cms_timestamp.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

using Catch::Contains;

namespace {

CertificateSpec old(CertificateSpec spec) {
    spec.begins_in_days = -200;
    return spec;
}

// Mail is one that was signed and stamped 40 days ago.
struct Mail {
    SoftwareKey signer;
    std::vector<Certificate> above = {};  ///< that come along
    std::vector<Certificate> names = {};  ///< by ESS attributes, one each
    std::vector<Bytes> revocation_infos = {};
};

Bytes names_all(const std::vector<Certificate>& certificates) {
    Bytes all;
    for (const Certificate& each : certificates) {
        const Bytes hash = der_value(tag::kOctetString, digest_of(Hash::sha256, each.der()));
        const Bytes named = der_value(tag::kSequence, hash);
        all.insert(all.end(), named.begin(), named.end());
    }
    return craft::attribute(oid::kSigningCertificateV2, {der_value(tag::kSequence, der_value(tag::kSequence, all))});
}

ReadMail read_stamped(const CmsBench& bench, const Trust& trust, const SoftwareKey& stamper, const Mail& mail) {
    auto attributes = craft::usual_attributes(kTimestampedContent);
    if (!mail.names.empty()) attributes.push_back(names_all(mail.names));
    const auto stamp = [&](ByteView signature) {
        const std::string made = token(stamper, {.stamped = text_of(signature), .days_ago = 40});
        return der_value(tag::kSequence, {der_oid(oid::kTimestampToken), der_value(tag::kSet, bytes_of(made))});
    };
    const Bytes info = craft::signer_info(
        {.key = mail.signer, .attributes = attributes, .content = kTimestampedContent, .unsigned_over = stamp});
    std::vector<Certificate> along = mail.above;
    along.push_back(mail.signer.certificate);
    return bench.verify(craft::signed_data({.content = kTimestampedContent,
                                            .signer_infos = {info},
                                            .certificates = along,
                                            .revocation_infos = mail.revocation_infos}),
                        trust);
}

// Breach is an authority that the root has certified, and revoked 10 days ago.
struct Breach {
    CmsBench bench;
    SoftwareKey root = certify(old(authority_spec("Old Root")));
    SoftwareKey authority = certify(old(authority_spec("Authority")), &root);
    SoftwareKey stamper = certify(old(timestamping_spec()), &root);
    SoftwareKey alice = certify(old({}), &authority);
    std::shared_ptr<TestSource> source = std::make_shared<TestSource>();
    Trust trust = trust_in({root.certificate});

    explicit Breach(const std::string& reason = "keyCompromise") {
        trust.revocation = source;
        add_crl({.entries = {{.certificate = authority.certificate, .since = -10 * kDay, .reason = reason}}}, root);
    }
    void add_crl(const CrlSpec& spec, const SoftwareKey& issuer) {
        source->here.crls.push_back(Crl::from_der(make_crl(spec, issuer)));
    }
    ReadMail read(const Mail& mail) const { return read_stamped(bench, trust, stamper, mail); }
};

}  // namespace

TEST_CASE("a certificate that a compromised authority's key may have made since is not proved by a time-stamp") {
    Breach breach(GENERATE("keyCompromise", "CACompromise", "", "unspecified", "certificateHold"));
    const Mail unnamed{breach.alice, {breach.authority.certificate}};
    const ReadMail mail = breach.read(unnamed);
    CHECK(mail.report.exit_status() == 3);
    CHECK(mail.signer().time_basis == "timestamp");
    CHECK(mail.signer().revocation == Revocation::revoked);
    CHECK_THAT(*mail.signer().chain_reason, Contains("the certificate of CN=Authority,O=Example is revoked since"));
    CHECK_THAT(*mail.signer().chain_reason,
               Contains("nothing shows that the certificate of CN=Alice,O=Example was there before"));

    // What is signed names it: the time-stamp is over that too.
    Mail named = unnamed;
    named.names = {breach.alice.certificate};
    const ReadMail honest = breach.read(named);
    CHECK(honest.report.result == Result::valid);
    CHECK(honest.signer().time_basis == "timestamp");
    REQUIRE(honest.signer().revoked_since.size() == 1);
    CHECK(honest.signer().revoked_since.front().certificate == breach.authority.certificate);
}

TEST_CASE("what an authority certified that was retired since is proved by the time-stamp of a signature") {
    for (const char* reason : {"superseded", "cessationOfOperation", "affiliationChanged"}) {
        const Breach breach(reason);
        CHECK(breach.read({breach.alice, {breach.authority.certificate}}).report.result == Result::valid);
    }
}

TEST_CASE("a signer's own key that others know since signed before its time-stamp") {
    Breach breach("superseded");
    breach.add_crl(
        {.entries = {{.certificate = breach.alice.certificate, .since = -20 * kDay, .reason = "keyCompromise"}}},
        breach.authority);
    CHECK(breach.read({breach.alice, {breach.authority.certificate}}).report.result == Result::valid);
}

TEST_CASE("each certificate below a compromised authority is to be named, and may be on another path") {
    Breach breach;
    const SoftwareKey issuing = certify(old(authority_spec("Issuing")), &breach.authority);
    const SoftwareKey alice = certify(old({}), &issuing);
    Mail mail{alice, {issuing.certificate, breach.authority.certificate}, {alice.certificate}};
    const ReadMail one = breach.read(mail);
    CHECK(one.report.exit_status() == 3);
    CHECK_THAT(*one.signer().chain_reason, Contains("that the certificate of CN=Issuing,O=Example was there before"));
    mail.names = {alice.certificate, issuing.certificate};
    CHECK(breach.read(mail).report.result == Result::valid);

    mail.names.clear();
    CHECK(breach.read(mail).report.exit_status() == 3);
    const SoftwareKey healthy = certify(old(authority_spec("Healthy")), &breach.root);
    const Certificate crossed = certify_key(issuing.key, old(authority_spec("Issuing")), &healthy);
    mail.above.insert(mail.above.end(), {crossed, healthy.certificate});
    CHECK(breach.read(mail).report.result == Result::valid);
}

TEST_CASE("an authority's key that others know by another certificate of it proves nothing either") {
    Breach breach;
    const SoftwareKey other_root = certify(old(authority_spec("Other Root")));
    const Certificate crossed = certify_key(breach.authority.key, old(authority_spec("Authority")), &other_root);
    breach.trust = trust_in({breach.root.certificate, other_root.certificate});
    breach.trust.revocation = breach.source;
    breach.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{breach.authority.certificate})};
    Mail mail{breach.alice, {crossed}};
    breach.add_crl({.entries = {{.certificate = crossed, .since = -5 * kDay, .reason = "superseded"}}}, other_root);
    CHECK(breach.read(mail).report.exit_status() == 3);
    mail.names = {breach.alice.certificate};
    CHECK(breach.read(mail).report.result == Result::valid);
}

TEST_CASE("what came along makes nothing good below an authority whose key others know since") {
    Breach breach;
    breach.trust.require_revocation = true;
    const CrlSpec then{.number = 5, .this_update = -39 * kDay, .next_update = -32 * kDay};
    const auto exit_status = [&](const std::vector<Bytes>& along) {
        return breach.read({breach.alice, {breach.authority.certificate}, {breach.alice.certificate}, along})
            .report.exit_status();
    };
    SECTION("a CRL, whatever date it bears") {
        CHECK(exit_status({}) == 3);
        CHECK(exit_status({make_crl(then, breach.authority)}) == 3);
        breach.add_crl(then, breach.authority);
        CHECK(exit_status({}) == 0);
    }
    SECTION("a delta CRL") {
        breach.add_crl({.number = 4, .this_update = -50 * kDay, .next_update = -45 * kDay}, breach.authority);
        CrlSpec delta = then;
        delta.base_number = 4;
        CHECK(exit_status({make_crl(delta, breach.authority)}) == 3);
        breach.add_crl(delta, breach.authority);
        CHECK(exit_status({}) == 0);
    }
    SECTION("an OCSP response") {
        const OcspSpec spec{.this_update = -39 * kDay, .next_update = -32 * kDay, .produced_at = -39 * kDay};
        const Bytes response =
            make_ocsp(spec, breach.alice.certificate, breach.authority.certificate, breach.authority);
        CHECK(exit_status({der_value(tag::context(1, true), {der_oid(oid::kOcspResponse), response})}) == 3);
        breach.source->here.ocsp.push_back({OcspResponse::from_der(response)});
        CHECK(exit_status({}) == 0);
    }
    SECTION("nor does an OCSP response lift a hold") {
        breach.trust.require_revocation = false;
        const auto response = [&](int days) {
            const OcspSpec spec{.this_update = days * kDay, .next_update = -32 * kDay, .produced_at = days * kDay};
            return make_ocsp(spec, breach.alice.certificate, breach.authority.certificate, breach.authority);
        };
        breach.add_crl(
            {.entries = {{.certificate = breach.alice.certificate, .since = -60 * kDay, .reason = "certificateHold"}},
             .this_update = -50 * kDay,
             .next_update = -45 * kDay},
            breach.authority);
        CHECK(exit_status({}) == 3);
        CHECK(exit_status({der_value(tag::context(1, true), {der_oid(oid::kOcspResponse), response(-39)})}) == 3);
        breach.source->here.ocsp.push_back({OcspResponse::from_der(response(-39))});
        CHECK(exit_status({}) == 0);
    }
    SECTION("what revokes counts") {
        breach.add_crl(then, breach.authority);
        CrlSpec revoking = then;
        revoking.entries = {{.certificate = breach.alice.certificate, .since = -60 * kDay}};
        CHECK(exit_status({make_crl(revoking, breach.authority)}) == 3);
    }
    SECTION("the authority being retired, it does") {
        breach.source->here.crls.clear();
        breach.add_crl(
            {.entries = {{.certificate = breach.authority.certificate, .since = -10 * kDay, .reason = "superseded"}}},
            breach.root);
        CHECK(exit_status({}) == 3);
        CHECK(exit_status({make_crl(then, breach.authority)}) == 0);
    }
}

TEST_CASE("a responder whose key others know since makes nothing good") {
    Breach breach("superseded");
    CertificateSpec spec{
        .name = "Responder", .key_usage = "critical,digitalSignature", .extended_key_usage = "OCSPSigning"};
    const SoftwareKey responder = certify(old(spec), &breach.authority);
    const Bytes response = make_ocsp({.this_update = -39 * kDay, .next_update = -32 * kDay, .produced_at = -39 * kDay},
                                     breach.alice.certificate, breach.authority.certificate, responder);
    const Bytes stapled = der_value(tag::context(1, true), {der_oid(oid::kOcspResponse), response});
    const auto exit_status = [&](const OcspSpec& of_responder) {
        breach.source->here.ocsp = {{OcspResponse::from_der(
            make_ocsp(of_responder, responder.certificate, breach.authority.certificate, breach.authority))}};
        return breach.read({breach.alice, {breach.authority.certificate}, {breach.alice.certificate}, {stapled}})
            .report.exit_status();
    };
    breach.trust.require_revocation = true;
    CHECK(exit_status({}) == 0);
    CHECK(exit_status({.status = OcspSpec::Status::revoked, .since = -5 * kDay}) == 3);
}

namespace {

// Decay is a hierarchy that was there when a mail was signed, whose certificates end on some day each; the authority
// that stamped the mail is none of it.
struct Decay {
    CmsBench bench;
    SoftwareKey stamps = certify(old(authority_spec("Stamps")));
    SoftwareKey stamper = certify(old(timestamping_spec()), &stamps);
    SoftwareKey root;
    SoftwareKey authority;
    SoftwareKey alice;
    Trust trust;

    Decay(int root_ends, int authority_ends, int alice_ends = -20)
        : root(certify(ending(old(authority_spec("Old Root")), root_ends))),
          authority(certify(ending(old(authority_spec("Authority")), authority_ends), &root)),
          alice(certify(ending(old({}), alice_ends), &authority)),
          trust(trust_in({root.certificate, stamps.certificate})) {}

    static CertificateSpec ending(CertificateSpec spec, int days) {
        spec.ends_in_days = days;
        return spec;
    }
    Mail mail(std::vector<Certificate> names = {}) const { return {alice, {authority.certificate}, std::move(names)}; }
    ReadMail read(const Mail& mail) const { return read_stamped(bench, trust, stamper, mail); }
};

}  // namespace

TEST_CASE("a certificate that the key of an authority that has ended may have made since is not proved") {
    const auto [ended, decay] =
        GENERATE(std::pair("Authority", std::pair(300, -10)), std::pair("Old Root", std::pair(-10, 300)),
                 std::pair("Authority", std::pair(-10, -10)));
    const int alice_ends = GENERATE(-20, 300);
    const Decay world(decay.first, decay.second, alice_ends);
    const ReadMail mail = world.read(world.mail());
    CHECK(mail.report.exit_status() == 3);
    CHECK(mail.signer().time_basis == "timestamp");
    CHECK(mail.signer().revocation == Revocation::not_checked);
    CHECK_THAT(*mail.signer().chain_reason,
               Contains(fmt::format("the certificate of CN={},O=Example has ended on", ended)) &&
                   Contains("nothing shows that the certificate of CN=Alice,O=Example was there before"));
    CHECK_THAT(mail.signer().chain_hint, Catch::StartsWith("--at "));

    const ReadMail honest = world.read(world.mail({world.alice.certificate}));
    CHECK(honest.report.result == Result::valid);
    CHECK(honest.signer().time_basis == "timestamp");
}

TEST_CASE("a time-stamp proves what authorities certified that have not ended") {
    const Decay world(300, 300);
    CHECK(world.read(world.mail()).report.result == Result::valid);
}

TEST_CASE("of what is below an authority that has ended the signer's certificate is to be named, on each path") {
    const Decay world(-10, 300);
    const SoftwareKey issuing = certify(old(authority_spec("Issuing")), &world.authority);
    const SoftwareKey alice = certify(Decay::ending(old({}), -20), &issuing);
    Mail mail{alice, {issuing.certificate, world.authority.certificate}, {alice.certificate}};
    CHECK(world.read(mail).report.result == Result::valid);
    mail.names.clear();
    CHECK(world.read(mail).report.exit_status() == 3);

    const Certificate crossed = certify_key(issuing.key, old(authority_spec("Issuing")), &world.stamps);
    mail.above.push_back(crossed);
    CHECK(world.read(mail).report.result == Result::valid);
}

TEST_CASE("what we signed and had stamped is valid when all above the signer has ended") {
    const Decay world(30, 25, 20);
    OpensslTimestamps stamps(world.bench, world.stamper);
    const std::string mail = world.bench.sign(
        {world.alice}, kTimestampedContent,
        {.chain = {world.authority.certificate}, .timestamps = std::make_shared<OpensslTimestamps>(stamps)});
    Trust later = world.trust;
    later.clock = std::make_shared<ShiftedClock>(60);
    CHECK(world.bench.verify(mail, later).report.result == Result::valid);
}
