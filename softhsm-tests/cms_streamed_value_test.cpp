#include "cms/streamed_value.h"

#include <openssl/cms.h>

#include <catch2/catch.hpp>

#include "cms/encode.h"
#include "cms/identifiers.h"
#include "softhsm-tests/mime_pieces.h"
#include "softhsm-tests/support/cms_bench.h"

using namespace p11mime;
using namespace p11mime::cms;

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

// data_content is a ContentInfo of type data, the smallest that CMS has.
Bytes data_content(std::string_view content, bool definite, std::size_t piece_size) {
    BytesSink sink;
    StreamedValue value(sink, {{tag::kSequence, der_oid(oid::kData), {}}, {tag::context(0, true), {}, {}}},
                        tag::kOctetString, definite ? std::optional<std::uint64_t>(content.size()) : std::nullopt);
    test::push_in_pieces(value, content, piece_size);
    value.finish();
    return sink.bytes;
}

CmsHandle parsed_by_openssl(const Bytes& ber) {
    const Byte* at = ber.data();
    CmsHandle cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(ber.size())));
    REQUIRE(cms);
    REQUIRE(at == ber.data() + ber.size());
    return cms;
}

std::string content_by_openssl(CMS_ContentInfo* cms) {
    ASN1_OCTET_STRING** content = CMS_get0_content(cms);
    REQUIRE((content != nullptr && *content != nullptr));
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(*content)),
            static_cast<std::size_t>(ASN1_STRING_length(*content))};
}

}  // namespace

TEST_CASE("a streamed value reads the same for OpenSSL in DER and in BER") {
    // Sizes where the length octets and the segments change.
    const std::size_t size = GENERATE(0, 1, 127, 128, 255, 256, 65'535, 65'536, 65'537, 131'072, 200'000);
    std::string content(size, 'a');
    for (std::size_t i = 0; i < size; ++i)
        content[i] = static_cast<char>('a' + i % 23);
    for (const std::size_t piece : {std::size_t{0}, std::size_t{7}, std::size_t{70'000}}) {
        const Bytes der = data_content(content, true, piece);
        const CmsHandle from_der = parsed_by_openssl(der);
        CHECK(content_by_openssl(from_der.get()) == content);
        CHECK(encode(from_der.get(), i2d_CMS_ContentInfo) == der);

        const CmsHandle from_ber = parsed_by_openssl(data_content(content, false, piece));
        CHECK(content_by_openssl(from_ber.get()) == content);
    }
}

TEST_CASE("a streamed value takes what stands before and after its content") {
    const bool definite = GENERATE(true, false);
    BytesSink sink;
    const Bytes before = der_integer(5), after = der_integer(6);
    StreamedValue value(sink, {{tag::kSequence, before, definite ? after : Bytes{}}}, tag::kOctetString,
                        definite ? std::optional<std::uint64_t>(3) : std::nullopt);
    value.push(bytes_of("abc"));
    if (!definite) value.set_after(0, after);
    value.finish();
    // As `openssl asn1parse` lists it.
    const test::CmsBench bench;
    const std::string listing = bench.openssl({"asn1parse", "-inform", "DER"}, text_of(sink.bytes));
    const std::size_t first = listing.find("INTEGER           :05"), middle = listing.find("OCTET STRING"),
                      last = listing.find("INTEGER           :06");
    CAPTURE(listing);
    CHECK(first != std::string::npos);
    CHECK((first < middle && middle < last && last != std::string::npos));
}

TEST_CASE("an announced length that does not come true is an error") {
    const std::string_view content = GENERATE(as<std::string_view>{}, "ab", "abcd");
    BytesSink sink;
    StreamedValue value(sink, {{tag::kSequence, {}, {}}}, tag::kOctetString, 3);
    value.push(bytes_of(content));
    CHECK(test::caught([&] { value.finish(); }).kind() == ErrorKind::io);
}
