// Input that makes more work than it may ends with exit 6, soon and in little memory.

#include <fmt/format.h>

#include "mime/codec.h"
#include "softhsm-tests/e2e_limits.h"
#include "softhsm-tests/support/large_key.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

/// parts_of is a mail of many parts that each hold the same CMS.
std::string parts_of(const std::string& cms, std::size_t count) {
    const std::string part =
        "--x\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
        mime::base64_text(bytes_of(cms)) + "\r\n";
    return "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + repeated(part, count) +
           "--x--\r\n";
}

}  // namespace

TEST_CASE("a decompression bomb ends early", "[e2e][limits]") {
    const Desk desk;
    const std::string zeros(1 << 20, '\0');
    const std::string bomb = deflated(zeros, 96);
    REQUIRE(bomb.size() < 120'000);
    const std::string bare = content_info(craft::oid::kCompressedData, compressed(craft::oid::kData, bomb));
    refused(desk, bare, "expands more than");
    refused(desk,
            "From: a@example.gov\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n" +
                mime::base64_text(bytes_of(bare)),
            "expands more than", {"open", "inspect"});

    // Bombs inside each other, each small enough by itself.
    std::string inner = compressed(craft::oid::kData, deflated(zeros, 24));
    for (int i = 0; i < 4; ++i)
        inner = compressed(craft::oid::kCompressedData, deflated(inner, 1));
    CHECK(run_limited(desk, {"open", "-n"}, content_info(craft::oid::kCompressedData, inner)).status == 0);
    std::string parts;
    for (int i = 0; i < 4; ++i)
        parts += "--x\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                 mime::base64_text(bytes_of(
                     content_info(craft::oid::kCompressedData, compressed(craft::oid::kData, deflated(zeros, 24))))) +
                 "\r\n";
    refused(desk, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + parts + "--x--\r\n",
            "expands more than", {"open", "inspect"});
}

TEST_CASE("compressed content that every level and every digest goes over again ends early", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    std::string levels;
    for (int i = 10; i < 99; ++i)
        levels += fmt::format("Content-Type: multipart/mixed; boundary=b{}\r\n\r\n--b{}\r\n", i, i);
    const auto bare = [](std::string_view type, const std::string& zlib) {
        return content_info(oid::kCompressedData, compressed(type, zlib));
    };
    const auto bare_parts = [&](const std::string& line) {
        return bare(oid::kData, deflated(levels + "\r\n" + repeated(line, (8 << 20) / line.size()), 1));
    };
    const std::string delimiters = bare_parts("--\n");
    REQUIRE(delimiters.size() < 40'000);
    refused(desk, delimiters, "too much work", {"open"});
    refused(desk, bare_parts("\n"), "too much work", {"inspect"});

    const Bytes two = concat(
        {der_algorithm(digest_algorithm(Hash::sha3_512).oid), der_algorithm(digest_algorithm(Hash::sha3_384).oid)});
    std::string layers(4 << 20, '\0');
    std::string_view type = oid::kData;
    for (int i = 0; i < 48; ++i) {
        layers =
            text(der_value(tag::kSequence, {der_integer(1), der_value(tag::kSet, two),
                                            bytes_of(encapsulated(type, layers)), der_value(tag::kSet, ByteView{})}));
        type = oid::kSignedData;
    }
    refused(desk, bare(type, deflated(layers, 1)), "too much work", {"verify"});

    // As a mail that is well meant has them: some levels and a digest.
    const Outcome few =
        run_limited(desk, {"open", "-n"},
                    bare(oid::kData, deflated("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
                                              "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" +
                                                  std::string(28 << 20, '\n'),
                                              1)));
    INFO(few.err);
    CHECK(few.status == 0);
}

TEST_CASE("layers that each ask for every digest end early", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    Bytes every;
    std::size_t count = 0;
    for (const Algorithm& row : algorithm_table())
        if (row.kind == AlgorithmKind::digest && row.hash && row.oid != "2.16.840.1.101.3.4.2.18") {
            every = concat({every, der_algorithm(row.oid)});
            ++count;
        }
    const auto layers = [&](std::size_t depth, const std::string& content) {
        std::string inner = content;
        std::string_view type = oid::kData;
        for (std::size_t i = 0; i < depth; ++i) {
            inner = text(
                der_value(tag::kSequence, {der_integer(1), der_value(tag::kSet, every),
                                           bytes_of(encapsulated(type, inner)), der_value(tag::kSet, ByteView{})}));
            type = oid::kSignedData;
        }
        return content_info(type, inner);
    };
    refused(desk, layers(98, std::string(1 << 20, 'x')), "more than 100 digests of the same content");
    refused(desk, layers(100 / count + 1, "content"), "more than 100 digests of the same content");
    CHECK(run_limited(desk, {"inspect"}, layers(100 / count, "content")).status == 0);
}

TEST_CASE("signatures of keys that take long to verify with are not checked", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const auto mail = [&](const PrivateKey& key, std::string_view algorithm) {
        const SoftwareKey signer{alice.key, certify_key(key, {.name = "Mallory"}, &alice)};
        std::vector<Bytes> infos;
        for (int i = 0; i < 100; ++i)
            infos.push_back(signer_info({.key = signer,
                                         .attributes = usual_attributes("content"),
                                         .content = "content",
                                         .signature_algorithm = der_algorithm(algorithm)}));
        return signed_data({"content", infos, {signer.certificate}});
    };
    refused(desk, mail(dsa_key(10'000), "2.16.840.1.101.3.4.3.2"),
            "unsupported algorithm DSA-10000: the key is too large", {"open", "verify"});
    refused(desk, mail(rsa_key(3'072, 3'068), "1.2.840.113549.1.1.1"),
            "unsupported algorithm RSA-3072: the key is too large", {"open", "verify"});
}

TEST_CASE("signers and signatures of all parts together are limited", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const Bytes info = signer_info(alice, usual_attributes("content"), "content");
    refused(desk, parts_of(signed_data({"content", std::vector<Bytes>(100, info), {}}), 50), "more than 500 signers");

    const Bytes countersignature = signer_info(alice, {{message_digest("another signature")}}, "");
    const Bytes countersigned =
        signer_info({.key = alice,
                     .attributes = usual_attributes("content"),
                     .content = "content",
                     .unsigned_attributes = {attribute(oid::kCountersignature, std::vector(20, countersignature))}});
    refused(desk, parts_of(signed_data({"content", {countersigned}, {alice.certificate}}), 50),
            "more than 1000 signatures to be verified", {"open", "verify"});
}

TEST_CASE("certificates of all layers together, headers inside each other and endless names are limited",
          "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const std::vector<cms::Certificate> certificates(1'000, alice.certificate);
    const std::string bundles = parts_of(signed_data({std::nullopt, {}, certificates}), 20);
    refused(desk, content_info(oid::kCompressedData, compressed(oid::kData, deflated(bundles, 1))), "too much work",
            {"inspect"});

    std::string headers = "MIME-Version: 1.0\r\n";
    for (int i = 0; i < 50; ++i)
        headers += "Content-Type: message/rfc822\r\n" + repeated("a:\r\n", 9'000) + "\r\n";
    refused(desk, headers, "headers of parts inside each other", {"open", "inspect"});

    const std::string endless = text(der(
        tag::kSequence, text(der(tag::kSet, text(der_value(tag::kSequence, {der_oid("2.5.4.3"),
                                                                            der(0x0c, std::string(30'000, '\1'))}))))));
    const Bytes rid = der_value(tag::kSequence, {bytes_of(endless), der_integer(1)});
    const std::string recipient =
        text(der_value(tag::kSequence, {der_integer(0), rid, der_algorithm("1.2.840.113549.1.1.1"),
                                        der_value(tag::kOctetString, Bytes(256))}));
    const Outcome named = run_limited(desk, {"inspect"}, enveloped(repeated(recipient, 250)));
    CHECK(named.status == 0);
    CHECK_THAT(named.out, Catch::Contains("a name of 30021 bytes, serial 01"));
    if (!is_sanitized()) CHECK(named.peak_kib < kPeakKib);
}

TEST_CASE("many signers, certificates and parts take time in proportion", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    // A hundred signers, and a thousand certificates of one key that each seem to be issued by the next.
    const SoftwareKey alice = certify({.name = "0"});
    std::vector<cms::Certificate> chain{alice.certificate};
    for (int i = 1; i < 1'000; ++i) {
        const SoftwareKey next{alice.key, certify_key(alice.key, authority_spec(std::to_string(i)), nullptr)};
        chain.push_back(certify_key(alice.key, authority_spec(std::to_string(i - 1)), &next));
    }
    std::vector<Bytes> infos;
    for (std::size_t i = 0; i < 100; ++i) {
        const SoftwareKey signer{alice.key, chain[1 + i]};
        infos.push_back(signer_info(signer, usual_attributes("content"), "content"));
    }
    const Outcome chained =
        run_limited(desk, {"verify", "--no-default-ca", "-n"}, signed_data({"content", infos, chain}));
    INFO(chained.err.substr(0, 1000));
    CHECK(chained.status == 3);

    refused(desk, parts_of(signed_data({std::nullopt, {}, {alice.certificate}}), 5'000), "more than 1000 layers",
            {"open", "inspect"});
    refused(desk,
            content_info(
                oid::kSignedData,
                text(der_value(tag::kSequence,
                               {der_integer(1), der(tag::kSet, repeated(text(der_algorithm("1.2.3")), 100'000)),
                                bytes_of(encapsulated(oid::kData, "content")), der_value(tag::kSet, ByteView{})}))),
            "more than 100 digest algorithms");
}
