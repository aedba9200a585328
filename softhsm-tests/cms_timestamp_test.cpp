// RFC 3161 time-stamps of signatures: of openssl's authority, and of others with whatever is wrong in them.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cms/timestamp.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/cms_revocation.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/timestamps.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";
constexpr std::string_view kStamped = "the value of a signature";

/// ShiftedClock is a clock that is so many days off.
class ShiftedClock final : public Clock {
  public:
    explicit ShiftedClock(int days) : days_(days) {}
    Time now() const override { return SystemClock().now() + days_; }

  private:
    std::chrono::days days_;
};

/// Stamp is a token to craft.
struct Stamp {
    std::string_view stamped = kStamped;
    Hash hash = Hash::sha256;
    unsigned version = 1;
    int days_ago = 0;
    Bytes more{};  ///< DER, behind genTime
    bool names_certificate = true;
    std::size_t signers = 1;
    std::vector<Bytes> revocation_infos{};
    std::vector<Certificate> more_certificates{};
    std::vector<Bytes> more_attributes{};
};

Bytes generalized_time(Time time) {
    std::string text = format_time(time);
    std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
    return der_value(0x18, bytes_of(text));
}

Bytes tst_info(const Stamp& stamp) {
    const Bytes imprint = der_value(
        tag::kSequence,
        {digest_identifier(stamp.hash), der_value(tag::kOctetString, digest_of(stamp.hash, bytes_of(stamp.stamped)))});
    const Time time = SystemClock().now() - std::chrono::days(stamp.days_ago);
    return der_value(tag::kSequence, {der_integer(stamp.version), der_oid("1.2.3.4"), imprint, der_integer(7),
                                      generalized_time(time), stamp.more});
}

std::string token(const SoftwareKey& authority, const Stamp& stamp = {}) {
    const Bytes info = tst_info(stamp);
    const std::string_view content = text_of(info);
    std::vector<Bytes> attributes{craft::content_type(oid::kTstInfo), craft::message_digest(content)};
    if (stamp.names_certificate) attributes.push_back(craft::signing_certificate_v2(authority.certificate));
    attributes.insert(attributes.end(), stamp.more_attributes.begin(), stamp.more_attributes.end());
    const std::vector<Bytes> signers(stamp.signers, craft::signer_info(authority, attributes, content));
    std::vector<Certificate> certificates{authority.certificate};
    certificates.insert(certificates.end(), stamp.more_certificates.begin(), stamp.more_certificates.end());
    return craft::signed_data({.content = content,
                               .signer_infos = signers,
                               .certificates = certificates,
                               .type = oid::kTstInfo,
                               .revocation_infos = stamp.revocation_infos});
}

struct World {
    CmsBench bench;
    SoftwareKey authority = certify(timestamping_spec(), &bench.root);
    SoftwareKey alice = bench.issue();
    Trust trust = bench.trust();

    TimestampVerdict judge(const std::string& token, std::string_view stamped = kStamped) const {
        return judge_timestamp(bytes_of(token), bytes_of(stamped), &trust);
    }
    std::string fault(const std::string& token) const {
        const TimestampVerdict verdict = judge(token);
        CHECK(verdict.integrity != Integrity::valid);
        return verdict.reason;
    }
    SoftwareKey other_authority(const CertificateSpec& spec) const { return certify(spec, &bench.root); }

    std::string signed_mail(const std::shared_ptr<TimestampSource>& source) const {
        return bench.sign({alice}, kContent, {.timestamps = source});
    }
    std::shared_ptr<TimestampSource> openssl() const { return std::make_shared<OpensslTimestamps>(bench, authority); }
};

using Catch::Contains;

}  // namespace

TEST_CASE("a time-stamp of openssl's authority counts, and tells the time") {
    const World world;
    const Time before = SystemClock().now();
    const ReadMail mail = world.bench.verify(world.signed_mail(world.openssl()));
    CHECK(mail.report.result == Result::valid);
    CHECK(mail.report.warnings.empty());
    CHECK(mail.signer().time_basis == "now");
    REQUIRE(mail.signer().timestamps.size() == 1);
    const TimestampVerdict& stamp = mail.signer().timestamps.front();
    CHECK(stamp.integrity == Integrity::valid);
    CHECK(stamp.reason.empty());
    CHECK(*stamp.time >= before);
    CHECK(*stamp.time <= SystemClock().now() + std::chrono::seconds(1));
    CHECK(*stamp.authority == world.authority.certificate);

    const TimestampVerdict looked_at =
        world.bench.inspect(world.signed_mail(world.openssl())).signer().timestamps.at(0);
    CHECK(looked_at.integrity == Integrity::not_checked);
    CHECK(looked_at.time.has_value());
}

TEST_CASE("openssl verifies the time-stamp that an authority was asked for") {
    const World world;
    const Bytes der = get_timestamp(bytes_of(kStamped), *world.openssl());
    const std::string said =
        world.bench.openssl({"ts", "-verify", "-token_in", "-in", world.bench.file(text_of(der)), "-data",
                             world.bench.file(kStamped), "-CAfile", world.bench.trusted_file()});
    CHECK_THAT(said, Contains("Verification: OK"));
}

TEST_CASE("a certificate that has ended is judged at the time of a time-stamp") {
    World world;
    const std::string stamped = world.signed_mail(world.openssl()), plain = world.signed_mail(nullptr);
    world.trust.clock = std::make_shared<ShiftedClock>(400);  // Alice's certificate is for a year

    const ReadMail without = world.bench.verify(plain, world.trust);
    CHECK(without.report.result == Result::untrusted);
    CHECK(without.signer().time_basis == "now");

    const ReadMail with = world.bench.verify(stamped, world.trust);
    CHECK(with.report.result == Result::valid);
    CHECK(with.signer().time_basis == "timestamp");
    CHECK(with.signer().time_at == with.signer().timestamps.at(0).time);

    // --at is the time that was asked for.
    world.trust.at = world.trust.clock->now();
    const ReadMail at = world.bench.verify(stamped, world.trust);
    CHECK(at.report.result == Result::untrusted);
    CHECK(at.signer().time_basis == "given");
}

TEST_CASE("a certificate that began after its time-stamp stays untrusted") {
    World world;
    CertificateSpec later;
    later.begins_in_days = 10;
    world.alice = world.bench.issue(later);
    const std::string mail = world.signed_mail(world.openssl());
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    CHECK(world.bench.verify(mail, world.trust).report.result == Result::untrusted);
}

TEST_CASE("a crafted time-stamp with nothing wrong in it counts") {
    const World world;
    const TimestampVerdict verdict = world.judge(token(world.authority));
    CHECK(verdict.reason.empty());
    CHECK(verdict.integrity == Integrity::valid);
}

TEST_CASE("the accuracy of a time-stamp and parts of a second make its time later, never earlier") {
    const World world;
    const Stamp plain{.days_ago = 1};
    const Bytes ninety = der_value(tag::kSequence, der_integer(90));
    const Time base = *world.judge(token(world.authority, plain)).time;
    const Time later = *world.judge(token(world.authority, {.days_ago = 1, .more = ninety})).time;
    CHECK(later - base >= std::chrono::seconds(90));
    CHECK(later - base <= std::chrono::seconds(92));
    const Bytes endless = der_value(tag::kSequence, der_value(tag::kInteger, bytes_of("\x7f\xff\xff\xff")));
    CHECK_THAT(world.fault(token(world.authority, {.more = endless})), Contains("cannot be read"));
}

TEST_CASE("a time-stamp over something else does not count") {
    const World world;
    CHECK_THAT(world.fault(token(world.authority, {.stamped = "another signature"})), Contains("something else"));
    // Nor does one that was moved from another mail.
    const std::string mail = world.signed_mail(world.openssl());
    CHECK(world.bench.verify(mail).signer().timestamps.at(0).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp whose time or signature was changed does not count") {
    const World world;
    const std::string good = token(world.authority);
    std::string changed = good;
    const std::size_t time = changed.find("\x18\x0f");  // GeneralizedTime
    REQUIRE(time != std::string::npos);
    changed[time + 2 + 3] ^= 1;  // the year's last digit
    CHECK_THAT(world.fault(changed), Contains("changed"));
    std::string broken = good;
    broken.back() ^= 1;
    CHECK_THAT(world.fault(broken), Contains("does not fit"));
}

TEST_CASE("a time-stamp counts only from a trusted authority that is for time-stamps alone") {
    const World world;
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
    const World world;
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

TEST_CASE("a time-stamp counts only where its authority's root is trusted for time-stamps") {
    World world;
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
    World world;
    const auto since = [](CertificateSpec spec, int days) {
        spec.begins_in_days = -days;
        return spec;
    };
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
    World world;
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

TEST_CASE("what a time-stamp token holds is heard about its authority") {
    World world;
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
    constexpr int kDay = 60 * 24;
    World world;
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

    // Once the certificate has ended nothing newer can be had of it: what was fresh then counts, and that is said.
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    const ReadMail ended = read(before);
    CHECK(ended.report.result == Result::valid);
    CHECK(ended.signer().time_basis == "timestamp");
    CHECK_THAT(ended.signer().revocation_reason.value_or(""),
               Contains("CN=Alice,O=Example is known not to be revoked as of") && Contains("before the time"));
    const ReadMail stale = read({.this_update = -2 * kDay, .next_update = -kDay});
    CHECK(stale.report.result == Result::untrusted);
    CHECK(stale.signer().time_basis == "now");

    world.trust.require_revocation = false;
    CHECK(read({.this_update = -2 * kDay, .next_update = -kDay}).signer().revocation == Revocation::unknown);
}

TEST_CASE("a certificate that was revoked before its time-stamp stays revoked") {
    World world;
    const std::string mail = world.signed_mail(world.openssl());
    const auto source = std::make_shared<TestSource>();
    source->here.crls.push_back(
        Crl::from_der(make_crl({.entries = {{.certificate = world.alice.certificate}}, .next_update = 60 * 24 * 500},
                               world.bench.intermediate)));
    world.trust.revocation = source;
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    const ReadMail read = world.bench.verify(mail, world.trust);
    CHECK(read.report.result == Result::untrusted);
    CHECK(read.signer().revocation == Revocation::revoked);
}

TEST_CASE("of several time-stamps the one counts by which the certificate was not revoked, in whatever order") {
    World world;
    const auto since = [](CertificateSpec spec, int days) {
        spec.begins_in_days = -days;
        return spec;
    };
    const SoftwareKey root = certify(since(authority_spec("Old Root"), 100));
    const SoftwareKey authority = certify(since(timestamping_spec(), 100), &root);
    world.alice = certify(since({}, 80), &root);
    world.trust = trust_in({root.certificate});
    const auto source = std::make_shared<TestSource>();
    source->here.crls.push_back(Crl::from_der(make_crl(
        {.entries = {{.certificate = world.alice.certificate, .since = -20 * 24 * 60}}, .next_update = 60}, root)));
    world.trust.revocation = source;
    const auto read = [&](const std::vector<int>& days_ago) {
        const auto stamps = [&](ByteView signature) {
            std::string tokens;  // in this order, not in DER's
            for (const int days : days_ago)
                tokens += token(authority, {.stamped = text_of(signature), .days_ago = days});
            return der_value(tag::kSequence, {der_oid(oid::kTimestampToken), der_value(tag::kSet, bytes_of(tokens))});
        };
        const Bytes info = craft::signer_info({.key = world.alice,
                                               .attributes = craft::usual_attributes(kContent),
                                               .content = kContent,
                                               .unsigned_over = stamps});
        return world.bench.verify(craft::signed_data({kContent, {info}, {world.alice.certificate}}), world.trust);
    };
    // One of before the certificate's time hides no other.
    for (const auto& days : {std::vector{60}, {10, 60}, {60, 10}, {5, 10, 60}, {90, 60}, {50, 60, 90}}) {
        const ReadMail mail = read(days);
        CHECK(mail.report.result == Result::valid);
        CHECK(mail.signer().time_basis == "timestamp");
        CHECK(*mail.signer().time_at < SystemClock().now() - std::chrono::days(59));
        CHECK(*mail.signer().time_at > SystemClock().now() - std::chrono::days(61));
    }
    for (const auto& days : {std::vector{10}, {10, 5}, {5, 10}}) {
        const ReadMail mail = read(days);
        CHECK(mail.report.result == Result::untrusted);
        CHECK(mail.signer().revocation == Revocation::revoked);
    }
}

TEST_CASE("nobody is asked about a time-stamp's authority where the signature that it is on does not verify") {
    World world;
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

TEST_CASE("a time-stamp from the future does not count") {
    const World world;
    CHECK_THAT(world.fault(token(world.authority, {.days_ago = -1})), Contains("has not come yet"));
    CHECK(world.judge(token(world.authority, {.days_ago = 1})).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp of another form than RFC 3161's does not count") {
    const World world;
    CHECK_THAT(world.fault(token(world.authority, {.version = 2})), Contains("unknown version"));
    CHECK_THAT(world.fault(token(world.authority, {.names_certificate = false})), Contains("does not name"));
    CHECK_THAT(world.fault(token(world.authority, {.signers = 2})), Contains("exactly one signer"));
    CHECK_THAT(world.fault(token(world.authority, {.signers = 0})), Contains("exactly one signer"));

    const Bytes critical = der_value(
        tag::kSequence, {der_oid("1.2.3.5"), der_value(0x01, bytes_of("\xff")), der_value(tag::kOctetString, Bytes{})});
    const Bytes extensions = der_value(tag::context(1, true), critical);
    CHECK_THAT(world.fault(token(world.authority, {.more = extensions})), Contains("critical extension"));

    CHECK_THAT(world.fault("rubbish"), !Contains("rubbish"));
    const Bytes info = tst_info({});
    CHECK_THAT(world.fault(craft::signed_data({text_of(info), {}, {}, oid::kData})), Contains("holds no time"));
    CHECK_THAT(world.fault(craft::signed_data({"no time", {}, {}, oid::kTstInfo})), Contains("cannot be read"));
}

TEST_CASE("a weak time-stamp counts only where weak signatures do") {
    World world;
    const std::string weak = token(world.authority, {.hash = Hash::sha1});
    CHECK_THAT(world.fault(weak), Contains("weak"));
    world.trust.allow_weak = true;
    CHECK(world.judge(weak).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp that does not count is a warning, and changes no verdict") {
    World world;
    const auto read = [&](const Trust& trust) {
        const std::vector<Bytes> attributes = craft::usual_attributes(kContent);
        const Bytes stamp = to_bytes(bytes_of(token(world.authority)));  // over other bytes
        const Bytes info =
            craft::signer_info({.key = world.alice,
                                .attributes = attributes,
                                .content = kContent,
                                .unsigned_attributes = {craft::attribute(oid::kTimestampToken, {stamp})}});
        return world.bench.verify(craft::signed_data({kContent, {info}, {world.alice.certificate}}), trust);
    };
    const ReadMail now = read(world.trust);
    CHECK(now.report.result == Result::valid);
    CHECK(now.report.warnings.at(0).kind == "timestamps");
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    CHECK(read(world.trust).report.result == Result::untrusted);
}

TEST_CASE("no more time-stamps are looked at than the limit") {
    const World world;
    const Bytes stamp = to_bytes(bytes_of(token(world.authority)));
    const std::vector<Bytes> many(30, craft::attribute(oid::kTimestampToken, {stamp}));
    const Bytes info = craft::signer_info({.key = world.alice,
                                           .attributes = craft::usual_attributes(kContent),
                                           .content = kContent,
                                           .unsigned_attributes = many});
    const ReadMail mail = world.bench.verify(craft::signed_data({kContent, {info}, {world.alice.certificate}}));
    CHECK(mail.signer().timestamps.size() == 20);
    CHECK(mail.report.warnings.at(0).message.find("than the limit") != std::string::npos);
}

namespace {

/// Answers is an authority that gives the answers of another to whatever it makes of the request.
class Answers final : public TimestampSource {
  public:
    explicit Answers(std::function<Bytes(ByteView)> answer) : answer_(std::move(answer)) {}
    Bytes answer(ByteView request) override { return answer_(request); }

  private:
    std::function<Bytes(ByteView)> answer_;
};

}  // namespace

TEST_CASE("a mail is not signed where the authority's answer is no time-stamp for it") {
    const World world;
    const auto refused = [&](std::function<Bytes(ByteView)> answer) {
        const auto source = std::make_shared<Answers>(std::move(answer));
        const Error error = caught([&] { (void)world.signed_mail(source); });
        CHECK(error.kind() == ErrorKind::io);
        CHECK_THAT(error.hint(), Contains("--timestamp"));
        return std::string(error.what());
    };
    OpensslTimestamps picky(world.bench, world.authority, "digests = sha512");
    CHECK_THAT(refused([&](ByteView request) { return picky.answer(request); }), Contains("not supported"));

    const auto openssl = world.openssl();
    Bytes first;
    CHECK_THAT(refused([&](ByteView request) {
                   first = openssl->answer(request);
                   return Bytes(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(first.size() / 2));
               }),
               Contains("malformed"));
    CHECK_THAT(refused([&](ByteView) { return first; }), Contains("something else"));
    CHECK_THAT(refused([&](ByteView) { return Bytes{}; }), Contains("malformed"));
    CHECK_THAT(refused([&](ByteView request) {
                   Bytes answer = openssl->answer(request);
                   answer.back() ^= 1;
                   return answer;
               }),
               Contains("does not fit"));
}

TEST_CASE("an authority's answer to another request for the same bytes is refused") {
    const World world;
    const auto openssl = world.openssl();
    Bytes first;
    Answers keeping([&](ByteView request) { return first = openssl->answer(request); });
    (void)get_timestamp(bytes_of(kStamped), keeping);
    Answers repeating([&](ByteView) { return first; });
    const Error error = caught([&] { (void)get_timestamp(bytes_of(kStamped), repeating); });
    CHECK_THAT(error.what(), Contains("another request"));
}
