// Countersignatures (RFC 5652 section 11.4): over another signature, reported, and adding nothing to the result.

#include <catch2/catch.hpp>

#include "cms/asn1.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_revocation.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

/// with_unsigned puts unsigned attributes into a SignerInfo that has none.
Bytes with_unsigned(const Bytes& info, std::vector<Bytes> attributes) {
    const Byte* content = info.data();
    long length = 0;
    int number = 0, kind = 0;
    ASN1_get_object(&content, &length, &number, &kind, static_cast<long>(info.size()));
    return der_value(tag::kSequence, {ByteView(content, static_cast<std::size_t>(length)),
                                      der_set_of(tag::context(1, true), std::move(attributes))});
}

std::string signature_of(const Bytes& info) {
    const Byte* at = info.data();
    const asn1::SignerInfoHandle parsed(asn1::d2i_SignerInfo(nullptr, &at, static_cast<long>(info.size())));
    REQUIRE(parsed);
    return std::string(text_of(asn1::octets(parsed->signature)));
}

/// countersign makes a countersignature over the signature of a SignerInfo.
Bytes countersign(const SoftwareKey& key, const Bytes& info, std::vector<Bytes> more_attributes = {}) {
    std::vector<Bytes> attributes{craft::message_digest(signature_of(info))};
    attributes.insert(attributes.end(), more_attributes.begin(), more_attributes.end());
    return craft::signer_info(key, attributes, "");
}

Bytes countersigned(const Bytes& info, std::vector<Bytes> countersignatures) {
    return with_unsigned(info, {craft::attribute(oid::kCountersignature, std::move(countersignatures))});
}

struct CountersignatureWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue();
    SoftwareKey notary = [&] {
        CertificateSpec spec;
        spec.name = "Notary";
        spec.alternative_name = "email:notary@example.gov";
        return bench.issue(spec);
    }();
    Bytes info = craft::signer_info(alice, craft::usual_attributes(kContent), kContent);

    ReadMail read(const Bytes& signer_info) const { return bench.verify(message(signer_info)); }
    std::string message(const Bytes& signer_info) const {
        return craft::signed_data({kContent, {signer_info}, {alice.certificate, notary.certificate}});
    }
};

bool warned(const ReadMail& mail) {
    return std::any_of(mail.report.warnings.begin(), mail.report.warnings.end(),
                       [](const Warning& warning) { return warning.kind == "countersignatures"; });
}

}  // namespace

TEST_CASE("a countersignature is verified over the signature that it is on") {
    const CountersignatureWorld world;
    const ReadMail mail = world.read(countersigned(world.info, {countersign(world.notary, world.info)}));
    CHECK(mail.report.result == Result::valid);
    CHECK_FALSE(warned(mail));
    REQUIRE(mail.signer().countersignatures.size() == 1);
    const SignerVerdict& notary = mail.signer().countersignatures[0];
    CHECK(notary.integrity == Integrity::valid);
    CHECK(notary.chain == ChainState::trusted);
    CHECK(notary.certificate == world.notary.certificate);
    CHECK(notary.sender == SenderState::not_checked);
    CHECK(mail.signer().unsigned_attributes == std::vector<std::string>{"countersignature"});
}

TEST_CASE("a countersignature without signed attributes is over the signature itself") {
    const CountersignatureWorld world;
    const std::string signature = signature_of(world.info);
    const Bytes plain = craft::signer_info(world.notary, std::nullopt, signature);
    CHECK(world.read(countersigned(world.info, {plain})).signer().countersignatures.at(0).integrity ==
          Integrity::valid);
    const Bytes over_content = craft::signer_info(world.notary, std::nullopt, kContent);
    CHECK(world.read(countersigned(world.info, {over_content})).signer().countersignatures.at(0).integrity ==
          Integrity::invalid);
}

TEST_CASE("a countersignature on another signature, or with a content type, does not hold, and the mail stays valid") {
    const CountersignatureWorld world;
    const Bytes other = craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent);
    const Bytes over_content = craft::signer_info(world.notary, craft::usual_attributes(kContent), kContent);
    for (const Bytes& bad : {countersign(world.notary, other), over_content,
                             countersign(world.notary, world.info, {craft::content_type()}),
                             craft::signer_info(world.notary, {{craft::content_type()}}, "")}) {
        const ReadMail mail = world.read(countersigned(world.info, {bad}));
        CHECK(mail.report.result == Result::valid);
        CHECK(warned(mail));
        CHECK(mail.signer().countersignatures.at(0).integrity == Integrity::invalid);
    }
    const ReadMail malformed = world.read(countersigned(world.info, {der_value(tag::kSequence, Bytes{})}));
    CHECK(malformed.report.result == Result::valid);
    CHECK(malformed.signer().countersignatures.at(0).integrity == Integrity::not_checked);
    CHECK(malformed.signer().countersignatures.at(0).integrity_reason == "the countersignature is malformed");
}

TEST_CASE("a countersigner is no signer: neither the sender's address nor trust come from it") {
    const CountersignatureWorld world;
    const SoftwareKey eve = certify({.name = "Eve", .alternative_name = "email:eve@example.gov"});
    const Bytes eves = craft::signer_info(eve, craft::usual_attributes(kContent), kContent);
    const std::string message = craft::signed_data({kContent,
                                                    {countersigned(eves, {countersign(world.alice, eves)})},
                                                    {eve.certificate, world.alice.certificate}});
    const ReadMail mail = world.bench.verify(message);
    CHECK(mail.report.result == Result::untrusted);
    CHECK(mail.signer().countersignatures.at(0).chain == ChainState::trusted);
    CHECK(mail.report.layers.at(0).signers.size() == 1);

    const SoftwareKey stranger = certify({.name = "Stranger"});
    const std::string other = craft::signed_data({kContent,
                                                  {countersigned(world.info, {countersign(stranger, world.info)})},
                                                  {world.alice.certificate, stranger.certificate}});
    CHECK(world.bench.verify(other).report.result == Result::valid);
    CHECK(world.bench.verify(other).signer().countersignatures.at(0).chain == ChainState::untrusted);
}

TEST_CASE("countersignatures on countersignatures are verified, down to a limit") {
    const CountersignatureWorld world;
    // Innermost first: each further one is on the signature of the one before, so they are built from the end.
    std::vector<Bytes> line{world.info};
    for (int i = 0; i < 8; ++i)
        line.push_back(countersign(world.notary, line.back()));
    Bytes nested = line.back();
    for (std::size_t i = line.size() - 1; i-- > 0;)
        nested = countersigned(line[i], {nested});
    const ReadMail mail = world.read(nested);
    CHECK(mail.report.result == Result::valid);
    CHECK(warned(mail));
    std::size_t depth = 0;
    for (const SignerVerdict* at = &mail.signer(); !at->countersignatures.empty(); at = &at->countersignatures[0]) {
        CHECK(at->countersignatures[0].integrity == Integrity::valid);
        ++depth;
    }
    CHECK(depth == 4);
}

TEST_CASE("many countersignatures are looked at up to a limit") {
    const CountersignatureWorld world;
    const std::vector<Bytes> many(50, countersign(world.notary, world.info));
    const ReadMail mail = world.read(countersigned(world.info, many));
    CHECK(mail.report.result == Result::valid);
    CHECK(mail.signer().countersignatures.size() == 20);
    CHECK(warned(mail));
}

TEST_CASE("inspect shows countersignatures and verifies none") {
    const CountersignatureWorld world;
    const ReadMail mail =
        world.bench.inspect(world.message(countersigned(world.info, {countersign(world.notary, world.info)})));
    REQUIRE(mail.signer().countersignatures.size() == 1);
    CHECK(mail.signer().countersignatures[0].integrity == Integrity::not_checked);
    CHECK(mail.signer().countersignatures[0].certificate == world.notary.certificate);
    CHECK_FALSE(warned(mail));
}

TEST_CASE("nobody is asked about who countersigned a signature that does not verify") {
    const CountersignatureWorld world;
    const auto source = std::make_shared<TestSource>();
    Trust trust = world.bench.trust();
    trust.revocation = source;
    const Bytes info = countersigned(world.info, {countersign(world.notary, world.info)});
    std::string changed = world.message(info);
    changed.at(changed.find("Pay 10") + 4) ^= 1;
    const ReadMail read = world.bench.verify(changed, trust);
    CHECK(read.signer().integrity == Integrity::invalid);
    CHECK(read.signer().countersignatures.at(0).integrity == Integrity::valid);
    CHECK(source->fetches == 0);
    CHECK(world.bench.verify(world.message(info), trust).signer().integrity == Integrity::valid);
    CHECK(source->fetches > 0);
}
