// Whose time-stamps count: the authority's certificate, its path, and whether it was revoked.

#include "softhsm-tests/cms_timestamp.h"

#include <catch2/catch.hpp>

#include "mime/hex.h"
#include "softhsm-tests/cms_old_timestamps.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

using Catch::Contains;

TEST_CASE("a time-stamp counts only from a trusted authority that is for time-stamps alone") {
    const TimestampBench world;
    const SoftwareKey stranger = certify(timestamping_spec());
    CHECK_THAT(world.fault(token(stranger)), Contains("not trusted"));

    CertificateSpec spec = timestamping_spec();
    spec.extended_key_usage = "timeStamping";
    CHECK_THAT(world.fault(token(world.other_authority(spec))), Contains("not for time-stamps alone"));
    spec.extended_key_usage = "critical,timeStamping,emailProtection";
    CHECK_THAT(world.fault(token(world.other_authority(spec))), Contains("not for time-stamps alone"));
    spec.extended_key_usage = "critical,emailProtection";
    CHECK_THAT(world.fault(token(world.other_authority(spec))), Contains("not for time-stamps alone"));
    spec.extended_key_usage = "";
    CHECK_THAT(world.fault(token(world.other_authority(spec))), Contains("not for time-stamps alone"));

    spec = timestamping_spec();
    spec.begins_in_days = -20;
    spec.ends_in_days = -10;
    CHECK_THAT(world.fault(token(world.other_authority(spec), {.days_ago = 15})), Contains("has ended"));
}

TEST_CASE("a time-stamp does not count where an authority above is for other things") {
    const TimestampBench world;
    const auto below = [&](const char* usage) {
        CertificateSpec spec = authority_spec("Between");
        spec.extended_key_usage = usage;
        const SoftwareKey between = certify(spec, &world.bench.root);
        const SoftwareKey authority = certify(timestamping_spec(), &between);
        return token(authority, {.more_certificates = {between.certificate}});
    };
    for (const char* usage : {"", "timeStamping", "emailProtection,timeStamping", "anyExtendedKeyUsage"})
        CHECK(world.judge(below(usage)).integrity == Integrity::valid);
    for (const char* usage : {"serverAuth", "emailProtection", "OCSPSigning,codeSigning"})
        CHECK_THAT(world.fault(below(usage)), Contains("CN=Between,O=Example is not meant for time-stamps"));
}

TEST_CASE("a time-stamp does not count below an authority that may certify some names alone") {
    TimestampBench world;
    CertificateSpec limited = authority_spec("Limited");
    limited.more_extensions = "nameConstraints=critical,permitted;email:example.gov";
    const SoftwareKey between = certify(limited, &world.bench.root);
    const SoftwareKey authority = certify(timestamping_spec(), &between);
    const auto with = [&](std::vector<Certificate> along) {
        return token(authority, {.more_certificates = std::move(along)});
    };
    CHECK(world.fault(with({between.certificate})) ==
          "CN=Limited,O=Example may certify some names alone, and a time-stamp tells of everybody's signatures");
    const SoftwareKey unlimited = cross_certify(between, authority_spec("Limited"), world.bench.root);
    CHECK(world.judge(with({between.certificate, unlimited.certificate})).integrity == Integrity::valid);

    const SoftwareKey root = certify(limited);
    const SoftwareKey of_root = certify(timestamping_spec(), &root);
    world.trust = trust_in({root.certificate});
    CHECK_THAT(world.fault(token(of_root)), Contains("may certify some names alone"));
    // Such an authority vouches for mail from those names.
    CHECK(trusted(validate(certify({}, &root).certificate, {}, world.trust, Use::signing)));
}

TEST_CASE("the policies that are asked of mail are not asked of a time-stamp's authority") {
    TimestampBench world;
    world.trust.policy = {.accepted = {"2.23.140.1.5.1.3"}, .explicit_policy = true};
    CHECK(world.judge(token(world.authority)).integrity == Integrity::valid);

    // What an authority above demands is.
    CertificateSpec spec = authority_spec("Between");
    spec.more_extensions = "policyConstraints=critical,requireExplicitPolicy:0";
    const SoftwareKey between = certify(spec, &world.bench.root);
    const auto below = [&](const char* policies) {
        CertificateSpec stamping = timestamping_spec();
        stamping.more_extensions = policies;
        return token(certify(stamping, &between), {.more_certificates = {between.certificate}});
    };
    CHECK_THAT(world.fault(below("")), Contains("no certificate policy is valid"));
}

TEST_CASE("a time-stamp counts only where its authority's root is trusted for time-stamps") {
    TimestampBench world;
    const auto judged = [&](const char* option, const char* use) {
        const std::string pem = world.bench.openssl(
            {"x509", "-in", world.bench.certificate_file(world.bench.root), "-trustout", option, use});
        world.trust = trust_in(Certificate::from_file_bytes(bytes_of(pem)));
        const TimestampVerdict verdict = world.judge(token(world.authority));
        const bool valid = verdict.integrity == Integrity::valid;
        CHECK(valid == (world.bench
                            .try_openssl({"verify", "-purpose", "timestampsign", "-CAfile", world.bench.file(pem),
                                          world.bench.certificate_file(world.authority)})
                            .status == 0));
        return valid ? "valid" : verdict.reason;
    };
    CHECK(judged("-addtrust", "timeStamping") == "valid");
    CHECK(judged("-addreject", "emailProtection") == "valid");
    CHECK_THAT(judged("-addtrust", "emailProtection"), Contains("is not trusted for time-stamps"));
    CHECK_THAT(judged("-addreject", "timeStamping"), Contains("is not trusted for time-stamps"));
}

TEST_CASE("a time-stamp does not count that is older than its authority's certificate, or one above") {
    TimestampBench world;
    const SoftwareKey root = certify(since(authority_spec("Old Root"), 100));
    world.trust = trust_in({root.certificate});
    const SoftwareKey old = certify(since(timestamping_spec(), 20), &root);
    CHECK(world.judge(token(old, {.days_ago = 19})).integrity == Integrity::valid);
    CHECK_THAT(world.fault(token(old, {.days_ago = 21})),
               Contains("not valid at the time that it tells: the certificate of CN=Stamper"));
    CHECK_THAT(world.fault(token(old, {.days_ago = 101})), Contains("not valid at the time"));

    const SoftwareKey first = certify(since(authority_spec("Between"), 50), &root);
    const SoftwareKey renewed = cross_certify(first, since(authority_spec("Between"), 10), root);
    const SoftwareKey below = certify(since(timestamping_spec(), 30), &first);
    const auto judged = [&](std::vector<Certificate> along) {
        return world.judge(token(below, {.days_ago = 20, .more_certificates = std::move(along)}));
    };
    CHECK(judged({first.certificate}).integrity == Integrity::valid);
    CHECK_THAT(judged({renewed.certificate}).reason, Contains("the certificate of CN=Between,O=Example is not valid"));
    CHECK(judged({renewed.certificate, first.certificate}).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp does not count where evidence that came along says that its authority is revoked") {
    TimestampBench world;
    world.trust.revocation = std::make_shared<TestSource>();
    RevocationEvidence carried;
    const auto judged = [&] {
        return judge_timestamp(bytes_of(token(world.authority)), bytes_of(kStamped), &world.trust, carried);
    };
    CHECK(judged().integrity == Integrity::valid);
    carried.crls.push_back(
        Crl::from_der(make_crl({.entries = {{.certificate = world.authority.certificate}}}, world.bench.root)));
    CHECK(judged().integrity == Integrity::invalid);
    CHECK_THAT(judged().reason, Contains("revoked"));
}

TEST_CASE("what an authority stamped before its certificate was revoked counts where its key is as good as before") {
    OldTimestamps world;
    world.trust.require_revocation = GENERATE(false, true);
    const bool by_crl = GENERATE(true, false);
    const auto revoked_for = [&](const std::string& reason) {
        world.at_hand({make_crl(
            {.entries = {{.certificate = world.authority.certificate, .since = -20 * kDay, .reason = reason}}},
            world.root)});
    };
    const auto counts = [&](int days_ago) { return world.counts(token(world.authority, {.days_ago = days_ago})); };
    if (!by_crl) {
        // A response that says that others know the key.
        world.source->here.ocsp = {
            {OcspResponse::from_der(make_ocsp({.status = OcspSpec::Status::revoked, .since = -20 * kDay},
                                              world.authority.certificate, world.root.certificate, world.root))}};
        CHECK_FALSE(counts(30));
        return;
    }
    for (const char* reason : {"superseded", "cessationOfOperation", "affiliationChanged", "unspecified"}) {
        revoked_for(reason);
        CHECK(counts(30));
        CHECK_FALSE(counts(10));
    }
    for (const char* reason : {"", "keyCompromise", "CACompromise", "certificateHold", "privilegeWithdrawn"}) {
        revoked_for(reason);
        CHECK_FALSE(counts(30));
        CHECK_FALSE(counts(10));
    }
    // What says more against it counts, wherever it is.
    revoked_for("superseded");
    world.source->here.crls.push_back(Crl::from_der(make_crl(
        {.entries = {{.certificate = world.authority.certificate, .since = -10 * kDay, .reason = "keyCompromise"}},
         .this_update = -60},
        world.root)));
    CHECK_FALSE(counts(30));
}

TEST_CASE("an authority that is retired stamps nothing below one whose key others know") {
    OldTimestamps world;
    // Who has the key of one above may say that the authority was retired, and send that along.
    const Bytes retiring = make_crl(
        {.entries = {{.certificate = world.lower_authority.certificate, .since = -60, .reason = "superseded"}}},
        world.between);
    world.at_hand({make_crl(
        {.entries = {{.certificate = world.between.certificate, .since = -20 * kDay, .reason = "keyCompromise"}}},
        world.root)});
    CHECK_FALSE(world.by_lower({make_crl({}, world.between)}));
    CHECK_FALSE(world.by_lower({retiring}));
    world.at_hand({make_crl({}, world.root)});
    CHECK(world.by_lower({retiring}));

    // What was known of the one above when the authority stamped is not what is known of it.
    world.trust.require_revocation = true;
    CHECK(world.by_lower({retiring}));
    world.at_hand({});
    const Bytes then = make_crl({.this_update = -31 * kDay, .next_update = -25 * kDay}, world.root);
    CHECK_FALSE(world.by_lower({retiring, then}));
}

namespace {

// KeepingSource has at hand what it was asked for before.
struct KeepingSource final : TestSource {
    RevocationEvidence fetch(const Certificate& certificate, const Certificate& issuer, From from,
                             const Tells& tells) override {
        RevocationEvidence answer = TestSource::fetch(certificate, issuer, from, tells);
        here.add(answer);
        return answer;
    }
};

// RetiredAuthority is a time-stamping authority that was retired 20 days ago, and what tells so and more.
struct RetiredAuthority : OldTimestamps {
    RetiredAuthority() {
        source = std::make_shared<KeepingSource>();
        trust = trusting();
    }
    /// listing is a CRL that was made so many days ago, and ends in so many.
    static Bytes listing(const SoftwareKey& issuer, const SoftwareKey& listed, const std::string& reason, int days,
                         int ends = 7) {
        return make_crl({.entries = {{.certificate = listed.certificate, .since = -20 * kDay, .reason = reason}},
                         .this_update = -days * kDay,
                         .next_update = ends * kDay},
                        issuer);
    }
    Bytes retiring(int days, int ends = 7) const { return listing(between, lower_authority, "superseded", days, ends); }
    Bytes compromising(int days) const { return listing(between, lower_authority, "keyCompromise", days); }
    bool counts(const std::vector<Bytes>& own, const std::vector<Bytes>& along, const std::vector<Bytes>& fetched) {
        at_hand(own);
        source->points = {};
        for (const Bytes& crl : fetched)
            source->points.crls.push_back(Crl::from_der(crl));
        return by_lower(along);
    }
};

}  // namespace

TEST_CASE("that an authority was retired is asked about where that came along, and so is who is above it") {
    RetiredAuthority world;
    const Bytes first = world.retiring(19);
    CHECK(world.counts({}, {first}, {}));
    CHECK(world.counts({}, {first}, {world.retiring(1)}));
    CHECK_FALSE(world.counts({}, {first}, {world.compromising(1)}));

    // What is in force of the one above is from before the time-stamp.
    const Bytes own = world.retiring(0);
    const Bytes twice_a_year = make_crl({.this_update = -100 * kDay, .next_update = 80 * kDay}, world.root);
    CHECK(world.counts({own, twice_a_year}, {}, {}));
    CHECK(world.counts({own, twice_a_year}, {}, {make_crl({.number = 2}, world.root)}));
    CHECK_FALSE(world.counts({own, twice_a_year}, {},
                             {RetiredAuthority::listing(world.root, world.between, "keyCompromise", 1)}));
}

// Whoever sends a mail chooses what was told before others were known to know the key.
TEST_CASE("that an authority was retired is not known from what came along and has ended") {
    RetiredAuthority world;
    world.source->online = GENERATE(true, false);
    const Bytes over = world.retiring(19, -10);
    CHECK_FALSE(world.counts({}, {over}, {}));
    CHECK(world.counts({}, {over}, {world.retiring(1)}));
    CHECK_FALSE(world.counts({}, {over}, {world.compromising(1)}));
    CHECK(world.counts({}, {over, world.retiring(1)}, {}));
    CHECK_FALSE(world.counts({}, {over, world.compromising(1)}, {}));
    CHECK(world.counts({over}, {}, {}));
    CHECK(world.counts({over}, {over}, {}));
    CHECK(world.counts({}, {}, {}));

    // What must be known is not known from it either.
    world.trust.require_revocation = true;
    const Bytes of_root = make_crl({}, world.root);
    CHECK_FALSE(world.counts({of_root}, {}, {}));
    CHECK_FALSE(world.counts({of_root}, {over}, {}));
    CHECK_FALSE(world.counts({of_root, over}, {}, {}));
    CHECK(world.counts({of_root}, {world.retiring(1)}, {}));
}

TEST_CASE("what a time-stamp token holds is heard about its authority") {
    TimestampBench world;
    world.trust.revocation = std::make_shared<TestSource>();
    world.trust.require_revocation = true;
    const SoftwareKey between = certify(authority_spec("Between"), &world.bench.root);
    const SoftwareKey authority = certify(timestamping_spec(), &between);
    const Bytes of_root = make_crl({}, world.bench.root);
    const auto judged = [&](const std::vector<Bytes>& infos) {
        return world.judge(token(authority, {.revocation_infos = infos, .more_certificates = {between.certificate}}));
    };
    const auto stapled = [&](OcspSpec::Status status) {
        return der_value(tag::context(1, true),
                         {der_oid(oid::kOcspResponse),
                          make_ocsp({.status = status}, authority.certificate, between.certificate, between)});
    };
    CHECK_THAT(judged({}).reason, Contains("is revoked is not known"));
    CHECK_THAT(judged({of_root}).reason, Contains("CN=Stamper,O=Example is revoked is not known"));
    CHECK(judged({of_root, make_crl({}, between)}).integrity == Integrity::valid);
    CHECK(judged({of_root, stapled(OcspSpec::Status::good)}).integrity == Integrity::valid);

    world.trust.require_revocation = false;
    const Bytes revoking = make_crl({.entries = {{.certificate = authority.certificate}}}, between);
    for (const Bytes& info : {revoking, stapled(OcspSpec::Status::revoked)}) {
        const TimestampVerdict verdict = judged({info});
        CHECK(verdict.integrity == Integrity::invalid);
        CHECK_THAT(verdict.reason, Contains("is revoked since"));
    }
    CHECK(judged({Bytes{tag::kSequence, 0}}).integrity == Integrity::valid);
    const Bytes archive =
        der_value(tag::kSequence, der_value(tag::context(0, true), der_value(tag::kSequence, revoking)));
    CHECK_THAT(
        world
            .judge(token(authority, {.more_certificates = {between.certificate},
                                     .more_attributes = {craft::attribute(oid::kRevocationInfoArchival, {archive})}}))
            .reason,
        Contains("is revoked since"));
}

TEST_CASE("evidence from before a time-stamp does not make known later what is not known then") {
    TimestampBench world;
    const std::string mail = world.signed_mail(world.openssl());
    const auto source = std::make_shared<TestSource>();
    world.trust.revocation = source;
    world.trust.require_revocation = true;
    world.trust.clock = std::make_shared<ShiftedClock>(10);
    const auto read = [&](const CrlSpec& spec) {
        source->here.crls = {
            Crl::from_der(make_crl({.this_update = 10, .next_update = 3'000 * kDay}, world.bench.root)),
            Crl::from_der(make_crl(spec, world.bench.intermediate))};
        return world.bench.verify(mail, world.trust);
    };
    // Fresh when it was stamped, and no more.
    const CrlSpec before{.this_update = -30, .next_update = kDay};
    const ReadMail late = read(before);
    CHECK(source->fetches > 0);
    CHECK(late.report.result == Result::untrusted);
    CHECK(late.signer().revocation == Revocation::unknown);
    CHECK(late.signer().time_basis == "now");
    CHECK_THAT(late.report.reason, Contains("has ended on"));
    // Fresh still.
    CHECK(read({.this_update = -30, .next_update = 20 * kDay}).report.result == Result::valid);
    // Of after the time-stamp: it cannot have been revoked by then.
    const ReadMail after = read({.this_update = 10, .next_update = kDay});
    CHECK(after.report.result == Result::valid);
    CHECK(after.signer().time_basis == "timestamp");
    CHECK_FALSE(after.signer().revocation_reason.has_value());

    // Once the certificate has ended too: what is older than the time-stamp cannot tell, and that is said.
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    const ReadMail ended = read(before);
    CHECK(ended.report.result == Result::untrusted);
    CHECK(ended.signer().revocation == Revocation::unknown);
    CHECK(ended.signer().time_basis == "timestamp");
    CHECK_THAT(ended.report.reason, Contains("CN=Alice,O=Example is revoked is not known: ") &&
                                        Contains("known not to be revoked as of") && Contains("before the time"));
    CHECK(read({.this_update = 10, .next_update = kDay}).report.result == Result::valid);
    const CrlSpec stale{.this_update = -2 * kDay, .next_update = -kDay};
    CHECK(read(stale).report.result == Result::untrusted);

    world.trust.require_revocation = false;
    CHECK(read(before).signer().revocation == Revocation::unknown);
    CHECK(read(stale).signer().revocation == Revocation::unknown);
}

TEST_CASE("a stolen key that was revoked gains nothing by a time-stamp and by evidence from before") {
    OldTimestamps world;
    CertificateSpec spec = since({}, 80);
    spec.ends_in_days = -5;
    world.alice = certify(spec, &world.root);
    world.source->here.ocsp = {
        {OcspResponse::from_der(make_ocsp({}, world.authority.certificate, world.root.certificate, world.root))}};
    const auto read = [&](const CrlSpec& crl) { return world.read({15}, {make_crl(crl, world.root)}); };
    // In force when it was stamped, and made before.
    const CrlSpec before{.this_update = -20 * kDay, .next_update = -10 * kDay};
    CHECK(read(before).signer().revocation == Revocation::unknown);
    // An archive that was completed after the time-stamp.
    const CrlSpec after{.this_update = -12 * kDay, .next_update = -2 * kDay};
    CHECK(read(after).signer().revocation == Revocation::good);

    world.trust.require_revocation = true;
    CHECK(read(before).report.exit_status() == 3);
    CHECK(read(after).report.exit_status() == 0);
    const CrlSpec revoking{.entries = {{.certificate = world.alice.certificate, .since = -16 * kDay}},
                           .this_update = -12 * kDay,
                           .next_update = -2 * kDay};
    CHECK(read(revoking).signer().revocation == Revocation::revoked);
}

TEST_CASE("what holds now of an authority above tells of a time-stamp after it was made, unless it came along") {
    OldTimestamps world;
    world.alice = certify(since({}, 180), &world.between);
    world.trust.require_revocation = true;
    const auto read = [&](const std::vector<Bytes>& own, const std::vector<Bytes>& along,
                          const std::vector<RevocationEvidence::Ocsp>& responses = {}) {
        world.at_hand(own);
        world.source->here.ocsp = responses;
        world.source->here.ocsp.push_back(
            {OcspResponse::from_der(make_ocsp({}, world.authority.certificate, world.root.certificate, world.root))});
        return world.read({50}, along, {world.between.certificate}).report;
    };
    const Bytes superseded =
        make_crl({.entries = {{.certificate = world.alice.certificate, .since = -20 * kDay, .reason = "superseded"}}},
                 world.between);
    const Bytes twice_a_year = make_crl({.this_update = -100 * kDay, .next_update = 80 * kDay}, world.root);
    const Report told = read({superseded, twice_a_year}, {});
    CHECK(told.result == Result::valid);
    CHECK(told.layers.front().signers.front().revocation == Revocation::good);
    const Report unknown = read({superseded}, {twice_a_year});
    CHECK(unknown.exit_status() == 3);
    CHECK_THAT(unknown.reason, Contains("whether the certificate of CN=Between,O=Example is revoked is not known"));
    const Bytes over = make_crl({.this_update = -100 * kDay, .next_update = -10 * kDay}, world.root);
    CHECK(read({superseded, over}, {}).exit_status() == 3);

    // A response likewise.
    const auto by_response = [&](int next_update) {
        const Bytes response =
            make_ocsp({.this_update = -100 * kDay, .next_update = next_update, .produced_at = -100 * kDay},
                      world.between.certificate, world.root.certificate, world.root);
        return read({superseded}, {}, {{OcspResponse::from_der(response)}}).exit_status();
    };
    CHECK(by_response(80 * kDay) == 0);
    CHECK(by_response(-10 * kDay) == 3);

    // A certificate that has ended is left out of what is newer.
    CertificateSpec ended = since({}, 180);
    ended.ends_in_days = -5;
    world.alice = certify(ended, &world.between);
    const auto by_crl_of = [&](int days_ago) {
        const CrlSpec quarterly{.this_update = -days_ago * kDay, .next_update = 30 * kDay};
        return read({make_crl(quarterly, world.between), twice_a_year}, {}).exit_status();
    };
    CHECK(by_crl_of(60) == 3);
    CHECK(by_crl_of(40) == 0);
}

TEST_CASE("nobody is asked about a time-stamp's authority where the signature that it is on does not verify") {
    TimestampBench world;
    const std::string mail = world.signed_mail(world.openssl());
    const auto source = std::make_shared<TestSource>();
    world.trust.revocation = source;
    std::string changed = mail;
    changed.at(changed.find("Pay 10") + 4) ^= 1;
    const ReadMail read = world.bench.verify(changed, world.trust);
    CHECK(read.signer().integrity == Integrity::invalid);
    CHECK(read.signer().chain == ChainState::trusted);
    REQUIRE(read.signer().timestamps.size() == 1);
    CHECK(read.signer().timestamps.front().integrity == Integrity::valid);
    CHECK(source->fetches == 0);
    CHECK(world.bench.verify(mail, world.trust).signer().integrity == Integrity::valid);
    CHECK(source->fetches > 0);
}

TEST_CASE("a stranger's certificate with the key identifier of a time-stamp's authority changes nothing") {
    const TimestampBench world;
    CertificateSpec stranger = timestamping_spec(GENERATE("X", "A name that puts its certificate behind the other"));
    stranger.subject_key_identifier = hex(world.authority.certificate.subject_key_identifier().value());
    const TimestampVerdict verdict =
        world.judge(token(world.authority, {.more_certificates = {certify(stranger).certificate}, .by_key = true}));
    INFO(verdict.reason);
    CHECK(verdict.integrity == Integrity::valid);
    CHECK(*verdict.authority == world.authority.certificate);
}

TEST_CASE("a time-stamp's authority and its issuers are looked for among the mail's certificates too") {
    const TimestampBench world;
    const SoftwareKey between = certify(authority_spec("Between"), &world.bench.root);
    const SoftwareKey authority = certify(timestamping_spec(), &between);
    // told_of is what is told of a time-stamp with some certificates in it and others in the mail.
    const auto told_of = [&](const SoftwareKey& by, const Stamp& with, const std::vector<Certificate>& in_mail) {
        Stamp stamp = with;
        const auto stamps = [&](ByteView signature) {
            stamp.stamped = text_of(signature);
            return craft::attribute(oid::kTimestampToken, {to_bytes(bytes_of(token(by, stamp)))});
        };
        const Bytes info = craft::signer_info({.key = world.alice,
                                               .attributes = craft::usual_attributes(kTimestampedContent),
                                               .content = kTimestampedContent,
                                               .unsigned_over = stamps});
        std::vector<Certificate> certificates{world.alice.certificate};
        certificates.insert(certificates.end(), in_mail.begin(), in_mail.end());
        const ReadMail mail = world.bench.verify(craft::signed_data({kTimestampedContent, {info}, certificates}));
        const TimestampVerdict& verdict = mail.signer().timestamps.at(0);
        CHECK((verdict.integrity == Integrity::valid) == verdict.reason.empty());
        return verdict.reason;
    };
    const Stamp without{.brings_certificate = false};
    CHECK(told_of(authority, {.more_certificates = {between.certificate}}, {}).empty());
    CHECK(told_of(authority, {}, {between.certificate}).empty());
    CHECK(told_of(authority, without, {between.certificate, authority.certificate}).empty());
    CHECK(told_of(authority, {}, {authority.certificate, between.certificate, world.bench.root.certificate}).empty());

    CHECK_THAT(told_of(authority, {}, {}), Contains("(CN=Between,O=Example) is neither trusted nor known"));
    CHECK_FALSE(told_of(authority, without, {between.certificate}).empty());
    // It counts no more for them than for its own.
    const SoftwareKey namesake = certify(authority_spec("Between"), &world.bench.root);
    CHECK_FALSE(told_of(authority, {}, {namesake.certificate}).empty());
    CertificateSpec web = authority_spec("Between");
    web.extended_key_usage = "serverAuth";
    const SoftwareKey for_web = cross_certify(between, web, world.bench.root);
    CHECK_THAT(told_of(authority, {}, {for_web.certificate}), Contains("is not meant for time-stamps"));
    const SoftwareKey stranger = certify(authority_spec("Stranger"));
    CHECK_THAT(told_of(certify(timestamping_spec(), &stranger), {}, {stranger.certificate}), Contains("not trusted"));
}
