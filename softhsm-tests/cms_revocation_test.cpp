#include "cms/revocation.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// Issuers counts what it is asked for.
struct Issuers final : IssuerSource {
    std::vector<Certificate> there;
    int asked = 0;
    Found issuers_of(const Certificate& certificate) override {
        ++asked;
        Found found;
        for (const Certificate& each : there)
            if (each.subject_der() == certificate.issuer_der()) found.certificates.push_back(each);
        if (found.certificates.empty()) found.missing = "the server is away";
        return found;
    }
};

}  // namespace

TEST_CASE("each certificate below the anchor is looked at, and one that is revoked ends the trust") {
    RevocationBench bench;
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    const Certificate alice = certify({}, &authority).certificate;
    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
    bench.add_crl({}, authority);
    CHECK(unknown(bench.judge(alice), "certificate of CN=Authority,O=Example is revoked is not known"));
    bench.add_crl({});
    CHECK(good(bench.judge(alice)));
    bench.add_crl({.entries = {{.certificate = authority.certificate}}, .this_update = -10});
    CHECK(revoked(bench.judge(alice), "CN=Authority,O=Example is revoked"));
    // Its key, not that of whoever has certified it.
    bench.source->here.crls.pop_back();
    bench.add_crl({.entries = {{.certificate = authority.certificate, .reason = "CACompromise"}}, .this_update = -10});
    CHECK(revoked(bench.judge(alice), "(compromise of the authority)"));
}

TEST_CASE("what was revoked after the judged time is told, whatever is not known of others") {
    RevocationBench bench;
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    const Certificate alice = certify({}, &authority).certificate;
    bench.trust.intermediates = {std::make_shared<MemoryCertificates>(std::vector{authority.certificate})};
    bench.at(-120);
    const auto told = [&] {
        const PathVerdict verdict = bench.judge(alice);
        CHECK(unknown(verdict, "whether the certificate of CN=Authority,O=Example is revoked is not known"));
        const bool first =
            verdict.revocation_reason.find("the certificate of CN=Alice,O=Example is revoked since") == 0;
        CHECK(first == !verdict.revoked_since.empty());
        return verdict.revoked_since;
    };
    bench.add_crl({}, authority);
    CHECK(told().empty());
    bench.add_crl({.entries = {{.certificate = alice, .reason = "superseded"}}}, authority);
    REQUIRE(told().size() == 1);
    CHECK(told().front().orderly);
    bench.add_crl({.entries = {{.certificate = alice, .reason = "keyCompromise"}}}, authority);
    REQUIRE(told().size() == 1);
    CHECK(told().front().certificate == alice);
    CHECK(told().front().reason == "key compromise");
    CHECK_FALSE(told().front().orderly);

    // What was on hold, and is no more, was not.
    bench.source->here = {};
    bench.add_crl({.entries = {{.certificate = alice, .reason = "certificateHold"}}, .this_update = -40}, authority);
    CHECK(told().size() == 1);
    bench.add_crl({.this_update = -20}, authority);
    CHECK(told().empty());

    // Others who know the key may have signed before.
    bench.source->here = {};
    const PrivateKey key = new_private_key(KeyKind::p256);
    const Certificate mine = certify_key(key, {}, &authority), other = certify_key(key, {}, &bench.root);
    bench.surplus = {other};
    bench.add_crl({.entries = {{.certificate = other, .reason = "keyCompromise"}}});
    const PathVerdict by_key = bench.judge(mine);
    REQUIRE(by_key.revoked_since.size() == 1);
    CHECK(by_key.revoked_since.front().certificate == other);
}

TEST_CASE("nothing is fetched where what is at hand tells, or where the path leads to no anchor") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({});
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->fetches == 0);

    bench.source->here.crls.clear();
    CHECK(unknown(bench.judge(alice), "no CRL"));
    CHECK(bench.source->fetches == 2);

    bench.source->fetches = 0;
    const SoftwareKey stranger = certify(authority_spec("Stranger"));
    CHECK_FALSE(bench.judge(certify({}, &stranger).certificate).trusted);
    const SoftwareKey impostor{stranger.key, bench.root.certificate};
    CHECK_FALSE(bench.judge(certify({}, &impostor).certificate).trusted);
    CHECK_FALSE(bench.judge(bench.issue({.begins_in_days = -20, .ends_in_days = -10})).trusted);
    CHECK(bench.source->fetches == 0);
}

TEST_CASE("good evidence that came along keeps nobody from asking whether a certificate was revoked since") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    RevocationEvidence carried;
    carried.crls.push_back(Crl::from_der(make_crl({.this_update = -90}, bench.root)));
    const auto judge = [&] { return validate(alice, {}, bench.trust, Use::signing, {}, carried); };
    CHECK(good(judge()));  // where nobody knows better
    CHECK(bench.source->fetches == 2);

    bench.source->points.crls.push_back(Crl::from_der(make_crl({.entries = {{.certificate = alice}}}, bench.root)));
    CHECK(revoked(judge()));

    bench.add_crl({});
    bench.source->fetches = 0;
    CHECK(good(judge()));
    CHECK(bench.source->fetches == 0);
}

TEST_CASE("evidence from before the time that counts keeps nobody from asking for newer") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.at(-60);
    const CrlSpec before{.this_update = -90}, after{.number = 2, .this_update = -50};
    const CrlSpec revoking{
        .entries = {{.certificate = alice, .since = -80, .reason = "keyCompromise"}}, .number = 3, .this_update = -40};
    bench.add_crl(before);
    CHECK(good(bench.judge(alice)));  // where nobody knows better
    CHECK(bench.source->fetches == 2);
    bench.source->points.crls = {Crl::from_der(make_crl(revoking, bench.root))};
    CHECK(revoked(bench.judge(alice)));
    bench.source->points = {};
    bench.source->responders.ocsp = {{OcspResponse::from_der(
        make_ocsp({.status = OcspSpec::Status::revoked, .since = -80}, alice, bench.root.certificate, bench.root))}};
    CHECK(revoked(bench.judge(alice)));

    // Nor does an answer that is as old end the search for another.
    const auto tells = [&](const CrlSpec& answer) {
        bench.source->here = bench.source->responders = {};
        bench.source->points.crls = {Crl::from_der(make_crl(answer, bench.root))};
        bench.judge(alice);
        return bench.source->answers_told.back();
    };
    CHECK_FALSE(tells(before));
    CHECK(tells(after));
    CHECK(tells(revoking));

    // What is of later is all that there is to know, and so is what holds, where now is judged.
    bench.source->fetches = 0;
    bench.add_crl(after);
    CHECK(good(bench.judge(alice)));
    bench.source->here = {};
    bench.add_crl(before);
    bench.trust.at.reset();
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->fetches == 0);
}

TEST_CASE("that a certificate was retired keeps nobody from asking whether others know its key") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const auto listing = [&](const std::string& reason, CrlSpec spec) {
        spec.entries = {{.certificate = alice, .since = -120, .reason = reason}};
        return Crl::from_der(make_crl(spec, bench.root));
    };
    const auto judge = [&](const RevocationEvidence& carried) {
        bench.source->fetches = 0;
        return validate(alice, {}, bench.trust, Use::signing, {}, carried);
    };
    const RevocationEvidence first{.crls = {listing("superseded", {.this_update = -90})}};
    const RevocationEvidence over{.crls = {listing("superseded", {.this_update = -90, .next_update = -60})}};
    CHECK(revoked(judge(first), "(superseded)"));
    CHECK(judge(first).retired_since);
    bench.source->points.crls = {listing("keyCompromise", {.number = 2})};
    SECTION("as came along") {
        CHECK(revoked(judge(first), "(key compromise)"));
        CHECK(judge(first).key_compromised);
        CHECK_FALSE(judge(first).retired_since);
    }
    SECTION("as came along, by who has evidence from before") {
        bench.add_crl({.this_update = -100});
        CHECK(revoked(judge(first), "(key compromise)"));
    }
    SECTION("as a CRL at hand tells that has ended") {
        bench.source->here = over;
        CHECK(revoked(judge({}), "(key compromise)"));
    }
    SECTION("at an earlier time, as a CRL from before tells") {
        bench.source->here = first;
        bench.at(-60);
        CHECK(revoked(judge({}), "(key compromise)"));
    }
    SECTION("since a CRL that has delta CRLs") {
        bench.source->here.crls = {
            listing("superseded", {.this_update = -90, .extensions = "freshestCRL=URI:http://crl.example/delta"})};
        bench.source->deltas.crls = {listing("keyCompromise", {.number = 2, .base_number = 1})};
        CHECK(revoked(judge({}), "(key compromise)"));
        CHECK(judge({}).key_compromised);
    }
    SECTION("but the user's own in force does, and any that says so") {
        bench.source->here = first;
        CHECK(judge({}).retired_since);
        CHECK(bench.source->fetches == 0);
        bench.source->here.crls = {listing("keyCompromise", {.this_update = -90, .next_update = -60})};
        CHECK(revoked(judge({}), "(key compromise)"));
        CHECK(bench.source->fetches == 0);
    }
}

TEST_CASE("a response from before the time that counts keeps nobody from asking for a delta CRL") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.at(-60);
    bench.add_crl({.number = 1, .this_update = -100, .extensions = "freshestCRL=URI:http://crl.example/delta"});
    const auto fetches_delta = [&](int this_update) {
        bench.source->here.ocsp.clear();
        bench.source->delta_fetches = 0;
        bench.add_ocsp({.this_update = this_update}, alice);
        CHECK(good(bench.judge(alice)));
        return bench.source->delta_fetches > 0;
    };
    CHECK(fetches_delta(-90));
    CHECK_FALSE(fetches_delta(-50));
}

TEST_CASE("a hold that is at hand is asked about, for it may have been lifted since") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.entries = {{.certificate = alice, .reason = "certificateHold"}}, .this_update = -60});
    CHECK(revoked(bench.judge(alice)));
    bench.source->points.crls.push_back(Crl::from_der(make_crl({.number = 2, .this_update = -10}, bench.root)));
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("responders are asked before distribution points, and what counts is kept") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const Bytes response = make_ocsp({}, alice, bench.root.certificate, bench.root);
    const Bytes crl = make_crl({}, bench.root);
    bench.source->points.crls = {Crl::from_der(crl)};
    bench.source->responders.ocsp = {{OcspResponse::from_der(response)}};
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->fetches == 1);
    CHECK(bench.source->kept == std::vector<Bytes>{response});

    // A response that does not count is not kept, and the CRL is fetched.
    bench.source->kept.clear();
    bench.source->responders.ocsp = {{OcspResponse::from_der(
        make_ocsp({.this_update = -2 * kDay, .next_update = -kDay}, alice, bench.root.certificate, bench.root))}};
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->kept == std::vector<Bytes>{crl});
}

TEST_CASE("a delta CRL is fetched where a CRL at hand says that there are some") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.number = 1, .this_update = -60, .extensions = "freshestCRL=URI:http://crl.example/delta"});
    CHECK(good(bench.judge(alice)));
    CHECK(bench.source->delta_fetches == 1);
    bench.source->deltas.crls = {
        Crl::from_der(make_crl({.entries = {{.certificate = alice}}, .number = 2, .base_number = 1}, bench.root))};
    CHECK(revoked(bench.judge(alice)));
}

TEST_CASE("a CRL makes nothing good where a delta CRL tells that there is a newer one, which is asked for") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.add_crl({.number = 10, .this_update = -60, .extensions = "freshestCRL=URI:http://crl.example/delta"});
    bench.source->deltas.crls = {Crl::from_der(make_crl({.number = 21, .base_number = 20}, bench.root))};
    CHECK(unknown(bench.judge(alice), "there is a newer one"));
    bench.source->points.at_points = {Crl::from_der(make_crl({.number = 20, .this_update = -40}, bench.root))};
    CHECK(good(bench.judge(alice)));
    bench.source->points.at_points = {
        Crl::from_der(make_crl({.entries = {{.certificate = alice}}, .number = 20, .this_update = -40}, bench.root))};
    CHECK(revoked(bench.judge(alice)));
    // What came along keeps nobody from asking for that.
    RevocationEvidence carried;
    carried.ocsp = {{OcspResponse::from_der(make_ocsp({}, alice, bench.root.certificate, bench.root))}};
    CHECK(revoked(validate(alice, {}, bench.trust, Use::signing, {}, carried)));
    // A delta CRL of somebody else, or one that has ended, tells of none.
    bench.source->points.at_points.clear();
    const SoftwareKey other = certify(RevocationBench::old_authority());
    bench.source->deltas.crls = {
        Crl::from_der(make_crl({.number = 21, .base_number = 20}, other)),
        Crl::from_der(make_crl({.number = 21, .base_number = 20, .this_update = -50, .next_update = -10}, bench.root))};
    CHECK(good(bench.judge(alice)));
}

TEST_CASE("a delta CRL that a certificate names is asked for, whatever came along") {
    RevocationBench bench;
    const Certificate alice = bench.issue({.more_extensions = "freshestCRL=URI:http://crl.example/delta"});
    RevocationEvidence carried;
    carried.ocsp = {{OcspResponse::from_der(make_ocsp({}, alice, bench.root.certificate, bench.root))}};
    const auto judge = [&] { return validate(alice, {}, bench.trust, Use::signing, {}, carried); };
    CHECK(good(judge()));
    bench.source->deltas.crls = {
        Crl::from_der(make_crl({.entries = {{.certificate = alice}}, .number = 2, .base_number = 1}, bench.root))};
    CHECK(revoked(judge()));
}

TEST_CASE("why evidence could not be had is told") {
    RevocationBench bench;
    bench.source->points.missing = {"cannot fetch 'http://crl.example/': the server answers 404"};
    CHECK(unknown(bench.judge(bench.issue()), "the server answers 404"));
}

TEST_CASE("where revocation must be known, what is not known is not trusted") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    bench.trust.require_revocation = true;
    const PathVerdict without = bench.judge(alice);
    CHECK_FALSE(without.trusted);
    CHECK_THAT(without.reason, Catch::Contains("CN=Alice,O=Example is revoked is not known: no CRL"));
    CHECK(without.hint == "--crl FILE adds a CRL");
    const Certificate by_server = bench.issue({.more_extensions = "crlDistributionPoints=URI:http://crl.example/"});
    CHECK(bench.judge(by_server).hint == "its servers may answer later, and --crl FILE adds a CRL");
    bench.source->online = false;
    CHECK(bench.judge(by_server).hint == "--revocation online asks its servers, and --crl FILE adds a CRL");
    CHECK_FALSE(bench.judge(bench.root.certificate).trusted);
    bench.add_crl({});
    CHECK(good(bench.judge(alice)));
    bench.trust.revocation = nullptr;
    CHECK_FALSE(bench.judge(alice).trusted);
}

TEST_CASE("CRLs and OCSP responses count that came along in the message") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    Trust trust = bench.trust();
    trust.revocation = std::make_shared<TestSource>();
    const auto verified = [&](const std::vector<Bytes>& infos) {
        constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nHello\r\n";
        return bench
            .verify(craft::signed_data(
                        {.content = kContent,
                         .signer_infos = {craft::signer_info(alice, craft::usual_attributes(kContent), kContent)},
                         .certificates = {alice.certificate},
                         .revocation_infos = infos}),
                    trust)
            .signer();
    };
    const auto stapled = [&](const Bytes& response) {
        return der_value(tag::context(1, true), {der_oid("1.3.6.1.5.5.7.16.2"), response});
    };
    const Bytes of_root = make_crl({}, bench.root);
    CHECK(verified({of_root}).revocation == smime::Revocation::unknown);
    CHECK(verified({of_root, make_crl({}, bench.intermediate)}).revocation == smime::Revocation::good);
    const auto by_crl =
        verified({of_root, make_crl({.entries = {{.certificate = alice.certificate}}}, bench.intermediate)});
    CHECK(by_crl.revocation == smime::Revocation::revoked);
    CHECK(by_crl.chain == smime::ChainState::untrusted);

    const auto ocsp = [&](OcspSpec::Status status) {
        return stapled(
            make_ocsp({.status = status}, alice.certificate, bench.intermediate.certificate, bench.intermediate));
    };
    CHECK(verified({of_root, ocsp(OcspSpec::Status::good)}).revocation == smime::Revocation::good);
    CHECK(verified({of_root, ocsp(OcspSpec::Status::revoked)}).revocation == smime::Revocation::revoked);
    CHECK(verified({of_root, stapled(der_value(tag::kSequence, Bytes(5, 0)))}).revocation ==
          smime::Revocation::unknown);
}

TEST_CASE("no revocation is asked for where a certificate's issuer offers none") {
    constexpr const char* kNoRevAvail = "2.5.29.56=DER:0500";
    RevocationBench bench;
    bench.trust.require_revocation = true;
    const Certificate alice = bench.issue({.more_extensions = kNoRevAvail});
    const PathVerdict verdict = bench.judge(alice);
    CHECK(verdict.trusted);
    CHECK(verdict.revocation == RevocationState::not_offered);
    CHECK(verdict.revocation_reason == "it is not offered by the issuer of the certificate of CN=Alice,O=Example");
    CHECK(bench.source->fetches == 0);
    CHECK_FALSE(bench.judge(bench.issue()).trusted);

    // That is said of itself alone: what is above it must be known.
    const SoftwareKey authority = certify(authority_spec("Authority"), &bench.root);
    bench.surplus = {authority.certificate};
    const Certificate below = certify({.more_extensions = kNoRevAvail}, &authority).certificate;
    CHECK_THAT(bench.judge(below).reason, Catch::Contains("CN=Authority,O=Example is revoked is not known"));
    bench.add_crl({});
    CHECK(bench.judge(below).revocation == RevocationState::not_offered);

    // One that is listed all the same is revoked, or was on hold and is not known not to be.
    const auto listed = [&](const CrlSpec::Entry& entry, int next_update) {
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {entry}, .number = 2, .this_update = -10, .next_update = next_update});
        return bench.judge(alice);
    };
    CHECK(revoked(listed({.certificate = alice}, 60)));
    CHECK(revoked(listed({.certificate = alice, .reason = "certificateHold"}, 60)));
    bench.trust.require_revocation = false;
    CHECK(unknown(listed({.certificate = alice, .reason = "certificateHold"}, -5), "nothing newer"));
}

TEST_CASE("that no revocation is offered is believed as RFC 9608 has it alone") {
    RevocationBench bench;
    const auto state = [&](const CertificateSpec& spec) { return bench.judge(bench.issue(spec)).revocation; };
    CHECK(state({.more_extensions = "2.5.29.56=DER:0500"}) == RevocationState::not_offered);
    for (const char* value : {"0101ff", "3000", "050000", "04020500"})
        CHECK(state({.more_extensions = std::string("2.5.29.56=DER:") + value}) == RevocationState::unknown);
    CHECK(state({.more_extensions = "2.5.29.56=DER:0500\n2.5.29.56=DER:0500"}) != RevocationState::not_offered);
    CHECK(state({.basic_constraints = "critical,CA:TRUE",
                 .key_usage = "critical,digitalSignature",
                 .more_extensions = "2.5.29.56=DER:0500"}) != RevocationState::not_offered);
}

TEST_CASE("an authority's certificate without revocation is refused, and one that names a server is asked about") {
    constexpr const char* kNoRevAvail = "2.5.29.56=DER:0500";
    RevocationBench bench;
    CertificateSpec spec = authority_spec("Authority");
    spec.more_extensions = kNoRevAvail;
    const SoftwareKey authority = certify(spec, &bench.root);
    bench.surplus = {authority.certificate};
    const PathVerdict verdict = bench.judge(certify({}, &authority).certificate);
    CHECK_FALSE(verdict.trusted);
    CHECK_THAT(verdict.reason, Catch::Contains("CN=Authority,O=Example offers no revocation"));

    for (const char* server : {"crlDistributionPoints=URI:http://crl.example/", "freshestCRL=URI:http://crl.example/",
                               "authorityInfoAccess=OCSP;URI:http://ocsp.example/"}) {
        bench.source->fetches = 0;
        const Certificate alice = bench.issue({.more_extensions = std::string(kNoRevAvail) + "\n" + server});
        CHECK(unknown(bench.judge(alice), "no CRL"));
        CHECK(bench.source->fetches > 0);
    }
}

TEST_CASE("CRLs and OCSP responses count that a signer has put into Adobe's archive attribute") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    Trust trust = bench.trust();
    trust.revocation = std::make_shared<TestSource>();
    const auto archived = [&](const std::vector<Bytes>& parts) {
        constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nHello\r\n";
        std::vector<Bytes> attributes = craft::usual_attributes(kContent);
        Bytes archive;
        for (const Bytes& part : parts)
            archive.insert(archive.end(), part.begin(), part.end());
        attributes.push_back(craft::attribute("1.2.840.113583.1.1.8", {der_value(tag::kSequence, archive)}));
        const auto signer =
            bench
                .verify(craft::signed_data({.content = kContent,
                                            .signer_infos = {craft::signer_info(alice, attributes, kContent)},
                                            .certificates = {alice.certificate}}),
                        trust)
                .signer();
        CHECK(signer.integrity == Integrity::valid);
        return signer.revocation;
    };
    const auto list = [](std::uint8_t number, const std::vector<Bytes>& values) {
        Bytes all;
        for (const Bytes& each : values)
            all.insert(all.end(), each.begin(), each.end());
        return der_value(tag::context(number, true), der_value(tag::kSequence, all));
    };
    const Bytes of_root = make_crl({}, bench.root);
    const Bytes revoking = make_crl({.entries = {{.certificate = alice.certificate}}}, bench.intermediate);
    const auto ocsp = [&](OcspSpec::Status status) {
        return make_ocsp({.status = status}, alice.certificate, bench.intermediate.certificate, bench.intermediate);
    };
    using smime::Revocation;
    CHECK(archived({}) == Revocation::unknown);
    CHECK(archived({list(0, {of_root, make_crl({}, bench.intermediate)})}) == Revocation::good);
    CHECK(archived({list(0, {of_root}), list(1, {ocsp(OcspSpec::Status::good)})}) == Revocation::good);
    CHECK(archived({list(0, {of_root, revoking})}) == Revocation::revoked);
    CHECK(archived({list(1, {ocsp(OcspSpec::Status::revoked)}), list(2, {})}) == Revocation::revoked);
    // What cannot be read is as good as missing.
    CHECK(archived({list(0, {Bytes{tag::kSequence, 0}, of_root, make_crl({}, bench.intermediate)})}) ==
          Revocation::good);
    CHECK(archived({list(3, {revoking})}) == Revocation::unknown);
}

TEST_CASE("missing issuers are fetched where that is asked for, and not for long") {
    RevocationBench bench;
    bench.trust.revocation = nullptr;
    const SoftwareKey upper = certify(authority_spec("Upper"), &bench.root);
    const SoftwareKey lower = certify(authority_spec("Lower"), &upper);
    const Certificate alice = certify({}, &lower).certificate;
    const auto issuers = std::make_shared<Issuers>();
    issuers->there = {upper.certificate, lower.certificate};
    CHECK_FALSE(bench.judge(alice).trusted);
    bench.trust.issuers = issuers;
    CHECK(bench.judge(alice).trusted);
    CHECK(issuers->asked == 2);
    CHECK(bench.judge(bench.issue()).trusted);
    CHECK(issuers->asked == 2);

    issuers->there = {lower.certificate};
    const PathVerdict away = bench.judge(alice);
    CHECK(away.reason ==
          "the issuer of CN=Lower,O=Example (CN=Upper,O=Example) is neither trusted nor known: the server is away");
    CHECK_THAT(away.hint, Catch::Contains("--intermediates FILE") && !Catch::Contains("--fetch-issuers"));
    // Someone who has endless issuers is asked a few times.
    std::vector<SoftwareKey> chain{certify(authority_spec("0"), &lower)};
    for (int i = 1; i < 10; ++i)
        chain.push_back(certify(authority_spec(std::to_string(i)), &chain.back()));
    issuers->there = {lower.certificate, upper.certificate};
    for (const SoftwareKey& each : chain)
        issuers->there.push_back(each.certificate);
    issuers->asked = 0;
    CHECK_FALSE(bench.judge(certify({}, &chain.back()).certificate).trusted);
    CHECK(issuers->asked == 5);
}

TEST_CASE("issuers are fetched too where those that are known lead to no trusted path") {
    RevocationBench bench;
    bench.trust.revocation = nullptr;
    const auto issuers = std::make_shared<Issuers>();
    const SoftwareKey upper = certify(authority_spec("Upper"), &bench.root);
    const SoftwareKey lower = certify(authority_spec("Lower"), &upper);
    const Certificate alice = certify({}, &lower).certificate;
    issuers->there = {upper.certificate, lower.certificate};
    const auto judge = [&](bool fetching, std::vector<Certificate> along) {
        bench.trust.issuers = fetching ? issuers : nullptr;
        bench.surplus = std::move(along);
        issuers->asked = 0;
        return bench.judge(alice);
    };
    SECTION("because one came along as a root of its own") {
        const Certificate self_signed = certify_key(upper.key, authority_spec("Upper"), nullptr);
        const std::vector along{lower.certificate, self_signed};
        CHECK_THAT(judge(false, along).reason, Catch::Contains("the root CN=Upper,O=Example is not trusted"));
        CHECK(judge(true, along).trusted);
        CHECK(issuers->asked == 1);
        issuers->there = {lower.certificate, self_signed};
        CHECK_FALSE(judge(true, along).trusted);
        CHECK(issuers->asked == 2);
    }
    SECTION("because one came along that has ended") {
        CertificateSpec old = authority_spec("Lower");
        old.begins_in_days = -20;
        old.ends_in_days = -10;
        const std::vector along{upper.certificate, certify_key(lower.key, old, &upper)};
        CHECK_THAT(judge(false, along).reason, Catch::Contains("CN=Lower,O=Example has ended"));
        const PathVerdict verdict = judge(true, along);
        CHECK(verdict.trusted);
        CHECK(verdict.chain.at(1) == lower.certificate);
        issuers->there.clear();
        CHECK_THAT(judge(true, along).reason, Catch::Contains("CN=Lower,O=Example has ended"));
        CHECK(issuers->asked == 3);  // Lower's, Upper's and Alice's
    }
}

TEST_CASE("an authority's new certificate is fetched where the old one is revoked, unless others know its key") {
    RevocationBench bench;
    const SoftwareKey old = certify(authority_spec("Authority"), &bench.root);
    const SoftwareKey renewed{old.key, certify_key(old.key, authority_spec("Authority"), &bench.root)};
    const Certificate alice =
        certify({.more_extensions = "authorityInfoAccess=caIssuers;URI:http://ca.example/ca.cer"}, &old).certificate;
    const auto issuers = std::make_shared<Issuers>();
    issuers->there = {renewed.certificate};
    bench.surplus = {old.certificate};
    const auto judge = [&](const std::string& reason, bool fetching) {
        bench.trust.issuers = fetching ? issuers : nullptr;
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {{.certificate = old.certificate, .reason = reason}}});
        bench.add_crl({}, old);
        issuers->asked = 0;
        return bench.judge(alice);
    };
    const PathVerdict verdict = judge("superseded", true);
    CHECK(good(verdict));
    CHECK(verdict.chain.at(1) == renewed.certificate);

    const PathVerdict without = judge("superseded", false);
    CHECK(revoked(without, "CN=Authority,O=Example is revoked"));
    CHECK(without.hint ==
          "if it was renewed, --fetch-issuers fetches its new certificate, --intermediates FILE adds it");

    CHECK(revoked(judge("keyCompromise", true), "key compromise"));
    CHECK(judge("keyCompromise", true).hint.empty());
    CHECK(issuers->asked == 0);
}

TEST_CASE("no issuers are fetched where no other path can be better") {
    RevocationBench bench;
    const auto issuers = std::make_shared<Issuers>();
    bench.trust.issuers = issuers;
    CHECK_FALSE(bench.judge(bench.issue({.begins_in_days = -20, .ends_in_days = -10})).trusted);
    CHECK_FALSE(bench.judge(bench.issue({.extended_key_usage = "serverAuth"})).trusted);
    CHECK_FALSE(bench.judge(bench.issue({.key_usage = "critical,keyAgreement"})).trusted);
    const Certificate alice = bench.issue();
    bench.add_crl({.entries = {{.certificate = alice}}});
    CHECK(revoked(bench.judge(alice)));
    bench.trust.require_revocation = true;
    bench.source->here.crls.clear();
    CHECK_FALSE(bench.judge(alice).trusted);
    CHECK(issuers->asked == 0);
}

TEST_CASE("no issuers are fetched for a signature that does not verify") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    CertificateSpec old = authority_spec("Test Intermediate");
    old.begins_in_days = -20;
    old.ends_in_days = -10;
    const auto issuers = std::make_shared<Issuers>();
    issuers->there = {bench.intermediate.certificate};
    Trust trust = trust_in({bench.root.certificate}, {certify_key(bench.intermediate.key, old, &bench.root)});
    trust.issuers = issuers;
    const auto chain = [&](std::string_view changed) {
        constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nHello\r\n";
        return bench
            .verify(craft::signed_data(
                        {.content = changed,
                         .signer_infos = {craft::signer_info(alice, craft::usual_attributes(kContent), kContent)},
                         .certificates = {alice.certificate}}),
                    trust)
            .signer()
            .chain;
    };
    CHECK(chain("Content-Type: text/plain\r\n\r\nHallo\r\n") == smime::ChainState::untrusted);
    CHECK(issuers->asked == 0);
    CHECK(chain("Content-Type: text/plain\r\n\r\nHello\r\n") == smime::ChainState::trusted);
    CHECK(issuers->asked > 0);
}
