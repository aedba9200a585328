#include "cms/ber_reader.h"

#include <catch2/catch.hpp>

#include "cms/identifiers.h"
#include "cms/signed_data.h"
#include "softhsm-tests/mime_pieces.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/hex.h"

using namespace p11mime;
using namespace p11mime::cms;
using p11mime::test::caught;
using p11mime::test::from_hex;

namespace {

// octets_of reads one octet string that is the whole input.
std::string octets_of(ByteView ber, std::size_t piece_size = 0) {
    test::PieceSource source(text_of(ber), piece_size);
    BerReader reader(source);
    reader.begin_octets(tag::kOctetString, "octet string");
    OctetsSource octets(reader);
    std::string text = test::text_from(octets);
    reader.require_end();
    return text;
}

// nested_octets is "x" in octet strings inside each other, `depth` of them constructed.
Bytes nested_octets(std::size_t depth, bool definite) {
    Bytes value = der_value(tag::kOctetString, bytes_of("x"));
    for (std::size_t i = 0; i < depth; ++i)
        value = definite ? der_value(0x24, value) : concat({from_hex("2480"), value, from_hex("0000")});
    return value;
}

Bytes nested_sequences(std::size_t depth, bool definite) {
    Bytes value = der_value(tag::kInteger, bytes_of("\x05"));
    for (std::size_t i = 0; i < depth; ++i)
        value = definite ? der_value(tag::kSequence, value) : concat({from_hex("3080"), value, from_hex("0000")});
    return value;
}

bool enters(ByteView ber, std::size_t depth) {
    ViewSource source(ber);
    BerReader reader(source);
    for (std::size_t i = 0; i < depth; ++i)
        reader.enter(tag::kSequence, "sequence");
    return reader.next_is(tag::kInteger);
}

bool refuses(const std::function<void()>& action) {
    return caught(action).kind() == ErrorKind::malformed;
}

// read_signed_data reads a whole SignedData and says what it holds.
std::string read_signed_data(std::string_view ber, std::size_t piece_size) {
    test::PieceSource source(ber, piece_size);
    BerReader reader(source);
    enter_content_info(reader);
    SignedDataReader signed_data(reader);
    const std::string content = signed_data.has_content() ? test::text_from(signed_data.content()) : "";
    signed_data.finish();
    leave_content_info(reader);
    std::string text = content + " " + signed_data.content_type();
    for (const Certificate& each : signed_data.certificates())
        text += " " + each.fingerprint_sha256();
    return text + " " + std::to_string(signed_data.signers().size());
}

}  // namespace

TEST_CASE("octet strings are read whichever way BER writes them") {
    const auto [ber, content] = GENERATE(table<const char*, const char*>({
        {"0400", ""},
        {"0403 616263", "abc"},
        {"048103 616263", "abc"},                          // a length in more octets than needed
        {"0488000000000000 0003 616263", "abc"},           // in as many as can be
        {"2400", ""},                                      // constructed of nothing
        {"2480 0000", ""},                                 // indefinite
        {"2409 0401 61 0402 6263 0400", "abc"},            // definite, in segments
        {"2480 0401 61 0402 6263 0000", "abc"},            // indefinite, in segments
        {"2480 2405 0403 616263 0400 0000", "abc"},        // mixed
        {"2480 2480 0401 61 0000 0402 6263 0000", "abc"},  // indefinite inside indefinite
        {"240b 2480 0403 616263 0000 0400", "abc"},        // indefinite inside definite
        {"2480 0403 616263 0000 00 0d0a", "abc"},          // white space and NUL may follow
    }));
    for (const std::size_t size : test::kPieceSizes)
        CHECK(octets_of(from_hex(ber), size) == content);
}

TEST_CASE("malformed BER is refused") {
    const char* ber = GENERATE("",                               // nothing
                               "04",                             // no length
                               "0403 6162",                      // cut off
                               "0480 0000",                      // a primitive value of indefinite length
                               "0484ffffffff 61",                // 4 GiB announced
                               "0488ffffffffffffffff 61",        // 2^64 - 1 announced
                               "0488fffffffffffffff6 61",        // with the header just below 2^64
                               "0489010000000000000003 616263",  // a length of nine octets
                               "2403 0402 6162",                 // a segment longer than the string around it
                               "2404 0403 616263",               //
                               "2480 0403 616263",               // no end
                               "2480 0403 616263 00",            // half an end
                               "2480 0201 05 0000",              // something else than octet strings inside
                               "2406 2480 0402 6162 0000",       // the end-of-contents octets stand outside the value
                               "2405 2480 0401 61 0000",         //
                               "2403 2480 00 00",                //
                               "1f01 00",                        // a high tag number
                               "0201 05",                        // another type
                               "0403 616263 ff",                 // data behind
                               "2480 0000 0000 30");
    CAPTURE(ber);
    for (const std::size_t size : test::kPieceSizes)
        CHECK(refuses([&] { octets_of(from_hex(ber), size); }));
}

TEST_CASE("octet strings nest up to the limit") {
    const bool definite = GENERATE(true, false);
    CHECK(octets_of(nested_octets(kMaxOctetStringNesting, definite)) == "x");
    CHECK(refuses([&] { octets_of(nested_octets(kMaxOctetStringNesting + 1, definite)); }));
    CHECK(refuses([&] { octets_of(nested_octets(1'000, definite)); }));
}

TEST_CASE("values nest up to the limit") {
    const bool definite = GENERATE(true, false);
    CHECK(enters(nested_sequences(kMaxBerDepth, definite), kMaxBerDepth));
    CHECK(refuses([&] { enters(nested_sequences(kMaxBerDepth + 1, definite), kMaxBerDepth + 1); }));

    // A value of indefinite length that is read whole or skipped is followed to its end.
    const Bytes deep = nested_sequences(1'000, false);
    ViewSource whole(deep);
    BerReader reader(whole);
    CHECK(refuses([&] { reader.element(kMaxElementBytes, "value"); }));
    const Bytes wrapped = concat({from_hex("3080"), deep, from_hex("0000")});
    ViewSource skipped(wrapped);
    BerReader skipper(skipped);
    skipper.enter(tag::kSequence, "sequence");
    CHECK(refuses([&] { skipper.skip_to_end(); }));
}

TEST_CASE("a value that is read whole is bounded") {
    const std::size_t limit = 100;
    const auto element = [&](const Bytes& ber) {
        ViewSource source(ber);
        BerReader reader(source);
        return reader.element(limit, "value");
    };
    const Bytes fits = der_value(tag::kOctetString, Bytes(98, 'a'));
    CHECK(element(fits) == fits);
    CHECK(refuses([&] { element(der_value(tag::kOctetString, Bytes(99, 'a'))); }));

    const auto segments = [&](std::size_t count) {
        Bytes ber = from_hex("2480");
        for (std::size_t i = 0; i < count; ++i)
            ber = concat({ber, from_hex("0402 6161")});
        return concat({ber, from_hex("0000")});
    };
    CHECK(element(segments(24)) == segments(24));
    CHECK(refuses([&] { element(segments(25)); }));
    CHECK(refuses([&] { element(from_hex("0488 00ffffffffffffff 00")); }));
}

TEST_CASE("a value of indefinite length ends inside the value around it") {
    const auto leaves_inner = [](const char* hex) {
        const Bytes ber = from_hex(hex);
        ViewSource source(ber);
        BerReader reader(source);
        reader.enter(tag::kSequence, "outer");
        reader.enter(tag::kSequence, "inner");
        reader.leave();
        return true;
    };
    CHECK(leaves_inner("3004 3080 0000"));
    CHECK(refuses([&] { leaves_inner("3003 3080 0000"); }));
    CHECK(refuses([&] { leaves_inner("3002 3080 0000"); }));

    const auto leaves = [](const char* hex) {
        const Bytes ber = from_hex(hex);
        ViewSource source(ber);
        BerReader reader(source);
        reader.enter(tag::kSequence, "outer");
        reader.enter(tag::kSequence, "inner");
        reader.element(tag::kInteger, 10, "integer");
        reader.leave();
        reader.leave();
        reader.require_end();
        return true;
    };
    CHECK(leaves("3007 3080 020105 0000"));
    CHECK(refuses([&] { leaves("3005 3080 020105 0000"); }));
    CHECK(refuses([&] { leaves("3006 3080 020105 0000"); }));

    const auto skips = [](const char* hex) {
        const Bytes ber = from_hex(hex);
        ViewSource source(ber);
        BerReader reader(source);
        reader.enter(tag::kSequence, "outer");
        reader.skip_to_end();
        reader.leave();
        reader.require_end();
        return true;
    };
    CHECK(skips("3007 3080 020105 0000"));
    CHECK(refuses([&] { skips("3005 3080 020105 0000"); }));
    CHECK(refuses([&] { skips("3006 3080 020105 0000"); }));
}

TEST_CASE("a value that is longer than the value around it is refused before any of it is read") {
    const auto inside = [](const char* hex, const std::function<void(BerReader&)>& read) {
        const Bytes ber = from_hex(hex);
        ViewSource source(ber);
        BerReader reader(source);
        reader.enter(tag::kSequence, "sequence");
        read(reader);
        return true;
    };
    const auto element = [](BerReader& reader) { reader.element(10, "element"); };
    CHECK(inside("3004 0402 6162", element));
    CHECK(refuses([&] { inside("3003 0402 6162", element); }));
    CHECK(refuses([&] { inside("3001 0400", element); }));
    const auto octets = [](BerReader& reader) {
        reader.begin_octets(tag::kOctetString, "octets");
        reader.octets();
    };
    CHECK(inside("3006 2404 0402 6162", octets));
    CHECK(refuses([&] { inside("3006 2403 0402 6162", octets); }));
    CHECK(refuses([&] { inside("3003 0402 6162", octets); }));
    CHECK(refuses([&] { inside("3003 3002 0500", [](BerReader& reader) { reader.enter(tag::kSequence, "inner"); }); }));
}

TEST_CASE("what is left unread in a value is an error") {
    const Bytes ber = from_hex("3006 020105 020106");
    ViewSource source(ber);
    BerReader reader(source);
    reader.enter(tag::kSequence, "sequence");
    CHECK(text_of(reader.element(tag::kInteger, 10, "integer")) == text_of(from_hex("020105")));
    CHECK(refuses([&] { reader.leave(); }));
}

TEST_CASE("pieces of any size read the same") {
    const test::CmsBench bench;
    const auto alice = bench.issue();
    const auto options = GENERATE(std::vector<std::string>{"-nodetach"},
                                  std::vector<std::string>{"-nodetach", "-stream"}, std::vector<std::string>{});
    std::vector<std::string> arguments{"cms", "-sign", "-binary", "-outform", "DER"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    for (const std::string& each : bench.signer_options(alice))
        arguments.push_back(each);
    const std::string ber = bench.openssl(arguments, std::string(10'000, 'a'));
    const std::string expected = read_signed_data(ber, 0);
    CHECK(expected.find(alice.certificate.fingerprint_sha256()) != std::string::npos);
    for (const std::size_t size : {1, 2, 3, 7})
        CHECK(read_signed_data(ber, size) == expected);
}

TEST_CASE("SignedData cut off anywhere is refused") {
    const test::CmsBench bench;
    std::vector<std::string> arguments{"cms", "-sign", "-binary", "-nodetach", "-outform", "DER"};
    if (GENERATE(false, true)) arguments.emplace_back("-stream");
    for (const std::string& each : bench.signer_options(bench.issue()))
        arguments.push_back(each);
    const std::string ber = bench.openssl(arguments, "The content.\r\n");
    CHECK_NOTHROW(read_signed_data(ber, 0));
    std::size_t refused = 0;
    for (std::size_t size = 0; size < ber.size(); ++size)
        refused += refuses([&] { read_signed_data(std::string_view(ber).substr(0, size), 0); });
    CHECK(refused == ber.size());
}
