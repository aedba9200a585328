// Enhanced Security Services (RFC 2634) in signed attributes, and what else a SignedData carries along.

#include <catch2/catch.hpp>

#include "cms/ess.h"

#include "cms/signed_data.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kContent = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";

struct EssWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue();

    ReadMail read(std::vector<Bytes> more_attributes) const {
        std::vector<Bytes> attributes = craft::usual_attributes(kContent);
        attributes.insert(attributes.end(), more_attributes.begin(), more_attributes.end());
        return bench.verify(
            craft::signed_data({kContent, {craft::signer_info(alice, attributes, kContent)}, {alice.certificate}}));
    }
    Ess ess(std::vector<Bytes> more_attributes) const {
        const ReadMail mail = read(std::move(more_attributes));
        CHECK(mail.report.result == Result::valid);
        return mail.signer().ess;
    }
};

Bytes text(Byte type, std::string_view value) {
    return der_value(type, bytes_of(value));
}

constexpr Byte kUtf8 = 0x0c, kPrintable = 0x13;

}  // namespace

TEST_CASE("a receipt request as OpenSSL writes it is read") {
    const EssWorld world;
    const auto request = [&](const Arguments& options) {
        const std::string theirs = world.bench.openssl(
            Arguments{"cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-receipt_request_to",
                      "bob@example.gov", "-receipt_request_to", "carol@example.gov"} +
                options + world.bench.signer_options(world.alice),
            kContent);
        const ReadMail mail = world.bench.verify(theirs);
        CHECK(mail.report.result == Result::valid);
        REQUIRE(mail.signer().ess.receipt_request);
        return *mail.signer().ess.receipt_request;
    };
    const ReceiptRequest all = request({"-receipt_request_all"});
    CHECK(all.from == ReceiptRequest::From::all);
    CHECK(all.to == std::vector<std::string>{"bob@example.gov", "carol@example.gov"});
    CHECK_FALSE(all.content_identifier.empty());
    CHECK(request({"-receipt_request_first"}).from == ReceiptRequest::From::first_tier);
    const ReceiptRequest listed = request({"-receipt_request_from", "dave@example.gov"});
    CHECK(listed.from == ReceiptRequest::From::listed);
    CHECK(listed.from_list == std::vector<std::string>{"dave@example.gov"});
}

TEST_CASE("a security label is read in any order of its elements") {
    const EssWorld world;
    const Bytes policy = der_oid("1.2.3.4"), secret = der_integer(4), mark = text(kUtf8, "für den Chef");
    for (const Bytes& value :
         {der_value(tag::kSet, {policy, secret, mark}), der_value(tag::kSet, {secret, mark, policy})}) {
        const auto label = world.ess({craft::attribute(oid::kSecurityLabel, {value})}).security_label;
        REQUIRE(label);
        CHECK(label->policy == "1.2.3.4");
        CHECK(label->classification == 4);
        CHECK(classification_text(*label->classification) == "secret");
        CHECK(label->privacy_mark == "für den Chef");
    }
    const auto bare = world.ess({craft::attribute(oid::kSecurityLabel, {der_value(tag::kSet, policy)})}).security_label;
    REQUIRE(bare);
    CHECK_FALSE(bare->classification);
    CHECK(classification_text(17) == "classification 17");
}

TEST_CASE("content hints, identifier and reference are read") {
    const EssWorld world;
    const Ess ess = world.ess(
        {craft::attribute(oid::kContentHints,
                          {der_value(tag::kSequence, {text(kUtf8, "letter"), der_oid(oid::kData)})}),
         craft::attribute(oid::kContentIdentifier, {der_value(tag::kOctetString, Bytes{1, 2, 3})}),
         craft::attribute(oid::kContentReference,
                          {der_value(tag::kSequence, {der_oid("1.2.3"), der_value(tag::kOctetString, Bytes{9}),
                                                      der_value(tag::kOctetString, Bytes{8})})})});
    REQUIRE((ess.content_hints && ess.content_identifier && ess.content_reference));
    CHECK(ess.content_hints->description == "letter");
    CHECK(ess.content_hints->type == oid::kData);
    CHECK(*ess.content_identifier == Bytes{1, 2, 3});
    CHECK(ess.content_reference->type == "1.2.3");
    CHECK(ess.content_reference->content_identifier == Bytes{9});
    CHECK(ess.malformed.empty());
}

TEST_CASE("the mail lists that a message went through are listed, first to last, up to a limit") {
    const EssWorld world;
    const Bytes time = text(0x18, "20250304091500Z");
    const auto list = [&](const Bytes& identifier, const Bytes& policy) {
        return der_value(tag::kSequence, {identifier, time, policy});
    };
    const Bytes key = der_value(tag::kOctetString, Bytes{0xab});
    const Bytes history =
        der_value(tag::kSequence, {list(issuer_and_serial(world.alice.certificate), {}),
                                   list(key, der_value(tag::context(0, false), Bytes{})),
                                   list(key, der_value(tag::context(2, true), der_value(tag::kSequence, Bytes{})))});
    const auto read = world.ess({craft::attribute(oid::kMlExpansionHistory, {history})}).mail_list_expansions;
    REQUIRE(read.size() == 3);
    CHECK_THAT(read[0].list, Catch::Contains(world.alice.certificate.serial_hex()));
    CHECK(format_time(read[0].time.value()) == "2025-03-04T09:15:00Z");
    CHECK(read[0].receipts == MailListExpansion::Receipts::as_requested);
    CHECK(read[1].receipts == MailListExpansion::Receipts::none);
    CHECK(read[2].receipts == MailListExpansion::Receipts::in_addition);

    Bytes many;
    for (int i = 0; i < 200; ++i)
        many = concat({many, list(key, {})});
    CHECK(world.ess({craft::attribute(oid::kMlExpansionHistory, {der_value(tag::kSequence, many)})})
              .mail_list_expansions.size() == kMaxEssEntries);
}

TEST_CASE("what is malformed or there twice is named and changes no verdict") {
    const EssWorld world;
    const Bytes junk = der_value(tag::kOctetString, Bytes{1});
    for (const auto& [oid, what] :
         {std::pair(oid::kReceiptRequest, "receipt request"), std::pair(oid::kSecurityLabel, "security label"),
          std::pair(oid::kEquivalentLabels, "equivalent labels"), std::pair(oid::kContentHints, "content hints"),
          std::pair(oid::kContentReference, "content reference"),
          std::pair(oid::kMlExpansionHistory, "mail list expansion history")})
        CHECK(world.ess({craft::attribute(oid, {junk})}).malformed == std::vector<std::string>{what});
    CHECK(world.ess({craft::attribute(oid::kContentIdentifier, {der_integer(1)})}).malformed ==
          std::vector<std::string>{"content identifier"});
    const auto label = [](unsigned classification) {
        return craft::attribute(oid::kSecurityLabel,
                                {der_value(tag::kSet, {der_oid("1.2.3"), der_integer(classification)})});
    };
    const Ess twice = world.ess({label(1), label(5)});
    CHECK_FALSE(twice.security_label);
    CHECK(twice.malformed == std::vector<std::string>{"security label"});
    const Bytes no_policy = der_value(tag::kSet, der_integer(5));
    CHECK(world.ess({craft::attribute(oid::kSecurityLabel, {no_policy})}).malformed.size() == 1);
    const Bytes printable = text(kPrintable, "mark");
    CHECK(world.ess({craft::attribute(oid::kSecurityLabel, {der_value(tag::kSet, {der_oid("1.2.3"), printable})})})
              .security_label->privacy_mark == "mark");
}

TEST_CASE("attributes are named, signed and unsigned ones apart") {
    const EssWorld world;
    const ReadMail mail = world.read({craft::attribute("1.2.3.4", {der_integer(1)})});
    CHECK(mail.signer().signed_attributes == std::vector<std::string>{"1.2.3.4", "contentType", "messageDigest"});
    CHECK(mail.signer().unsigned_attributes.empty());
    const Bytes info = craft::signer_info({.key = world.alice,
                                           .attributes = craft::usual_attributes(kContent),
                                           .content = kContent,
                                           .unsigned_attributes = {craft::attribute("1.2.3.5", {der_integer(1)})}});
    const ReadMail with_unsigned =
        world.bench.verify(craft::signed_data({kContent, {info}, {world.alice.certificate}}));
    CHECK(with_unsigned.report.result == Result::valid);
    CHECK(with_unsigned.signer().unsigned_attributes == std::vector<std::string>{"1.2.3.5"});
}

TEST_CASE("other certificates and revocation infos are counted and never fatal, and CRLs are kept") {
    const EssWorld world;
    const Bytes inside = der_integer(1);
    const Bytes crl = der_value(tag::kSequence, Bytes(300, 0)), other = der_value(tag::context(1, true), inside);
    const std::string message = craft::signed_data(
        {.content = kContent,
         .signer_infos = {craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent)},
         .certificates = {world.alice.certificate},
         .more_certificates = {der_value(tag::context(0, true), inside), der_value(tag::context(2, true), inside),
                               der_value(tag::context(3, true), inside), der_value(tag::kSequence, inside)},
         .revocation_infos = {crl, crl, other}});
    const ReadMail mail = world.bench.verify(message);
    CHECK(mail.report.result == Result::valid);
    const auto carried = mail.report.layers.at(0).carried;
    REQUIRE(carried);
    CHECK(carried->certificates == 1);
    CHECK(carried->other_certificates == 4);
    CHECK(carried->crls == 2);
    CHECK(carried->other_revocation_infos == 1);

    ViewSource source(bytes_of(message));
    BerReader ber(source);
    enter_content_info(ber);
    SignedDataReader reader(ber);
    drain(reader.content());
    reader.finish();
    CHECK(reader.crls() == std::vector<Bytes>{crl, crl});
}

TEST_CASE("CRLs beyond the limits are counted and not kept") {
    const EssWorld world;
    const Bytes large = der_value(tag::kSequence, Bytes(3 * 1024 * 1024, 0));
    std::vector<Bytes> crls(3, large);
    crls.insert(crls.end(), 200, der_value(tag::kSequence, Bytes{}));
    const std::string message = craft::signed_data(
        {.content = kContent,
         .signer_infos = {craft::signer_info(world.alice, craft::usual_attributes(kContent), kContent)},
         .certificates = {world.alice.certificate},
         .revocation_infos = crls});
    ViewSource source(bytes_of(message));
    BerReader ber(source);
    enter_content_info(ber);
    SignedDataReader reader(ber);
    drain(reader.content());
    reader.finish();
    CHECK(reader.crl_count() == 203);
    CHECK(reader.crls().size() == kMaxCrls);
    std::size_t total = 0;
    for (const Bytes& each : reader.crls())
        total += each.size();
    CHECK(total <= kMaxCrlBytes);
    CHECK(world.bench.verify(message).report.result == Result::valid);
}
