// Who is asked whether certificates are revoked, and when.

#include <catch2/catch.hpp>
#include <map>

#include "softhsm-tests/cms_revocation.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

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

TEST_CASE("what has changed since a CRL is not known where the delta CRL that it names cannot be had") {
    RevocationBench bench;
    const Certificate alice = bench.issue();
    const CrlSpec base{.number = 5, .this_update = -90, .extensions = "freshestCRL=URI:http://crl.example/delta"};
    bench.add_crl(base);
    bench.source->deltas.missing = {{"the server is silent"}};
    const auto demanded = [&] {
        bench.trust.require_revocation = true;
        return bench.judge(alice);
    };
    const auto delta = [&](const CrlSpec& spec, const SoftwareKey& issuer) {
        bench.source->deltas.crls = {Crl::from_der(make_crl(spec, issuer))};
    };
    const auto lacking = [&](const PathVerdict& verdict) {
        CAPTURE(verdict.reason, verdict.revocation_reason);
        CHECK_FALSE(verdict.trusted);
        return verdict.revocation == RevocationState::unknown &&
               verdict.reason.find("what has changed since could not be had: the server is silent") !=
                   std::string::npos;
    };
    SECTION("which is said, and is nothing known where that is demanded") {
        const PathVerdict verdict = bench.judge(alice);
        CHECK(good(verdict));
        CHECK_THAT(verdict.revocation_reason,
                   Catch::StartsWith("the certificate of CN=Alice,O=Example is known not to be revoked as of ") &&
                       Catch::EndsWith(", and what has changed since could not be had: the server is silent"));
        CHECK(lacking(demanded()));
    }
    SECTION("nor is one that is over, or somebody else's") {
        const CrlSpec newer{.number = 6, .base_number = 5, .this_update = -80};
        delta({.number = 6, .base_number = 5, .this_update = -80, .next_update = -10}, bench.root);
        CHECK(lacking(demanded()));
        delta(newer, certify(RevocationBench::old_authority()));
        CHECK(lacking(demanded()));
        delta(newer, bench.root);
        CHECK(good(demanded()));
        CHECK(bench.judge(alice).revocation_reason.empty());
    }
    SECTION("but one of the time of the CRL is had, and tells of no change") {
        delta({.number = 5, .base_number = 4, .this_update = -90}, bench.root);
        CHECK(good(demanded()));
        CHECK(bench.judge(alice).revocation_reason.empty());
    }
    SECTION("but one from before the CRL is had and has not ended: there is no newer one") {
        bench.source->here.crls.clear();
        bench.add_crl({.number = 9, .this_update = -30, .extensions = base.extensions});
        CHECK(lacking(demanded()));
        delta({.number = 8, .base_number = 5, .this_update = -60}, bench.root);
        CHECK(good(demanded()));
        CHECK(bench.judge(alice).revocation_reason.empty());
        // One that has ended may be played back, to hide the one after it.
        delta({.number = 8, .base_number = 5, .this_update = -60, .next_update = -20}, bench.root);
        CHECK(lacking(demanded()));
        delta({.number = 8, .base_number = 5, .this_update = -60}, certify(RevocationBench::old_authority()));
        CHECK(lacking(demanded()));
    }
    SECTION("nor is one that cannot be told to be from before the CRL") {
        delta({.number = 21, .base_number = 20, .extensions = "authorityKeyIdentifier=keyid\n"}, bench.root);
        CHECK(lacking(demanded()));
    }
    SECTION("but nobody can be asked where no server is named") {
        const auto with_deltas_at = [&](const std::string& urls) {
            bench.source->here.crls.clear();
            bench.add_crl({.extensions = "freshestCRL=" + urls});
            return demanded();
        };
        const PathVerdict verdict = with_deltas_at("URI:ldap:///CN=Delta?deltaRevocationList");
        CHECK(good(verdict));
        CHECK_THAT(verdict.revocation_reason,
                   Catch::EndsWith("what has changed since could not be had: the server is silent"));
        CHECK(lacking(with_deltas_at("URI:ldap://dc.example/CN=Delta?deltaRevocationList")));
        CHECK(lacking(with_deltas_at("URI:ldap:///CN=Delta, URI:http://crl.example/delta")));
        const Certificate named = bench.issue({.more_extensions = "freshestCRL=URI:http://crl.example/delta"});
        with_deltas_at("URI:ldap:///CN=Delta?deltaRevocationList");
        CHECK(lacking(bench.judge(named)));
    }
    SECTION("but the CRL tells all of a time before") {
        bench.at(-120);
        CHECK(good(demanded()));
        CHECK(bench.judge(alice).revocation_reason.empty());
    }
    SECTION("but nobody is asked offline") {
        bench.source->online = false;
        CHECK(good(demanded()));
        CHECK_THAT(bench.judge(alice).revocation_reason, Catch::Contains("what has changed since could not be had"));
    }
}

TEST_CASE("of CRLs for some reasons, each has its own delta CRLs, which are asked for") {
    RevocationBench bench;
    bench.trust.require_revocation = true;
    const Certificate alice = bench.issue();
    const auto partition = [](const std::string& reasons, CrlSpec spec) {
        spec.extensions = "issuingDistributionPoint=critical,@idp\n";
        if (!spec.base_number) spec.extensions += "freshestCRL=URI:http://crl.example/delta\n";
        spec.sections = "[idp]\nonlysomereasons=" + reasons + "\n";
        return spec;
    };
    const std::string compromises = "keyCompromise, CACompromise, AACompromise";
    const std::string others =
        "affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn";
    bench.add_crl(partition(others, {.number = 9, .this_update = -30}));
    bench.add_crl(partition(compromises, {.number = 9, .this_update = -40}));
    const auto add_delta = [&](const std::string& reasons, const CrlSpec& spec) {
        bench.source->deltas.crls.push_back(Crl::from_der(make_crl(partition(reasons, spec), bench.root)));
    };
    add_delta(others, {.number = 8, .base_number = 5, .this_update = -60});
    CHECK(bench.judge(alice).revocation == RevocationState::unknown);
    CHECK(bench.source->delta_fetches == 2);
    add_delta(compromises, {.number = 10, .base_number = 9, .this_update = -20});
    CHECK(good(bench.judge(alice)));
}

namespace {

// DeltaServers have delta CRLs by where the CRLs name them.
struct DeltaServers final : TestSource {
    std::map<std::string, Crl> at;

    RevocationEvidence fetch_delta(const Certificate& certificate, const std::optional<Crl>& base,
                                   const Tells& tells) override {
        RevocationEvidence found = TestSource::fetch_delta(certificate, base, tells);
        for (const Alternatives& urls : base ? base->freshest_urls() : std::vector<Alternatives>{})
            for (const std::string& url : urls)
                if (at.count(url) != 0) found.at_freshest.push_back(at.at(url));
        return found;
    }
};

// Partitions are CRLs for some reasons of a certificate, whose delta CRLs are each at a place of its own.
struct Partitions {
    RevocationBench bench;
    std::shared_ptr<DeltaServers> servers = std::make_shared<DeltaServers>();
    Certificate alice = bench.issue();

    Partitions() {
        bench.source = servers;
        bench.trust = bench.trusting();
    }
    static std::string place(const std::string& reason) { return "http://crl.example/" + reason; }
    Crl crl(const std::string& reason, CrlSpec spec, const std::string& at = {}) const {
        const std::string others =
            ", affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, AACompromise";
        spec.extensions = "issuingDistributionPoint=critical,@idp\n";
        if (!spec.base_number) spec.extensions += "freshestCRL=URI:" + (at.empty() ? place(reason) : at) + "\n";
        spec.sections = "[idp]\nonlysomereasons=" + reason + (reason == "CACompromise" ? others : "") + "\n";
        return Crl::from_der(make_crl(spec, bench.root));
    }
    CrlSpec revoking() const {
        return {.entries = {{.certificate = alice, .reason = "keyCompromise"}}, .number = 10, .base_number = 9};
    }
};

}  // namespace

TEST_CASE("the delta CRLs of a CRL for some reasons are asked for though it came along, or others are at hand") {
    Partitions world;
    const CrlSpec base{.number = 9, .this_update = -40};
    RevocationEvidence carried;
    const auto judge = [&] { return validate(world.alice, {}, world.bench.trust, Use::signing, {}, carried); };
    world.servers->here.crls = {world.crl("CACompromise", base)};
    SECTION("which came along") {
        carried.crls = {world.crl("keyCompromise", base)};
    }
    SECTION("which are at hand") {
        world.servers->here.crls.push_back(world.crl("keyCompromise", base));
    }
    CHECK(good(judge()));
    CHECK(world.servers->delta_fetches == 2);
    world.servers->at.emplace(Partitions::place("keyCompromise"), world.crl("keyCompromise", world.revoking()));
    CHECK(revoked(judge(), "(key compromise)"));
}

TEST_CASE("the delta CRLs of a CRL are asked for that was fetched as a delta CRL told that there is a newer one") {
    Partitions world;
    const std::string newer_place = "http://crl.example/newer";
    world.servers->here.crls = {world.crl("CACompromise", {.number = 9, .this_update = -40}),
                                world.crl("keyCompromise", {.number = 8, .this_update = -50})};
    world.servers->at.emplace(Partitions::place("keyCompromise"),
                              world.crl("keyCompromise", {.number = 10, .base_number = 9, .this_update = -20}));
    world.servers->points.at_points = {world.crl("keyCompromise", {.number = 11, .this_update = -15}, newer_place)};
    CHECK(good(world.bench.judge(world.alice)));
    CrlSpec revoking = world.revoking();
    revoking.number = 12;
    revoking.this_update = -10;
    world.servers->at.emplace(newer_place, world.crl("keyCompromise", revoking));
    CHECK(revoked(world.bench.judge(world.alice), "(key compromise)"));
}
