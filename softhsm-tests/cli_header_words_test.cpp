// What a mail's layers protect of its header, in words.

#include "cli/header_words.h"

#include <catch2/catch.hpp>

#include "cli/verdict.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::cms::smime;

namespace {

using Lines = std::vector<std::string>;

Layer layer(LayerType type, Lines names) {
    Layer layer;
    layer.path = "1";
    layer.type = type;
    layer.protected_headers = std::move(names);
    if (type == LayerType::signed_data)
        layer.signers = {SignerVerdict{.integrity = Integrity::valid, .sender = SenderState::match}};
    return layer;
}

Report report(Result result, std::vector<Layer> layers, Lines confidential = {}) {
    Report report;
    report.from = {"alice@example.gov"};
    report.result = result;
    report.layers = std::move(layers);
    report.confidential_headers = std::move(confidential);
    return report;
}

const Lines kFields{"from", "message-id", "subject"};

}  // namespace

TEST_CASE("the header fields that a signature covers are named, and those that came encrypted", "[cli]") {
    const Layer signature = layer(LayerType::signed_data, kFields), lock = layer(LayerType::enveloped, kFields);
    CHECK(header_lines(report(Result::valid, {signature})) ==
          Lines{"header: From, Message-Id, Subject: covered by the signature",
                "header: all else: not covered by any signature"});
    CHECK(header_lines(report(Result::valid, {lock, signature}, {"subject"})) ==
          Lines{"header: From, Message-Id: covered by the signature",
                "header: Subject: covered by the signature, and came encrypted",
                "header: all else: not covered by any signature"});
    CHECK(header_lines(report(Result::decrypted, {lock}, {"subject"})) ==
          Lines{"header: From, Message-Id: not covered by any signature",
                "header: Subject: came encrypted, but without a signature",
                "header: all else: not covered by any signature"});
}

TEST_CASE("a signature that is not to be relied on is not said to be good for the header", "[cli]") {
    Layer signature = layer(LayerType::signed_data, {"subject"});
    CHECK(field_words(report(Result::untrusted, {signature}), "Subject") ==
          "covered by a signature that is not to be relied on");
    signature.signers[0].integrity = Integrity::invalid;
    CHECK(field_words(report(Result::invalid, {signature}), "Subject") == "covered by a signature that is broken");
    signature.covers_whole = false;
    CHECK_FALSE(field_words(report(Result::untrusted, {signature}), "Subject"));
}

TEST_CASE("a signature over the encrypted form alone does not cover the header inside", "[cli]") {
    const Layer outer = layer(LayerType::signed_data, {}), lock = layer(LayerType::enveloped, kFields),
                inner = layer(LayerType::signed_data, kFields);
    CHECK(field_words(report(Result::untrusted, {outer, lock}), "From") == "not covered by any signature");
    CHECK(field_words(report(Result::valid, {outer, lock, inner}), "From") == "covered by the signature");
    Layer broken = outer;
    broken.signers[0].integrity = Integrity::invalid;
    CHECK(field_words(report(Result::invalid, {broken, lock}), "From") == "not covered by any signature");
}

TEST_CASE("of a header that nothing protects that is said, and of what is not known nothing", "[cli]") {
    const Report plain = report(Result::valid, {layer(LayerType::signed_data, {})});
    CHECK(header_lines(plain) == Lines{"header: not covered by any signature"});
    CHECK(field_words(plain, "From") == "not covered by any signature");
    Report entity = plain;
    entity.from.clear();
    CHECK(header_lines(entity).empty());
    Layer left_on = layer(LayerType::enveloped, {});
    left_on.protected_headers = std::nullopt;
    CHECK(header_lines(report(Result::decrypted, {left_on})).empty());
    CHECK_FALSE(field_words(report(Result::decrypted, {left_on}), "From"));
}

TEST_CASE("a header of many names is told in a line of bounded length", "[cli]") {
    Lines many;
    for (int i = 0; i < 500; ++i)
        many.push_back("x-field-" + std::to_string(i));
    const Lines lines = header_lines(report(Result::valid, {layer(LayerType::signed_data, many)}));
    CHECK(lines.at(0).size() < 500);
    CHECK_THAT(lines.at(0), Catch::Contains("480 more: covered by the signature"));
}

TEST_CASE("the details of a verdict end with the header, those of inspect say nothing of it", "[cli]") {
    const Report plain = report(Result::valid, {layer(LayerType::signed_data, {})});
    CHECK(layer_lines(plain, true).back() == "header: not covered by any signature");
    CHECK_THAT(layer_lines(plain, false).back(), !Catch::StartsWith("header:"));
}
