// CompressedData, with zlib as the peer.
#include "cms/content_info.h"
#include "cms/smime/encrypt.h"
#include "cms/zlib.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_structures.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kEntity = "Content-Type: text/plain\r\n\r\nHello\r\n";

}  // namespace

TEST_CASE("compressed content is expanded, bare and in a mail") {
    const CmsBench bench;
    const std::string bare = craft::content_info(oid::kCompressedData, craft::compressed_data(deflated(kText)));
    const ReadMail opened = bench.open(bare, {});
    CHECK(opened.content == kText);
    CHECK(opened.report.result == Result::unsigned_);
    REQUIRE(opened.report.layers.size() == 1);
    CHECK(opened.report.layers[0].type == LayerType::compressed);
    CHECK(opened.report.layers[0].algorithm == "zlib");
    CHECK(bench.inspect(bare).report.layers.at(0).type == LayerType::compressed);

    const std::string mail =
        as_mail(craft::content_info(oid::kCompressedData, craft::compressed_data(deflated(kEntity))));
    CHECK(bench.open(mail, {}).content == "From: alice@example.gov\r\nMIME-Version: 1.0\r\n" + std::string(kEntity));
    CHECK(caught([&] { bench.verify(mail); }).kind() == ErrorKind::malformed);  // not signed
    CHECK(caught([&] { bench.decrypt(mail, {}); }).kind() == ErrorKind::malformed);
}

TEST_CASE("compressed content that is broken, cut off or followed by more is malformed") {
    const CmsBench bench;
    const Bytes good = deflated(kText);
    const auto failure = [&](Bytes content, std::string_view algorithm = "1.2.840.113549.1.9.16.3.8") {
        const Error error = caught([&] {
            bench.open(
                craft::content_info(oid::kCompressedData, craft::compressed_data(content, oid::kData, algorithm)), {});
        });
        CHECK(error.kind() == ErrorKind::malformed);
        return std::string(error.what());
    };
    Bytes broken = good, checksum = good, cut = good;
    broken[0] = 0x77;
    checksum.back() ^= 1;
    cut.pop_back();
    CHECK_THAT(failure(broken), Catch::Contains("broken"));
    CHECK_THAT(failure(checksum), Catch::Contains("broken"));
    CHECK_THAT(failure(cut), Catch::Contains("cut off"));
    CHECK_THAT(failure({}), Catch::Contains("cut off"));
    CHECK_THAT(failure(concat({good, bytes_of("more")})), Catch::Contains("after the end"));
    CHECK_THAT(failure(good, "1.2.3.4"), Catch::Contains("unsupported algorithm 1.2.3.4"));
    const std::string unknown =
        craft::content_info(oid::kCompressedData, craft::compressed_data(good, oid::kData, "1.2.3.4"));
    CHECK(bench.inspect(unknown).report.layers.at(0).algorithm == "1.2.3.4");
}

TEST_CASE("what is compressed on writing expands with zlib, at any size and in every form") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    for (const std::size_t size : {0, 1, 65'535, 65'536, 300'000}) {
        std::string body(size, 'x');
        for (std::size_t i = 0; i < size; ++i)
            body[i] = static_cast<char>(1 + (i * i + i / 251) % 255);
        BytesSink compressed;
        Deflation deflation(compressed);
        deflation.push(bytes_of(body));
        deflation.finish();
        std::string expanded(size + 1, '\0');
        uLongf expanded_size = expanded.size();
        REQUIRE(uncompress(reinterpret_cast<Byte*>(expanded.data()), &expanded_size, compressed.bytes.data(),
                           compressed.bytes.size()) == Z_OK);
        expanded.resize(expanded_size);
        CHECK(expanded == body);
    }
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    for (const bool opaque : {false, true})
        for (const Form form : {Form::smime, Form::der, Form::pem}) {
            SignOptions options;
            options.form = form;
            options.opaque = opaque;
            options.compress = true;
            const std::string signed_mail = bench.sign({alice}, text, options);
            const ReadMail opened = bench.open(signed_mail, {});
            CHECK(opened.report.result == Result::valid);
            CHECK(body_of(with_lf(opened.content)) == body_of(with_lf(text)));
            REQUIRE(opened.report.layers.size() == 2);
            CHECK(opened.report.layers[1].type == LayerType::compressed);
            CHECK(opened.report.layers[1].covers_whole);
            if (form == Form::smime && !opaque)
                CHECK_THAT(signed_mail, Catch::Contains("smime-type=compressed-data; name=smime.p7z"));
        }
}

TEST_CASE("content is compressed inside encryption and triple wrapping") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), bob = bench.bob();
    SoftwareSigner signer(alice);
    const SystemClock clock;
    EncryptOptions options;
    options.compress = true;
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    const ReadMail encrypted = bench.decrypt(bench.encrypt({bob.certificate}, text, options), {bob});
    CHECK(encrypted.report.result == Result::decrypted);
    CHECK(body_of(encrypted.content) == body_of(text));
    CHECK(encrypted.report.layers.size() == 2);

    const std::string wrapped =
        run(*seal_job({&signer}, clock, {}, {bob.certificate}, options, true), mail("alice@example.gov", "b@c.d"));
    const ReadMail opened = bench.open(wrapped, {bob});
    CHECK(opened.report.result == Result::valid);
    REQUIRE(opened.report.layers.size() == 4);
    const LayerType expected[]{LayerType::signed_data, LayerType::enveloped, LayerType::signed_data,
                               LayerType::compressed};
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(opened.report.layers[i].type == expected[i]);
}

TEST_CASE("content that shrinks further than readers accept is not compressed") {
    NullSink nowhere;
    Deflation deflation(nowhere);
    const Bytes zeros(1024 * 1024);
    const Error error = caught([&] {
        for (int i = 0; i < 64; ++i)
            deflation.push(zeros);
    });
    CHECK_THAT(error.what(), Catch::Contains("readers refuse"));
}
