// RFC 3161 time-stamps of signatures: of openssl's authority, and of others with whatever is wrong in them.

#include "softhsm-tests/cms_timestamp.h"

#include <fmt/format.h>
#include <openssl/ts.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "cms/encode.h"
#include "softhsm-tests/cms_old_timestamps.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

using Catch::Contains;

TEST_CASE("a time-stamp of openssl's authority counts, and tells the time") {
    const TimestampBench world;
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
    const TimestampBench world;
    const Bytes der = get_timestamp(bytes_of(kStamped), *world.openssl());
    const std::string said =
        world.bench.openssl({"ts", "-verify", "-token_in", "-in", world.bench.file(text_of(der)), "-data",
                             world.bench.file(kStamped), "-CAfile", world.bench.trusted_file()});
    CHECK_THAT(said, Contains("Verification: OK"));
}

TEST_CASE("a certificate that has ended is judged at the time of a time-stamp") {
    TimestampBench world;
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
    TimestampBench world;
    CertificateSpec later;
    later.begins_in_days = 10;
    world.alice = world.bench.issue(later);
    const std::string mail = world.signed_mail(world.openssl());
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    CHECK(world.bench.verify(mail, world.trust).report.result == Result::untrusted);
}

TEST_CASE("a time-stamp from before the signer's certificate is none of its signature") {
    TimestampBench world;
    const auto read = [&](int begins_in_days) {
        CertificateSpec spec;
        spec.begins_in_days = begins_in_days;
        const SoftwareKey alice{world.alice.key, certify_key(world.alice.key, spec, &world.bench.intermediate)};
        const auto stamp = [&](ByteView signature) {
            const std::string made = token(world.authority, {.stamped = text_of(signature), .days_ago = 0});
            return der_value(tag::kSequence, {der_oid(oid::kTimestampToken), der_value(tag::kSet, bytes_of(made))});
        };
        const Bytes info = craft::signer_info({.key = alice,
                                               .attributes = craft::usual_attributes(kTimestampedContent),
                                               .content = kTimestampedContent,
                                               .unsigned_over = stamp});
        world.trust.clock = std::make_shared<ShiftedClock>(2);
        return world.bench.verify(craft::signed_data({kTimestampedContent, {info}, {alice.certificate}}), world.trust);
    };
    const ReadMail before = read(1);
    CHECK(before.report.result == Result::valid);
    CHECK(before.signer().timestamps.at(0).integrity == Integrity::invalid);
    CHECK(before.signer().timestamps.at(0).reason == "it is from before the certificate of CN=Alice,O=Example");
    CHECK(before.report.warnings.at(0).kind == "timestamps");
    CHECK(read(-1).signer().timestamps.at(0).integrity == Integrity::valid);
}

TEST_CASE("a crafted time-stamp with nothing wrong in it counts") {
    const TimestampBench world;
    const TimestampVerdict verdict = world.judge(token(world.authority));
    CHECK(verdict.reason.empty());
    CHECK(verdict.integrity == Integrity::valid);
}

TEST_CASE("the accuracy of a time-stamp and parts of a second make its time later, never earlier") {
    const TimestampBench world;
    const Stamp plain{.days_ago = 1};
    const Bytes ninety = der_value(tag::kSequence, der_integer(90));
    const Time base = *world.judge(token(world.authority, plain)).time;
    const Time later = *world.judge(token(world.authority, {.days_ago = 1, .more = ninety})).time;
    CHECK(later - base >= std::chrono::seconds(90));
    CHECK(later - base <= std::chrono::seconds(92));
    const Bytes millisecond = der_value(tag::kSequence, der_value(tag::context(0, false), bytes_of("\x01")));
    CHECK(*world.judge(token(world.authority, {.days_ago = 1, .more = millisecond})).time > base);
    const Bytes endless = der_value(tag::kSequence, der_value(tag::kInteger, bytes_of("\x7f\xff\xff\xff")));
    CHECK_THAT(world.fault(token(world.authority, {.more = endless})), Contains("cannot be read"));
}

TEST_CASE("a time-stamp over something else does not count") {
    const TimestampBench world;
    CHECK_THAT(world.fault(token(world.authority, {.stamped = "another signature"})), Contains("something else"));
    // Nor does one that was moved from another mail.
    const std::string mail = world.signed_mail(world.openssl());
    CHECK(world.bench.verify(mail).signer().timestamps.at(0).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp whose time or signature was changed does not count") {
    const TimestampBench world;
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

TEST_CASE("a certificate that was revoked before its time-stamp stays revoked") {
    TimestampBench world;
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
    OldTimestamps world;
    world.alice = certify(since({}, 80), &world.root);
    world.at_hand({make_crl(
        {.entries = {{.certificate = world.alice.certificate, .since = -20 * kDay}}, .next_update = 60}, world.root)});
    // One of before the certificate's time hides no other.
    for (const auto& days : {std::vector{60}, {10, 60}, {60, 10}, {5, 10, 60}, {90, 60}, {50, 60, 90}}) {
        const ReadMail mail = world.read(days);
        CHECK(mail.report.result == Result::valid);
        CHECK(mail.signer().time_basis == "timestamp");
        CHECK(*mail.signer().time_at < SystemClock().now() - std::chrono::days(59));
        CHECK(*mail.signer().time_at > SystemClock().now() - std::chrono::days(61));
        const auto& warnings = mail.report.warnings;
        CHECK(std::count_if(warnings.begin(), warnings.end(),
                            [](const Warning& each) { return each.kind == "revoked-since"; }) == 1);
    }
    for (const auto& days : {std::vector{10}, {10, 5}, {5, 10}}) {
        const ReadMail mail = world.read(days);
        CHECK(mail.report.result == Result::untrusted);
        CHECK(mail.signer().revocation == Revocation::revoked);
    }
}

TEST_CASE("a time-stamp from the future does not count") {
    const TimestampBench world;
    CHECK_THAT(world.fault(token(world.authority, {.days_ago = -1})), Contains("has not come yet"));
    CHECK(world.judge(token(world.authority, {.days_ago = 1})).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp of another form than RFC 3161's does not count") {
    const TimestampBench world;
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
    const std::string longer = std::string(text_of(info)) + "more";
    const std::vector<Bytes> attributes{craft::content_type(oid::kTstInfo), craft::message_digest(longer),
                                        craft::signing_certificate_v2(world.authority.certificate)};
    CHECK_THAT(world.fault(craft::signed_data({longer,
                                               {craft::signer_info(world.authority, attributes, longer)},
                                               {world.authority.certificate},
                                               oid::kTstInfo})),
               Contains("cannot be read"));
}

TEST_CASE("a weak time-stamp counts only where weak signatures do") {
    TimestampBench world;
    const std::string weak = token(world.authority, {.hash = Hash::sha1});
    CHECK(world.fault(weak) == "it is over a weak digest (sha1)");
    world.trust.allow_weak = true;
    CHECK(world.judge(weak).integrity == Integrity::valid);
}

TEST_CASE("a time-stamp that does not count is a warning, and changes no verdict") {
    TimestampBench world;
    const auto read = [&](const Trust& trust) {
        const std::vector<Bytes> attributes = craft::usual_attributes(kTimestampedContent);
        const Bytes stamp = to_bytes(bytes_of(token(world.authority)));  // over other bytes
        const Bytes info =
            craft::signer_info({.key = world.alice,
                                .attributes = attributes,
                                .content = kTimestampedContent,
                                .unsigned_attributes = {craft::attribute(oid::kTimestampToken, {stamp})}});
        return world.bench.verify(craft::signed_data({kTimestampedContent, {info}, {world.alice.certificate}}), trust);
    };
    const ReadMail now = read(world.trust);
    CHECK(now.report.result == Result::valid);
    CHECK(now.report.warnings.at(0).kind == "timestamps");
    world.trust.clock = std::make_shared<ShiftedClock>(400);
    CHECK(read(world.trust).report.result == Result::untrusted);
}

TEST_CASE("where a certificate has ended, it is said why the time-stamp that is there does not count") {
    TimestampBench world;
    const std::string stamped = world.signed_mail(world.openssl()), plain = world.signed_mail(nullptr);
    const auto later = [&](const std::string& mail, int days) {
        world.trust.clock = std::make_shared<ShiftedClock>(days);
        return world.bench.verify(mail, world.trust);
    };
    const ReadMail ended = later(stamped, 3'100);
    const std::string time = format_time(*ended.signer().timestamps.at(0).time);
    CHECK(ended.report.result == Result::untrusted);
    CHECK_THAT(ended.report.reason, Catch::StartsWith("the certificate of CN=Alice,O=Example has ended ") &&
                                        Contains("; the time-stamp of " + time +
                                                 " does not count: the certificate of CN=Stamper,O=Example has ended"));
    CHECK_THAT(ended.report.hint, Catch::StartsWith("--at ") && Contains("if you know by other means"));
    CHECK_THAT(later(plain, 400).report.reason, !Contains("time-stamp"));

    // What an authority lacks to be trusted is what helps.
    const auto stranger = std::make_shared<OpensslTimestamps>(world.bench, certify(timestamping_spec()));
    world.trust.clock = std::make_shared<SystemClock>();
    const std::string by_stranger = world.signed_mail(stranger);
    CHECK(later(by_stranger, 0).report.result == Result::valid);
    const ReadMail unknown = later(by_stranger, 400);
    CHECK_THAT(unknown.report.reason, Contains("does not count: the self-signed certificate of CN=Stamper,O=Example"));
    CHECK_THAT(unknown.report.hint, Contains("--ca"));
    world.trust.revocation = std::make_shared<TestSource>();
    world.trust.require_revocation = true;
    CHECK(later(stamped, 400).report.hint == "--crl FILE adds a CRL");
}

TEST_CASE("no more time-stamps are looked at than the limit") {
    const TimestampBench world;
    const Bytes stamp = to_bytes(bytes_of(token(world.authority)));
    const std::vector<Bytes> many(30, craft::attribute(oid::kTimestampToken, {stamp}));
    const Bytes info = craft::signer_info({.key = world.alice,
                                           .attributes = craft::usual_attributes(kTimestampedContent),
                                           .content = kTimestampedContent,
                                           .unsigned_attributes = many});
    const ReadMail mail =
        world.bench.verify(craft::signed_data({kTimestampedContent, {info}, {world.alice.certificate}}));
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
    const TimestampBench world;
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

TEST_CASE("a mail is not signed with a time-stamp by who is not for that, or of a time that is far off") {
    const TimestampBench world;
    const auto answers = [](const SoftwareKey& authority, int days_ago) {
        return std::make_shared<Answers>([&authority, days_ago](ByteView der) {
            const Byte* at = der.data();
            const Handle<TS_REQ, TS_REQ_free> request(d2i_TS_REQ(nullptr, &at, static_cast<long>(der.size())));
            const Bytes info = der_value(
                tag::kSequence,
                {der_integer(1), der_oid("1.2.3.4"), encode(TS_REQ_get_msg_imprint(request.get()), i2d_TS_MSG_IMPRINT),
                 der_integer(7), generalized_time(SystemClock().now() - std::chrono::days(days_ago)),
                 encode(TS_REQ_get_nonce(request.get()), i2d_ASN1_INTEGER)});
            return der_value(tag::kSequence, {der_value(tag::kSequence, der_integer(0)),
                                              to_bytes(bytes_of(token(authority, {.info = info})))});
        });
    };
    CHECK(world.bench.verify(world.signed_mail(answers(world.authority, 0))).report.result == Result::valid);
    const auto refused = [&](const SoftwareKey& authority, int days_ago) {
        return std::string(caught([&] { (void)world.signed_mail(answers(authority, days_ago)); }).what());
    };
    CHECK_THAT(refused(world.authority, 2), Contains("its time is far off the clock's"));
    CHECK_THAT(refused(world.authority, -2), Contains("its time is far off the clock's"));
    CHECK_THAT(refused(world.bench.issue(), 0), Contains("its certificate is not for that alone"));
}

TEST_CASE("an authority's answer to another request for the same bytes is refused") {
    const TimestampBench world;
    const auto openssl = world.openssl();
    Bytes first;
    Answers keeping([&](ByteView request) { return first = openssl->answer(request); });
    (void)get_timestamp(bytes_of(kStamped), keeping);
    Answers repeating([&](ByteView) { return first; });
    const Error error = caught([&] { (void)get_timestamp(bytes_of(kStamped), repeating); });
    CHECK_THAT(error.what(), Contains("another request"));
}
