// Whether certificates are revoked, as evidence tells along a path.

#include "cms/revocation.h"

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

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

TEST_CASE("why evidence could not be had is told") {
    RevocationBench bench;
    bench.source->points.missing = {{"cannot fetch 'http://crl.example/': the server answers 404"}};
    CHECK(unknown(bench.judge(bench.issue()), "the server answers 404"));
    bench.add_crl(
        {.extensions = "issuingDistributionPoint=critical,@idp", .sections = "[idp]\nonlysomereasons=keyCompromise\n"});
    CHECK(unknown(bench.judge(bench.issue()), "some reasons alone; cannot fetch 'http://crl.example/'"));
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
    bench.source->points.missing = {{"its address is private", "'private-hosts' allows it"}};
    CHECK(bench.judge(by_server).hint == "'private-hosts' allows it, and --crl FILE adds a CRL");
    bench.source->points.missing.push_back({"another server has none"});
    CHECK(bench.judge(by_server).hint == "'private-hosts' allows it, and --crl FILE adds a CRL");
    CHECK_THAT(bench.judge(by_server).reason, Catch::EndsWith("its address is private"));
    const Certificate by_nobody = bench.issue({.more_extensions = "crlDistributionPoints=URI:ldap:///CN=Root"});
    CHECK(bench.judge(by_nobody).hint == "--crl FILE adds a CRL");
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

    // One that is listed all the same is revoked, or on hold as far as is known.
    const auto listed = [&](const CrlSpec::Entry& entry, int next_update) {
        bench.source->here.crls.clear();
        bench.add_crl({.entries = {entry}, .number = 2, .this_update = -10, .next_update = next_update});
        return bench.judge(alice);
    };
    CHECK(revoked(listed({.certificate = alice}, 60)));
    CHECK(revoked(listed({.certificate = alice, .reason = "certificateHold"}, 60)));
    CHECK(revoked(listed({.certificate = alice, .reason = "certificateHold"}, -5), "nothing newer"));
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
