// The words of a verdict.

#include <catch2/catch.hpp>

#include "cli/signer_words.h"
#include "cli/verdict.h"
#include "softhsm-tests/support/software_key.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::cms::smime;
using test::CertificateSpec;

namespace {

const cms::Time kNow = *cms::parse_time("2026-11-21T10:00:00Z");

SignerVerdict signer(const CertificateSpec& spec = {.name = "Alice Example"}) {
    SignerVerdict verdict;
    verdict.certificate = test::certify(spec).certificate;
    verdict.integrity = Integrity::valid;
    verdict.chain = ChainState::trusted;
    verdict.chain_certs = {*verdict.certificate};
    verdict.revocation = Revocation::good;
    verdict.sender = SenderState::match;
    verdict.time_at = kNow;
    return verdict;
}

Layer signed_by(std::vector<SignerVerdict> signers) {
    Layer layer;
    layer.path = "1";
    layer.type = LayerType::signed_data;
    layer.signers = std::move(signers);
    return layer;
}

Layer encrypted(bool authenticated) {
    Layer layer;
    layer.path = "1";
    layer.type = LayerType::enveloped;
    layer.cipher = "aes-256-cbc";
    layer.authenticated = authenticated;
    return layer;
}

std::string sentence(Result result, std::vector<Layer> layers, const std::string& reason = {},
                     const std::string& hint = {}) {
    Report report;
    report.from = {"alice@example.gov"};
    report.layers = std::move(layers);
    report.result = result;
    report.reason = reason;
    report.hint = hint;
    return verdict_words(report).sentence();
}

}  // namespace

TEST_CASE("a good verdict says who, unchanged, and when the certificate was checked", "[cli]") {
    CHECK(sentence(Result::valid, {signed_by({signer()})}) ==
          "Signed by Alice Example <alice@example.gov>, unchanged, certificate checked 2026-11-21");
    CHECK(sentence(Result::valid, {encrypted(true), signed_by({signer()})}) ==
          "Encrypted, and signed by Alice Example <alice@example.gov>, unchanged, certificate checked 2026-11-21");
    const CertificateSpec bob{.name = "Bob", .alternative_name = "email:bob@example.org"};
    CHECK(sentence(Result::valid, {signed_by({signer(), signer(bob)})}) ==
          "Signed by Alice Example <alice@example.gov> and by Bob <bob@example.org>, unchanged, certificates checked "
          "2026-11-21");
}

TEST_CASE("a good verdict says what was not checked, and what was judged at another time", "[cli]") {
    const std::string all = "Signed by Alice Example <alice@example.gov>, unchanged, certificate checked ";
    const auto with = [&](auto change) {
        SignerVerdict one = signer();
        change(one);
        return sentence(Result::valid, {signed_by({one})});
    };
    CHECK(with([](auto& one) { one.revocation = Revocation::not_checked; }) ==
          all + "2026-11-21, revocation not checked");
    CHECK(with([](auto& one) { one.revocation = Revocation::unknown; }) == all + "2026-11-21, revocation unknown");
    CHECK(with([](auto& one) { one.sender = SenderState::not_checked; }) == all + "2026-11-21, sender not checked");
    CHECK(with([](auto& one) { one.sender = SenderState::mismatch; }) == all + "2026-11-21, not the sender's");
    CHECK(with([](auto& one) { one.strength = Strength::weak; }) == all + "2026-11-21, weak");
    CHECK(with([](auto& one) { one.time_basis = "given"; }) == all + "as of 2026-11-21");
    CHECK(with([](auto& one) { one.time_basis = "timestamp"; }) == all + "as of 2026-11-21, when it was time-stamped");

    // One of two that was not checked is enough.
    SignerVerdict unchecked = signer();
    unchecked.revocation = Revocation::not_checked;
    CHECK_THAT(sentence(Result::valid, {signed_by({signer(), unchecked})}), Catch::Contains("revocation not checked"));
}

TEST_CASE("every other verdict starts with what does not hold, then cause and remedy", "[cli]") {
    CHECK(sentence(Result::untrusted, {signed_by({signer()})}, "the certificate has ended", "ask for another") ==
          "Signed in the name of Alice Example <alice@example.gov> and unchanged, but not to be trusted: the "
          "certificate has ended; ask for another");
    CHECK(sentence(Result::invalid, {signed_by({signer()})}, "it was changed", "have it sent again") ==
          "INVALID, do not rely on this mail: it was changed; have it sent again");
    CHECK(sentence(Result::unsigned_, {}) == "Neither signed nor encrypted, nothing tells who sent it");
    CHECK(sentence(Result::decrypted, {encrypted(true)}) == "Encrypted, but not signed: nothing tells who sent it");
    CHECK(sentence(Result::decrypted, {encrypted(false)}) ==
          "Encrypted, but not signed, nor protected against changes: nothing tells who sent it");
    Layer part = signed_by({signer()});
    part.covers_whole = false;
    CHECK(
        sentence(Result::untrusted, {part}, "only a part is signed", "rely on that part") ==
        "Not to be trusted as a whole, though signed in part in the name of Alice Example <alice@example.gov>: only a "
        "part is signed; rely on that part");
    CHECK(sentence(Result::untrusted, {}, "only a part is encrypted") ==
          "Not to be trusted as a whole: only a part is encrypted");
}

TEST_CASE("a name that could be read as more than a name is quoted", "[cli]") {
    const auto named = [](const std::string& name) {
        return person(signer({.name = name, .alternative_name = "email:mallory@example.org"}), {});
    };
    CHECK(named("O'Hara-Smith Jr.") == "O'Hara-Smith Jr. <mallory@example.org>");
    CHECK(named("Bob <bob@example.org>") == "\"Bob <bob@example.org>\" <mallory@example.org>");
    CHECK(named("Bob, unchanged") == "\"Bob, unchanged\" <mallory@example.org>");
    CHECK(named("Bob and by Carol") == "\"Bob and by Carol\" <mallory@example.org>");
    CHECK(named("\"Bob\"") == "\"\\\"Bob\\\"\" <mallory@example.org>");
    const SignerVerdict two = signer({.name = "Alice", .alternative_name = "email:a@example.org,email:b@example.org"});
    CHECK(person(two, {}) == "Alice <a@example.org, b@example.org>");
    CHECK(person(two, {"B@example.org"}) == "Alice <b@example.org>");
}

TEST_CASE("the facts of a signer come in one order", "[cli]") {
    SignerVerdict one = signer();
    one.signing_time = kNow;
    one.timestamps.emplace_back();
    std::vector<std::string> labels;
    for (const Fact& fact : signer_facts(one, true))
        labels.push_back(fact.label);
    CHECK(labels == std::vector<std::string>{"certificate", "signature", "chain", "revocation", "sender", "judged at",
                                             "time-stamp", "signed at"});
}
