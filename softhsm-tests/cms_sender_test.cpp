#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

struct World {
    CmsBench bench;

    SoftwareKey with_names(const std::string& alternative_name) const {
        CertificateSpec spec;
        spec.alternative_name = alternative_name;
        return bench.issue(spec);
    }
    ReadMail read(const SoftwareKey& key, const std::string& headers,
                  std::optional<SenderCheck> check = std::nullopt) const {
        ReadOptions options;
        options.sender_check = check;
        return bench.verify(bench.sign({key}, headers + std::string(kText)), options);
    }
};

}  // namespace

TEST_CASE("the sender must be in the signer's certificate") {
    const World world;
    struct Case {
        const char* names;
        const char* headers;
        SenderState state;
    };
    const Case cases[]{
        {"email:alice@example.gov", "From: alice@example.gov\r\n", SenderState::match},
        {"email:alice@example.gov", "From: Alice <alice@example.gov>\r\n", SenderState::match},
        {"email:Alice@Example.GOV", "From: aLICE@eXAMPLE.gov\r\n", SenderState::match},
        {"email:carol@example.gov,email:alice@example.gov", "From: alice@example.gov\r\n", SenderState::match},
        {"email:alice@example.gov,email:bob@example.gov", "From: alice@example.gov, bob@example.gov\r\n",
         SenderState::match},
        {"email:alice@example.gov", "From: alice@example.org\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: alice@example.gov.example.org\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: \"alice@example.gov\" <eve@example.org>\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: alice@example.gov, eve@example.org\r\n", SenderState::mismatch},
        {"email:alice@example.gov", "From: alice@example.gov\r\nFrom: eve@example.org\r\n", SenderState::mismatch},
        {"", "From: alice@example.gov\r\n", SenderState::absent},
        {"DNS:example.gov", "From: alice@example.gov\r\n", SenderState::absent},
    };
    for (const Case& each : cases) {
        CAPTURE(each.names, each.headers);
        const ReadMail read = world.read(world.with_names(each.names), each.headers);
        CHECK(read.signer().sender == each.state);
        CHECK(read.report.result == (each.state == SenderState::match ? Result::valid : Result::untrusted));
    }
}

TEST_CASE("the sender check can warn or be off") {
    const World world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const std::string from_eve = "From: eve@example.org\r\n";
    const ReadMail warned = world.read(alice, from_eve, SenderCheck::warn);
    CHECK(warned.report.result == Result::valid);
    CHECK(warned.signer().sender == SenderState::mismatch);
    REQUIRE(warned.report.warnings.size() == 1);
    CHECK(warned.report.warnings[0].kind == "sender");
    const ReadMail off = world.read(alice, from_eve, SenderCheck::off);
    CHECK(off.report.result == Result::valid);
    CHECK(off.signer().sender == SenderState::not_checked);
    CHECK(off.report.warnings.empty());
}

TEST_CASE("a mail without a From field needs no sender unless that is required") {
    const World world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    for (const char* headers : {"", "Subject: no sender\r\n"}) {
        CHECK(world.read(alice, headers).report.result == Result::valid);
        CHECK(world.read(alice, headers).signer().sender == SenderState::not_checked);
        const ReadMail required = world.read(alice, headers, SenderCheck::require);
        CHECK(required.report.result == Result::untrusted);
        CHECK(required.signer().sender == SenderState::absent);
        CHECK(required.report.reason == "the mail names no sender");
    }
}

TEST_CASE("a From field without an address that can be read is not let off the check") {
    const World world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov");
    const char* from = GENERATE("From: \r\n", "From: Alice\r\n", "From: undisclosed:;\r\n");
    CAPTURE(from);
    CHECK(world.read(alice, from).report.result == Result::untrusted);
}

TEST_CASE("one of several signers may be the sender") {
    const World world;
    const SoftwareKey alice = world.with_names("email:alice@example.gov"),
                      carol = world.with_names("email:carol@example.gov");
    const auto read = [&](const std::string& from) {
        return world.bench.verify(world.bench.sign({alice, carol}, from + std::string(kText)));
    };
    const ReadMail good = read("From: carol@example.gov\r\n");
    CHECK(good.report.result == Result::valid);
    int matches = 0;
    for (const SignerVerdict& each : good.report.layers.at(0).signers)
        matches += each.sender == SenderState::match;
    CHECK(matches == 1);
    CHECK(read("From: bob@example.gov\r\n").report.result == Result::untrusted);
}
