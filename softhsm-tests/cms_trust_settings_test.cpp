// The uses that PEM's "TRUSTED CERTIFICATE" gives and takes away, where an anchor is given more than once.
#include <catch2/catch.hpp>

#include "cms/trust_settings.h"
#include "softhsm-tests/cms_paths.h"
#include "softhsm-tests/support/other_signature.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

using Options = std::vector<std::string>;

const Options kPlain = {};
const Options kForMail = {"-addtrust", "emailProtection"};
const Options kForServers = {"-addtrust", "serverAuth"};
const Options kForStamps = {"-addtrust", "timeStamping"};
const Options kNotForMail = {"-addreject", "emailProtection"};
const Options kNotForStamps = {"-addreject", "timeStamping"};
const Options kForNothing = {"-addreject", "anyExtendedKeyUsage"};

struct SettingsWorld {
    CmsBench bench;

    // What openssl makes of a certificate's file with options.
    std::string pem(const Certificate& certificate, const Options& options) const {
        std::vector<std::string> arguments{"x509", "-in", bench.file(certificate.pem()), "-trustout"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return bench.openssl(arguments);
    }
    Certificate with(const Certificate& certificate, const Options& options) const {
        return Certificate::from_file_bytes(bytes_of(pem(certificate, options))).at(0);
    }
    // Whether `end` is trusted where two copies of an anchor are given, whichever is the first and whether or not they
    // are of one source.
    bool trusts(const Certificate& end, const Certificate& anchor, const Options& one, const Options& other,
                Purpose purpose = Purpose::email) const {
        const Certificate copies[] = {with(anchor, one), with(anchor, other)};
        std::vector<bool> answers;
        for (const std::size_t first : {0U, 1U}) {
            Trust trust = trust_in({copies[first], copies[1 - first]});
            trust.purpose = purpose;
            answers.push_back(judge(end, {bench.intermediate}, trust).trusted);
            trust.anchors = {std::make_shared<MemoryCertificates>(std::vector{copies[first]}),
                             std::make_shared<MemoryCertificates>(std::vector{copies[1 - first]})};
            answers.push_back(judge(end, {bench.intermediate}, trust).trusted);
        }
        CHECK(std::count(answers.begin(), answers.end(), answers.front()) == 4);
        return answers.front();
    }
};

}  // namespace

TEST_CASE("an anchor that one of its copies rejects is rejected, and else trusted where one of them is") {
    const SettingsWorld world;
    const Certificate& root = world.bench.root.certificate;
    const Certificate end = world.bench.issue().certificate;
    const auto trusts = [&](const Options& one, const Options& other) { return world.trusts(end, root, one, other); };
    CHECK(trusts(kPlain, kPlain));
    CHECK_FALSE(trusts(kPlain, kNotForMail));
    CHECK_FALSE(trusts(kPlain, kForNothing));
    CHECK_FALSE(trusts(kForMail, kNotForMail));
    CHECK_FALSE(trusts(kForServers, kNotForMail));
    CHECK(trusts(kPlain, kForServers));
    CHECK(trusts(kForMail, kForServers));
    CHECK(trusts(kForMail, kNotForStamps));
    CHECK_FALSE(trusts(kForServers, kForStamps));
    CHECK(untrusted(judge(end, {world.bench.intermediate}, trust_in({root, world.with(root, kNotForMail)})),
                    "CN=Test Root,O=Example is not trusted for e-mail, by the settings in its file"));
}

TEST_CASE("what one copy of an anchor is rejected for says nothing of its other uses") {
    const SettingsWorld world;
    CertificateSpec spec;
    spec.extended_key_usage = "critical,timeStamping";
    const Certificate authority = certify(spec, &world.bench.root).certificate;
    const auto trusts = [&](const Options& one, const Options& other) {
        return world.trusts(authority, world.bench.root.certificate, one, other, Purpose::timestamps);
    };
    CHECK(trusts(kPlain, kNotForMail));
    CHECK_FALSE(trusts(kPlain, kNotForStamps));
    CHECK(trusts(kForMail, kForStamps));
    CHECK_FALSE(trusts(kForMail, kForServers));
}

TEST_CASE("the settings of an anchor count that is itself the certificate judged") {
    const SettingsWorld world;
    const Certificate end = world.bench.issue().certificate;
    const auto trusts = [&](const Options& one, const Options& other) { return world.trusts(end, end, one, other); };
    CHECK(trusts(kPlain, kPlain));
    CHECK(trusts(kForMail, kForMail));
    CHECK_FALSE(trusts(kNotForMail, kNotForMail));
    CHECK_FALSE(trusts(kPlain, kNotForMail));
    CHECK_FALSE(trusts(kForServers, kForServers));
}

TEST_CASE("combined settings are the ones of all copies, each use once") {
    const SettingsWorld world;
    const Certificate& root = world.bench.root.certificate;
    const auto combined = [&](const std::vector<Options>& copies) {
        std::vector<Certificate> certificates;
        for (const Options& each : copies)
            certificates.push_back(world.with(root, each));
        const std::vector<Certificate> once = combine_settings(certificates);
        REQUIRE(once.size() == 1);
        CHECK(once.front() == root);
        return trust_settings(once.front());
    };
    const TrustSettings both = combined({kForMail, kForServers, {"-addtrust", "serverAuth", "-addreject", "1.2.3.4"}});
    CHECK(both.limited);
    CHECK(both.trusted == std::vector<std::string>{"emailProtection", "serverAuth"});
    CHECK(both.rejected == std::vector<std::string>{"1.2.3.4"});
    const TrustSettings all = combined({kForMail, kPlain, kNotForStamps, kNotForStamps, kNotForMail});
    CHECK_FALSE(all.limited);
    CHECK(all.trusted.empty());
    CHECK(all.rejected == std::vector<std::string>{"timeStamping", "emailProtection"});
    CHECK_FALSE(combined({kPlain, kPlain}).any());

    // A list that names no use, which openssl does not write, trusts for none.
    const Certificate none = world.with(root, kPlain);
    REQUIRE(X509_add1_trust_object(none.get(), nullptr) == 1);
    const std::vector<Certificate> twice = combine_settings({none, none});
    REQUIRE(twice.size() == 1);
    CHECK(trust_settings(twice.front()).limited);
    CHECK(untrusted(judge(world.bench.issue().certificate, {world.bench.intermediate}, trust_in({none, none})),
                    "is not trusted for e-mail"));
    CHECK(combine_settings({root, world.bench.intermediate.certificate, root}).size() == 2);
}

TEST_CASE("settings are kept in the form that openssl has in TRUSTED CERTIFICATE") {
    const SettingsWorld world;
    const Certificate& root = world.bench.root.certificate;
    const std::string pem = world.pem(root, {"-addreject", "emailProtection", "-addtrust", "serverAuth"});
    const Certificate limited = Certificate::from_file_bytes(bytes_of(pem)).at(0);
    const Bytes der = der_with_settings(limited);
    CHECK(world.bench.openssl({"base64"}, text_of(der)) ==
          pem.substr(pem.find('\n') + 1, pem.rfind("-----END") - pem.find('\n') - 1));
    const TrustSettings settings = trust_settings(from_der_with_settings(der));
    CHECK(settings.trusted == std::vector<std::string>{"serverAuth"});
    CHECK(settings.rejected == std::vector<std::string>{"emailProtection"});

    CHECK(der_with_settings(root) == root.der());
    CHECK_FALSE(trust_settings(from_der_with_settings(root.der())).any());
    for (const std::size_t cut : {std::size_t{1}, der.size() - root.der().size() - 1})
        CHECK_THROWS_WITH(from_der_with_settings(ByteView(der).first(der.size() - cut)),
                          Catch::Contains("not an X.509 certificate"));
}

TEST_CASE("what an anchor has issued since the date that Mozilla distrusts it after is not trusted") {
    const SettingsWorld world;
    const Certificate& root = world.bench.root.certificate;
    const Certificate end = world.bench.issue().certificate;
    const std::vector<SoftwareKey> along{world.bench.intermediate};
    const Certificate before = distrusted_after(root, end.not_before() - std::chrono::seconds(1));
    CHECK(trusted(judge(end, along, trust_in({distrusted_after(root, end.not_before())}))));
    const PathVerdict verdict = judge(end, along, trust_in({before}));
    CHECK(untrusted(verdict, "Mozilla no longer trusts what CN=Test Root,O=Example has issued since " +
                                 format_time(end.not_before() - std::chrono::seconds(1)) +
                                 ", and the certificate of CN=Alice,O=Example begins at " +
                                 format_time(end.not_before())));
    CHECK(verdict.hint.find("--ca") != std::string::npos);
    CHECK(untrusted(judge(end, along, trust_in({before}), Use::encryption), "Mozilla no longer trusts"));
    CHECK(trusted(judge(end, along, trust_in({before}), Use::evidence)));
    Trust any = trust_in({before});
    any.purpose = Purpose::any;
    CHECK(untrusted(judge(end, along, any), "Mozilla no longer trusts"));
    CHECK(untrusted(judge(end, along, trust_in({distrusted_after(end, end.not_before() - std::chrono::seconds(1))})),
                    "Mozilla no longer trusts"));
}

TEST_CASE("whose key is distrusted is so by whatever certificate of it, and who it has certified is not by another's") {
    const SettingsWorld world;
    const Certificate end = world.bench.issue().certificate;
    const Certificate& root = world.bench.root.certificate;
    const SoftwareKey other = certify(authority_spec("Other Root"));
    const SoftwareKey cross = cross_certify(world.bench.root, authority_spec("Test Root"), other);
    const SoftwareKey renewed = cross_certify(world.bench.root, authority_spec("Test Root"), world.bench.root);
    const SoftwareKey around = cross_certify(world.bench.intermediate, authority_spec("Test Intermediate"), other);
    const auto judged = [&](const std::vector<SoftwareKey>& along, std::vector<Certificate> anchors,
                            Use use = Use::signing) {
        const PathVerdict verdict = judge(end, along, trust_in(anchors), use);
        std::ranges::reverse(anchors);
        CHECK(judge(end, along, trust_in(anchors), use).trusted == verdict.trusted);
        return verdict;
    };
    const std::vector<SoftwareKey> crossed{world.bench.intermediate, cross};
    const auto is_crossed = [&](const PathVerdict& verdict) {
        return std::ranges::find(verdict.chain, other.certificate) != verdict.chain.end();
    };
    const PathVerdict plain = judge(end, crossed, trust_in({other.certificate}));
    CHECK(trusted(plain));
    CHECK(is_crossed(plain));

    const std::string kRejected = "is not trusted for e-mail, by the settings in its file";
    const Certificate rejected = world.with(root, kNotForMail);
    const auto is_rejected = [&](const PathVerdict& verdict) { return untrusted(verdict, kRejected); };
    CHECK(is_rejected(judged(crossed, {rejected, other.certificate})));
    CHECK(is_rejected(judged(crossed, {world.with(root, kForNothing), other.certificate})));
    CHECK(is_rejected(judged(crossed, {rejected, other.certificate}, Use::encryption)));
    CHECK(is_rejected(judged(crossed, {rejected, other.certificate}, Use::evidence)));
    CHECK(is_rejected(judged({world.bench.intermediate}, {rejected, renewed.certificate})));
    CHECK(trusted(judged(crossed, {world.with(root, kForServers), other.certificate})));
    CHECK(trusted(judged(crossed, {world.with(root, kNotForStamps), other.certificate})));
    CHECK(trusted(judged({around}, {rejected, other.certificate})));
    // What the user has beside the anchors.
    const auto with_known = [&](const Certificate& known) {
        return judge(end, crossed, trust_in({other.certificate}, {known}));
    };
    CHECK(is_rejected(with_known(rejected)));
    CHECK(untrusted(with_known(world.with(world.bench.intermediate.certificate, kNotForMail)),
                    "CN=Test Intermediate,O=Example is not trusted for e-mail"));
    CHECK(trusted(judge(end, {cross, world.bench.intermediate},
                        trust_in({other.certificate}, {world.with(root, kNotForStamps)}))));

    const Certificate before = distrusted_after(root, end.not_before() - std::chrono::hours(1));
    CHECK(untrusted(judged(crossed, {before, other.certificate}), "Mozilla no longer trusts what CN=Test Root"));
    CHECK(untrusted(judged(crossed, {before}), "Mozilla no longer trusts what CN=Test Root"));
    CHECK(trusted(judged(crossed, {distrusted_after(root, end.not_before()), other.certificate})));
    CHECK(trusted(judged(crossed, {before, other.certificate}, Use::evidence)));
    CHECK(trusted(judged({world.bench.intermediate}, {before, renewed.certificate})));
    CHECK(trusted(judged({around}, {before, other.certificate})));

    const Certificate distrusted = distrusted_after(root, kDistrusted);
    CHECK(untrusted(judged(crossed, {distrusted, other.certificate}), "Mozilla distrusts CN=Test Root"));
    CHECK(untrusted(judged(crossed, {distrusted, other.certificate}, Use::evidence), "Mozilla distrusts CN=Test Root"));
    CHECK(trusted(judged(crossed, {distrusted, root, other.certificate})));
    CHECK(trusted(judged({around}, {distrusted, other.certificate})));
}

TEST_CASE("a key stays distrusted once the certificate of it that is distrusted has ended") {
    const SettingsWorld world;
    CertificateSpec spec = authority_spec("Test Root");
    spec.begins_in_days = -400;
    spec.ends_in_days = -10;
    const Certificate ended = certify_key(world.bench.root.key, spec, nullptr);
    const SoftwareKey other = certify(authority_spec("Other Root"));
    const SoftwareKey cross = cross_certify(world.bench.root, authority_spec("Test Root"), other);
    const Certificate end = world.bench.issue().certificate;
    const auto is_refused = [&](const Certificate& anchor) {
        return !judge(end, {world.bench.intermediate, cross}, trust_in({anchor, other.certificate})).trusted;
    };
    CHECK_FALSE(is_refused(ended));
    CHECK(is_refused(world.with(ended, kNotForMail)));
    CHECK(is_refused(distrusted_after(ended, kDistrusted)));
    CHECK(is_refused(distrusted_after(ended, end.not_before() - std::chrono::hours(1))));
    CHECK_FALSE(is_refused(distrusted_after(ended, end.not_before())));
}

TEST_CASE("an end certificate is not trusted whose holder is rejected by another certificate of its key") {
    const SettingsWorld world;
    const SoftwareKey alice = world.bench.issue();
    const SoftwareKey by_herself = cross_certify(alice, {}, alice);
    CHECK(untrusted(judge(alice.certificate, {world.bench.intermediate},
                          trust_in({world.bench.root.certificate, world.with(by_herself.certificate, kNotForMail)})),
                    "CN=Alice,O=Example is not trusted for e-mail, by the settings in its file; that CN=Test "
                    "Intermediate,O=Example certifies it changes nothing"));
    CHECK(trusted(judge(alice.certificate, {world.bench.intermediate},
                        trust_in({world.bench.root.certificate, by_herself.certificate}))));
}

TEST_CASE("an anchor of one's own is trusted though Mozilla distrusts it after a date") {
    const SettingsWorld world;
    const Certificate& root = world.bench.root.certificate;
    const auto date = [&](const std::vector<Certificate>& copies) {
        std::vector<std::optional<Time>> found;
        for (const auto& order : {copies, std::vector(copies.rbegin(), copies.rend())}) {
            const std::vector<Certificate> once = combine_settings(order);
            REQUIRE(once.size() == 1);
            found.push_back(trust_settings(once.front()).distrust_after);
        }
        CHECK(found.front() == found.back());
        return found.front();
    };
    const Time early = root.not_before() - std::chrono::hours(1), late = root.not_before();
    const Certificate dated = distrusted_after(root, early);
    CHECK(date({dated, dated}) == early);
    CHECK(date({dated, distrusted_after(root, late)}) == late);
    CHECK_FALSE(date({dated, root}));
    CHECK_FALSE(date({dated, world.with(root, kForMail)}));
    CHECK_FALSE(date({dated, world.with(root, kNotForStamps)}));
    CHECK(date({dated, world.with(root, kForServers)}) == early);
    CHECK(trust_settings(distrusted_after(world.with(root, kNotForMail), early)).rejected ==
          std::vector<std::string>{"emailProtection"});

    const Certificate end = world.bench.issue().certificate;
    CHECK(trusted(judge(end, {world.bench.intermediate}, trust_in({dated, root}))));
    CHECK(trusted(judge(end, {world.bench.intermediate}, trust_in({root, dated}))));
    CHECK(untrusted(judge(end, {world.bench.intermediate}, trust_in({dated, world.with(root, kForServers)})),
                    "Mozilla no longer trusts"));
}

TEST_CASE("a certificate is rejected too where its signature was written in another way") {
    const SettingsWorld world;
    const SoftwareKey alice = world.bench.issue();
    const SoftwareKey intermediate{world.bench.intermediate.key,
                                   with_other_signature(world.bench.intermediate.certificate)};
    const Certificate end = with_other_signature(alice.certificate);
    CHECK_FALSE(end == alice.certificate);
    const auto judged = [&](const Certificate& anchor) {
        return judge(end, {intermediate}, trust_in({world.bench.root.certificate, anchor}));
    };
    CHECK(untrusted(judged(world.with(alice.certificate, kNotForMail)), "CN=Alice,O=Example is not trusted for"));
    CHECK(untrusted(judged(world.with(world.bench.intermediate.certificate, kNotForMail)),
                    "CN=Test Intermediate,O=Example is not trusted for"));
    CHECK(trusted(judged(world.with(alice.certificate, kNotForStamps))));
    const auto with_known = [&](const Options& options) {
        return judge(end, {intermediate},
                     trust_in({world.bench.root.certificate}, {world.with(alice.certificate, options)}));
    };
    CHECK(untrusted(with_known(kNotForMail), "CN=Alice,O=Example is not trusted for"));
    CHECK(trusted(with_known(kNotForStamps)));
}
