// Signatures around encryption: whoever made one need not know the text, and is not who wrote it.

#include <catch2/catch.hpp>

#include "softhsm-tests/cms_protected_headers.h"
#include "softhsm-tests/cms_sender.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

const std::string kFrom = "From: alice@example.gov\r\n";

/// WrapBench is Alice, who seals mail to Bob, and Eve, who signs what she cannot read.
struct WrapBench {
    ProtectionBench mails;
    const CmsBench& bench = mails.bench;
    const SoftwareKey& alice = mails.alice;
    SoftwareKey eve = bench.issue({.name = "Eve", .alternative_name = "email:eve@example.org"});
    SoftwareKey stranger = certify({.name = "Mallory", .alternative_name = "email:mallory@example.org"});

    std::string sealed(const std::vector<SoftwareKey>& signers, const std::string& fields = kFrom) const {
        return bench.encrypt({{mails.bob.certificate}}, bench.sign(signers, fields + std::string(kText)));
    }
    Report open(const std::string& mail) const { return mails.open(mail).report; }
    Report open(const SoftwareKey& outside, const std::vector<SoftwareKey>& inside,
                const std::string& fields = kFrom) const {
        return open(bench.sign({outside}, sealed(inside, fields)));
    }
};

}  // namespace

TEST_CASE("who signs the ciphertext of another is told apart from who signed the text") {
    const WrapBench world;
    const Report report = world.open(world.eve, {world.alice});
    CHECK(report.result == Result::valid);
    REQUIRE(report.layers.size() == 3);
    CHECK(signs_ciphertext(report, report.layers[0]));
    CHECK_FALSE(signs_text(report, report.layers[0]));
    CHECK(signs_text(report, report.layers[2]));
    CHECK_FALSE(signs_ciphertext(report, report.layers[2]));
    for (const Layer& layer : report.layers)
        CHECK_FALSE((is_encrypted(layer.type) && (signs_text(report, layer) || signs_ciphertext(report, layer))));
    REQUIRE(has_warning(report, "outer-signer"));
    CHECK(report.warnings.back().message ==
          "the encrypted form is signed in the name of CN=Eve,O=Example (eve@example.org) too, who need not know the "
          "text");

    for (const Report& honest :
         {world.open(world.alice, {world.alice}), world.open(world.eve, {world.alice, world.eve}),
          world.open(world.sealed({world.alice})), world.open(world.mails.seal(kFrom + std::string(kText), true))}) {
        CHECK(honest.result == Result::valid);
        CHECK_FALSE(has_warning(honest, "outer-signer"));
    }
}

TEST_CASE("who signs outside two encryptions is told of, and who signs between them") {
    const WrapBench world;
    const auto encrypt = [&](const std::string& mail) {
        return world.bench.encrypt({{world.mails.bob.certificate}}, mail);
    };
    const std::string between = world.bench.sign({world.eve}, world.sealed({world.alice}));
    CHECK(has_warning(world.open(encrypt(between)), "outer-signer"));
    CHECK(has_warning(world.open(world.bench.sign({world.alice}, encrypt(between))), "outer-signer"));
}

TEST_CASE("a signature over the encrypted form that is not to be trusted is named as such") {
    const WrapBench world;
    const std::string outside = "as for the signature over the encrypted form, ";
    const Report outer = world.open(world.stranger, {world.alice}), inner = world.open(world.alice, {world.stranger}),
                 both = world.open(world.stranger, {world.stranger});
    for (const Report& report : {outer, inner, both}) {
        CHECK(report.result == Result::untrusted);
        CHECK_THAT(report.reason, Catch::Contains("Mallory"));
        CHECK_FALSE(report.hint.empty());
    }
    CHECK_THAT(outer.reason, Catch::StartsWith(outside));
    CHECK_THAT(inner.reason, !Catch::StartsWith(outside));
    CHECK_THAT(both.reason, !Catch::StartsWith(outside));
}

TEST_CASE("answers to who signed the ciphertext alone are said of a mail without a From field") {
    const WrapBench world;
    const std::string to_eve = "Reply-To: eve@example.org\r\n", to_alice = "Reply-To: alice@example.gov\r\n";
    CHECK(has_warning(world.open(world.sealed({world.alice}, to_eve)), "reply-to"));
    CHECK(has_warning(world.open(world.eve, {world.alice}, to_eve), "reply-to"));
    CHECK_FALSE(has_warning(world.open(world.alice, {world.alice}, to_alice), "reply-to"));
    CHECK_FALSE(has_warning(world.open(world.eve, {world.alice, world.eve}, to_eve), "reply-to"));
}

TEST_CASE("a signature over the encrypted form protects none of the header fields inside") {
    const WrapBench world;
    const Report report = world.open(world.bench.sign({world.eve}, world.mails.by_openssl(kOutside, kPayload, true)));
    CHECK(report.result == Result::valid);
    REQUIRE(report.layers.size() == 3);
    CHECK(report.layers[0].protected_headers == Names{});
    for (std::size_t inside = 1; inside < 3; ++inside)
        CHECK(report.layers[inside].protected_headers ==
              Names{"subject", "message-id", "from", "to", "date", "user-agent"});
}
